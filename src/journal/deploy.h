/*
 * deploy - one request to make a commit live, and what became of it.
 *
 *	queued -+-> preparing -> prepared -> activating -+-> live -> retired
 *	        |       |           |            |
 *	        |       +--> failed +            +-> rolled-back
 *	        |       +--> cancelled           +-> broken
 *	        +-> superseded
 *	        +-> cancelled
 *
 * A deploy is numbered from the moment it is requested. "live" is at most
 * one deploy of an environment. From "preparing" and "prepared" on nothing
 * of the live site was touched; "broken" needs a hand.
 */
#ifndef DEPLOY_H
#define DEPLOY_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"
#include "plan/directive.h"
#include "vec.h"

enum deploy_state {
	DEPLOY_QUEUED,
	DEPLOY_PREPARING,
	DEPLOY_PREPARED,
	DEPLOY_ACTIVATING,
	DEPLOY_LIVE,
	DEPLOY_RETIRED,
	DEPLOY_FAILED,
	DEPLOY_ROLLED_BACK,
	DEPLOY_BROKEN,
	DEPLOY_SUPERSEDED,
	DEPLOY_CANCELLED,
	DEPLOY_STATES
};

/* Whether migrations ran, and whether they were taken back. */
enum migrated {
	MIGRATED_NO,
	MIGRATED_YES,
	MIGRATED_UNDONE,
	MIGRATED_NOT_UNDONE,
	MIGRATED_NOTHING,	/* failed, and its record shows no effect */
	MIGRATED_PERHAPS,	/* failed, and nobody knows how far it got */
	MIGRATED_COUNT
};

/* What became of the maintenance page. */
enum maintenance {
	MAINTENANCE_UNUSED,
	MAINTENANCE_DOWN,	/* was up, is down again */
	MAINTENANCE_UP,
	MAINTENANCE_PERHAPS,	/* could not be taken down, and nobody tries
				 * any more */
	MAINTENANCE_COUNT
};

struct deploy {
	int64_t number;
	char *environment;
	char *kind;		/* "deploy", "rollback" */
	enum deploy_state state;
	char *commit;		/* 40 digits; "" for a rollback not begun */
	char *ref;		/* NULL: asked for by commit */
	char *release;		/* NULL until it has one */
	char *previous;		/* release that was live before, or NULL */
	char *target;		/* rollback: release asked for, or NULL */
	int64_t push;		/* 0: none */
	char *pusher;
	char *author;		/* NULL until planned */
	char *subject;
	int64_t requested_at;
	int64_t started_at;
	int64_t finished_at;
	int64_t prepare_ms;	/* -1: not got so far */
	int64_t window_ms;	/* -1 likewise */
	int64_t superseded_by;	/* 0: by none */
	char *error;		/* NULL: none */
	enum migrated migrated;
	enum maintenance maintenance;
	char *ref_old;		/* what the branch was when it began, if it
				 * moves with the deploy (transactional);
				 * before that, what it has to be then, or
				 * NULL: anything */
	char *cancelled_by;	/* who asked for it to stop; NULL: nobody */
	bool joins;		/* of a request alone: see deploy_request() */
};

#define DEPLOY_INIT { .prepare_ms = -1, .window_ms = -1 }

void deploy_release(struct deploy *deploy);

const char *deploy_state_name(enum deploy_state state);
bool deploy_state_by_name(enum deploy_state *state, const char *name);
const char *migrated_name(enum migrated migrated);

/* Of one that was stopped, a migration was, too: it has not "failed". */
const char *deploy_migrated(const struct deploy *deploy);

/* What stands behind "it was rolled back" with MIGRATED_PERHAPS. */
#define DEPLOY_BUT_PERHAPS ", but for a migration that may have changed data"

const char *maintenance_name(enum maintenance maintenance);

/* True for states that nothing follows but "retired". */
bool deploy_is_over(enum deploy_state state);

/* The error of a deploy that was stopped begins so: "cancelled by bob". */
#define DEPLOY_CANCELLED_BY "cancelled by "

/* Whether it ended because somebody stopped it, and not before that. */
bool deploy_was_cancelled(const struct deploy *deploy);

