/*
 * slipway resume - finish what a crash, a kill or a power cut left.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "deploy/level.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "deploy/restore.h"
#include "deploy/runner.h"
#include "journal/deploy.h"
#include "lock.h"
#include "report/left.h"
#include "report/view.h"

/* Between two looks at a deploy that is over and not finished. */
#define LOOK_MS 100

/* How long somebody else may hold the lock while there is something to do. */
#define LEVEL_WAIT_MS 5000

/* Runners started for one deploy that did not finish it. */
#define WAKES_MAX 10

static const struct err *
keep_first(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	int64_t *number = ctx;

	(void)journal;
	if (*number == 0)
		*number = deploy->number;
	return NULL;
}

/*
 * What is to be looked at next: what was begun, else the oldest that waits.
 * Number 0 when that is all, up to the deploy "last": those that are asked
 * for meanwhile have people of their own who watch them.
 */
static const struct err *
find_next(struct call *call, int64_t last, int64_t *number)
{
	struct deploy_filter filter = {
		.environment = call->env->name,
		.waiting = true,
	};
	struct deploy unfinished;
	const struct err *err;

	err = deploy_get_unfinished(call->hub.journal, call->env->name,
	    &unfinished);
	*number = unfinished.number;
	deploy_release(&unfinished);
	if (err == NULL && *number == 0)
		err = deploy_each(call->hub.journal, &filter, keep_first,
		    number);
	if (*number > last)
		*number = 0;
	return err;
}

/* A deploy that is over may have lines and folders left to be settled. */
static const struct err *
wait_until_finished(struct call *call, int64_t number)
{
	char *path = hub_lock_path(&call->hub, call->env->name);
	const struct err *err = NULL;
	bool finished = false;
	int wakes = 0;

	while (err == NULL && !finished) {
		struct deploy deploy;
		bool held = lock_is_held(path);

		err = deploy_get(call->hub.journal, number, &deploy);
		finished = err == NULL && deploy.finished_at != 0;
		deploy_release(&deploy);
		if (err != NULL || finished)
			break;
		if (!held && wakes++ == WAKES_MAX)
			err = err_new(ERR_FAILED, "deploy %lld does not come"
			    " to its end; see %s/slipway/log/runner.log",
			    (long long)number, call->hub.path);
		else if (!held)
			err = queue_wake(&call->hub, call->env->name);
		poll(NULL, 0, LOOK_MS);
	}
	free(path);
	return err;
}

/* Show one to its end; its outcome is told by the view. */
static const struct err *
finish_one(struct call *call, int64_t number, struct err_kept *outcome)
{
	struct view_spec spec = {
		.hub = &call->hub,
		.deploy = number,
		.environment = call->env->name,
		.part = VIEW_ALL,
		.out_fd = STDOUT_FILENO,
		.wake = queue_wake,
		.follow = true,
	};
	struct deploy shown = DEPLOY_INIT;
	const struct err *err;
	int64_t last;

	err = queue_wake(&call->hub, call->env->name);
	if (err == NULL)
		err = view_deploy(&spec, &last);
	if (err == NULL)
		err = wait_until_finished(call, number);
	if (err == NULL)
		err = wait_until_finished(call, last);
	if (err == NULL)
		err = deploy_get(call->hub.journal, last, &shown);
	if (err == NULL && deploy_outcome(&shown) != NULL)
		err_keep(outcome, err_new(deploy_outcome(&shown)->code, "%s",
		    ""));
	deploy_release(&shown);
	return err;
}

static const struct err *
resume_one(struct call *call, struct err_kept *outcome)
{
	struct deploy newest;
	const struct err *err;
	int64_t last, number = 0;

	err = deploy_get_newest(call->hub.journal, call->env->name, &newest);
	last = newest.number;
	deploy_release(&newest);
	do {
		if (err == NULL)
			err = find_next(call, last, &number);
		if (err == NULL && number != 0)
			err = finish_one(call, number, outcome);
	} while (err == NULL && number != 0);
	return err;
}

