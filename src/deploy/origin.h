/*
 * origin - which commits an environment takes, once their refs may move.
 *
 * The gate asks before anything moves, and believes what a push says of the
 * branch that only_from names. git may turn just that ref away; so what has
 * landed is asked of again, with the branch as it is then.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stddef.h>

#include "err.h"
#include "plan/config.h"
#include "repo.h"

/*
 * The commit that a ref is at when it is at "oid". ERR_REFUSED when there is
 * none, or when git would not have it: a branch is not at a tag.
 */
const struct err *origin_commit(struct repo *repo, const char *ref,
    const char *oid, char commit[REPO_OID_SIZE]);

/*
 * ERR_REFUSED, with reason and remedy, when an environment deploys a
 * branch's commits only, and that branch at "tip" (zeros: there is none)
 * does not have this one. "tip" NULL: at what it is now.
 */
const struct err *origin_check(struct repo *repo,
    const struct environment *env, const char *ref, const char *commit,
    const char *tip);

/*
 * Which of several commits contains all others: its index, the last one of
 * equal ones; ERR_REFUSED when none does.
 */
const struct err *origin_newest(struct repo *repo,
    const struct environment *env, const char *const *commits, size_t n,
    size_t *newest);

#endif
