#include "deploy/undo.h"

#include <inttypes.h>
#include <string.h>

#include "deploy/command.h"
#include "deploy/stage.h"
#include "journal/step.h"

struct undoing {
	struct work *work;
	struct facts facts;
	struct undone *undone;
	struct err_kept kept;		/* the first undo that failed */
	bool over;			/* nothing to be done for the step */
};

/* A hook of the release frames the migrations; it has no undo to be missed. */
bool
undo_is_migration(const struct step *step)
{
	return strcmp(step->phase, phase_name(PHASE_MIGRATE)) == 0 &&
	    strcmp(step->action, "before_migrate") != 0 &&
	    strcmp(step->action, "after_migrate") != 0;
}

/*
 * The page comes down last, see maintenance_down(). An undo that failed is
 * tried again by a later rollback, not by the deploy that it failed in.
 */
static bool
had_effect(const struct work *work, const struct step *step)
{
	if (strcmp(step->phase, phase_name(PHASE_MAINTENANCE)) == 0)
		return false;
	if (strcmp(step->state, "undo-failed") == 0)
		return step->deploy != work->deploy.number;
	return strcmp(step->state, "done") == 0 ||
	    strcmp(step->state, "undoing") == 0 || (step->changed &&
	    (strcmp(step->state, "failed") == 0 ||
	    strcmp(step->state, "interrupted") == 0));
}

/* Whether this deploy has it in that state, and not one before it. */
static const struct err *
is_own(const struct work *work, const struct step *step, bool *is)
{
	int64_t times = 1;
	const struct err *err = NULL;

	if (step->deploy != work->deploy.number)
		err = step_times(work->hub->journal, step->id, step->state,
		    work->deploy.number,
		    deploy_state_name(DEPLOY_ACTIVATING), &times);
	*is = times > 0;
	return err;
}

/* What a runner that died had undone, and had failed to. */
static const struct err *
count_settled(struct undoing *undoing, const struct step *step)
{
	struct undone *undone = undoing->undone;
	bool is_undone = strcmp(step->state, "undone") == 0;
	const struct err *err = NULL;
	bool is = undoing->work->resumed &&
	    (is_undone || strcmp(step->state, "undo-failed") == 0);

	if (is)
		err = is_own(undoing->work, step, &is);
	if (err != NULL || !is)
		return err;
	undoing->over = true;
	if (is_undone) {
		undone->undone++;
		undone->migrations += undo_is_migration(step);
	} else {
		undone->failed++;
		undone->lost += undo_is_migration(step);
		err_keep(&undoing->kept, err_new(ERR_FAILED, "undo of %s had"
		    " failed", step->action));
	}
	return NULL;
}

/* All that is known of a step before anything is run. */
static const struct err *
count_step(const struct step *step, void *ctx)
{
	struct undoing *undoing = ctx;
	const struct err *err;

	undoing->over = strcmp(step->phase,
	    phase_name(PHASE_MAINTENANCE)) == 0;
	if (undoing->over)
		return NULL;
	err = count_settled(undoing, step);
	if (err != NULL || undoing->over)
		return err;
	undoing->over = !had_effect(undoing->work, step) ||
	    step->undo == NULL;
	if (had_effect(undoing->work, step) && step->undo == NULL)
		undoing->undone->lost += undo_is_migration(step);
	return NULL;
}

static const struct err *
undo_step(const struct step *step, void *ctx)
{
	struct undoing *undoing = ctx;
	struct undone *undone = undoing->undone;
	const struct err *err;

	if (work_is_cut(undoing->work))
		return NULL;
	err = count_step(step, undoing);
	/* A rollback has told of it before it began. */
	if (err == NULL && step->undo == NULL && undo_is_migration(step) &&
	    had_effect(undoing->work, step) &&
	    step->deploy == undoing->work->deploy.number)
		work_warn(undoing->work, "%s cannot be undone: it has"
		    " no undo in slipway.ini", step->action);
	if (err != NULL || undoing->over)
		return err;
	if (undone->from_ms == 0)
		undone->from_ms = work_phase(undoing->work, "undo");
	err = command_undo(undoing->work, &undoing->facts,
	    undoing->facts.deploy->release, step);
	if (err != NULL) {
		undone->failed++;
		undone->lost += undo_is_migration(step);
		err_keep(&undoing->kept, err);
		return NULL;
	}
	undone->undone++;
	undone->migrations += undo_is_migration(step);
	return NULL;
}

