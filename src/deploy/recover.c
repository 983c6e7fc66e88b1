#include "deploy/recover.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/edits.h"
#include "deploy/notes.h"
#include "deploy/past.h"
#include "deploy/queue.h"
#include "deploy/rollback.h"
#include "deploy/stage.h"
#include "deploy/undo.h"
#include "journal/release.h"
#include "journal/step.h"

/* What the steps of an interrupted activation tell. */
struct findings {
	struct work *work;
	int64_t began_at;	/* of the first step, 0: there is none */
	int interruptions;
	const struct err *why;	/* it cannot go on; NULL: it can */
};

static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct findings *findings = ctx;
	bool running = strcmp(step->state, "running") == 0;
	enum phase phase;

	if (!phase_by_name(&phase, step->phase) ||
	    phase_stage(phase) != STAGE_ACTIVATE)
		return NULL;
	if (findings->began_at == 0)
		findings->began_at = step->started_at;
	if (running || strcmp(step->state, "interrupted") == 0)
		findings->interruptions++;
	if (findings->why == NULL && strcmp(step->state, "failed") == 0)
		findings->why = past_failure(step);
	if (findings->why == NULL && running)
		findings->why = past_interruption(findings->work, step,
		    findings->interruptions);
	return NULL;
}

static bool
is_rollback(const struct work *work)
{
	return strcmp(work->deploy.kind, "rollback") == 0;
}

/* What commands have made of the release since it was sealed. */
static const struct err *
note_made(const struct step *step, void *ctx)
{
	struct work *work = ctx;
	enum phase phase;

	work->made_more |= phase_by_name(&phase, step->phase) &&
	    phase_stage(phase) != STAGE_PREPARE;
	return NULL;
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
	/* So that the plan comes out the same. */
	if (err == NULL)
		err = release_commit(work->hub->journal, work->env->name,
		    work->deploy.previous, work->live_commit);
	if (err == NULL)
		err = is_rollback(work) ? rollback_plan(work) :
		    work_plan(work);
	if (err == NULL)
		err = work_hooks(work, work->deploy.release);
	if (err == NULL)
		err = step_each(work->hub->journal, work->deploy.number,
		    false, note_made, work);
	work->flipped = work->fleet != NULL &&
	    strcmp(fleet_current(work->fleet, 0), work->deploy.release) == 0;
	return err;
}

/* The window goes on since before the crash: visitors noticed that, too. */
static void
reopen_window(struct work *work, int64_t began_at)
{
	int64_t now_at = clock_now_ms();

	work->window_from_ms = clock_monotonic_ms();
	if (began_at != 0 && began_at < now_at)
		work->window_from_ms -= now_at - began_at;
}

static const struct err *
cancelled(const struct work *work)
{
	return err_new(ERR_CANCELLED, DEPLOY_CANCELLED_BY "%s",
	    work->deploy.cancelled_by);
}

/*
 * Whoever picks this up after another crash, and finds no step running any
 * more, must know that it cannot go on.
 */
static const struct err *
keep_reason(struct work *work, const struct err *why)
{
	work_blame(work, why);
	return work_update(work);
}

/*
 * "lost" kept it from going on: the error where it may go on the next time,
 * since it was a host or the journal. A release that is gone stays so.
 */
static const struct err *
passing(const struct work *work, const struct err *lost)
{
	if (lost == NULL)
		return NULL;
	if (work->fleet == NULL || lost->code == ERR_BUSY ||
	    lost->code == ERR_JOURNAL)
		return lost;
	return work_is_cut(work) ? err_recode(lost, ERR_INTERRUPTED) : NULL;
}

static const struct err *
go_on_activating(struct work *work)
{
	struct findings findings = { .work = work };
	const struct err *err, *lost;

	lost = pick_up(work);
	err = passing(work, lost);
	if (err != NULL)
		return err;
	/* The taking back had begun already. */
	if (work->deploy.error != NULL)
		findings.why = err_new(ERR_FAILED, "%s", work->deploy.error);
	else if (work->deploy.cancelled_by != NULL)
		findings.why = cancelled(work);
	err = step_each(work->hub->journal, work->deploy.number, false,
	    look_at_step, &findings);
	findings.why = err_first(findings.why, lost);
	if (err == NULL && findings.why != NULL)
		err = keep_reason(work, findings.why);
	if (err == NULL)
		err = work_interrupt_steps(work);
	if (err != NULL)
		return err;
	reopen_window(work, findings.began_at);
	err = findings.why;
	if (is_rollback(work))
		return err == NULL ? rollback_activate(work) :
		    rollback_stop(work, err);
	if (err == NULL)
		err = activate(work);
	return err == NULL ? finish(work) : take_back(work, err);
}

