/*
 * ear - what the runner says while a command of its runs.
 *
 * It says "stop", or it is gone: both end the command. A request that is
 * sent too early is kept for its turn.
 *
 *	err = ear_open(&ear, agent);
 *	spec.stop_fd = ear.fd;
 *	spec.stop_cb = ear_hears_stop;
 *	spec.stop_ctx = &ear;
 *	err = proc_run(&result, &spec, on_output, ctx);
 *	ear_close(&ear);
 */
#ifndef EAR_H
#define EAR_H

#include <stdbool.h>

#include "host/verb.h"

struct ear {
	struct agent *agent;
	int fd;			/* readable when there is something to hear;
				 * -1 where nothing can be, as for a file */
	bool stopped;		/* it was said before the command began */
};

const struct err *ear_open(struct ear *ear, struct agent *agent);
void ear_close(struct ear *ear);

/* True when the command is to end; a proc_stop_cb. "ctx" is the ear. */
bool ear_hears_stop(void *ctx);

#endif
