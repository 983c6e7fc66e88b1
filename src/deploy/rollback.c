#include "deploy/rollback.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/branch.h"
#include "deploy/edits.h"
#include "deploy/errand.h"
#include "deploy/stage.h"
#include "deploy/undo.h"
#include "journal/release.h"
#include "release/store.h"

/* Numbers of the deploys to undo, newest first. */
struct numbers {
	int64_t *v;
	size_t n;
};

static const struct err *
collect(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct numbers *numbers = ctx;

	(void)journal;
	if (strcmp(deploy->kind, "deploy") != 0 ||
	    (deploy->state != DEPLOY_LIVE &&
	    deploy->state != DEPLOY_RETIRED &&
	    deploy->state != DEPLOY_BROKEN))
		return NULL;
	numbers->v = xreallocarray(numbers->v, numbers->n + 1,
	    sizeof(*numbers->v));
	numbers->v[numbers->n++] = deploy->number;
	return NULL;
}

/*
 * Every deploy that went live after the one that made the target, and
 * every broken one: what could not be undone then is tried again.
 */
static const struct err *
deploys_between(struct work *work, struct numbers *numbers)
{
	struct deploy_filter filter = { .environment = work->env->name };
	struct release target;
	const struct err *err;

	memset(numbers, 0, sizeof(*numbers));
	err = release_get(work->hub->journal, work->env->name,
	    work->deploy.release, &target);
	if (err != NULL)
		return err;
	filter.above = target.deploy;
	release_release(&target);
	return deploy_each(work->hub->journal, &filter, collect, numbers);
}

/*
 * The plan of a rollback: what always runs, what the paths that change
 * back ask for, and what the deploys that are undone had asked for (their
 * caches are to be cleared again).
 */
static const struct err *
plan(struct work *work, const struct numbers *numbers)
{
	struct vec changed = VEC_INIT;
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < numbers->n; i++)
		err = deploy_directives(work->hub->journal, numbers->v[i],
		    true, &work->directives);
	if (err == NULL)
		err = repo_commit_read(work->repo, work->deploy.commit,
		    &work->commit);
	if (err == NULL)
		err = repo_changed_paths(work->repo, work->live_commit,
		    work->deploy.commit, &changed);
	if (err == NULL)
		err = plan_make(&work->plan, work->hub->config, work->env,
		    &work->directives, &changed);
	vec_release(&changed);
	return err;
}

const struct err *
rollback_plan(struct work *work)
{
	struct numbers numbers;
	const struct err *err;

	err = deploys_between(work, &numbers);
	if (err == NULL)
		err = plan(work, &numbers);
	free(numbers.v);
	return err;
}

static void
adopt_target(struct work *work, const struct release *target,
    const struct release *live)
{
	free(work->deploy.commit);
	free(work->deploy.release);
	free(work->deploy.previous);
	work->deploy.commit = xstrdup(target->commit);
	work->deploy.release = xstrdup(target->name);
	work->deploy.previous = xstrdup(live->name);
	memcpy(work->live_commit, live->commit, sizeof(work->live_commit));
}

/* Can it be gone back to? */
static bool
is_way(const struct hub *hub, const struct environment *env,
    const char *name)
{
	struct release release = { 0 };
	bool is;

	is = store_has(env->set.root, name) && release_get(hub->journal,
	    env->name, name, &release) == NULL &&
	    release_check_target(hub->journal, &release) == NULL;
	release_release(&release);
	return is;
}

/* The next one before it that is there, or else its commit. */
static const struct err *
not_there(const struct hub *hub, const struct environment *env,
    const struct release *target)
{
	struct vec names = VEC_INIT;
	struct str way = STR_INIT;
	const struct err *err;

	err = release_older(hub->journal, env->name, target->deploy, &names);
	for (size_t i = 0; i < names.n && way.len == 0; i++) {
		if (!is_way(hub, env, names.v[i]))
			continue;
		str_addf(&way, "the next before it that is there:%s slipway"
		    " rollback %s", hub->pushed ? " on the server:" : "",
		    names.v[i]);
		hub_add_which(&way, hub, env->name);
	}
	if (way.len == 0) {
		str_add(&way, "deploy its commit again: ");
		errand_add_deploy(&way, hub, env, target->commit);
	}
	if (err == NULL)
		err = err_new(ERR_NOT_FOUND, "there is no release %s in"
		    " %s/releases: was it removed by hand, or is a file"
		    " system not mounted? Else %s", target->name,
		    env->set.root, way.s);
	str_release(&way);
	vec_release(&names);
	return err;
}

