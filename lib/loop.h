/*
 * loop - wait for descriptors and for one point in time, by poll(2).
 *
 *	struct loop loop = LOOP_INIT;
 *
 *	loop_add(&loop, fd, POLLIN, on_readable, ctx);
 *	while (!done && err == NULL)
 *		err = loop_wait(&loop, deadline_ms);
 *	loop_release(&loop);
 *
 * Callbacks run inside loop_wait(). A callback may add and remove
 * descriptors, its own included. Descriptors stay the caller's.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* "revents" is what poll(2) reported, POLLHUP and POLLERR included. */
typedef const struct err *(*loop_cb)(int fd, short revents, void *ctx);

struct loop_watch {
	int fd;			/* -1: removed, swept at the next wait */
	short events;
	loop_cb cb;
	void *ctx;
};

struct loop {
	struct loop_watch *watches;
	size_t n;
	size_t size;
};

#define LOOP_INIT { NULL, 0, 0 }

void loop_release(struct loop *loop);

void loop_add(struct loop *loop, int fd, short events, loop_cb cb,
    void *ctx);

/* Forget a descriptor; one that was never added is no error. */
void loop_remove(struct loop *loop, int fd);

/*
 * Wait until something is ready or the monotonic clock reaches
 * "deadline_ms" (-1: no limit), and run the callbacks of what is ready.
 * The first error of a callback is returned. A signal is no error.
 * With no descriptor left it waits for the deadline alone.
 */
const struct err *loop_wait(struct loop *loop, int64_t deadline_ms);

#endif
