#include "crew.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

struct crew {
	size_t n;
	size_t piece;
	crew_cb cb;
	void *ctx;
	pthread_mutex_t lock;	/* of what follows */
	size_t next;
	int workers;		/* how many have got their number */
	bool failed;
	struct err err;
	char text[ERR_TEXT_MAX];
};

struct idle {
	crew_idle_cb cb;
	void *ctx;
};

int
crew_size(int wanted)
{
	cpu_set_t set;

	if (wanted == 0 && sched_getaffinity(0, sizeof(set), &set) == 0)
		wanted = CPU_COUNT(&set);
	if (wanted < 1)
		return 1;
	return wanted < CREW_MAX ? wanted : CREW_MAX;
}

/* The texts of errors belong to a thread, and go with it. */
static void
keep(struct crew *crew, const struct err *err)
{
	pthread_mutex_lock(&crew->lock);
	if (!crew->failed) {
		crew->failed = true;
		crew->err = *err;
		strncpy(crew->text, err->text, sizeof(crew->text) - 1);
		crew->err.text = crew->text;
	}
	pthread_mutex_unlock(&crew->lock);
}

/* The next piece; false when there is none, or no use for it. */
static bool
take(struct crew *crew, size_t *from, size_t *to)
{
	bool more;

	pthread_mutex_lock(&crew->lock);
	more = !crew->failed && crew->next < crew->n;
	*from = crew->next;
	*to = crew->n - *from < crew->piece ? crew->n : *from + crew->piece;
	if (more)
		crew->next = *to;
	pthread_mutex_unlock(&crew->lock);
	return more;
}

static void *
work(void *ctx)
{
	struct crew *crew = ctx;
	size_t from, to;
	int worker;

	pthread_mutex_lock(&crew->lock);
	worker = crew->workers++;
	pthread_mutex_unlock(&crew->lock);
	while (take(crew, &from, &to)) {
		const struct err *err = crew->cb(from, to, worker,
		    crew->ctx);

		if (err != NULL)
			keep(crew, err);
	}
	return NULL;
}

static void *
work_as_other(void *ctx)
{
	struct err_ring ring;

	err_use_ring(&ring);
	return work(ctx);
}

/* A thread that cannot be had is one less. Signals are the caller's. */
static void
start_all(struct crew *crew, pthread_t *threads, int wanted, int *started)
{
	sigset_t all, before;

	*started = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (*started < wanted && pthread_create(&threads[*started], NULL,
	    work_as_other, crew) == 0)
		(*started)++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A thread of this policy is in the idle class of the disks as well. */
static const struct err *
stand_back(size_t from, size_t to, int worker, void *ctx)
{
	const struct sched_param none = { 0 };
	struct idle *idle = ctx;

	(void)from;
	(void)to;
	(void)worker;
	pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
	return idle->cb(idle->ctx);
}

const struct err *
crew_idle(crew_idle_cb cb, void *ctx)
{
	struct idle idle = { cb, ctx };
	struct crew crew = { .n = 1, .piece = 1, .cb = stand_back,
	    .ctx = &idle, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;
	int started;

	start_all(&crew, &thread, 1, &started);
	if (started == 0)
		return cb(ctx);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&crew.lock);
	return crew.failed ? err_recode(&crew.err, crew.err.code) : NULL;
}

const struct err *
crew_run(int threads, size_t n, size_t piece, crew_cb cb, void *ctx)
{
	struct crew crew = { .n = n, .piece = piece, .cb = cb, .ctx = ctx,
	    .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t others[CREW_MAX];
	size_t pieces = n / piece + (n % piece != 0);
	int wanted = threads - 1, started;

	if ((size_t)threads > pieces)
		wanted = (int)pieces - 1;
	if (wanted <= 0)
		return n == 0 ? NULL : cb(0, n, 0, ctx);
	start_all(&crew, others, wanted, &started);
	work(&crew);
	for (int i = 0; i < started; i++)
		pthread_join(others[i], NULL);
	pthread_mutex_destroy(&crew.lock);
	return crew.failed ? err_recode(&crew.err, crew.err.code) : NULL;
}
