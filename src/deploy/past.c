#include "deploy/past.h"

#include <inttypes.h>
#include <string.h>

#include "proc.h"

/* So often is a deploy interrupted in its steps before it is ended. */
#define INTERRUPTIONS_MAX 3

/* The steps of one command on one host. */
struct past {
	const struct work *work;
	const struct command *command;
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
    int64_t interruptions)
{
	const struct action *action =
	    config_action(work->hub->config, step->action);

	if (action != NULL && !action->retry)
		return err_new(ERR_FAILED, "%s (%s): interrupted,"
		    " and retry = no", step->phase, step->action);
	if (interruptions >= INTERRUPTIONS_MAX)
		return err_new(ERR_FAILED, "%s (%s): interrupted;"
		    " that makes %" PRId64 " times in this deploy",
		    step->phase, step->action, interruptions);
	return NULL;
}

/* The same command may have run in the new release, and that in the old. */
static bool
is_of(const struct step *step, const struct past *past)
{
	const struct command *command = past->command;

	return strcmp(step->phase, command->phase) == 0 &&
	    strcmp(step->action, command->name) == 0 &&
	    strcmp(step->host, past->host) == 0 &&
	    (!command->old_release || step->id >= past->work->old_from);
}

/* The page of a step that is being undone has been up. */
static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct past *past = ctx;

	if (!is_of(step, past))
		return NULL;
	if (strcmp(step->state, "done") == 0 ||
	    strcmp(step->state, "undoing") == 0)
		past->done = true;
	else if (strcmp(step->state, "failed") == 0)
		past->why = past_failure(step);
	else if (strcmp(step->state, "interrupted") == 0)
		past->why = past_interruption(past->work, step,
		    ++past->interruptions);
	return NULL;
}

const struct err *
past_ask(const struct work *work, const struct command *command,
    const char *host, bool *done)
{
	struct past past = {
		.work = work,
		.command = command,
		.host = host,
	};
	const struct err *err;
	enum phase which;

	err = step_each(work->hub->journal, work->deploy.number, false,
	    look_at_step, &past);
	*done = past.done;
	if (err != NULL || past.done || command->old_release)
		return err != NULL || past.done ? err : past.why;
	return phase_by_name(&which, command->phase) &&
	    phase_stage(which) == STAGE_FINISH ? past.why : NULL;
}
