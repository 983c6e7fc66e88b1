/*
 * cancel - stop a deploy that waits or is under way.
 *
 * The journal is the truth. One that waits is cancelled there and then.
 * One under way is marked, and its runner, which looks every half a
 * second, stops the command that runs, and throws the release away or
 * takes back what was done. From the moment the deploy is live it is too
 * late, and so it is for a rollback that has begun: what was undone cannot
 * be done again.
 */
#ifndef CANCEL_H
#define CANCEL_H

#include <stdint.h>

#include "err.h"
#include "journal/deploy.h"
#include "journal/hub.h"

/*
 * Stop deploy "number" of an environment; 0: the one that is under way,
 * else the newest that waits. "who" asks for it; "*cancelled" is the
 * number of the deploy, whose end is not waited for. ERR_NOT_FOUND when
 * there is none, ERR_REFUSED when it is too late. hub->journal is open for
 * writing.
 */
const struct err *cancel_request(const struct hub *hub,
    const struct environment *env, int64_t number, const char *who,
    int64_t *cancelled);

/*
 * The error that its end is for the one who asked: NULL when it was
 * stopped and taken back, and not when it failed by itself before.
 */
const struct err *cancel_outcome(const struct deploy *deploy);

#endif
