/*
 * tip - the branch of an environment beside what is live there.
 *
 * The two differ after a deploy that failed or was cancelled, after a
 * rollback, for a commit that says -skip-, and where an environment has
 * just become transactional. Nothing is said while a push or a deploy of
 * that commit is on its way.
 */
#ifndef TIP_H
#define TIP_H

#include "err.h"
#include "journal/hub.h"
#include "repo.h"
#include "str.h"

/*
 * Append one line that says how they differ and what can be done, or that
 * there is no such branch; nothing when all is well. "where" is " -C DIR"
 * for who would otherwise have to go there, or "".
 */
const struct err *tip_add(struct str *out, const struct hub *hub,
    const struct environment *env, const char *where);

/*
 * Append "there is no branch mian yet (nearest: main)" for a branch that is
 * not there in a repository that has others, or "there is no branch main any
 * more" for one that had been pushed; else nothing.
 */
const struct err *tip_add_missing(struct str *out, const struct hub *hub,
    struct repo *repo, const struct environment *env);

#endif
