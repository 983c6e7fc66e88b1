/*
 * From the first phase here on visitors can notice. Every phase may be
 * entered again after a crash: steps that are done are passed over, and
 * the flip to a release that is live already changes nothing.
 */
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

static const struct err *
flip(struct work *work, struct str *note)
{
	const struct err *err;

	(void)note;
	err = edits_check_again(work, false);
	if (err != NULL)
		return err;
	work->flipped = true;
	return work_ask_release(work, "flip", work->deploy.release);
}

/*
 * Also one that failed or was cut off may have put the page up, and an undo
 * that failed has not brought it down.
 */
static bool
may_be_up(const struct step *step)
{
	static const char *const states[] = {
		"done", "failed", "interrupted", "undoing", "undo-failed",
	};

	if (strcmp(step->phase, phase_name(PHASE_MAINTENANCE)) != 0 ||
	    step->undo == NULL)
		return false;
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if (strcmp(step->state, states[i]) == 0)
			return true;
	}
	return false;
}

/* What the banner tells: migrations, and a page that has to come down. */
static const struct err *
count_effect(const struct step *step, void *ctx)
{
	struct work *work = ctx;

	if (strcmp(step->phase, phase_name(PHASE_MIGRATE)) == 0 &&
	    strcmp(step->state, "done") == 0)
		work->deploy.migrated = MIGRATED_YES;
	if (may_be_up(step))
		work->deploy.maintenance = MAINTENANCE_UP;
	return NULL;
}

const struct err *
count_effects(struct work *work)
{
	return step_each(work->hub->journal, work->deploy.number, false,
	    count_effect, work);
}

/* So many deploys that go live try to take down what a broken one left. */
#define LOWER_MAX 3

struct lowering {
	struct work *work;
	const char *recorded;		/* in this release, by its steps */
	struct vec seen;
	int64_t from_ms;	/* of the phase, monotonic; 0: not begun */
	bool given_up;
	struct err_kept kept;
};

/* Newest first: what an action was tried at before is no matter. */
static bool
is_news(struct lowering *lowering, const struct step *step)
{
	char *name = xasprintf("%s %s", step->host, step->action);
	bool new = vec_push_new(&lowering->seen, name);

	free(name);
	return new;
}

/*
 * Where the page did not come up, there may be none to take down, and its
 * undo may fail; what no host could even run says nothing.
 */
static bool
may_fail(const struct step *step, const struct err *err)
{
	bool came_up = strcmp(step->state, "failed") != 0 &&
	    (strcmp(step->state, "undoing") != 0 || (step->exit == 0 &&
	    step->signal == 0 && !step->timed_out));

	return !came_up && err->code == ERR_FAILED;
}

/*
 * What a broken deploy has left cannot be taken down where its host is gone,
 * nor, as a rule, when somebody has taken it down by hand.
 */
static bool
gives_up(const struct work *work, const struct step *step)
{
	int64_t times = 0;
	bool has_host = false;

	if (step->deploy == work->deploy.number)
		return false;
	for (size_t i = 0; i < work->n_hosts; i++)
		has_host |= strcmp(work->hosts[i]->name, step->host) == 0;
	if (!has_host)
		return true;
	return step_times(work->hub->journal, step->id, "undo-failed",
	    step->deploy, deploy_state_name(DEPLOY_BROKEN), &times) == NULL &&
	    times >= LOWER_MAX;
}

static const struct err *
lower_page(const struct step *step, void *ctx)
{
	struct lowering *lowering = ctx;
	struct work *work = lowering->work;
	const struct err *err;
	struct facts facts = {
		.hub = work->hub,
		.env = work->env,
		.deploy = &work->deploy,
		.commit = &work->commit,
		.directives = &work->plan.directives,
	};

	if (strcmp(step->phase, phase_name(PHASE_MAINTENANCE)) != 0 ||
	    !is_news(lowering, step) || !may_be_up(step))
		return NULL;
	if (lowering->from_ms == 0)
		lowering->from_ms = work_phase(work, step->phase);
	err = command_undo(work, &facts, lowering->recorded, step);
	if (err == NULL || work_is_cut(work)) {
		err_keep(&lowering->kept, err);
	} else if (may_fail(step, err)) {
		work_warn(work, "%s", err->text);
	} else if (gives_up(work, step)) {
		lowering->given_up = true;
		work_warn(work, "%s; the maintenance page that deploy %"
		    PRId64 " has left may still be up, and nothing will try"
		    " again to take it down: look at it", err->text,
		    step->deploy);
	} else {
		err_keep(&lowering->kept, err);
	}
	return NULL;
}

