/*
 * step - one action run on one host in one deploy.
 *
 *	running -+-> done ---------+-> undoing -+-> undone
 *	         +-> failed -------+            `-> undo-failed
 *	         `-> interrupted --'
 *
 * "running" and "undoing" are written before the command starts, so a crash
 * leaves a trace of what may have begun. Of what was running the next runner
 * makes "interrupted"; what was being undone it begins once more, which is
 * another event. A rollback tries again what is "undo-failed".
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"
#include "vec.h"

struct step {
	int64_t id;
	int64_t deploy;
	char *phase;
	char *action;		/* or "before_PHASE", "after_PHASE" */
	char *host;
	char *state;
	char *argument;
	char *undo;		/* NULL: cannot be undone */
	bool record;		/* $SLIPWAY_RECORD has what it recorded */
	bool changed;		/* not done, but the record shows an effect */
	int64_t exit;		/* -1: ended by a signal, or not ended */
	int64_t signal;
	bool timed_out;
	int64_t started_at;
	int64_t duration_ms;
};

void step_release(struct step *step);

/* Write it as running; id and started_at are set. */
const struct err *step_begin(struct journal *journal, struct step *step);

/* Write its end: state, exit, signal, timed_out, changed, duration. */
const struct err *step_end(struct journal *journal, const struct step *step);

/* Change the state alone. */
const struct err *step_set_state(struct journal *journal, int64_t id,
    const char *state);

/*
 * How many times a step has come to "state" since "deploy", its own or
 * another one, came to "since" first: so says the chain.
 */
const struct err *step_times(struct journal *journal, int64_t id,
    const char *state, int64_t deploy, const char *since, int64_t *times);

/*
 * Steps with this id or above it began after their deploy was known to have
 * failed: in the old release. 0: it is not.
 */
const struct err *step_old_from(struct journal *journal, int64_t deploy,
    int64_t *id);

typedef const struct err *(*step_cb)(const struct step *step, void *ctx);

/* The steps of a deploy in the order they began; "newest_first" turns it. */
const struct err *step_each(struct journal *journal, int64_t deploy,
    bool newest_first, step_cb cb, void *ctx);

/* A deploy that did something to data, lent. */
struct step_owner {
	int64_t deploy;
	struct vec actions;		/* of its steps that are meant, once */
	bool kept;			/* its release was not removed */
};

typedef const struct err *(*step_owner_cb)(const struct step_owner *owner,
    void *ctx);

/*
 * The deploys of an environment, rollbacks aside, that went live or broke
 * and have migrations, or steps with an undo, that are not undone: newest
 * first, among the last "among" deploys. Whether such a step had any effect,
 * its row tells.
 */
const struct err *step_owners(struct journal *journal,
    const char *environment, int64_t among, step_owner_cb cb, void *ctx);

/* The phase of the step that runs now, given; NULL: none does. */
const struct err *step_phase_now(struct journal *journal, int64_t deploy,
    char **phase);

/*
 * The state of an action's steps in a deploy, given: of several hosts the
 * one that is not done; NULL when it did not run. One that was interrupted
 * and ran again is what it was then. Only steps before "before_id" count,
 * 0: all do.
 */
const struct err *step_worst_state(struct journal *journal, int64_t deploy,
    const char *action, int64_t before_id, char **state);

/*
 * How long an action, or a hook of the release, took the last time that it
 * ended well in an environment, among the last STEP_LAST_DEPLOYS deploys;
 * -1: it did not.
 */
#define STEP_LAST_DEPLOYS 1000

const struct err *step_last_ms(struct journal *journal,
    const char *environment, const char *action, int64_t *ms);

#endif
