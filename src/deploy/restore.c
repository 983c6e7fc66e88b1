#include "deploy/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "deploy/errand.h"
#include "deploy/work.h"
#include "file.h"
#include "path.h"

/* Nothing is in its place, and the release is in its own. */
static bool
is_lost(const struct environment *env, const struct deploy *live)
{
	char *current = path_join(env->set.root, "current"), *release;
	struct stat st;
	bool lost;

	release = xasprintf("%s/releases/%s", env->set.root, live->release);
	lost = lstat(current, &st) == -1 && errno == ENOENT &&
	    lstat(release, &st) == 0 && S_ISDIR(st.st_mode);
	free(release);
	free(current);
	return lost;
}

const struct err *
restore_find(const struct hub *hub, const struct environment *env,
    struct vec *lines)
{
	struct deploy live = DEPLOY_INIT, begun = DEPLOY_INIT;
	const struct err *err;

	err = deploy_get_unfinished(hub->journal, env->name, &begun);
	if (err == NULL)
		err = deploy_get_live(hub->journal, env->name, &live);
	if (err == NULL && begun.number == 0 && live.number != 0 &&
	    is_lost(env, &live))
		vec_pushf(lines, "%s/current is not there, and release %s is"
		    " live", env->set.root, live.release);
	deploy_release(&begun);
	deploy_release(&live);
	return err;
}

/* What the commit has and the release has not; caches come and go. */
static const struct err *
check_item(const struct work *work, const char *item)
{
	struct str way = STR_INIT;
	const struct err *err;
	int built, at = 0;

	if (sscanf(item, "removed %*s %*s %d %n", &built, &at) != 1 ||
	    at == 0 || built != 0)
		return NULL;
	errand_add_deploy(&way, work->hub, work->env, work->deploy.commit);
	err = err_new(ERR_FAILED, "release %s has lost %s, and is not made"
	    " live again; %s makes it anew", work->deploy.release, item + at,
	    way.s);
	str_release(&way);
	return err;
}

static const struct err *
check_whole(struct work *work)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "drift");
	message_add(&request, "release", work->deploy.release);
	message_add_int(&request, "deep", 0);
	for (size_t i = 0; i < work->env->set.writable.n; i++)
		message_add(&request, "writable",
		    work->env->set.writable.v[i]);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		struct vec items = VEC_INIT;

		message_all(fleet_reply(work->fleet, i), "item", &items);
		for (size_t k = 0; err == NULL && k < items.n; k++)
			err = check_item(work, items.v[k]);
		vec_release(&items);
	}
	return err;
}

const struct err *
restore_current(const struct hub *hub, const struct environment *env)
{
	struct vec lines = VEC_INIT;
	struct work work;
	const struct err *err;
	bool lost;

	err = restore_find(hub, env, &lines);
	lost = lines.n > 0;
	vec_release(&lines);
	if (err != NULL || !lost)
		return err;
	err = work_open_live(&work, hub, env);
	if (err == NULL)
		err = check_whole(&work);
	if (err == NULL)
		err = work_ask_release(&work, "flip", work.deploy.release);
	work_close(&work);
	return err;
}
