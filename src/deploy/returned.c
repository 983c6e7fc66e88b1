#include "deploy/returned.h"

#include <stdlib.h>

#include "deploy/work.h"
#include "journal/release.h"
#include "release/store.h"

/* No more than this have been removed in the last seconds. */
#define LOOK_MAX 8

static const struct err *
find(const struct hub *hub, const struct environment *env,
    struct vec *returned)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = release_newest(hub->journal, env->name, "removed", LOOK_MAX,
	    &names);
	for (size_t i = 0; err == NULL && i < names.n; i++) {
		if (store_has(env->set.root, names.v[i]))
			vec_push(returned, names.v[i]);
	}
	vec_release(&names);
	return err;
}

static const struct err *
remove_again(const struct hub *hub, const struct environment *env,
    const struct vec *returned)
{
	struct work work;
	const struct err *err = work_open_live(&work, hub, env);

	for (size_t i = 0; err == NULL && work.deploy.number != 0 &&
	    i < returned->n; i++)
		err = work_ask_release(&work, "remove", returned->v[i]);
	work_close(&work);
	return err;
}

const struct err *
returned_remove(const struct hub *hub, const struct environment *env)
{
	struct vec returned = VEC_INIT;
	const struct err *err = find(hub, env, &returned);

	if (err == NULL && returned.n > 0)
		err = remove_again(hub, env, &returned);
	vec_release(&returned);
	return err;
}