/* What cannot be gone back to can be deployed. */
static const struct err *
add_deploy(const struct err *err, const struct hub *hub,
    const struct environment *env, const struct release *target)
{
	struct str way = STR_INIT;

	if (target->id == 0 || strcmp(target->state, "live") == 0)
		return err;
	errand_add_deploy(&way, hub, env, target->commit);
	err = err_new(err->code, "%s; deploy its commit: %s", err->text,
	    way.s);
	str_release(&way);
	return err;
}

static const struct err *
find_target(const struct hub *hub, const struct environment *env,
    const char *name, struct release *target, struct release *live)
{
	const struct err *err;

	err = release_get_target(hub->journal, env->name, name, target,
	    live);
	if (err != NULL)
		return add_deploy(err, hub, env, target);
	return store_has(env->set.root, target->name) ? NULL :
	    not_there(hub, env, target);
}

static const struct err *
choose_target(struct work *work)
{
	struct release target, live;
	const struct err *err;

	err = find_target(work->hub, work->env, work->deploy.target, &target,
	    &live);
	if (err == NULL)
		adopt_target(work, &target, &live);
	release_release(&target);
	release_release(&live);
	return err;
}

/* Each step that going back to what was chosen undoes. */
static const struct err *
each_undo(struct work *work, step_cb cb, void *ctx)
{
	struct numbers numbers;
	const struct err *err = deploys_between(work, &numbers);

	for (size_t i = 0; err == NULL && i < numbers.n; i++)
		err = undo_each(work, numbers.v[i], cb, ctx);
	free(numbers.v);
	return err;
}

const struct err *
rollback_each(const struct hub *hub, const struct environment *env,
    const char *target, step_cb cb, void *ctx)
{
	struct work work = { .hub = hub, .env = env };
	const struct err *err;

	work.deploy = (struct deploy)DEPLOY_INIT;
	work.deploy.target = xstrdup_null(target);
	err = choose_target(&work);
	if (err == NULL)
		err = each_undo(&work, cb, ctx);
	deploy_release(&work.deploy);
	return err;
}

/* An undo runs in the release that its deploy made, and nowhere else. */
static const struct err *
check_undo(const struct step *step, void *ctx)
{
	const struct work *work = ctx;
	const char *root = work->env->set.root;
	struct str way = STR_INIT;
	struct deploy deploy;
	const struct err *err;

	if (step->undo == NULL)
		return NULL;
	err = deploy_get(work->hub->journal, step->deploy, &deploy);
	if (err != NULL || store_has(root, deploy.release))
		goto done;
	if (!store_has(root, work->deploy.previous)) {
		errand_add_deploy(&way, work->hub, work->env,
		    work->live_commit);
		str_add(&way, " makes what is live anew, and ");
	}
	errand_add_deploy(&way, work->hub, work->env, work->deploy.commit);
	err = err_new(ERR_NOT_FOUND, "%s of deploy %" PRId64 " cannot be"
	    " undone: that runs in its release, %s, which is not in"
	    " %s/releases; %s goes back without undoing it", step->action,
	    step->deploy, deploy.release, root, way.s);
done:
	str_release(&way);
	deploy_release(&deploy);
	return err;
}

const struct err *
rollback_target(const struct hub *hub, const struct environment *env,
    const char *name, struct release *target, struct release *live)
{
	struct work work = { .hub = hub, .env = env };
	const struct err *err = find_target(hub, env, name, target, live);

	if (err != NULL)
		return err;
	work.deploy = (struct deploy)DEPLOY_INIT;
	adopt_target(&work, target, live);
	err = each_undo(&work, check_undo, &work);
	deploy_release(&work.deploy);
	return err;
}

static const struct err *
write_plan(struct work *work)
{
	struct directives none = DIRECTIVES_INIT;

	work->deploy.author = xstrdup(work->commit.author);
	work->deploy.subject = xstrdup(work->commit.subject);
	event_add(work->log, "started", "sssss", "release",
	    work->deploy.release, "previous", work->deploy.previous,
	    "commit", work->deploy.commit, "subject", work->deploy.subject,
	    "author", work->deploy.author);
	return deploy_plan(work->hub->journal, &work->deploy, &none, NULL);
}

