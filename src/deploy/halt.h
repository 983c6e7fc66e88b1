/*
 * halt - what a runner does when somebody wants its deploy to stop.
 *
 * It looks between phases, between steps, and every FLEET_TICK_MS while a
 * command runs. A deploy can be stopped until it is live, a rollback until
 * it begins to undo; taking back is never stopped, nor is what comes after
 * the deploy is live.
 */
#ifndef HALT_H
#define HALT_H

#include <stdbool.h>

#include "deploy/work.h"

/* Look; a fleet_stop_cb. "ctx" is the work. */
bool halt_is_wanted(void *ctx);

/* The last look, without another one. */
bool halt_is_known(const struct work *work);

/*
 * ERR_CANCELLED "cancelled by bob before PHASE (NAME)"; NULL when nobody
 * wants it to stop. "name" may be NULL.
 */
const struct err *halt_check(struct work *work, const char *phase,
    const char *name);

/* The same error for what was under way, "at" instead of "before". */
const struct err *halt_error(const struct work *work, const char *phase,
    const char *name);

#endif
