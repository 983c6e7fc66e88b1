#include "deploy/undo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/branch.h"
#include "deploy/command.h"
#include "deploy/edits.h"
#include "deploy/stage.h"
#include "journal/step.h"

struct undoing {
	struct work *work;
	struct facts facts;
	struct undone *undone;
	struct err_kept kept;		/* the first undo that failed */
	bool over;			/* nothing to be done for the step */
};

/*
 * A hook of the release frames the migrations; it has no undo to be missed.
 */
static bool
is_migration(const struct step *step)
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
		undone->migrations += is_migration(step);
	} else {
		undone->failed++;
		undone->lost += is_migration(step);
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
		undoing->undone->lost += is_migration(step);
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
	if (err == NULL && step->undo == NULL && is_migration(step) &&
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
		undone->lost += is_migration(step);
		err_keep(&undoing->kept, err);
		return NULL;
	}
	undone->undone++;
	undone->migrations += is_migration(step);
	return NULL;
}

const struct err *
undo_count(struct work *work, int64_t number, struct undone *undone)
{
	struct undoing undoing = {
		.work = work,
		.undone = undone,
		.kept = ERR_KEPT_INIT,
	};

	return step_each(work->hub->journal, number, true, count_step,
	    &undoing);
}

/* The names of a deploy's directives, for its facts. */
static const struct err *
directive_names(struct journal *journal, int64_t number, struct vec *names)
{
	struct directives list = DIRECTIVES_INIT;
	const struct err *err;

	err = deploy_directives(journal, number, true, &list);
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
		err = directive_names(work->hub->journal, number, &names);
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
	    (step->undo == NULL && !is_migration(step)))
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

struct judging {
	struct work *work;
	struct vec seen;	/* actions and hosts of newer steps */
};

/* An interrupted one that was run again is what it was then. */
static bool
is_newest(struct judging *judging, const struct step *step)
{
	char *key = xasprintf("%s %s", step->action, step->host);
	bool newest = vec_push_new(&judging->seen, key);

	free(key);
	return newest;
}

/* Its undo was not run, and nobody knows whether that is a loss. */
static void
tell_unknown(struct work *work, const struct step *step)
{
	const char *how = "failed";

	if (strcmp(step->state, "interrupted") == 0)
		how = "was interrupted";
	else if (deploy_was_cancelled(&work->deploy))
		how = "was stopped";
	work_warn(work, "%s %s and was not undone: it has no %srecord in"
	    " slipway.ini, which would tell whether it changed anything",
	    step->action, how, step->undo == NULL ? "undo and no " : "");
}

/* A step that failed: how far did it get? */
static const struct err *
judge_step(const struct step *step, void *ctx)
{
	struct judging *judging = ctx;
	struct deploy *deploy = &judging->work->deploy;
	bool unknown = !step->changed && !step->record;

	if (!is_newest(judging, step) ||
	    strcmp(step->phase, phase_name(PHASE_MAINTENANCE)) == 0 ||
	    (strcmp(step->state, "failed") != 0 &&
	    strcmp(step->state, "interrupted") != 0))
		return NULL;
	if (unknown && (step->undo != NULL || is_migration(step)))
		tell_unknown(judging->work, step);
	if (!is_migration(step))
		return NULL;
	/* That others were undone makes this one no better known. */
	if (unknown && deploy->migrated != MIGRATED_NOT_UNDONE)
		deploy->migrated = MIGRATED_PERHAPS;
	else if (deploy->migrated == MIGRATED_NO)
		deploy->migrated = step->changed ? MIGRATED_YES :
		    MIGRATED_NOTHING;
	return NULL;
}

void
undo_judge(struct work *work, const struct undone *undone)
{
	if (undone->lost > 0)
		work->deploy.migrated = MIGRATED_NOT_UNDONE;
	else if (undone->migrations > 0)
		work->deploy.migrated = MIGRATED_UNDONE;
}

static const struct err *
judge_steps(struct work *work, const struct undone *undone)
{
	struct judging judging = { work, VEC_INIT };
	const struct err *err;

	undo_judge(work, undone);
	err = step_each(work->hub->journal, work->deploy.number, true,
	    judge_step, &judging);
	vec_release(&judging.seen);
	return err;
}

static const struct err *
find_old(const struct step *step, void *ctx)
{
	struct work *work = ctx;

	work->made_more |= step->id >= work->old_from;
	return NULL;
}

/*
 * What commands make of the old release is no edit of somebody's, as long as
 * there were none: what a runner that died had run here has made of it what
 * is there, and edits from before that were kept before the flip.
 */
static void
may_seal(struct work *work, bool *may)
{
	const char *previous = work->deploy.previous;
	bool any = false;

	work->made_more = false;
	*may = step_each(work->hub->journal, work->deploy.number, false,
	    find_old, work) == NULL && (work->made_more ||
	    (edits_any(work, previous, &any) == NULL && !any));
}

