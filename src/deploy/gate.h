/*
 * gate - what pre-receive does: refuse what must not land, and write the
 * push down, whatever became of it.
 *
 * The pushed objects are still in quarantine. A push is refused whole:
 * git knows no partial answer of this hook. First comes what costs little:
 * the config, the refs, what the commits ask for, their trees; then the
 * push is in the journal, and those are asked who may refuse the pusher: the
 * chained hook and, where a check is to run, the update hook. The project's
 * own checks come last, since they run what was pushed.
 */
#ifndef GATE_H
#define GATE_H

#include "err.h"
#include "journal/hub.h"
#include "journal/push.h"
#include "vec.h"

/* A line for the pusher, at once: what a check prints, as it comes. */
typedef void (*gate_say_cb)(const char *line, void *ctx);

/* How pre-receive was started, for the repository's own hooks. */
struct gate_hooks {
	char *const *argv;
	const void *input;	/* what git has to say of the refs */
	size_t input_len;
};

/*
 * Look at a push and write it into the journal. ERR_REFUSED with all
 * reasons, or ERR_CONFIG with the first fault of the config; the journal
 * has them then, too, unless the reason is that it has no room to grow.
 * Advice for the pusher that is no reason to refuse is pushed onto "notes".
 */
const struct err *gate_check(struct hub *hub, struct push *push,
    struct vec *notes, const struct gate_hooks *hooks, gate_say_cb say,
    void *ctx);

#endif