/* What is not as it should be, and no deploy comes back to. */
struct astray {
	struct vec refs;
	struct vec lost;
};

static void
astray_release(struct astray *astray)
{
	vec_release(&astray->refs);
	vec_release(&astray->lost);
}

static const struct err *
find_astray(struct call *call, struct astray *astray)
{
	const struct err *err;

	*astray = (struct astray){ VEC_INIT, VEC_INIT };
	err = level_find(&call->hub, call->env, &astray->refs);
	return err == NULL ? restore_find(&call->hub, call->env,
	    &astray->lost) : err;
}

/* What was found and is not found again has been done. */
static const struct err *
add_done(struct str *out, const struct call *call, const struct vec *before,
    const struct vec *after, const char *done)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < before->n; i++) {
		if (vec_has(after, before->v[i]))
			err = err_first(err, err_new(ERR_FAILED, "%s: %s,"
			    " still", call->env->name, before->v[i]));
		else
			str_addf(out, "%s: %s; %s\n", call->env->name,
			    before->v[i], done);
	}
	return err;
}

static const struct err *
tell_done(struct call *call, const struct astray *before)
{
	struct str out = STR_INIT;
	const struct err *err, *undone = NULL;
	struct astray after;

	err = find_astray(call, &after);
	if (err == NULL)
		undone = add_done(&out, call, &before->refs, &after.refs,
		    "moved there");
	if (err == NULL)
		undone = err_first(undone, add_done(&out, call,
		    &before->lost, &after.lost, "put back"));
	if (err == NULL && out.len > 0)
		err = cmd_print(&out);
	str_release(&out);
	astray_release(&after);
	return err_first(err, undone);
}

/*
 * Refs that a deploy which is over could not set, and its notes; and the
 * symlink. With only the notes left, whoever is at work is not waited for.
 */
static const struct err *
level_one(struct call *call)
{
	struct astray before;
	const struct err *err;
	bool any;

	err = find_astray(call, &before);
	any = before.refs.n + before.lost.n > 0;
	if (err == NULL)
		err = runner_level(&call->hub, call->env,
		    any ? LEVEL_WAIT_MS : 0);
	if (err == NULL && any)
		err = tell_done(call, &before);
	else if (err != NULL && !any && err->code == ERR_BUSY)
		err = NULL;
	astray_release(&before);
	return err;
}

static const struct err *
run_resume(struct call *call)
{
	const struct environment *only;
	const struct config *config;
	struct err_kept outcome = ERR_KEPT_INIT;
	const struct err *err;

	err = cmd_open(call, DB_WRITE, false);
	/* What cannot be settled keeps nobody from what was asked for. */
	if (err == NULL)
		err_keep(&outcome, receive_free_left(&call->hub));
	if (err == NULL)
		err_keep(&outcome, receive_settle(&call->hub));
	config = call->hub.config;
	only = call->env;
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		call->env = &config->environments[i];
		if (only == NULL || only == call->env)
			err = resume_one(call, &outcome);
		if (err == NULL && (only == NULL || only == call->env))
			err = level_one(call);
		/* One that is busy keeps no other one waiting. */
		if (err != NULL && err->code == ERR_BUSY) {
			err_keep(&outcome, err);
			err = NULL;
		}
	}
	if (err == NULL && only == NULL)
		err_keep(&outcome, left_find_nameless(&call->hub));
	return err_first(err, err_kept(&outcome));
}

const struct cmd cmd_resume = {
	.name = "resume",
	.words = "",
	.summary = "finish what a crash or a power cut left",
	.help = "Look for pushes that landed and were not deployed, for"
	    " deploys whose runner died, and for what waits; have all of it"
	    " brought to its end, in every environment or in the one that"
	    " is named, and show it. Refs that a deploy could not set are"
	    " set, and \"current\" is put back when it is gone and its"
	    " release is not. Quiet when nothing was left.",
	.example = "slipway resume -C /srv/shop.git",
	.environment_help = CMD_ALL_ENVIRONMENTS,
	.run = run_resume,
};
