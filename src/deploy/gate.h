/*
 * gate - what pre-receive does: refuse what must not land, and write the
 * push down, whatever became of it.
 *
 * The pushed objects are still in quarantine. A push is refused whole:
 * git knows no partial answer of this hook. First comes what costs little:
 * the config, the refs, what the commits ask for, their trees; then the
 * push is in the journal, and the project's own checks run, if it has any.
 */
#ifndef GATE_H
#define GATE_H

#include "err.h"
#include "journal/hub.h"
#include "journal/push.h"
#include "vec.h"

/* A line for the pusher, at once: what a check prints, as it comes. */
typedef void (*gate_say_cb)(const char *line, void *ctx);

/*
 * Look at a push and write it into the journal. ERR_REFUSED with all
 * reasons, or ERR_CONFIG with the first fault of the config; the journal
 * has them then, too, unless the reason is that it has no room to grow.
 * Advice for the pusher that is no reason to refuse is pushed onto "notes".
 */
const struct err *gate_check(struct hub *hub, struct push *push,
    struct vec *notes, gate_say_cb say, void *ctx);

/* A refusal of somebody else (a chained hook), for the journal. */
const struct err *gate_refused(struct hub *hub, const struct push *push,
    const char *reason);

#endif