/* One that was interrupted is not run again, and has failed with that. */
static const struct err *
stop_step(const struct step *step, void *ctx)
{
	struct undoing *undoing = ctx;
	struct step stopped = *step;
	const struct err *err;
	bool is;

	if (strcmp(step->state, "undoing") != 0)
		return count_step(step, undoing);
	err = is_own(undoing->work, step, &is);
	if (err != NULL || !is)
		return err;
	stopped.state = (char *)(uintptr_t)"undo-failed";
	err = work_step_state(undoing->work, step, stopped.state);
	return err == NULL ? count_step(&stopped, undoing) : err;
}

const struct err *
undo_stop(struct work *work, int64_t number, struct undone *undone)
{
	struct undoing undoing = {
		.work = work,
		.undone = undone,
		.kept = ERR_KEPT_INIT,
	};

	return step_each(work->hub->journal, number, true, stop_step,
	    &undoing);
}

/*
 * The names of a deploy's directives, for its facts: in the order of the
 * config, as its steps had them, and what that does not have any more.
 */
static const struct err *
directive_names(const struct work *work, int64_t number, struct vec *names)
{
	const struct config *config = work->hub->config;
	struct directives list = DIRECTIVES_INIT;
	const struct err *err;

	err = deploy_directives(work->hub->journal, number, true, &list);
	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		if (action->directive != NULL &&
		    config_action_applies(action, work->env) &&
		    directives_has(&list, action->directive))
			vec_push_new(names, action->directive);
	}
	for (size_t i = 0; i < list.n; i++)
		vec_push_new(names, list.v[i].name);
	directives_release(&list);
	return err;
}

const struct err *
undo_deploy(struct work *work, int64_t number, struct undone *undone)
{
	struct repo_commit commit = { 0 };
	struct deploy deploy;
	struct vec names = VEC_INIT;
	struct undoing undoing = {
		.work = work,
		.undone = undone,
		.kept = ERR_KEPT_INIT,
	};
	const struct err *err;

	err = deploy_get(work->hub->journal, number, &deploy);
	if (err == NULL)
		err = repo_commit_read(work->repo, deploy.commit, &commit);
	if (err == NULL)
		err = directive_names(work, number, &names);
	undoing.facts = (struct facts){
		.hub = work->hub,
		.env = work->env,
		.deploy = &deploy,
		.commit = &commit,
		.directives = &names,
	};
	if (err == NULL)
		err = step_each(work->hub->journal, number, true, undo_step,
		    &undoing);
	if (number != work->deploy.number)
		work_drop_backup(work, number);
	repo_commit_release(&commit);
	deploy_release(&deploy);
	vec_release(&names);
	return err_first(err, err_kept(&undoing.kept));
}

void
undo_end(struct work *work, const struct undone *undone)
{
	if (undone->from_ms != 0)
		work_phase_done(work, "undo", undone->from_ms,
		    undone->failed == 0, NULL);
}

/* Whom to tell of each step that is to be taken back. */
struct telling {
	const struct work *work;
	step_cb cb;
	void *ctx;
};

static const struct err *
tell_step(const struct step *step, void *ctx)
{
	const struct telling *telling = ctx;

	if (!had_effect(telling->work, step) ||
	    (step->undo == NULL && !undo_is_migration(step)))
		return NULL;
	return telling->cb(step, telling->ctx);
}

const struct err *
undo_each(struct work *work, int64_t number, step_cb cb, void *ctx)
{
	struct telling telling = { work, cb, ctx };

	return step_each(work->hub->journal, number, true, tell_step,
	    &telling);
}

static const struct err *
preview_step(const struct step *step, void *ctx)
{
	struct work *work = ctx;

	if (step->undo != NULL)
		event_add(work->log, "will_undo", "isss", "deploy",
		    step->deploy, "action", step->action, "host",
		    step->host, "run", step->undo);
	else
		work_warn(work, "%s of deploy %" PRId64 " cannot be undone: it"
		    " has no undo in slipway.ini", step->action,
		    step->deploy);
	return NULL;
}

const struct err *
undo_preview(struct work *work, int64_t number)
{
	return undo_each(work, number, preview_step, work);
}

void
undo_judge(struct work *work, const struct undone *undone)
{
	if (undone->lost > 0)
		work->deploy.migrated = MIGRATED_NOT_UNDONE;
	else if (undone->migrations > 0)
		work->deploy.migrated = MIGRATED_UNDONE;
}
