/*
 * gate - what pre-receive does: write the push down, and refuse what must
 * not land.
 *
 * The pushed objects are still in quarantine. A push is refused whole:
 * git knows no partial answer of this hook.
 */
#ifndef GATE_H
#define GATE_H

#include "err.h"
#include "journal/hub.h"
#include "journal/push.h"
#include "vec.h"

/*
 * Write the push into the journal and look at it. ERR_REFUSED or
 * ERR_CONFIG with all reasons, which the journal has then too. Advice for
 * the pusher that is no reason to refuse is pushed onto "notes".
 */
const struct err *gate_check(struct hub *hub, struct push *push,
    struct vec *notes);

/* A refusal of somebody else (a chained hook), for the journal. */
const struct err *gate_refused(struct hub *hub, const struct push *push,
    const char *reason);

#endif
