/*
 * ahead - runners that get ready while the request for them is written.
 *
 * A push that will most likely be deployed has its runner started first,
 * held by its standard input: it opens what it needs meanwhile. When this
 * process dies before it has asked for anything, the runner finds nothing to
 * do, and ends.
 *
 *	ahead_start(&ahead, hub, push);
 *	... write the request ...
 *	err = ahead_go(&ahead, environment);
 *	ahead_release(&ahead);
 */
#ifndef AHEAD_H
#define AHEAD_H

#include "err.h"
#include "journal/hub.h"
#include "journal/push.h"

struct ahead {
	const struct hub *hub;
	int *holds;		/* one for each environment; -1: no runner */
};

/*
 * Start one for each environment that takes a ref of the push. One that
 * cannot be started now is started by ahead_go().
 */
void ahead_start(struct ahead *ahead, const struct hub *hub,
    const struct push *push);

/* The request is written: let its runner go, or start one. */
const struct err *ahead_go(struct ahead *ahead, const char *environment);

/* Those that were not needed end by themselves. */
void ahead_release(struct ahead *ahead);

#endif
