/*
 * rollback - make an earlier release live again.
 *
 * The undos of every deploy between the live release and the target run,
 * newest first, each in its own release's folder; then "current" flips.
 */
#ifndef ROLLBACK_H
#define ROLLBACK_H

#include "deploy/work.h"
#include "journal/step.h"

struct release;

/*
 * release_get_target(), and the root has to have the target and the releases
 * of what is to be undone: ERR_NOT_FOUND names what is there instead.
 */
const struct err *rollback_target(const struct hub *hub,
    const struct environment *env, const char *name, struct release *target,
    struct release *live);

/*
 * Find the target, check that it still is what was deployed, and tell what
 * will be undone. The row gets its commit and release.
 */
const struct err *rollback_prepare(struct work *work);

/* The plan of a rollback that is picked up after a crash. */
const struct err *rollback_plan(struct work *work);

/*
 * Undo, flip, restart, clear, verify; then finish. What was undone cannot
 * be done again, so a rollback is never taken back: one that fails before
 * its flip is "rolled-back" when nothing was undone yet, else "broken"; one
 * that fails after it stays live, with the failure as its error.
 * ERR_INTERRUPTED as take_back() returns it.
 */
const struct err *rollback_activate(struct work *work);

/* End one that was interrupted and must not go on, as one that failed. */
const struct err *rollback_stop(struct work *work, const struct err *why);

/*
 * What a rollback to a release, or (NULL) to the one before, would undo, as
 * undo_each() tells it of each deploy, newest first. Nothing is done.
 */
const struct err *rollback_each(const struct hub *hub,
    const struct environment *env, const char *target, step_cb cb,
    void *ctx);

#endif
