#include "report/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "journal/deploy.h"
#include "report/say.h"

/* Collected first: no query stays open while a view waits. */
struct list {
	struct deploy *v;
	size_t n;
};

static const struct err *
collect(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct list *list = ctx;

	(void)journal;
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
	struct deploy now = DEPLOY_INIT;
	struct vec line = VEC_INIT;
	const struct err *err;
	int64_t number = deploy->number;

	do {
		deploy_release(&now);
		err = deploy_get(hub->journal, number, &now);
		number = now.superseded_by;
	} while (err == NULL && number != 0);
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
	struct list list = { NULL, 0 };
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
