#include "crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

#define N 1000

struct job {
	int done[N];
	int workers[CREW_MAX];
	size_t fails_at;
};

static const struct err *
mark(size_t from, size_t to, int worker, void *ctx)
{
	struct job *job = ctx;

	for (size_t i = from; i < to; i++) {
		if (i == job->fails_at)
			return err_new(ERR_REFUSED, "item %zu", i);
		job->done[i]++;
	}
	job->workers[worker]++;
	return NULL;
}

static int
count(const struct job *job, size_t n)
{
	int wrong = 0;

	for (size_t i = 0; i < N; i++)
		wrong += job->done[i] != (i < n);
	return wrong;
}

static void
test_run(void)
{
	static const struct {
		int threads;
		size_t n, piece;
	} cases[] = {
		{ 1, N, 7 }, { 2, N, 7 }, { 16, N, 1 }, { 4, 3, 10 },
		{ 2, 0, 5 }, { 3, N, 1000 }, { 3, N, 334 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct job job = { .fails_at = N };

		is_ok(crew_run(cases[i].threads, cases[i].n, cases[i].piece,
		    mark, &job), "%d threads, %zu items", cases[i].threads,
		    cases[i].n);
		is_int(count(&job, cases[i].n), 0, "each is done once");
	}
}

static void
test_failure(void)
{
	for (int threads = 1; threads <= 4; threads++) {
		struct job job = { .fails_at = 500 };

		is_err(crew_run(threads, N, 10, mark, &job), ERR_REFUSED,
		    "item 500", "the error of a thread, %d of them", threads);
		is_int(job.done[999], 0, "nothing more is taken then");
	}
}

static const struct err *
fail_often(size_t from, size_t to, int worker, void *ctx)
{
	(void)to;
	(void)ctx;
	for (int i = 0; i < 1000; i++) {
		const struct err *err = err_new(ERR_BUSY, "worker %d",
		    worker);
		char want[32];

		snprintf(want, sizeof(want), "worker %d", worker);
		if (strcmp(err->text, want) != 0)
			return err_new(ERR_REFUSED, "%s has made %s", want,
			    err->text);
	}
	return from == 0 ? err_new(ERR_FAILED, "enough") : NULL;
}

static const struct err *
fail_unseen(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < ERR_RING; i++)
		(void)err_new(ERR_BUSY, "of another");
	return NULL;
}

/* However many threads there have been, an error stays that of its own. */
static void
test_errors(void)
{
	const struct err *kept, *err;
	int n = 0;

	for (int i = 0; i < 4; i++) {
		err = crew_run(8, 64, 1, fail_often, NULL);
		n += err != NULL && err->code == ERR_FAILED;
	}
	is_int(n, 4, "each thread has its own errors");
	kept = err_new(ERR_SYSTEM, "what is kept");
	for (int i = 0; i < 100; i++) {
		err = crew_idle(fail_unseen, NULL);
		n += err == NULL;
	}
	is_int(n, 104, "a hundred threads have failed");
	is_str(kept->text, "what is kept", "none with an error of this one");
}

static const struct err *
look(void *ctx)
{
	struct sched_param param;
	int policy;

	pthread_getschedparam(pthread_self(), &policy, &param);
	*(int *)ctx = policy;
	return err_new(ERR_BUSY, "from afar");
}

static void
test_idle(void)
{
	int policy = -1, own;
	struct sched_param param;

	is_err(crew_idle(look, &policy), ERR_BUSY, "from afar",
	    "an error of the idle thread");
	is_int(policy, SCHED_IDLE, "which stands back");
	pthread_getschedparam(pthread_self(), &own, &param);
	is_int(own, SCHED_OTHER, "and its caller does not");
}

int
main(void)
{
	ok(crew_size(0) >= 1, "a processor is there");
	is_int(crew_size(3), 3, "so many as are wanted");
	is_int(crew_size(1000), CREW_MAX, "up to a limit");
	test_run();
	test_failure();
	test_errors();
	test_idle();
	return tap_done();
}
