/*
 * What is done by hand under the lock of a runner, as one would do it.
 */
#include <stdlib.h>

#include "deploy/level.h"
#include "deploy/queue.h"
#include "deploy/recover.h"
#include "deploy/restore.h"
#include "deploy/returned.h"
#include "deploy/runner.h"
#include "deploy/stage.h"
#include "lock.h"

/* How long to wait for a lock that a dying runner holds. */
#define LOCK_WAIT_MS 200

/* A work that only cleans. */
static const struct err *
clean_now(struct hub *hub, const struct environment *env,
    struct vec *removed, struct vec *stays)
{
	struct work work;
	const struct err *err = work_open_live(&work, hub, env);

	if (err == NULL && work.deploy.number != 0)
		err = cleanup(&work, true, removed, stays);
	work_close(&work);
	return err;
}

/* What has come back, and resists, must not keep the rest. */
static const struct err *
clean_all(struct hub *hub, const struct environment *env,
    struct vec *removed, struct vec *stays)
{
	struct err_kept kept = ERR_KEPT_INIT;

	err_keep(&kept, returned_settle(hub, env, removed, stays));
	err_keep(&kept, clean_now(hub, env, removed, stays));
	return err_kept(&kept);
}

/* What stays of it is not as it should be. */
static const struct err *
settle_returned(const struct hub *hub, const struct environment *env)
{
	struct vec removed = VEC_INIT, stays = VEC_INIT;
	struct str text = STR_INIT;
	const struct err *err;

	err = returned_settle(hub, env, &removed, &stays);
	vec_join(&stays, "; ", &text);
	if (err == NULL && stays.n > 0)
		err = err_new(ERR_FAILED, "%s", text.s);
	str_release(&text);
	vec_release(&removed);
	vec_release(&stays);
	return err;
}

const struct err *
runner_level(struct hub *hub, const struct environment *env,
    int64_t wait_ms)
{
	char *path = hub_lock_path(hub, env->name);
	const struct err *err;
	struct lock *lock;

	err = lock_take(&lock, path, "resume", wait_ms);
	if (err == NULL) {
		err = recover(hub, env);
		if (err == NULL)
			err = level_refs(hub, env);
		if (err == NULL)
			err = restore_current(hub, env);
		if (err == NULL)
			err = settle_returned(hub, env);
		lock_release(lock);
		err = err_first(err, queue_wake_waiting(hub, env->name));
	} else if (err->code == ERR_BUSY) {
		err = err_new(ERR_BUSY, "%s; run slipway resume again when"
		    " that has ended", err->text);
	}
	free(path);
	return err;
}

const struct err *
runner_cleanup(struct hub *hub, const struct environment *env,
    struct vec *removed, struct vec *stays)
{
	char *path = hub_lock_path(hub, env->name);
	const struct err *err;
	struct lock *lock;

	err = lock_take(&lock, path, "cleanup", LOCK_WAIT_MS);
	if (err == NULL) {
		err = recover(hub, env);
		if (err == NULL)
			err = clean_all(hub, env, removed, stays);
		lock_release(lock);
		err = err_first(err, queue_wake_waiting(hub, env->name));
	} else if (err->code == ERR_BUSY) {
		err = err_new(ERR_BUSY, "%s is being deployed; cleanup runs"
		    " at the end of it", env->name);
	}
	free(path);
	return err;
}
