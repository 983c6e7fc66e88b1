/*
 * local - an agent on this machine, over a socketpair.
 *
 * The agent is a child in its own process group. It leaves by itself when
 * its socket is closed; local_end() sees to that.
 *
 *	err = local_start(&pid, &fd, program);
 *	...
 *	file_close(&fd);
 *	local_end(pid, deadline_ms);
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "proc.h"

/* Start "PROGRAM agent"; its socket, close-on-exec, through "*fd". */
const struct err *local_start(pid_t *pid, int *fd, const char *program);

/*
 * Wait until the agent has ended or the monotonic clock reaches
 * "deadline_ms"; false when it still runs. How it ended is in "result",
 * an exit with 0 when somebody else has reaped it.
 */
bool local_wait(pid_t pid, int64_t deadline_ms, struct proc_result *result);

/* The same, and kill the group of an agent that did not leave. */
void local_end(pid_t pid, int64_t deadline_ms);

#endif
