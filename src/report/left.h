/*
 * left - work that nobody is doing any more: a push that landed and was not
 * deployed, a deploy whose runner died, a ref that was not set. "slipway
 * resume" takes it up.
 */
#ifndef LEFT_H
#define LEFT_H

#include "err.h"
#include "journal/deploy.h"
#include "journal/hub.h"
#include "vec.h"

/*
 * A line for each such thing of an environment, pushed onto "lines". A
 * runner that is just starting is waited for, LEFT_WAIT_MS at the most.
 */
const struct err *left_find(const struct hub *hub,
    const struct environment *env, struct vec *lines);

/*
 * Is the runner gone that should be at work on this deploy? The same is
 * waited for.
 */
const struct err *left_is_abandoned(const struct hub *hub,
    const struct deploy *deploy, bool *is);

#define LEFT_WAIT_MS 1000

/*
 * A deploy that is not over, of an environment that slipway.ini does not
 * have any more, as an error: no runner ever comes to it.
 */
const struct err *left_find_nameless(const struct hub *hub);

#endif