/* Nothing of a deploy that did not go live stays in releases/. */
static const struct err *
clear_away(struct work *work)
{
	const struct err *err = work_hosts(work);

	return err != NULL || is_rollback(work) ? err : work_set_aside(work);
}

static const struct err *
abandon(struct work *work)
{
	bool stopped = work->deploy.cancelled_by != NULL;
	const struct err *err;

	err = work_interrupt_steps(work);
	if (err == NULL)
		err = clear_away(work);
	if (err != NULL)
		return err;
	/* What was asked for is told at the end, as far as it is known. */
	work->resumed = true;
	if (!is_rollback(work))
		(void)work_plan(work);
	work_warn(work, "deploy %lld was interrupted before anything of the"
	    " live site was touched", (long long)work->deploy.number);
	work_blame(work, stopped ? cancelled(work) : err_new(ERR_FAILED,
	    "interrupted while it was %s: its runner was killed, or the"
	    " machine went down", deploy_state_name(work->deploy.state)));
	return work_move(work, stopped ? DEPLOY_CANCELLED : DEPLOY_FAILED);
}

/* Live, but its last line was never written. */
static const struct err *
go_on_finishing(struct work *work)
{
	const struct err *err, *lost;

	err = work_interrupt_steps(work);
	if (err != NULL)
		return err;
	lost = pick_up(work);
	if (lost == NULL)
		return finish(work);
	err = passing(work, lost);
	if (err != NULL)
		return err;
	/* It stays what is live until another deploy is. */
	if (work->deploy.error != NULL)
		work_warn(work, "%s", lost->text);
	work_blame(work, lost);
	return NULL;
}

/* From where the journal says that it was, to an end. */
static const struct err *
go_on(struct work *work)
{
	switch (work->deploy.state) {
	case DEPLOY_PREPARING:
	case DEPLOY_PREPARED:
		return abandon(work);
	case DEPLOY_ACTIVATING:
		return go_on_activating(work);
	case DEPLOY_LIVE:
		return go_on_finishing(work);
	case DEPLOY_FAILED:
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_CANCELLED:
		return clear_away(work);
	default:
		return NULL;
	}
}

/* Whoever died may have held the locks of the refs that a deploy sets. */
static const struct err *
free_refs(struct work *work)
{
	char *live = xasprintf("refs/live/%s", work->env->name);
	const struct err *err = queue_free_kept(work->repo, &work->deploy);

	if (err == NULL)
		err = repo_free_lock(work->repo, live);
	if (err == NULL)
		err = repo_free_lock(work->repo, NOTES_REF);
	free(live);
	return err;
}

/* What a dead agent had half done is in nobody's way, and no failure. */
static void
sweep(struct work *work)
{
	const struct err *err = NULL;

	if (work->fleet != NULL && !work_is_cut(work))
		err = work_sweep(work, false);
	if (err != NULL)
		work_warn(work, "%s", err->text);
}

static const struct err *
bring_level(const struct hub *hub, const struct environment *env,
    struct deploy *deploy)
{
	struct work work;
	const struct err *err;

	err = work_open(&work, hub, env, deploy, NULL);
	if (err == NULL)
		err = free_refs(&work);
	if (err == NULL)
		err = edits_free_locks(work.repo, hub, env);
	if (err == NULL)
		err = go_on(&work);
	if (err == NULL)
		sweep(&work);
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
	bool more;

	do {
		err = deploy_get_unfinished(hub->journal, env->name, &deploy);
		more = err == NULL && deploy.number != 0;
		if (more)
			err = bring_level(hub, env, &deploy);
		deploy_release(&deploy);
	} while (err == NULL && more);
	return err;
}