/*
 * The error that a deploy with this outcome is for the one who asked for
 * it: NULL when it is or was live. A failure after that is told and fails
 * nothing, but for a rollback, where it means the services.
 */
const struct err *deploy_outcome(const struct deploy *deploy);

/* Reading. ERR_NOT_FOUND names the number. */
const struct err *deploy_get(struct journal *journal, int64_t number,
    struct deploy *deploy);

/*
 * The deploy that a request went into in the end: itself, or the one that
 * took its place, or that one's.
 */
const struct err *deploy_get_last(struct journal *journal, int64_t number,
    struct deploy *deploy);

/* What is live in an environment: "deploy->number" 0 when nothing is. */
const struct err *deploy_get_live(struct journal *journal,
    const char *environment, struct deploy *deploy);

/* What is under way (preparing to activating): number 0 for none. */
const struct err *deploy_get_running(struct journal *journal,
    const char *environment, struct deploy *deploy);

/*
 * The oldest that was begun and has not come to its last line, whatever its
 * state: number 0 for none.
 */
const struct err *deploy_get_unfinished(struct journal *journal,
    const char *environment, struct deploy *deploy);

/* The environments in which something waits or was begun and not finished. */
const struct err *deploy_open_environments(struct journal *journal,
    struct vec *names);

/* The newest of all; number 0 for none. "environment" NULL: any. */
const struct err *deploy_get_newest(struct journal *journal,
    const char *environment, struct deploy *deploy);

/*
 * The number of the newest that failed, or was stopped, with nothing live
 * since, rollbacks aside: 0 for none.
 */
const struct err *deploy_newest_failed(struct journal *journal,
    const char *environment, int64_t *number);

/*
 * The newest that has left the maintenance page up, as only a broken one
 * does: number 0 for none.
 */
const struct err *deploy_page_up(struct journal *journal,
    const char *environment, int64_t *number);

/*
 * Whether what is live stays so, if nobody asks for anything more: nothing
 * waits or is under way, and nothing newer is broken.
 */
const struct err *deploy_will_stay(struct journal *journal,
    const struct deploy *live, bool *is);

/* Which deploys are wanted; zero and NULL mean no restriction. */
struct deploy_filter {
	const char *environment;
	const char *author;	/* part of the author or the pusher */
	const char *pusher;	/* part of the pusher */
	int64_t since_at;
	int64_t until_at;	/* requested before that */
	const char *state;	/* a state's name */
	const char *states;	/* any of several: ",failed,broken," */
	const char *kind;	/* "deploy" or "rollback" */
	const char *directive;	/* asked for, known to the config or not */
	int64_t limit;
	int64_t push;
	const char *commit;	/* its first digits, or all 40 */
	int64_t above;		/* with a higher number */
	bool oldest_first;	/* of those that "limit" leaves */
	bool waiting;		/* queued ones only, oldest first */
};

typedef const struct err *(*deploy_cb)(struct journal *journal,
    const struct deploy *deploy, void *ctx);

/* Newest first, unless the filter says otherwise. */
const struct err *deploy_each(struct journal *journal,
    const struct deploy_filter *filter, deploy_cb cb, void *ctx);

/*
 * Numbers of the deploys that a deploy supersedes, oldest first. All are read
 * before the first callback, which may take long: reading keeps writers out.
 */
typedef const struct err *(*number_cb)(int64_t number, void *ctx);
const struct err *deploy_superseded(struct journal *journal, int64_t number,
    number_cb cb, void *ctx);

/* The directives of a deploy; known to the config or not. */
const struct err *deploy_directives(struct journal *journal, int64_t number,
    bool known, struct directives *list);

/*
 * What push options and -d asked for since the newest deploy that went live
 * was requested, in deploys that never did: nothing asked for is lost, but
 * with a deploy that somebody stopped. A rollback brings nothing of it.
 */
const struct err *deploy_pending_directives(struct journal *journal,
    const struct deploy *deploy, struct directives *list);

/*
 * What options asked for in deploys that a rollback went past, so that it was
 * undone, and in none that is live or was since: with the first that "holds"
 * their commit it is asked for again. Rollbacks among the last
 * DEPLOY_UNDONE_AMONG deploys count.
 */
#define DEPLOY_UNDONE_AMONG 100

