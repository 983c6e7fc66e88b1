#include "report/watch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "journal/deploy.h"
#include "report/say.h"
#include "report/summary.h"

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

static void
list_add(struct list *list, const struct deploy *deploy)
{
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n] = (struct deploy)DEPLOY_INIT;
	list->v[list->n].number = deploy->number;
	list->v[list->n++].environment = xstrdup(deploy->environment);
}

static const struct err *
collect(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct list *list = ctx;

	(void)journal;
	if (!was_shown(list->config, deploy))
		list_add(list, deploy);
	return NULL;
}

/* Of several, each is named once more before its activation is shown. */
static void
say_which(const struct deploy *deploy)
{
	struct vec line = VEC_INIT;

	vec_pushf(&line, "deploy %" PRId64 ", %s:", deploy->number,
	    deploy->environment);
	say_notes(&line);
	vec_release(&line);
}

static bool
has(const struct list *list, int64_t number)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i].number == number)
			return true;
	}
	return false;
}

static void
list_release(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		deploy_release(&list->v[i]);
	free(list->v);
}

/*
 * What a push asked for and what took its place, oldest first, and each of
 * them once: several refs of one push often end in one deploy.
 */
static const struct err *
find_ends(const struct hub *hub, const struct list *asked,
    struct list *ends)
{
	const struct err *err = NULL;

	for (size_t i = asked->n; i > 0 && err == NULL; i--) {
		struct deploy last;

		err = deploy_get_last(hub->journal, asked->v[i - 1].number,
		    &last);
		if (err == NULL && !has(ends, last.number))
			list_add(ends, &last);
		deploy_release(&last);
	}
	return err;
}

static const struct err *
watch(const struct view_spec *shared, const struct deploy *deploy,
    int64_t *last)
{
	struct view_spec spec = *shared;

	spec.deploy = deploy->number;
	spec.environment = deploy->environment;
	return view_deploy(&spec, last);
}

/* Each to where it is prepared, or where another view goes on. */
static const struct err *
watch_prepared(struct view_spec *spec, const struct list *asked)
{
	int64_t *apart = xcalloc(2 * asked->n, sizeof(*apart)), last;
	const struct err *err = NULL;

	for (size_t i = 0; i < asked->n; i++)
		apart[i] = asked->v[i].number;
	spec->apart = apart;
	spec->n_apart = asked->n;
	for (size_t i = asked->n; i > 0 && err == NULL; i--) {
		err = watch(spec, &asked->v[i - 1], &last);
		apart[spec->n_apart++] = last;
	}
	free(apart);
	return err;
}

static const struct err *
watch_activated(const struct view_spec *spec, const struct list *asked)
{
	struct list ends = { 0 };
	const struct err *err = find_ends(spec->hub, asked, &ends);
	int64_t last;

	for (size_t i = 0; i < ends.n && err == NULL; i++) {
		if (ends.n > 1)
			say_which(&ends.v[i]);
		err = watch(spec, &ends.v[i], &last);
	}
	list_release(&ends);
	return err;
}

/* Who pushes over ssh or HTTP may have no shell here. */
static void
speak_to_client(void)
{
	summary_for_remote(getenv("SSH_CONNECTION") != NULL ||
	    getenv("REMOTE_ADDR") != NULL);
}

const struct err *
watch_push(const struct hub *hub, int64_t push, enum view_part part,
    view_wake_cb wake)
{
	struct deploy_filter filter = { .push = push };
	struct list asked = { hub->config, NULL, 0 };
	struct view_spec spec = {
		.hub = hub,
		.part = part,
		.out_fd = STDERR_FILENO,
		.wake = wake,
		.follow = true,
	};
	const struct err *err;

	if (push == 0)
		return NULL;
	speak_to_client();
	err = deploy_each(hub->journal, &filter, collect, &asked);
	if (err == NULL && part == VIEW_PREPARE)
		err = watch_prepared(&spec, &asked);
	else if (err == NULL)
		err = watch_activated(&spec, &asked);
	list_release(&asked);
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

	speak_to_client();
	err = view_deploy(&spec, &spec.deploy);
	if (err == NULL)
		err = deploy_get(hub->journal, spec.deploy, &deploy);
	if (err == NULL && !deploy_is_over(deploy.state))
		err = wait_for_end(&spec);
	deploy_release(&deploy);
	return err;
}