const struct err *
maintenance_down(struct work *work)
{
	const char *name = phase_name(PHASE_MAINTENANCE);
	struct lowering lowering = {
		.work = work,
		.recorded = work->deploy.release,
	};
	const struct err *err;

	if (work->deploy.maintenance != MAINTENANCE_UP)
		return NULL;
	lowering.from_ms = work_phase(work, name);
	err = step_each(work->hub->journal, work->deploy.number, true,
	    lower_page, &lowering);
	err = err_first(err, err_kept(&lowering.kept));
	vec_release(&lowering.seen);
	work_phase_done(work, name, lowering.from_ms, err == NULL,
	    err == NULL ? "page down" : "");
	if (err == NULL)
		work->deploy.maintenance = MAINTENANCE_DOWN;
	return err;
}

/* What this deploy has put up is down already. */
static const struct err *
pass_over(const struct step *step, void *ctx)
{
	if (strcmp(step->phase, phase_name(PHASE_MAINTENANCE)) == 0)
		is_news(ctx, step);
	return NULL;
}

/* By the steps of a broken deploy and its records, in what is live now. */
static const struct err *
lower_left_by(struct lowering *lowering, int64_t number)
{
	struct journal *journal = lowering->work->hub->journal;
	const struct err *err;
	struct deploy broken;

	err = deploy_get(journal, number, &broken);
	lowering->recorded = broken.release;
	if (err == NULL)
		err = step_each(journal, number, true, lower_page, lowering);
	err = err_first(err, err_kept(&lowering->kept));
	if (err == NULL) {
		broken.maintenance = lowering->given_up ?
		    MAINTENANCE_PERHAPS : MAINTENANCE_DOWN;
		err = deploy_update(journal, &broken);
	}
	deploy_release(&broken);
	return err;
}

const struct err *
maintenance_down_left(struct work *work)
{
	const char *name = phase_name(PHASE_MAINTENANCE);
	struct journal *journal = work->hub->journal;
	struct lowering lowering = { .work = work };
	const struct err *err;
	int64_t number;

	err = deploy_page_up(journal, work->env->name, &number);
	if (err != NULL || number == 0)
		return err;
	err = step_each(journal, work->deploy.number, true, pass_over,
	    &lowering);
	while (err == NULL && number != 0) {
		err = lower_left_by(&lowering, number);
		if (err == NULL)
			err = deploy_page_up(journal, work->env->name,
			    &number);
	}
	vec_release(&lowering.seen);
	/* Often the deploy has taken the same page down as its own. */
	if (lowering.from_ms != 0)
		work_phase_done(work, name, lowering.from_ms, err == NULL &&
		    !lowering.given_up, err == NULL && !lowering.given_up ?
		    "page down" : "");
	if (err == NULL)
		work->deploy.maintenance = lowering.given_up ?
		    MAINTENANCE_PERHAPS : MAINTENANCE_DOWN;
	return err == NULL ? NULL : err_add(err, "the maintenance page that"
	    " deploy %" PRId64 " has left is still up", number);
}

const struct err *
activate(struct work *work)
{
	static const struct {
		enum phase phase;
		builtin_cb builtin;
	} phases[] = {
		{ PHASE_MAINTENANCE, NULL },
		{ PHASE_MIGRATE,     NULL },
		{ PHASE_SYMLINK,     flip },
		{ PHASE_RESTART,     NULL },
		{ PHASE_CLEAR,	     NULL },
		{ PHASE_VERIFY,	     NULL },
	};
	const struct err *err = NULL;

	if (!work->resumed)
		work->window_from_ms = clock_monotonic_ms();
	for (size_t i = 0; err == NULL &&
	    i < sizeof(phases) / sizeof(*phases); i++)
		err = stage_phase(work, phases[i].phase, phases[i].builtin);
	err = err_first(err, count_effects(work));
	if (err == NULL)
		err = maintenance_down(work);
	if (err == NULL)
		err = branch_forward(work);
	work->deploy.window_ms = clock_monotonic_ms() - work->window_from_ms;
	return err == NULL ? work_move(work, DEPLOY_LIVE) : err;
}