const struct err *
rollback_prepare(struct work *work)
{
	int64_t from_ms = clock_monotonic_ms();
	struct numbers numbers = { 0 };
	const struct err *err;

	err = choose_target(work);
	/* It may have waited since it was checked. */
	if (err == NULL)
		err = each_undo(work, check_undo, work);
	if (err == NULL && strcmp(work->live_commit, work->deploy.commit) ==
	    0 && store_has(work->env->set.root, work->deploy.previous))
		work_warn(work, "release %s is of the commit that is live"
		    " already, %.7s: the code does not change",
		    work->deploy.release, work->deploy.commit);
	if (err == NULL)
		err = branch_begin(work);
	if (err == NULL)
		err = edits_check(work, false);
	if (err == NULL)
		err = edits_mend(work, work->deploy.release);
	if (err == NULL)
		err = deploys_between(work, &numbers);
	if (err == NULL)
		err = plan(work, &numbers);
	if (err == NULL)
		err = work_hooks(work, work->deploy.release);
	if (err == NULL)
		err = write_plan(work);
	for (size_t i = 0; err == NULL && i < numbers.n; i++)
		err = undo_preview(work, numbers.v[i]);
	free(numbers.v);
	if (err == NULL)
		work->deploy.prepare_ms = clock_monotonic_ms() - from_ms;
	return err;
}

/* Newest first; the first undo that fails ends it: nothing is flipped. */
static const struct err *
undo_all(struct work *work, struct undone *undone)
{
	struct numbers numbers;
	const struct err *err;

	err = deploys_between(work, &numbers);
	for (size_t i = 0; err == NULL && i < numbers.n; i++)
		err = undo_deploy(work, numbers.v[i], undone);
	undo_end(work, undone);
	free(numbers.v);
	undo_judge(work, undone);
	return err;
}

static const struct err *
flip(struct work *work, struct str *note)
{
	const struct err *err;

	(void)note;
	err = edits_check_again(work, false);
	if (err == NULL)
		err = work_ask_release(work, "flip", work->deploy.release);
	if (err == NULL)
		work->flipped = true;
	return err;
}

/* After the flip code and database belong together again: they stay. */
static const struct err *
end_failed(struct work *work, const struct undone *undone,
    const struct err *why)
{
	bool changed = work->resumed || undone->undone + undone->failed > 0;
	const struct err *err;

	if (work_is_cut(work))
		return err_recode(why, ERR_INTERRUPTED);
	work_blame(work, why);
	if (!work->flipped && changed)
		work_break(work, "nothing was flipped, and what was undone"
		    " stays undone; the code is as before");
	if (!work->flipped)
		return work_move(work, changed ? DEPLOY_BROKEN :
		    DEPLOY_ROLLED_BACK);
	err = branch_forward(work);
	if (err != NULL)
		work_warn(work, "%s", err->text);
	err = work_move(work, DEPLOY_LIVE);
	return err == NULL ? finish(work) : err;
}

const struct err *
rollback_stop(struct work *work, const struct err *why)
{
	struct undone undone = { 0 };
	struct numbers numbers;
	const struct err *err;

	work->deploy.window_ms = clock_monotonic_ms() - work->window_from_ms;
	err = deploys_between(work, &numbers);
	for (size_t i = 0; err == NULL && i < numbers.n; i++)
		err = undo_stop(work, numbers.v[i], &undone);
	free(numbers.v);
	if (err != NULL)
		return err;
	undo_judge(work, &undone);
	return end_failed(work, &undone, why);
}

const struct err *
rollback_activate(struct work *work)
{
	static const struct {
		enum phase phase;
		builtin_cb builtin;
	} phases[] = {
		{ PHASE_SYMLINK, flip },
		{ PHASE_RESTART, NULL },
		{ PHASE_CLEAR,	 NULL },
		{ PHASE_VERIFY,	 NULL },
	};
	struct undone undone = { 0 };
	const struct err *err;

	if (!work->resumed)
		work->window_from_ms = clock_monotonic_ms();
	err = undo_all(work, &undone);
	for (size_t i = 0; err == NULL &&
	    i < sizeof(phases) / sizeof(*phases); i++)
		err = stage_phase(work, phases[i].phase, phases[i].builtin);
	if (err == NULL)
		err = branch_forward(work);
	work->deploy.window_ms = clock_monotonic_ms() - work->window_from_ms;
	if (err != NULL)
		return end_failed(work, &undone, err);
	err = work_move(work, DEPLOY_LIVE);
	return err == NULL ? finish(work) : err;
}
