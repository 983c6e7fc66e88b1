/*
 * notes - "git log --notes=deploys" tells when a commit went live.
 *
 * Every commit that went live with a deploy gets a line in its note:
 *
 *	production: live 2026-11-20T10:15:00Z, deploy 41 by alice
 *
 * A rollback gives one to the commit that it made live again, and where a
 * transactional branch moved back, or aside, the line ends in that:
 *
 *	...; main moved back from 1a2b3c4 to 5d6e7f8
 *
 * They are for reading later, and nobody who pushes waits for them: they are
 * written when the deploy has ended. Their own history tells whose line was
 * written last: those of deploys that went live since are written first, so
 * nothing that failed once is lost. A runner begins with that, see level.h.
 */
#ifndef NOTES_H
#define NOTES_H

#include "err.h"
#include "journal/deploy.h"
#include "journal/hub.h"
#include "repo.h"

#define NOTES_REF "refs/notes/deploys"

/* Of the newest ones, when more commits than this went live at once. */
#define NOTES_MAX 1000

/* Of the newest ones, when more deploys than this have no line. */
#define NOTES_BEHIND_MAX 100

/*
 * Write the line of a deploy that is live into the notes of its commits,
 * and before that those of earlier ones that have none. It may be done
 * again. The caller holds the environment's lock.
 */
const struct err *notes_write(const struct hub *hub,
    const struct environment *env, struct repo *repo,
    const struct deploy *deploy);

#endif
