/*
 * recover - finish what a dead runner left.
 *
 * The journal says how far it came. Before the first activate step the
 * deploy is abandoned and its release removed; from there on it is resumed
 * forward at the step that was interrupted, unless it had failed already,
 * or the step's action says "retry = no", or its steps were interrupted
 * three times: then it is taken back; a rollback cannot be, and ends there.
 * A deploy that was live already gets the rest of its finish stage, one that
 * was over its last line.
 *
 * The caller holds the environment's lock.
 */
#ifndef RECOVER_H
#define RECOVER_H

#include "err.h"
#include "journal/hub.h"

const struct err *recover(const struct hub *hub,
    const struct environment *env);

#endif
