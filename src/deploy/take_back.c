/*
 * A deploy that failed after its activation had begun is taken back.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/branch.h"
#include "deploy/command.h"
#include "deploy/edits.h"
#include "deploy/stage.h"
#include "deploy/undo.h"
#include "journal/step.h"

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
	if (unknown && (step->undo != NULL || undo_is_migration(step)))
		tell_unknown(judging->work, step);
	if (!undo_is_migration(step))
		return NULL;
	/* That others were undone makes this one no better known. */
	if (unknown && deploy->migrated != MIGRATED_NOT_UNDONE)
		deploy->migrated = MIGRATED_PERHAPS;
	else if (deploy->migrated == MIGRATED_NO)
		deploy->migrated = step->changed ? MIGRATED_YES :
		    MIGRATED_NOTHING;
	return NULL;
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

/* As often an agent may die of the look at one step. */
#define LOOKS_MAX 3

/* What nobody can look at may have changed. */
static const struct err *
find_changed(struct work *work, const struct step *step, bool *changed)
{
	const struct action *action =
	    config_action(work->hub->config, step->action);
	const struct err *err, *lost;
	bool cut = true;

	for (int i = 0; cut && i < LOOKS_MAX; i++) {
		err = command_changed(work, step, action, changed);
		if (err == NULL)
			return NULL;
		cut = work_is_cut(work);
		lost = work_hosts_again(work);
		if (lost != NULL)
			return err_recode(lost, ERR_INTERRUPTED);
	}
	*changed = true;
	work_warn(work, "%s was interrupted, and counts as if it had changed"
	    " something, since nobody can look: %s", step->action, err->text);
	return NULL;
}

/* Nobody has heard the end of these, and they are not run again. */
static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct judging *judging = ctx;
	struct step looked = *step;
	const struct err *err;

	if (!is_newest(judging, step) || step->changed ||
	    strcmp(step->state, "interrupted") != 0)
		return NULL;
	err = find_changed(judging->work, step, &looked.changed);
	return err != NULL || !looked.changed ? err :
	    work_step_end(judging->work, &looked);
}

static const struct err *
look_at_interrupted(struct work *work)
{
	struct judging judging = { work, VEC_INIT };
	const struct err *err;

	err = step_each(work->hub->journal, work->deploy.number, true,
	    look_at_step, &judging);
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
	err = work_update(work);
	if (err == NULL)
		err = look_at_interrupted(work);
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
