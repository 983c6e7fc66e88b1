/*
 * work - one deploy on its way: everything its stages have at hand.
 *
 * Opened by the runner for a deploy that it took, filled by prepare(), and
 * closed whatever came of it. Stages change the row in "deploy" and report
 * events; only runner.c knows their order.
 */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "host/fleet.h"
#include "journal/deploy.h"
#include "journal/event.h"
#include "journal/hub.h"
#include "plan/plan.h"
#include "repo.h"

struct work {
	const struct hub *hub;			/* lent, journal open */
	const struct environment *env;		/* lent from its config */
	struct deploy deploy;			/* the row, owned */
	struct event_log *log;
	struct repo *repo;
	struct fleet *fleet;			/* opened by work_hosts() */
	struct fleet *starting;			/* what it will be, or NULL */
	const struct host **hosts;
	size_t n_hosts;
	struct repo_commit commit;		/* of the deploy */
	char live_commit[REPO_OID_SIZE];	/* before it; "" for none */
	struct directives directives;
	struct directives capitals;		/* see capitals.h */
	struct plan plan;
	struct vec hooks;			/* deploy/ hooks it has */
	struct vec gone;			/* releases that were removed,
						 * before the journal has it */
	int64_t window_from_ms;			/* monotonic; 0: not begun */
	bool flipped;				/* "current" is the new one */
	int64_t asked_ms;			/* monotonic; when hosts were
						 * asked for room, */
	bool edited;				/* and one found edits, or
						 * cannot tell */
	int64_t edits_ms;			/* monotonic; when edits were
						 * looked for last; 0: never */
	char *edits_told;			/* what was said of them */
	bool resumed;				/* picked up after a crash */
	bool made_more;				/* the release has more than its
						 * commit: a command ran */
	int64_t old_from;			/* steps from here on are of
						 * the old release; 0: none */
	bool unwritten;				/* the journal may not have the
						 * last that happened */
};

/*
 * Start the agents of an environment. They touch nothing before
 * work_hosts().
 */
const struct err *work_start_hosts(struct fleet **fleet,
    const struct hub *hub, const struct environment *env);

/*
 * Takes over the row in "deploy", which is emptied, and the agents that were
 * started, if they were; else they start while other things are looked at.
 */
const struct err *work_open(struct work *work, const struct hub *hub,
    const struct environment *env, struct deploy *deploy,
    struct fleet *started);
void work_close(struct work *work);

/* Have the agents there, and the roots open. */
const struct err *work_hosts(struct work *work);

/*
 * A work on behalf of the deploy that is live, with its hosts there; where
 * nothing is, without, and the number of its deploy is 0. It is closed in any
 * case.
 */
const struct err *work_open_live(struct work *work, const struct hub *hub,
    const struct environment *env);

/* Start them again when one of them was lost. */
const struct err *work_hosts_again(struct work *work);

/*
 * True when this runner cannot go on: a host was lost, so that what its
 * steps came to is not known, or the journal did not take the end of one.
 */
bool work_is_cut(const struct work *work);

/* Does it wait still? It is taken with its plan, see runner.c. */
bool work_is_taken(const struct work *work);

/*
 * Take it now, as what comes next will last: others are to know that somebody
 * is at it. ERR_BUSY when it is not what is to be taken any more: others have
 * come, or it was stopped; then it is as it was. No error of one that is taken.
 */
const struct err *work_take(struct work *work);

/* Those whose place it took learn of it, and those that are to wait. */
const struct err *work_tell_taken(struct work *work);

/*
 * Write that a command begins, how it ended, or that it was undone. What gets
 * lost here would be run again, so a journal that is locked is waited for,
 * for however long; any other error makes the work one that is cut.
 */
struct step;
const struct err *work_step_begin(struct work *work, struct step *step);
const struct err *work_step_end(struct work *work, const struct step *step);
const struct err *work_step_state(struct work *work, const struct step *step,
    const char *state);

/* Steps that nobody will hear the end of become "interrupted". */
const struct err *work_interrupt_steps(struct work *work);

/*
 * Read the commit, collect the directives of all commits that go live, and
 * make the plan.
 */
const struct err *work_plan(struct work *work);

/*
 * Have the journal and the event log learn of it. One that still waits is
 * taken with it, as by work_take().
 */
const struct err *work_write_plan(struct work *work);

/*
 * Append the options, of this deploy and of older ones, that will be asked
 * for again when this one does not go live: "-updb- (option of deploy 4)".
 */
void work_add_staying(const struct work *work, struct str *out);

/* A line of warning in the event log. */
void work_warn(struct work *work, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The two lines of the event log that frame a phase, or a part of one that
 * people should see by itself. The first returns when it began.
 */
int64_t work_phase(struct work *work, const char *name);
void work_phase_done(struct work *work, const char *name, int64_t from_ms,
    bool ok, const char *note);

/*
 * Move the deploy to a state and say so in the event log. A locked journal is
 * waited for here, too: nobody takes back what is whole because of that.
 */
const struct err *work_move(struct work *work, enum deploy_state state);

/*
 * The same for one that is prepared, and goes on at once: through that state
 * to the next, in one transaction.
 */
const struct err *work_activate(struct work *work);

/*
 * Write the row as it is, and which releases are gone, whenever the journal
 * can be locked.
 */
const struct err *work_update(struct work *work);

/* Keep this error as the deploy's, unless it has one. */
void work_blame(struct work *work, const struct err *err);

/* It could not be taken back whole: why, behind the error that it has. */
void work_break(struct work *work, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Of the hosts, the one of that name, if there is one; to be freed. */
bool *work_only_host(const struct work *work, const char *name);

/* Ask every host; answers' notes become warnings. */
const struct err *work_ask(struct work *work, const bool *mask,
    const struct message *request);

/* The two halves of that, for what can be done meanwhile. */
void work_send(struct work *work, const bool *mask,
    const struct message *request);
const struct err *work_wait(struct work *work);

/* Both with a verb and a release alone. */
const struct err *work_ask_release(struct work *work, const char *verb,
    const char *release);

/* Asked to remove a release, have all hosts? */
bool work_has_removed(const struct work *work, const char *release);

/*
 * Move the release of a deploy that failed aside, and keep the newest. One
 * that resists is told, and is in nobody's way: ERR_INTERRUPTED is returned
 * when a host was lost, and nothing else.
 */
const struct err *work_set_aside(struct work *work);

/* Those of these names; ERR_FAILED when one resists. */
const struct err *work_set_aside_all(struct work *work,
    const struct vec *releases);

/* The same for the newest that failed, of which some may have resisted. */
const struct err *work_set_aside_left(struct work *work);

/*
 * Remove half-written releases and what was left in the trash; the spare of
 * each host, too, if that is asked for.
 */
const struct err *work_sweep(struct work *work, bool spare);

/* Read which deploy/ hooks a release has, from its first host. */
const struct err *work_hooks(struct work *work, const char *release);

/*
 * Every command of a deploy, and every undo, had its backup folder; most
 * leave it empty, and then it goes.
 */
void work_drop_backup(struct work *work, int64_t number);

/* Finish the row and write the last line of the event log. */
const struct err *work_end(struct work *work);

#endif
