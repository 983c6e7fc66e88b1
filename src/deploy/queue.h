/*
 * queue - what was asked for, and the runner that is woken to do it.
 *
 * A request is in the journal before anybody waits for it. A runner that
 * holds the environment's lock looks at the queue once more after it let
 * go of the lock, so a request that was written just before is seen by it
 * or by the runner that was woken for it, never by none.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

#include "err.h"
#include "journal/deploy.h"
#include "journal/hub.h"

struct repo;

/*
 * Write a request down and open its event log; the number and time are
 * set in "request". What was asked for already is left alone; see
 * deploy_request(). hub->journal is open for writing. An error means that
 * nothing was asked for, but for ERR_INTERRUPTED: then nobody can tell. A
 * log that cannot be written is told on standard error.
 */
const struct err *queue_add(const struct hub *hub, struct deploy *request,
    const struct directives *options);

/*
 * The second half of that, for one that was written down otherwise, and is
 * committed. Nothing for one that was asked for already.
 */
const struct err *queue_announce(const struct hub *hub,
    const struct deploy *request);

/*
 * Whether the commit of a request is in the deploy that it went into, which
 * deploy_get_last() gives. A rollback has none before it is begun.
 */
const struct err *queue_is_held(const struct hub *hub,
    const struct deploy *request, const struct deploy *last, bool *is);

/*
 * Start a program that outlives the caller; what it complains about is in the
 * log of the runners. "hold" as for proc_detach().
 */
const struct err *queue_start(const struct hub *hub,
    const char *const *argv, const struct vec *env, int *hold);

/*
 * Make the hidden ref that keeps the commit of a request, which no branch
 * may hold, from git gc. Its asker and its runner may do so at once.
 */
const struct err *queue_keep(struct repo *repo,
    const struct deploy *request);

/* The lock on that ref, when a dead process left it; see repo_free_lock(). */
const struct err *queue_free_kept(struct repo *repo,
    const struct deploy *request);

/*
 * Write into the log of each deploy that waits, and whose number is above
 * "number", what it waits for now.
 */
const struct err *queue_tell(const struct hub *hub, const char *environment,
    int64_t number);

/*
 * Write into the logs of those in whose place a deploy is deployed which
 * one that is, and whether it holds their commit.
 */
const struct err *queue_tell_superseded(const struct hub *hub,
    struct repo *repo, const struct deploy *deploy);

/* Start a detached runner; it leaves at once when there is one. */
const struct err *queue_wake(const struct hub *hub,
    const char *environment);

/*
 * The same before the request is written: the runner makes itself ready
 * meanwhile, and looks at the queue when "*hold" is closed, be it by the end
 * of this process. -1 on failure.
 */
const struct err *queue_wake_ahead(const struct hub *hub,
    const char *environment, int *hold);

/* Whether something waits in an environment. */
const struct err *queue_waits(const struct hub *hub, const char *environment,
    bool *waits);

/*
 * Start one if something waits: for whoever has held the environment's lock,
 * since a runner that came meanwhile has left.
 */
const struct err *queue_wake_waiting(const struct hub *hub,
    const char *environment);

/*
 * Start one for each environment in which something waits, or was begun and
 * not finished, and nobody is at work; a line about each deploy that was
 * begun is pushed onto "notes". Cheap where there is none.
 */
const struct err *queue_wake_left(const struct hub *hub, struct vec *notes);

#endif
