#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"

void
loop_release(struct loop *loop)
{
	free(loop->watches);
	loop->watches = NULL;
	loop->n = 0;
	loop->size = 0;
}

void
loop_add(struct loop *loop, int fd, short events, loop_cb cb, void *ctx)
{
	if (loop->n == loop->size) {
		loop->size = loop->size == 0 ? 8 : loop->size * 2;
		loop->watches = xreallocarray(loop->watches, loop->size,
		    sizeof(*loop->watches));
	}
	loop->watches[loop->n++] =
	    (struct loop_watch){ fd, events, cb, ctx };
}

void
loop_remove(struct loop *loop, int fd)
{
	for (size_t i = 0; i < loop->n; i++) {
		if (loop->watches[i].fd == fd)
			loop->watches[i].fd = -1;
	}
}

static void
sweep(struct loop *loop)
{
	size_t n = 0;

	for (size_t i = 0; i < loop->n; i++) {
		if (loop->watches[i].fd != -1)
			loop->watches[n++] = loop->watches[i];
	}
	loop->n = n;
}

static int
time_left(int64_t deadline_ms)
{
	int64_t left_ms;

	if (deadline_ms == -1)
		return -1;
	left_ms = deadline_ms - clock_monotonic_ms();
	if (left_ms < 0)
		return 0;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/*
 * Entry i of "fds" belongs to watch i: a callback only marks a watch that
 * it removes and adds new ones behind, so the places hold until the next
 * sweep. A descriptor that was removed and added again, perhaps for another
 * file, has a new place and is not called for what the old one reported.
 */
static const struct err *
dispatch(struct loop *loop, const struct pollfd *fds, size_t n)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < n && err == NULL; i++) {
		struct loop_watch watch = loop->watches[i];

		if (fds[i].revents != 0 && watch.fd != -1)
			err = watch.cb(watch.fd, fds[i].revents, watch.ctx);
	}
	return err;
}

const struct err *
loop_wait(struct loop *loop, int64_t deadline_ms)
{
	const struct err *err = NULL;
	struct pollfd *fds;
	size_t n;
	int rc;

	sweep(loop);
	n = loop->n;
	fds = xcalloc(n + 1, sizeof(*fds));
	for (size_t i = 0; i < n; i++) {
		fds[i].fd = loop->watches[i].fd;
		fds[i].events = loop->watches[i].events;
	}
	rc = poll(fds, n, time_left(deadline_ms));
	if (rc > 0)
		err = dispatch(loop, fds, n);
	else if (rc == -1 && errno != EINTR)
		err = err_system("poll");
	free(fds);
	return err;
}
