#include "deploy/forecast.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/missing.h"
#include "file.h"
#include "journal/step.h"
#include "path.h"

static const struct err *
find_commits(struct forecast *forecast)
{
	struct work *work = &forecast->work;
	const struct err *err;

	err = commits_find(&forecast->commits, work->repo,
	    work->deploy.commit, work->live_commit);
	return err == NULL ? leaving_find(&forecast->leaving, work) : err;
}

/* A live commit that is gone from the repository changes everything. */
static const struct err *
find_changes(struct forecast *forecast)
{
	struct work *work = &forecast->work;
	const struct err *err = NULL;

	forecast->everything = work->live_commit[0] == '\0';
	if (!forecast->everything)
		err = repo_changed_paths(work->repo, work->live_commit,
		    work->deploy.commit, &forecast->changed);
	if (err != NULL && err->code == ERR_NOT_FOUND) {
		forecast->everything = true;
		err = NULL;
	}
	if (err == NULL && forecast->everything)
		err = repo_changed_paths(work->repo, NULL,
		    work->deploy.commit, &forecast->changed);
	return err;
}

/* The newest that went live, for its times. */
static const struct err *
keep_last(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct forecast *forecast = ctx;

	if (forecast->last.number != 0 || strcmp(deploy->kind, "deploy") != 0
	    || (deploy->state != DEPLOY_LIVE &&
	    deploy->state != DEPLOY_RETIRED))
		return NULL;
	return deploy_get(journal, deploy->number, &forecast->last);
}

/* More than this is not looked through for it. */
#define LAST_AMONG 50

static const struct err *
find_last(struct forecast *forecast)
{
	struct deploy_filter filter = {
		.environment = forecast->work.env->name,
		.limit = LAST_AMONG,
	};

	return deploy_each(forecast->work.hub->journal, &filter, keep_last,
	    forecast);
}

static const struct err *
add_step(struct forecast *forecast, enum phase phase,
    const struct plan_item *item, const char *name)
{
	struct forecast_step *step;

	forecast->steps = xreallocarray(forecast->steps,
	    forecast->n_steps + 1, sizeof(*step));
	step = &forecast->steps[forecast->n_steps++];
	step->phase = phase;
	step->item = item;
	step->name = xstrdup(name);
	return step_last_ms(forecast->work.hub->journal,
	    forecast->work.env->name, name, &step->took_ms);
}

/* deploy/before_PHASE and deploy/after_PHASE of the commit. */
static const struct err *
add_hook(struct forecast *forecast, enum phase phase, const char *when)
{
	struct work *work = &forecast->work;
	char *path = xasprintf("deploy/%s_%s", when, phase_name(phase));
	const struct err *err = NULL;
	bool is = false;

	if (store_hook_runs(path_base(path)))
		err = repo_path_is_program(work->repo, work->deploy.commit,
		    path, &is);
	if (err == NULL && is)
		err = add_step(forecast, phase, NULL, path_base(path));
	free(path);
	return err;
}

static const struct err *
find_steps(struct forecast *forecast)
{
	const struct plan *plan = &forecast->work.plan;
	const struct err *err = NULL;

	for (int i = 0; err == NULL && i < PHASE_COUNT; i++) {
		enum phase phase = (enum phase)i;

		err = add_hook(forecast, phase, "before");
		for (size_t k = 0; err == NULL && k < plan->n_items; k++) {
			const struct plan_item *item = &plan->items[k];

			if (item->action->phase == phase)
				err = add_step(forecast, phase, item,
				    item->action->name);
		}
		if (err == NULL)
			err = add_hook(forecast, phase, "after");
	}
	return err;
}

/* What the live release has and the commit has not: see store_carry(). */
static const struct err *
find_carried(struct forecast *forecast)
{
	struct work *work = &forecast->work;
	const struct vec *carry = &work->env->set.carry;
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < carry->n; i++) {
		char *path = xasprintf("%s/current/%s", work->env->set.root,
		    carry->v[i]);
		enum repo_kind kind;

		err = repo_path_kind(work->repo, work->deploy.commit,
		    carry->v[i], &kind);
		if (err == NULL && kind == REPO_ABSENT &&
		    file_exists(AT_FDCWD, path))
			vec_push(&forecast->carried, carry->v[i]);
		free(path);
	}
	return err;
}

