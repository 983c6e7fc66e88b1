#include "deploy/returned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/stage.h"
#include "deploy/work.h"
#include "file.h"
#include "journal/release.h"
#include "path.h"
#include "release/store.h"

/* Nothing, where nothing was deployed yet. */
static const struct err *
list(struct vec *names, const struct environment *env, const char *folder)
{
	char *path = path_join(env->set.root, folder);
	const struct err *err = file_list(names, AT_FDCWD, path);

	free(path);
	return err != NULL && err->sys_errno == ENOENT ? NULL : err;
}

/* Not what somebody is at work with there. */
static const struct err *
list_trash(struct vec *trash, const struct environment *env)
{
	struct vec names = VEC_INIT;
	const struct err *err = list(&names, env, ".slipway/trash");

	for (size_t i = 0; i < names.n; i++) {
		if (store_is_trash(names.v[i]))
			vec_push(trash, names.v[i]);
	}
	vec_release(&names);
	return err;
}

const struct err *
returned_find(const struct hub *hub, const struct environment *env,
    struct returned *returned)
{
	struct vec names = VEC_INIT;
	const struct err *err = list(&names, env, "releases");

	if (err == NULL)
		err = list_trash(&returned->trash, env);
	for (size_t i = 0; err == NULL && i < names.n; i++) {
		char *state = NULL;

		if (store_is_release(names.v[i]))
			err = release_get_state(hub->journal, env->name,
			    names.v[i], &state);
		if (state != NULL && strcmp(state, "removed") == 0)
			vec_push(&returned->removed, names.v[i]);
		else if (state != NULL && strcmp(state, "failed") == 0)
			vec_push(&returned->failed, names.v[i]);
		free(state);
	}
	vec_release(&names);
	return err;
}

void
returned_release(struct returned *returned)
{
	vec_release(&returned->removed);
	vec_release(&returned->failed);
	vec_release(&returned->trash);
}

/* Why one stays is in the log of the deploy that is live. */
static void
remove_again(struct work *work, const char *release, struct vec *removed,
    struct vec *stays)
{
	const struct err *err = work_ask_release(work, "remove", release);

	if (err != NULL)
		vec_pushf(stays, "release %s stays: %s", release, err->text);
	else if (!work_has_removed(work, release))
		vec_pushf(stays, "release %s was removed, is in %s/releases"
		    " again, and stays: it could not be removed", release,
		    work->env->set.root);
	else
		vec_push(removed, release);
}

static const struct err *
sweep(struct work *work, struct vec *stays)
{
	const struct err *err, *resisted = work_sweep(work, false);
	struct vec left = VEC_INIT;

	err = list_trash(&left, work->env);
	for (size_t i = 0; i < left.n; i++)
		vec_pushf(stays, "%s/.slipway/trash/%s stays: %s",
		    work->env->set.root, left.v[i], resisted != NULL ?
		    resisted->text : "remove it as the user who has made it,"
		    " or as root");
	if (err == NULL && left.n == 0)
		err = resisted;
	vec_release(&left);
	return err;
}

/* One that resists must not keep the others. */
static const struct err *
settle(struct work *work, struct returned *returned, struct vec *removed,
    struct vec *stays)
{
	struct err_kept kept = ERR_KEPT_INIT;

	if (returned->removed.n > 0)
		err_keep(&kept, drop_busy(work, &returned->removed, stays));
	for (size_t i = 0; !kept.is && i < returned->removed.n; i++)
		remove_again(work, returned->removed.v[i], removed, stays);
	if (returned->failed.n > 0)
		err_keep(&kept, work_set_aside_all(work, &returned->failed));
	if (returned->trash.n > 0)
		err_keep(&kept, sweep(work, stays));
	return err_kept(&kept);
}

const struct err *
returned_settle(const struct hub *hub, const struct environment *env,
    struct vec *removed, struct vec *stays)
{
	struct returned returned = RETURNED_INIT;
	const struct err *err = returned_find(hub, env, &returned);
	struct work work;

	if (err == NULL && returned.removed.n + returned.failed.n +
	    returned.trash.n > 0) {
		err = work_open_live(&work, hub, env);
		if (err == NULL && work.deploy.number != 0)
			err = settle(&work, &returned, removed, stays);
		work_close(&work);
	}
	returned_release(&returned);
	return err;
}
