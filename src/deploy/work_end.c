/*
 * The end of a deploy: what each directive came to, and the last line of its
 * event log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/astray.h"
#include "deploy/branch.h"
#include "deploy/ending.h"
#include "deploy/stage.h"
#include "journal/release.h"
#include "journal/step.h"
#include "release/store.h"

/* What people are told of the state of an action's step. */
static const char *
result_of(const struct deploy *deploy, const char *state)
{
	if (state == NULL)
		return "not run";
	/* In a deploy that is live only the page was taken back. */
	if (strcmp(state, "undone") == 0 && deploy->state == DEPLOY_LIVE)
		return "done";
	if (strcmp(state, "failed") == 0 && deploy_was_cancelled(deploy))
		return "stopped";
	return state;
}

/* How bad a result is beside others. */
static size_t
badness_of(const char *result)
{
	static const char *const results[] = {
		"done", "not run", "undone", "interrupted", "stopped",
		"failed", "undo-failed",
	};
	size_t n = sizeof(results) / sizeof(*results), i = 0;

	while (i < n && strcmp(result, results[i]) != 0)
		i++;
	return i;
}

/* Several actions may have the directive: the worst of them counts. */
static const struct err *
worst_result(const struct work *work, const char *directive, char **result)
{
	const struct err *err = NULL;

	*result = xstrdup("done");
	for (size_t i = 0; err == NULL && i < work->plan.n_items; i++) {
		const struct action *action = work->plan.items[i].action;
		const char *other;
		char *state;

		if (action->directive == NULL ||
		    strcmp(action->directive, directive) != 0)
			continue;
		err = step_worst_state(work->hub->journal,
		    work->deploy.number, action->name, work->old_from,
		    &state);
		if (err != NULL)
			break;
		other = result_of(&work->deploy, state);
		if (badness_of(other) > badness_of(*result)) {
			free(*result);
			*result = xstrdup(other);
		}
		free(state);
	}
	return err;
}

static const struct err *
report_results(struct work *work)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < work->plan.directives.n; i++) {
		const char *name = work->plan.directives.v[i];
		char *result;

		err = worst_result(work, name, &result);
		if (err == NULL)
			event_add(work->log, "result", "ss", "name", name,
			    "result", result);
		free(result);
	}
	return err;
}

/* Of what only the host knows, or has lost, there is no way back. */
static const struct err *
knows_previous(const struct work *work, bool *known)
{
	struct release release = { 0 };
	const struct err *err;

	*known = false;
	if (work->deploy.previous == NULL)
		return NULL;
	err = release_get(work->hub->journal, work->env->name,
	    work->deploy.previous, &release);
	*known = err == NULL && store_has(work->env->set.root,
	    work->deploy.previous);
	release_release(&release);
	return err != NULL && err->code == ERR_NOT_FOUND ? NULL : err;
}

/* That a rollback goes back is no news. */
static void
find_leaving(struct work *work, struct leaving *leaving)
{
	const struct err *err;

	err = strcmp(work->deploy.kind, "rollback") == 0 ?
	    leaving_find_live(leaving, work->hub, work->env) :
	    leaving_find(leaving, work);
	if (err != NULL)
		work_warn(work, "what is not undone cannot be told: %s",
		    err->text);
}

/* The last line of the log. */
static const struct err *
tell_end(struct work *work)
{
	struct deploy *deploy = &work->deploy;
	struct ending ending = ENDING_INIT;
	const struct err *err;
	bool known = false;

	err = deploy_get_live(work->hub->journal, deploy->environment,
	    &ending.live);
	if (err == NULL)
		err = deploy_page_up(work->hub->journal, deploy->environment,
		    &ending.page_up);
	if (err == NULL)
		err = knows_previous(work, &known);
	if (err != NULL)
		goto done;
	ending.no_back = !known;
	if (deploy->state == DEPLOY_LIVE) {
		branch_tell(work->repo, work->env, deploy, &ending.moved);
		find_leaving(work, &ending.leaving);
	} else {
		astray_find(work, ending.live.release, &ending.astray);
		if (strcmp(deploy->kind, "deploy") == 0)
			work_add_staying(work, &ending.stays);
		ending.no_again = !branch_may_retry(work);
	}
	ending_add(work->log, work->env, deploy, &ending);
done:
	ending_release(&ending);
	return err;
}

/* What stays of them is dropped by the next deploy. */
static void
drop_dumps(struct work *work)
{
	const struct err *err = drop_backups(work);

	if (err != NULL)
		work_warn(work, "a dump that is of no use any more stays: %s",
		    err->text);
}

const struct err *
work_end(struct work *work)
{
	struct deploy *deploy = &work->deploy;
	bool gone = work->gone.n > 0;
	const struct err *err;

	work_drop_backup(work, deploy->number);
	/* A host that was lost at the end never told how its step went. */
	err = work_interrupt_steps(work);
	if (err != NULL)
		return err;
	deploy->finished_at = clock_now_ms();
	err = work_update(work);
	if (err == NULL && gone)
		drop_dumps(work);
	if (err == NULL && strcmp(deploy->kind, "deploy") == 0)
		err = report_results(work);
	if (err == NULL)
		err = tell_end(work);
	if (err != NULL)
		return err;
	/* Standard error is the runner's own log. */
	if (event_log_error(work->log) != NULL)
		fprintf(stderr, "deploy %lld: its event log is incomplete:"
		    " %s\n", (long long)deploy->number,
		    event_log_error(work->log));
	return NULL;
}
