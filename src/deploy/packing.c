#include "deploy/packing.h"

#include <stdbool.h>
#include <stdlib.h>

#include "journal/deploy.h"
#include "proc.h"
#include "vec.h"

const struct err *
packing_start(const struct hub *hub)
{
	const char *const argv[] = { "nice", "-n", "19", "git", "-C",
	    hub->path, "gc", "--auto", "--quiet", NULL };
	char *log = hub_file(hub, "slipway/log/runner.log");
	struct vec env = VEC_INIT;
	const struct err *err;

	proc_base_env(&env);
	err = proc_detach(argv, (const char *const *)env.v, log, NULL);
	vec_release(&env);
	free(log);
	return err;
}

static const struct err *
is_asked(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	(void)journal;
	(void)deploy;
	*(bool *)ctx = true;
	return NULL;
}

const struct err *
packing_start_after(const struct hub *hub, int64_t push)
{
	struct deploy_filter filter = { .push = push };
	const struct err *err = NULL;
	bool asked = false;

	if (push != 0)
		err = deploy_each(hub->journal, &filter, is_asked, &asked);
	return err != NULL || asked ? err : packing_start(hub);
}
