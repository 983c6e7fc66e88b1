/*
 * undo - take back what a deploy did.
 *
 * Steps are undone in reverse order, in the folder of the release that did
 * them, since only the new code knows its own down-migrations. A step that
 * failed, or was interrupted and is not run again, is undone too when its
 * record shows that it had an effect. An undo that was interrupted is run
 * again, unless its action says "retry = no" or that was so three times:
 * then it has failed.
 */
#ifndef UNDO_H
#define UNDO_H

#include <stdbool.h>

#include "deploy/work.h"
#include "journal/step.h"

/* What undoing came to. */
struct undone {
	int64_t undone;		/* steps taken back */
	int64_t migrations;	/* migrate steps among them */
	int64_t lost;		/* migrate steps that could not be */
	int64_t failed;		/* undo commands that failed */
	int64_t from_ms;	/* of the first command, monotonic; 0: none */
};

/* A migration, and no hook of the release beside it. */
bool undo_is_migration(const struct step *step);

/*
 * Undo the steps of a deploy: of "work" itself, or an older one of the
 * same environment. ERR_FAILED with the first undo that failed; the others
 * were run all the same.
 */
const struct err *undo_deploy(struct work *work, int64_t number,
    struct undone *undone);

/*
 * The same, with nothing run: what the deploy, picked up after a crash and
 * stopped, had undone before that. An undo that was interrupted has failed.
 */
const struct err *undo_stop(struct work *work, int64_t number,
    struct undone *undone);

/* What that makes of the migrations, for the row of "work". */
void undo_judge(struct work *work, const struct undone *undone);

/* Tell how long all of it took; nothing when there was nothing to undo. */
void undo_end(struct work *work, const struct undone *undone);

/*
 * The steps of a deploy that undoing it takes back, newest first, and the
 * migrations that it cannot: those have no "undo".
 */
const struct err *undo_each(struct work *work, int64_t number, step_cb cb,
    void *ctx);

/*
 * Say in the event log what undoing a deploy will do, and what it cannot.
 */
const struct err *undo_preview(struct work *work, int64_t number);

/*
 * A deploy failed after its activation had begun: undo, flip back on every
 * host, restart on the old release, take the page down. Ends in the state
 * "rolled-back" or "broken". ERR_INTERRUPTED when a host was lost, before
 * or meanwhile: then the deploy is left as it is, for recover().
 */
const struct err *take_back(struct work *work, const struct err *why);

#endif
