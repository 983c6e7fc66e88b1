#include "deploy/packing.h"

#include <stdbool.h>

#include "deploy/queue.h"
#include "journal/deploy.h"
#include "proc.h"
#include "vec.h"

void
packing_start(const struct hub *hub)
{
	const char *const argv[] = { "nice", "-n", "19", "git", "--git-dir",
	    hub->path, "gc", "--auto", "--quiet", NULL };
	struct vec env = VEC_INIT;

	proc_base_env(&env);
	/* The next push tries again. */
	(void)queue_start(hub, argv, &env, NULL);
	vec_release(&env);
}

static const struct err *
is_asked(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	(void)journal;
	(void)deploy;
	*(bool *)ctx = true;
	return NULL;
}

void
packing_start_after(const struct hub *hub, int64_t push)
{
	struct deploy_filter filter = { .push = push };
	const struct err *err = NULL;
	bool asked = false;

	if (push != 0)
		err = deploy_each(hub->journal, &filter, is_asked, &asked);
	if (err == NULL && !asked)
		packing_start(hub);
}