/* The root as it is; one that is not there yet is made by the deploy. */
static const struct err *
look_at_root(struct forecast *forecast)
{
	struct work *work = &forecast->work;
	struct store_spec spec = {
		.repo = work->repo,
		.commit = work->deploy.commit,
		.export = work->env->set.export,
	};
	const struct err *err;
	struct store *store;

	store_kind_by_name(&spec.kind, work->env->set.store);
	err = store_look(&store, work->env->set.root);
	if (err != NULL)
		return err->code == ERR_NOT_FOUND ? NULL : err;
	err = store_missing_shared(store, work->repo, work->deploy.commit,
	    &work->env->set.shared, &forecast->missing);
	if (err == NULL)
		err = store_room(store, &spec, &forecast->room);
	forecast->has_root = err == NULL;
	store_close(store);
	return err;
}

/* As the deploy would find them, but nothing is kept. */
static const struct err *
find_edits(struct forecast *forecast)
{
	const struct edits_query query = { 0 };
	const struct work *work = &forecast->work;
	struct str lost = STR_INIT;
	const struct err *err;

	if (forecast->live.number == 0)
		return NULL;
	if (missing_add_live(&lost, work->env->set.root,
	    forecast->live.release)) {
		forecast->lost = str_detach(&lost);
		return NULL;
	}
	err = edits_find(&forecast->edits, work->hub, work->env, &query);
	if (err != NULL && err->code != ERR_NOT_FOUND)
		forecast->edits_fault = xstrdup(err->text);
	return NULL;
}

static const struct err *
find_out(struct forecast *forecast)
{
	static const struct err *(*const looks[])(struct forecast *) = {
		find_commits, find_changes, find_last, find_steps,
		find_carried, look_at_root, find_edits
	};
	struct work *work = &forecast->work;
	const struct err *err;

	err = deploy_get_live(work->hub->journal, work->env->name,
	    &forecast->live);
	if (err == NULL && forecast->live.number != 0)
		memcpy(work->live_commit, forecast->live.commit,
		    sizeof(work->live_commit));
	if (err == NULL)
		err = work_plan(work);
	for (size_t i = 0; err == NULL &&
	    i < sizeof(looks) / sizeof(*looks); i++)
		err = looks[i](forecast);
	return err;
}

const struct err *
forecast_make(struct forecast *forecast, const struct hub *hub,
    const struct environment *env, const char *commit,
    const struct directives *options)
{
	struct work *work = &forecast->work;
	const struct err *err;

	memset(forecast, 0, sizeof(*forecast));
	forecast->live = (struct deploy)DEPLOY_INIT;
	forecast->last = (struct deploy)DEPLOY_INIT;
	work->hub = hub;
	work->env = env;
	work->deploy = (struct deploy)DEPLOY_INIT;
	work->deploy.environment = xstrdup(env->name);
	work->deploy.commit = xstrdup(commit);
	/* Younger than all that waits: what they asked for comes, too. */
	work->deploy.number = INT64_MAX;
	/* And nothing that is to be taken. */
	work->deploy.state = DEPLOY_PREPARING;
	for (size_t i = 0; i < options->n; i++)
		directives_add(&work->directives, options->v[i].name,
		    options->v[i].argument, "", options->v[i].source);
	err = repo_open(&work->repo, hub->path, false);
	return err != NULL ? err : find_out(forecast);
}

void
forecast_release(struct forecast *forecast)
{
	for (size_t i = 0; i < forecast->n_steps; i++)
		free(forecast->steps[i].name);
	commits_release(&forecast->commits);
	leaving_release(&forecast->leaving);
	free(forecast->steps);
	vec_release(&forecast->changed);
	vec_release(&forecast->carried);
	vec_release(&forecast->missing);
	edits_release(&forecast->edits);
	free(forecast->edits_fault);
	free(forecast->lost);
	deploy_release(&forecast->live);
	deploy_release(&forecast->last);
	work_close(&forecast->work);
	memset(forecast, 0, sizeof(*forecast));
}
