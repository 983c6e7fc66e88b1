#include "deploy/recover.h"

#include <string.h>

#include "clock.h"
#include "deploy/rollback.h"
#include "deploy/stage.h"
#include "deploy/undo.h"
#include "journal/release.h"
#include "journal/step.h"

/* What the steps of an interrupted activation tell. */
struct findings {
	struct work *work;
	bool take_back;		/* a step failed, or may not run again */
};

static bool
may_run_again(const struct config *config, const char *action)
{
	for (size_t i = 0; i < config->n_actions; i++) {
		if (strcmp(config->actions[i].name, action) == 0)
			return config->actions[i].retry;
	}
	return true;
}

static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct findings *findings = ctx;
	struct work *work = findings->work;
	enum phase phase;

	if (!phase_by_name(&phase, step->phase) ||
	    phase_stage(phase) != STAGE_ACTIVATE)
		return NULL;
	if (strcmp(step->state, "done") != 0 &&
	    strcmp(step->state, "running") != 0)
		findings->take_back = true;
	if (strcmp(step->state, "running") != 0)
		return NULL;
	if (!may_run_again(work->hub->config, step->action))
		findings->take_back = true;
	return step_set_state(work->hub->journal, step->id, "interrupted");
}

/* The commit that was live before, so that the plan comes out the same. */
static const struct err *
load_live_commit(struct work *work)
{
	struct release previous;
	const struct err *err;

	if (work->deploy.previous == NULL)
		return NULL;
	err = release_get(work->hub->journal, work->env->name,
	    work->deploy.previous, &previous);
	if (err == NULL)
		memcpy(work->live_commit, previous.commit,
		    sizeof(work->live_commit));
	release_release(&previous);
	return err;
}

static bool
is_rollback(const struct work *work)
{
	return strcmp(work->deploy.kind, "rollback") == 0;
}

static const struct err *
pick_up(struct work *work)
{
	const struct err *err;

	work->resumed = true;
	work_warn(work, "deploy %lld was interrupted while it was %s;"
	    " going on", (long long)work->deploy.number,
	    deploy_state_name(work->deploy.state));
	err = work_hosts(work);
	if (err == NULL)
		err = load_live_commit(work);
	if (err == NULL)
		err = is_rollback(work) ? rollback_plan(work) :
		    work_plan(work, false);
	if (err == NULL)
		err = work_hooks(work, work->deploy.release);
	work->flipped = work->fleet != NULL &&
	    strcmp(fleet_current(work->fleet, 0), work->deploy.release) == 0;
	return err;
}

static const struct err *
go_on_activating(struct work *work)
{
	struct findings findings = { work, false };
	const struct err *err;

	err = pick_up(work);
	if (err == NULL)
		err = step_each(work->hub->journal, work->deploy.number,
		    false, look_at_step, &findings);
	if (err != NULL)
		return err;
	if (is_rollback(work)) {
		err = rollback_activate(work);
		return err == NULL ? finish(work) :
		    rollback_failed(work, err);
	}
	work->window_from_ms = clock_monotonic_ms();
	if (findings.take_back)
		return take_back(work, err_new(ERR_FAILED,
		    "interrupted in a step that cannot be run again"));
	err = activate(work);
	return err == NULL ? finish(work) : take_back(work, err);
}

static const struct err *
abandon(struct work *work)
{
	const struct err *err;

	work_warn(work, "deploy %lld was interrupted before anything of the"
	    " live site was touched", (long long)work->deploy.number);
	err = work_hosts(work);
	if (err == NULL && !is_rollback(work))
		err = work_set_aside(work);
	if (err == NULL)
		err = work_sweep(work);
	if (err != NULL)
		return err;
	work_blame(work, err_new(ERR_FAILED, "interrupted while it was %s",
	    deploy_state_name(work->deploy.state)));
	return work_move(work, DEPLOY_FAILED);
}

/* Live, but its last line was never written. */
static const struct err *
go_on_finishing(struct work *work)
{
	const struct err *err;

	err = pick_up(work);
	return err == NULL ? finish(work) : err;
}

static const struct err *
bring_level(const struct hub *hub, const struct environment *env,
    struct deploy *deploy)
{
	struct work work;
	const struct err *err;

	err = work_open(&work, hub, env, deploy);
	if (err == NULL) {
		switch (work.deploy.state) {
		case DEPLOY_ACTIVATING:
			err = go_on_activating(&work);
			break;
		case DEPLOY_LIVE:
			err = go_on_finishing(&work);
			break;
		default:
			err = abandon(&work);
			break;
		}
	}
	if (err == NULL)
		err = work_end(&work);
	work_close(&work);
	return err;
}

const struct err *
recover(const struct hub *hub, const struct environment *env)
{
	struct deploy deploy;
	const struct err *err;

	err = deploy_get_running(hub->journal, env->name, &deploy);
	if (err == NULL && deploy.number == 0)
		err = deploy_get_live(hub->journal, env->name, &deploy);
	if (err == NULL && deploy.number != 0 && deploy.finished_at == 0)
		err = bring_level(hub, env, &deploy);
	deploy_release(&deploy);
	return err;
}
