#include "loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "tap.h"

struct visit {
	struct loop *loop;
	int calls;
	int last_fd;
	short revents;
	int remove_fd;		/* -1: none */
	int add_fd;		/* -1: none */
	const struct err *err;
};

static const struct err *
on_ready(int fd, short revents, void *ctx)
{
	struct visit *visit = ctx;

	visit->calls++;
	visit->last_fd = fd;
	visit->revents = revents;
	if (visit->remove_fd != -1)
		loop_remove(visit->loop, visit->remove_fd);
	if (visit->add_fd != -1)
		loop_add(visit->loop, visit->add_fd, POLLIN, on_ready, ctx);
	return visit->err;
}

static void
open_pipes(int a[2], int b[2])
{
	if (pipe(a) == -1 || pipe(b) == -1 ||
	    write(a[1], "x", 1) != 1 || write(b[1], "x", 1) != 1)
		_exit(1);
}

static void
close_pipes(int a[2], int b[2])
{
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

static void
test_callbacks(void)
{
	struct loop loop = LOOP_INIT;
	struct visit visit = { &loop, 0, -1, 0, -1, -1, NULL };
	int a[2], b[2];

	open_pipes(a, b);
	loop_add(&loop, a[0], POLLIN, on_ready, &visit);
	is_ok(loop_wait(&loop, -1), "a readable descriptor");
	is_int(visit.calls, 1, "... is reported once");
	is_int(visit.last_fd, a[0], "... by its number");
	is_int(visit.revents, POLLIN, "... and as readable");

	visit.remove_fd = a[0];
	visit.add_fd = b[0];
	is_ok(loop_wait(&loop, -1), "a callback replaces its descriptor");
	is_int(visit.calls, 2, "... the new one waits for its turn");
	visit.remove_fd = -1;
	visit.add_fd = -1;
	is_ok(loop_wait(&loop, -1), "the next wait");
	is_int(visit.last_fd, b[0], "... knows the new one only");
	is_int(visit.calls, 3, "... and calls it once");

	loop_remove(&loop, a[0]);
	loop_remove(&loop, b[0]);
	is_ok(loop_wait(&loop, 0), "nothing is left");
	is_int(visit.calls, 3, "... and nobody called");
	loop_release(&loop);
	close_pipes(a, b);
}

/* What one callback removes must not be called by the same wait. */
static void
test_remove_other(void)
{
	struct loop loop = LOOP_INIT;
	struct visit first = { &loop, 0, -1, 0, -1, -1, NULL };
	struct visit second = first;
	int a[2], b[2];

	open_pipes(a, b);
	first.remove_fd = b[0];
	loop_add(&loop, a[0], POLLIN, on_ready, &first);
	loop_add(&loop, b[0], POLLIN, on_ready, &second);
	is_ok(loop_wait(&loop, -1), "the first removes the second");
	is_int(first.calls, 1, "... and is called");
	is_int(second.calls, 0, "... the second is not");

	second = first;
	second.calls = 0;
	first.remove_fd = -1;
	first.err = err_new(ERR_PROTOCOL, "no sense");
	loop_add(&loop, b[0], POLLIN, on_ready, &second);
	is_err(loop_wait(&loop, -1), ERR_PROTOCOL, "no sense",
	    "an error of a callback is returned");
	is_int(second.calls, 0, "... before the next callback");
	loop_release(&loop);
	close_pipes(a, b);
}

static void
test_many(void)
{
	struct loop loop = LOOP_INIT;
	struct visit visit = { &loop, 0, -1, 0, -1, -1, NULL };
	int fds[40][2];

	for (int i = 0; i < 40; i++) {
		if (pipe(fds[i]) == -1)
			_exit(1);
		close(fds[i][1]);
		loop_add(&loop, fds[i][0], POLLIN, on_ready, &visit);
	}
	is_ok(loop_wait(&loop, -1), "forty closed pipes");
	is_int(visit.calls, 40, "... are all reported");
	is_int(visit.revents, POLLHUP, "... as hung up");
	loop_release(&loop);
	for (int i = 0; i < 40; i++)
		close(fds[i][0]);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
test_time(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 0 }, { 0, 10000 } };
	struct loop loop = LOOP_INIT;
	int64_t start_ms = clock_monotonic_ms();

	is_ok(loop_wait(&loop, start_ms + 30), "a deadline alone");
	ok(clock_monotonic_ms() >= start_ms + 30, "... is waited for");
	is_ok(loop_wait(&loop, start_ms), "a deadline that has passed");

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	is_ok(loop_wait(&loop, -1), "a signal ends a wait without limit");
	loop_release(&loop);
}

int
main(void)
{
	test_callbacks();
	test_remove_other();
	test_many();
	test_time();
	return tap_done();
}
