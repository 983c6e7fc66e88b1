#include "report/watch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "journal/deploy.h"
#include "report/say.h"

/* Collected first: no query stays open while a view waits. */
struct list {
	const struct config *config;
	struct deploy *v;
	size_t n;
};

/* Errands, and what a transactional branch asked for: proc-receive's. */
static bool
was_shown(const struct config *config, const struct deploy *deploy)
{
	const struct environment *env;

	env = config_environment(config, deploy->environment);
	return deploy->ref == NULL ||
	    (env != NULL && env->set.transactional);
}

static const struct err *
collect(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct list *list = ctx;

	(void)journal;
	if (was_shown(list->config, deploy))
		return NULL;
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n] = (struct deploy)DEPLOY_INIT;
	list->v[list->n].number = deploy->number;
	list->v[list->n++].environment = xstrdup(deploy->environment);
	return NULL;
}

/*
 * Of several, each is named once more before its activation is shown: the
 * one that took its place, if it was superseded.
 */
static const struct err *
say_which(const struct hub *hub, const struct deploy *deploy)
{
	struct deploy now;
	struct vec line = VEC_INIT;
	const struct err *err;

	err = deploy_get_last(hub->journal, deploy->number, &now);
	if (err == NULL)
		vec_pushf(&line, "deploy %" PRId64 ", %s:", now.number,
		    now.environment);
	say_notes(&line);
	vec_release(&line);
	deploy_release(&now);
	return err;
}

const struct err *
watch_push(const struct hub *hub, int64_t push, enum view_part part,
    view_wake_cb wake)
{
	struct deploy_filter filter = { .push = push };
	struct list list = { hub->config, NULL, 0 };
	const struct err *err;

	if (push == 0)
		return NULL;
	err = deploy_each(hub->journal, &filter, collect, &list);
	for (size_t i = list.n; i > 0; i--) {
		struct deploy *deploy = &list.v[i - 1];
		struct view_spec spec = {
			.hub = hub,
			.deploy = deploy->number,
			.environment = deploy->environment,
			.part = part,
			.out_fd = STDERR_FILENO,
			.wake = wake,
			.follow = true,
		};
		int64_t last;

		if (err == NULL && list.n > 1 && part == VIEW_ACTIVATE)
			err = say_which(hub, deploy);
		if (err == NULL)
			err = view_deploy(&spec, &last);
		deploy_release(deploy);
	}
	free(list.v);
	return err;
}

/* Whoever has to answer for it stays when nobody looks any more. */
static const struct err *
wait_for_end(const struct view_spec *shown)
{
	struct view_spec spec = *shown;
	const struct err *err;
	int64_t last;

	spec.out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (spec.out_fd == -1)
		return err_system("open /dev/null");
	err = view_deploy(&spec, &last);
	file_close(&spec.out_fd);
	return err;
}

const struct err *
watch_deploy(const struct hub *hub, int64_t number, const char *environment,
    view_wake_cb wake)
{
	struct view_spec spec = {
		.hub = hub,
		.deploy = number,
		.environment = environment,
		.part = VIEW_ALL,
		.out_fd = STDERR_FILENO,
		.wake = wake,
		.follow = true,
	};
	struct deploy deploy = DEPLOY_INIT;
	const struct err *err;

	err = view_deploy(&spec, &spec.deploy);
	if (err == NULL)
		err = deploy_get(hub->journal, spec.deploy, &deploy);
	if (err == NULL && !deploy_is_over(deploy.state))
		err = wait_for_end(&spec);
	deploy_release(&deploy);
	return err;
}
