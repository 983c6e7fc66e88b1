/*
 * returned - releases that have come back.
 *
 * What cleanup takes out of releases/ is not synced, as a push would wait for
 * it, and the journal has it as removed: where the power is cut in the next
 * seconds, the folder may be there again, and nobody looks for it.
 */
#ifndef RETURNED_H
#define RETURNED_H

#include "err.h"
#include "journal/hub.h"

/*
 * Remove them once more. The caller holds the environment's lock, and no
 * deploy is on its way. Next to nothing where none has come back.
 */
const struct err *returned_remove(const struct hub *hub,
    const struct environment *env);

#endif