static void
seal_old(struct work *work)
{
	const struct err *err = seal(work, work->deploy.previous);

	if (err != NULL)
		work_warn(work, "what commands have made of the old release"
		    " is not known: %s", err->text);
}

/* Old code, old services: only when something had been changed. */
static const struct err *
restart_old(struct work *work)
{
	const char *previous = work->deploy.previous;
	const struct err *err;
	bool may;

	if (previous == NULL)
		return NULL;
	may_seal(work, &may);
	err = work_hooks(work, previous);
	if (err == NULL)
		err = stage_phase_old(work, PHASE_RESTART);
	err = err_first(err, stage_phase_old(work, PHASE_CLEAR));
	if (may && work->made_more && !work_is_cut(work))
		seal_old(work);
	return err == NULL ? NULL : err_add(err, "in the old release");
}

static const struct err *
flip_back(struct work *work)
{
	const char *previous = work->deploy.previous;
	const char *name = phase_name(PHASE_SYMLINK);
	const struct err *err;
	int64_t from_ms;

	if (!work->flipped)
		return NULL;
	from_ms = work_phase(work, name);
	err = work_ask_release(work, "flip",
	    previous == NULL ? "" : previous);
	work_phase_done(work, name, from_ms, err == NULL, "back");
	return err;
}

/* What stands in the way of "rolled-back" is told, and makes "broken". */
struct taking {
	struct work *work;
	struct undone undone;
	struct str faults;
	bool flipped;		/* "current" is not the old one */
};

static void
add_fault(struct taking *taking, const char *fault)
{
	str_addf(&taking->faults, "%s%s", taking->faults.len == 0 ? "" : ", ",
	    fault);
}

static void
check(struct taking *taking, const struct err *err)
{
	if (err == NULL)
		return;
	work_warn(taking->work, "%s", err->text);
	add_fault(taking, err->text);
}

static const struct err *
cut_off(void)
{
	return err_new(ERR_INTERRUPTED, "a host was lost, or the journal did"
	    " not take a step, while a deploy was activated");
}

/* Where a hand is needed it helps to know where it is not. */
static const char *
what_is_back(const struct taking *taking)
{
	const struct work *work = taking->work;
	bool code = work->deploy.previous != NULL && !taking->flipped;
	bool data = taking->undone.failed == 0 && taking->undone.lost == 0 &&
	    work->deploy.migrated != MIGRATED_PERHAPS;

	if (code && data)
		return "; code and data are as before";
	if (code)
		return "; the code is as before";
	return data ? "; the data are as before" : "";
}

static const struct err *
end_failed(struct taking *taking)
{
	struct work *work = taking->work;
	const struct err *err;

	if (taking->faults.len > 0) {
		work_break(work, "%s%s", taking->faults.s,
		    what_is_back(taking));
		return work_move(work, DEPLOY_BROKEN);
	}
	err = work_move(work, DEPLOY_ROLLED_BACK);
	return err != NULL ? err : work_set_aside(work);
}

/*
 * One act after the other, whatever becomes of each. What will be picked up
 * runs no command more: it would be taken for one that was interrupted.
 */
static void
take_all_back(struct taking *taking)
{
	struct work *work = taking->work;
	struct undone *undone = &taking->undone;
	const struct err *err;

	check(taking, undo_deploy(work, work->deploy.number, undone));
	undo_end(work, undone);
	if (undone->lost > 0 && taking->faults.len == 0)
		add_fault(taking, "a migration cannot be undone");
	check(taking, judge_steps(work, undone));
	err = flip_back(work);
	taking->flipped = err != NULL;
	check(taking, err);
	check(taking, branch_back(work));
	if (!work_is_cut(work) &&
	    (work->flipped || work->resumed || undone->undone > 0))
		check(taking, restart_old(work));
	if (!work_is_cut(work) && undone->lost == 0)
		check(taking, maintenance_down(work));
}

const struct err *
take_back(struct work *work, const struct err *why)
{
	struct taking taking = { .work = work, .faults = STR_INIT };
	const struct err *err;

	if (work_is_cut(work))
		return cut_off();
	/* Who picks this up after a crash must know that it failed. */
	work_blame(work, why);
	err = deploy_update(work->hub->journal, &work->deploy);
	if (err == NULL)
		err = count_effects(work);
	if (err == NULL)
		err = step_old_from(work->hub->journal, work->deploy.number,
		    &work->old_from);
	if (err != NULL)
		return err;
	take_all_back(&taking);
	if (work_is_cut(work)) {
		err = cut_off();
	} else {
		work->deploy.window_ms = clock_monotonic_ms() -
		    work->window_from_ms;
		err = end_failed(&taking);
	}
	str_release(&taking.faults);
	return err;
}
