#include "report/left.h"

#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "deploy/level.h"
#include "deploy/receive.h"
#include "journal/deploy.h"
#include "lock.h"
#include "plan/takes.h"
#include "repo.h"

/* Between two looks at a lock that a starting runner will take. */
#define LOOK_MS 50

static const struct err *
count(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	(void)journal;
	(void)deploy;
	(*(int *)ctx)++;
	return NULL;
}

/* What a runner should be at: a line, or none. */
static const struct err *
find_work(struct journal *journal, const char *environment,
    struct vec *lines)
{
	struct deploy_filter filter = {
		.environment = environment,
		.waiting = true,
	};
	struct deploy begun;
	const struct err *err;
	int waiting = 0;

	err = deploy_get_unfinished(journal, environment, &begun);
	if (err == NULL)
		err = deploy_each(journal, &filter, count, &waiting);
	if (err == NULL && begun.number != 0)
		vec_pushf(lines, "deploy %" PRId64 " is %s and not finished,"
		    " and its runner is gone", begun.number,
		    deploy_state_name(begun.state));
	else if (err == NULL && waiting > 0)
		vec_pushf(lines, "%d deploy%s, and no runner is at work",
		    waiting, waiting == 1 ? " waits" : "s wait");
	deploy_release(&begun);
	return err;
}

/*
 * The lock is looked at last: a runner leaves when its work is done. Where
 * there is none it is not, which takes 15 ms and stops all other locks.
 */
static const struct err *
find_dead_runner(const struct hub *hub, const char *environment,
    struct vec *lines)
{
	int64_t until_ms = clock_monotonic_ms() + LEFT_WAIT_MS;
	char *path = hub_lock_path(hub, environment);
	const struct err *err;
	bool held;

	for (;;) {
		struct vec work = VEC_INIT;
		bool last = clock_monotonic_ms() >= until_ms;

		err = find_work(hub->journal, environment, &work);
		held = work.n > 0 && lock_is_held(path);
		if (err == NULL && last && !held)
			for (size_t i = 0; i < work.n; i++)
				vec_push(lines, work.v[i]);
		last |= err != NULL || held || work.n == 0;
		vec_release(&work);
		if (last)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	free(path);
	return err;
}

/* Would this ref have been deployed to the environment, and was it not? */
static const struct err *
is_missing(const struct hub *hub, const struct environment *env,
    const struct push *push, const struct push_ref *ref, bool *is)
{
	struct deploy_filter filter = {
		.environment = env->name,
		.push = push->id,
	};
	struct deploy live;
	const struct err *err;
	int asked = 0;

	char commit[REPO_OID_SIZE];

	*is = takes_ref(env, ref->ref) && !repo_is_zero(ref->new) &&
	    !ref->skip && !env->set.transactional;
	if (!*is)
		return NULL;
	err = receive_commit(hub, ref, commit);
	if (err == NULL)
		err = deploy_each(hub->journal, &filter, count, &asked);
	if (err == NULL)
		err = deploy_get_live(hub->journal, env->name, &live);
	if (err != NULL)
		return err;
	*is = asked == 0 &&
	    (live.number == 0 || strcmp(live.commit, commit) != 0);
	deploy_release(&live);
	return NULL;
}

static void
add_lost(struct vec *lines, const struct push *push,
    const struct push_ref *ref)
{
	struct str name = STR_INIT;

	takes_add_ref(&name, ref->ref);
	vec_pushf(lines, "push %" PRId64 " by %s moved %s to %.7s, and no"
	    " deploy was asked for", push->id, push->pusher, name.s,
	    ref->new);
	str_release(&name);
}

static const struct err *
find_lost_pushes(const struct hub *hub, const struct environment *env,
    struct vec *lines)
{
	const struct err *err;
	int64_t id = 0;

	do {
		struct push push;

		err = receive_next_lost(hub, &id, &push);
		for (size_t i = 0; err == NULL && i < push.n_refs; i++) {
			const struct push_ref *ref = &push.refs[i];
			bool is;

			err = is_missing(hub, env, &push, ref, &is);
			if (err == NULL && is)
				add_lost(lines, &push, ref);
		}
		push_release(&push);
	} while (err == NULL && id != 0);
	return err;
}

const struct err *
left_find(const struct hub *hub, const struct environment *env,
    struct vec *lines)
{
	const struct err *err;

	err = find_dead_runner(hub, env->name, lines);
	if (err == NULL)
		err = find_lost_pushes(hub, env, lines);
	/* A repository that cannot be read is told of by its branch. */
	if (err == NULL && level_find(hub, env, lines) != NULL)
		return NULL;
	return err;
}

static const struct err *
check_named(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	const struct hub *hub = ctx;

	(void)journal;
	if (config_environment(hub->config, deploy->environment) != NULL)
		return NULL;
	return err_new(ERR_FAILED, "deploy %" PRId64 " is %s in the"
	    " environment %s, which slipway.ini does not have any more; put"
	    " it back there, and then: slipway resume -C %s", deploy->number,
	    deploy_state_name(deploy->state), deploy->environment, hub->word);
}

const struct err *
left_find_nameless(const struct hub *hub)
{
	static const enum deploy_state states[] = {
		DEPLOY_ACTIVATING, DEPLOY_PREPARED, DEPLOY_PREPARING,
		DEPLOY_QUEUED
	};
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < sizeof(states) /
	    sizeof(states[0]); i++) {
		struct deploy_filter filter = {
			.state = deploy_state_name(states[i]),
		};

		err = deploy_each(hub->journal, &filter, check_named,
		    (void *)(uintptr_t)hub);
	}
	return err;
}

const struct err *
left_is_abandoned(const struct hub *hub, const struct deploy *deploy,
    bool *is)
{
	struct vec lines = VEC_INIT;
	struct deploy begun;
	const struct err *err;

	*is = false;
	if (deploy->finished_at != 0)
		return NULL;
	err = find_dead_runner(hub, deploy->environment, &lines);
	if (err == NULL && lines.n > 0)
		err = deploy_get_unfinished(hub->journal, deploy->environment,
		    &begun);
	if (err == NULL && lines.n > 0) {
		*is = begun.number == deploy->number ||
		    deploy->state == DEPLOY_QUEUED;
		deploy_release(&begun);
	}
	vec_release(&lines);
	return err;
}