typedef const struct err *(*deploy_holds_cb)(const char *commit, bool *holds,
    void *ctx);

const struct err *deploy_undone_options(struct journal *journal,
    const struct deploy *deploy, deploy_holds_cb holds, void *ctx,
    struct directives *list);

/* Changes, each one transaction with its event. */

/*
 * The next deploy gets a number above this one, if it would not anyway.
 */
const struct err *deploy_number_above(struct journal *journal,
    int64_t number);

/*
 * A new request: environment, kind, commit, ref, target, push, pusher,
 * author, subject and ref_old are read; its number, time and state are set.
 * "options" may be NULL.
 *
 * A push asks once for each environment and ref: the second time nothing is
 * written, the number is that of the first, and the time stays 0. Without a
 * ref each request is one of its own. And a push does not take the place of
 * one that found the ref as this one had left it, or came later and moved
 * another ref, and has asked before: it is superseded by that from the start;
 * by the latter only where that has not failed.
 *
 * With "joins" set, a deploy of the same commit that is under way, that
 * nobody has stopped or has to roll back after, and that runs with these
 * options, too, will do: the request is superseded by that one from the
 * start, and "joins" stays set; otherwise it is cleared.
 */
const struct err *deploy_request(struct journal *journal,
    struct deploy *deploy, const struct directives *options);

/*
 * The runner takes what waits in an environment: of deploys up to the next
 * rollback the newest becomes "preparing" and the others are superseded by
 * it; a rollback is taken by itself. Number 0 when nothing waits.
 */
const struct err *deploy_take(struct journal *journal,
    const char *environment, struct deploy *deploy);

/*
 * The one that deploy_take() would take, where that is a deploy and all that
 * waits; else number 0. Nothing changes.
 */
const struct err *deploy_get_alone(struct journal *journal,
    const char *environment, struct deploy *deploy);

/* True when the commit "newer" is "older", or contains it. */
typedef bool (*contains_cb)(const char *newer, const char *older,
    void *ctx);

/*
 * The same where a deploy may only take the place of one that it contains:
 * of the deploys up to the next rollback, those from the oldest on of which
 * each contains the one before it are taken as one.
 */
const struct err *deploy_take_chain(struct journal *journal,
    const char *environment, contains_cb contains, void *ctx,
    struct deploy *deploy);

/*
 * What is now known of a deploy under way: commit, release, previous,
 * author, subject, ref_old, and its directives ("known" lists the names
 * that the config has). Makes the row of its release.
 */
const struct err *deploy_plan(struct journal *journal,
    const struct deploy *deploy, const struct directives *directives,
    const struct vec *known);

/*
 * Move a deploy to another state; the caller's struct is updated and
 * prepare_ms, window_ms, error, migrated, maintenance and finished_at are
 * written with it. Becoming live retires what was live. A transition that
 * the picture above does not have is ERR_CORRUPT; ERR_INTERRUPTED: what the
 * journal has is not known, or not what the caller's struct says. A deploy
 * that somebody wants to stop becomes neither activating nor live:
 * ERR_CANCELLED.
 */
const struct err *deploy_move(struct journal *journal,
    struct deploy *deploy, enum deploy_state state);

/*
 * The same through several states, one after the other, in one transaction:
 * all of it is in the journal, each with its event, or nothing is.
 */
const struct err *deploy_move_along(struct journal *journal,
    struct deploy *deploy, const enum deploy_state *states, size_t n);

/* Write the same columns without a change of state. */
const struct err *deploy_update(struct journal *journal,
    const struct deploy *deploy);

/*
 * Somebody wants a deploy of an environment to stop: this number, or with
 * 0 the one that is under way, else the newest that waits. One that waits
 * is cancelled with this; one under way gets "cancelled_by", which its
 * runner looks for. "deploy" is the row after it. "*first" is false when
 * somebody else had stopped it before. ERR_REFUSED when it is too late,
 * ERR_NOT_FOUND when there is none.
 */
const struct err *deploy_cancel(struct journal *journal,
    const char *environment, int64_t number, const char *who,
    struct deploy *deploy, bool *first);

/* Who wants it to stop, given; NULL: nobody. */
const struct err *deploy_canceller(struct journal *journal, int64_t number,
    char **who);

#endif
