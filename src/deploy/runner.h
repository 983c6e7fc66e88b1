/*
 * runner - the only one that deploys, one per environment.
 *
 * It goes by slipway.ini as it is when a deploy begins: where that has
 * changed meanwhile, another one begins in its place.
 *
 * It holds the environment's lock, brings level what a dead runner left
 * (recover.h), takes all waiting requests at once, deploys the newest, and
 * ends when the queue is empty; then git may pack the repository (packing.h).
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdint.h>

#include "err.h"
#include "journal/hub.h"
#include "vec.h"

/*
 * Serve the queue of an environment. Returns NULL at once when another
 * runner has the lock. A deploy that fails is no error of the runner. The
 * first deploy takes over the agents that were started, if "*started" is not
 * NULL. Where "hold_fd" is not -1, the queue is looked at when that ends:
 * whoever holds it writes into the journal meanwhile.
 */
struct fleet;
const struct err *runner_serve(struct hub *hub,
    const struct environment *env, struct fleet **started, int hold_fd);

/*
 * Bring level what no deploy comes back to, see level.h, and put "current"
 * back, see restore.h, now, under the same lock. ERR_BUSY names who has has
 * held it for "wait_ms": nothing was done then, and a runner sets refs alone.
 */
const struct err *runner_level(struct hub *hub,
    const struct environment *env, int64_t wait_ms);

/*
 * Remove what cleanup would after a deploy, now, under the same lock. The
 * names that went are pushed onto "removed", a line about each that
 * resisted onto "stays". ERR_BUSY when a runner is at work.
 */
const struct err *runner_cleanup(struct hub *hub,
    const struct environment *env, struct vec *removed, struct vec *stays);

#endif
