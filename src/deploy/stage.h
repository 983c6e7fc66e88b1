/*
 * stage - the three parts of a deploy, and the way through one phase.
 *
 * A phase is: deploy/before_PHASE of the release, the built-in work, the
 * configured actions in the order of the config, deploy/after_PHASE. A
 * phase with none of these is passed over in silence. Before the release
 * is there (fetch), actions run in the root.
 */
#ifndef STAGE_H
#define STAGE_H

#include "deploy/work.h"

/* Built-in work; NULL where a phase has none. */
typedef const struct err *(*builtin_cb)(struct work *work, struct str *note);

/*
 * Whether a phase has a command: an action of the plan, or a hook of those
 * that work_hooks() has read.
 */
bool stage_runs(const struct work *work, enum phase phase);

/* Run one phase. The error names it. */
const struct err *stage_phase(struct work *work, enum phase phase,
    builtin_cb builtin);

/*
 * The same for the release that was live before, in its folder and with
 * its hooks, which work_hooks() has read. It has no built-in work.
 */
const struct err *stage_phase_old(struct work *work, enum phase phase);

/*
 * Ask the hosts whether they have the room for the release, and whether what
 * is live was edited, once work_hosts() has them there. prepare() waits for
 * the answers; where it does not come next, work_wait() has to.
 */
void prepare_ahead(struct work *work);

/*
 * Fetch to backup. Nothing of the live site is touched.
 */
const struct err *prepare(struct work *work);

/* Maintenance to verify: what visitors can notice. */
const struct err *activate(struct work *work);

/*
 * Contract to notify, and before that the page that a broken deploy has left
 * comes down. The deploy is live: an error is reported and kept in the row,
 * and changes nothing else; only ERR_INTERRUPTED is returned, when a host was
 * lost: it is to be picked up again. A rollback contracts nothing: what it
 * went back to may still need what would go.
 */
const struct err *finish(struct work *work);

/*
 * Set "migrated" and "maintenance" of the row by the steps that are done;
 * the row itself is written with the next state.
 */
const struct err *count_effects(struct work *work);

/* The page goes down: the undo of the maintenance actions that ran. */
const struct err *maintenance_down(struct work *work);

/*
 * So does one that a broken deploy has left, now that this one is live. What
 * fails is tried again by the next deploy, and given up after the third.
 */
const struct err *maintenance_down_left(struct work *work);

/*
 * Make a release durable, and keep what commands have made of it since this
 * was done last, if they have: a rollback has to find that, and it is no
 * drift.
 */
const struct err *seal(struct work *work, const char *release);

/*
 * Take out of "names" the releases that a process still has as its working
 * directory; a line for each onto "stays".
 */
const struct err *drop_busy(struct work *work, struct vec *names,
    struct vec *stays);

/*
 * Remove what is too old, on every host. What resisted is pushed onto
 * "stays" as a line that says why. The last one is kept to be used again,
 * unless "all" is asked for. The journal learns of each at once; or, where the
 * end of the deploy comes next, by that, and then "gone" of the work has them.
 */
const struct err *cleanup(struct work *work, bool all, struct vec *removed,
    struct vec *stays);

/*
 * Remove the dumps of which, by the journal, nobody can go back so far any
 * more: one is of use as long as there is its release, or an older one.
 */
const struct err *drop_backups(struct work *work);

#endif
