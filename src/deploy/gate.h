/*
 * gate - what pre-receive does: refuse what must not land, and write the
 * push down, whatever became of it.
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
 * Look at a push and write it into the journal. ERR_REFUSED with all
 * reasons, or ERR_CONFIG with the first fault of the config; the journal
 * has them then, too, unless the reason is that it has no room to grow.
 * Advice for the pusher that is no reason to refuse is pushed onto "notes".
 */
const struct err *gate_check(struct hub *hub, struct push *push,
    struct vec *notes);

/* A refusal of somebody else (a chained hook), for the journal. */
const struct err *gate_refused(struct hub *hub, const struct push *push,
    const char *reason);

#endif
