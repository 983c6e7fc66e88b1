#include "deploy/past.h"

#include <string.h>

#include "proc.h"

/* So often is a deploy interrupted in its steps before it is ended. */
#define INTERRUPTIONS_MAX 3

/* The steps of one action on one host. */
struct past {
	const struct work *work;
	const char *phase;
	const char *action;
	const char *host;
	bool done;
	int interruptions;
	const struct err *why;	/* it must not run again; NULL: it may */
};

const struct err *
past_failure(const struct step *step)
{
	struct proc_result result = {
		.exit_status = (int)step->exit,
		.signal = (int)step->signal,
		.timed_out = step->timed_out,
		.duration_ms = step->duration_ms,
	};
	struct str how = STR_INIT;
	const struct err *err;

	proc_describe(&how, &result);
	err = err_new(ERR_FAILED, "%s (%s): %s", step->phase, step->action,
	    how.s);
	str_release(&how);
	return err;
}

const struct err *
past_interruption(const struct work *work, const struct step *step,
    int interruptions)
{
	const struct action *action =
	    config_action(work->hub->config, step->action);

	if (action != NULL && !action->retry)
		return err_new(ERR_FAILED, "%s (%s): interrupted,"
		    " and retry = no", step->phase, step->action);
	if (interruptions >= INTERRUPTIONS_MAX)
		return err_new(ERR_FAILED, "%s (%s): interrupted;"
		    " that makes %d times in this deploy", step->phase,
		    step->action, interruptions);
	return NULL;
}

static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct past *past = ctx;

	if (strcmp(step->phase, past->phase) != 0 ||
	    strcmp(step->action, past->action) != 0 ||
	    strcmp(step->host, past->host) != 0)
		return NULL;
	if (strcmp(step->state, "done") == 0)
		past->done = true;
	else if (strcmp(step->state, "failed") == 0)
		past->why = past_failure(step);
	else if (strcmp(step->state, "interrupted") == 0)
		past->why = past_interruption(past->work, step,
		    ++past->interruptions);
	return NULL;
}

const struct err *
past_ask(const struct work *work, const char *phase, const char *action,
    const char *host, bool *done)
{
	struct past past = {
		.work = work,
		.phase = phase,
		.action = action,
		.host = host,
	};
	const struct err *err;
	enum phase which;

	err = step_each(work->hub->journal, work->deploy.number, false,
	    look_at_step, &past);
	*done = past.done;
	if (err != NULL || past.done || !phase_by_name(&which, phase) ||
	    phase_stage(which) != STAGE_FINISH)
		return err;
	return past.why;
}
