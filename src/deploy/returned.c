#include "deploy/returned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

const struct err *
returned_find(const struct hub *hub, const struct environment *env,
    struct returned *returned)
{
	struct vec names = VEC_INIT;
	const struct err *err = list(&names, env, "releases");

	if (err == NULL)
		err = list(&returned->trash, env, ".slipway/trash");
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
static const struct err *
remove_again(struct work *work, const char *release)
{
	const struct err *err = work_ask_release(work, "remove", release);

	if (err == NULL && !work_has_removed(work, release))
		err = err_new(ERR_FAILED, "release %s was removed, is in"
		    " %s/releases again, and could not be removed once more",
		    release, work->env->set.root);
	return err;
}

/* One that resists must not keep the others. */
static const struct err *
settle(const struct hub *hub, const struct environment *env,
    const struct returned *returned)
{
	struct err_kept kept = ERR_KEPT_INIT;
	struct work work;
	const struct err *err = work_open_live(&work, hub, env);
	bool is_live = err == NULL && work.deploy.number != 0;

	for (size_t i = 0; is_live && i < returned->removed.n; i++)
		err_keep(&kept, remove_again(&work, returned->removed.v[i]));
	if (is_live && returned->failed.n > 0)
		err_keep(&kept, work_set_aside_left(&work));
	if (is_live && returned->trash.n > 0)
		err_keep(&kept, work_sweep(&work, false));
	work_close(&work);
	return err_first(err, err_kept(&kept));
}

const struct err *
returned_settle(const struct hub *hub, const struct environment *env)
{
	struct returned returned = RETURNED_INIT;
	const struct err *err = returned_find(hub, env, &returned);

	if (err == NULL && returned.removed.n + returned.failed.n +
	    returned.trash.n > 0)
		err = settle(hub, env, &returned);
	returned_release(&returned);
	return err;
}
