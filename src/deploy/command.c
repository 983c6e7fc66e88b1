#include "deploy/command.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/ask.h"
#include "deploy/halt.h"
#include "deploy/past.h"
#include "journal/step.h"
#include "proc.h"

static struct facts
facts_of(const struct work *work, const struct command *command)
{
	struct facts facts = {
		.hub = work->hub,
		.env = work->env,
		.deploy = &work->deploy,
		.commit = &work->commit,
		.directives = &work->plan.directives,
		.action = command->action,
		.argument = command->argument == NULL ? "" :
		    command->argument,
	};

	return facts;
}

/* The steps of one command, one for each host; unused ones have no id. */
struct steps {
	struct step *v;
	bool *mask;		/* where it is to run */
	size_t n;
	bool begun;		/* "run" is under way, or over */
};

static void
steps_release(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		step_release(&steps->v[i]);
	free(steps->v);
	free(steps->mask);
}

static const struct err *
begin_step(struct work *work, const struct command *command,
    struct step *step, const char *host)
{
	const struct action *action = command->old_release ? NULL :
	    command->action;

	step->deploy = work->deploy.number;
	step->phase = xstrdup(command->phase);
	step->action = xstrdup(command->name);
	step->host = xstrdup(host);
	step->argument = xstrdup_null(command->argument);
	step->undo = action == NULL ? NULL : xstrdup_null(action->undo);
	step->record = action != NULL && action->record != NULL;
	return work_step_begin(work, step);
}

/* Where it is to run: not where it was done before a crash. */
static const struct err *
choose_hosts(struct work *work, const struct command *command, bool *mask)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		bool done = false;

		if (command->hosts != NULL && !command->hosts[i])
			continue;
		if (work->resumed)
			err = past_ask(work, command, work->hosts[i]->name,
			    &done);
		mask[i] = !done;
	}
	return err;
}

static const struct err *
begin_steps(struct work *work, const struct command *command,
    struct steps *steps, bool *any)
{
	const struct err *err;

	steps->n = work->n_hosts;
	steps->v = xcalloc(steps->n, sizeof(*steps->v));
	steps->mask = xcalloc(steps->n, sizeof(*steps->mask));
	*any = false;
	err = choose_hosts(work, command, steps->mask);
	for (size_t i = 0; err == NULL && i < steps->n; i++) {
		if (!steps->mask[i])
			continue;
		err = begin_step(work, command, &steps->v[i],
		    work->hosts[i]->name);
		*any = true;
	}
	return err;
}

static const struct err *
record_failure(const struct proc_result *result, const char *host,
    bool single)
{
	struct str how = STR_INIT;
	const struct err *err;

	proc_describe(&how, result);
	err = err_new(ERR_FAILED, "its record command failed%s%s: %s",
	    single ? "" : " on ", single ? "" : host, how.s);
	str_release(&how);
	return err;
}

/*
 * Keep what the record command prints; "sums" gets a sum for each host. A
 * record from before the step is taken once: a step that is run again after
 * a crash may have had half of its effect already.
 */
static const struct err *
keep_record(struct work *work, const struct command *command,
    const struct steps *steps, const char *suffix, struct vec *sums)
{
	struct facts facts = facts_of(work, command);
	struct asking asking = { work, command->phase, "record" };
	struct message request = MESSAGE_INIT;
	bool before = *suffix == '\0';
	const struct err *err;

	err = ask_request(&request, &facts, command->release,
	    command->action->record, NULL);
	message_addf(&request, "keep", "%s%s", command->name, suffix);
	message_add_int(&request, "once", before);
	message_add_int(&request, "in-root", command->in_root);
	if (err == NULL)
		err = fleet_run(work->fleet, steps->mask, &request,
		    ask_on_message, before ? ask_is_to_stop : NULL, &asking);
	for (size_t i = 0; err == NULL && i < steps->n; i++) {
		const struct message *reply = fleet_reply(work->fleet, i);
		struct proc_result result;

		if (!steps->mask[i]) {
			vec_push(sums, "");
			continue;
		}
		ask_result(&result, reply);
		if (!ask_went_well(&result))
			err = record_failure(&result, work->hosts[i]->name,
			    steps->n == 1);
		else
			vec_push(sums, message_get(reply, "sum"));
	}
	message_release(&request);
	return err;
}

static void
announce(struct work *work, const struct command *command,
    struct steps *steps)
{
	steps->begun = true;
	for (size_t i = 0; i < steps->n; i++) {
		if (steps->mask[i])
			event_add(work->log, "step", "ssss", "phase",
			    command->phase, "action", command->name, "host",
			    work->hosts[i]->name, "run",
			    command->action == NULL ? NULL :
			    command->action->run);
	}
}

static const struct err *
failure(const struct command *command, const struct proc_result *result,
    const char *host, bool single)
{
	struct str how = STR_INIT;
	const struct err *err;

	proc_describe(&how, result);
	err = err_new(ERR_FAILED, "%s (%s): %s%s%s", command->phase,
	    command->name, how.s, single ? "" : " on ", single ? "" : host);
	str_release(&how);
	return err;
}

static void
tell_end(struct work *work, const struct step *step,
    const struct proc_result *result)
{
	event_add(work->log, "step_done", "sssbiibbi", "phase", step->phase,
	    "action", step->action, "host", step->host, "ok",
	    (int)ask_went_well(result), "exit", step->exit, "signal",
	    step->signal, "timed_out", (int)step->timed_out, "stopped",
	    (int)result->stopped, "ms", step->duration_ms);
}

/* Write the end of the step on one host. */
static const struct err *
end_step(struct work *work, struct step *step,
    const struct proc_result *result, bool begun, bool changed)
{
	bool ok = ask_went_well(result);

	free(step->state);
	step->state = xstrdup(ok ? "done" : "failed");
	step->exit = result->exit_status;
	step->signal = result->signal;
	step->timed_out = result->timed_out;
	step->duration_ms = result->duration_ms;
	step->changed = changed;
	if (begun)
		tell_end(work, step, result);
	return work_step_end(work, step);
}

/* The record after the step; it tells whether a failed step did anything. */
static void
record_after(struct work *work, const struct command *command,
    const struct steps *steps, struct vec *sums)
{
	const struct err *err;

	err = keep_record(work, command, steps, ".after", sums);
	if (err != NULL) {
		work_warn(work, "%s: %s", command->name, err->text);
		vec_clear(sums);
	}
}

static const struct err *
run_steps(struct work *work, const struct command *command,
    struct steps *steps, struct proc_result *results)
{
	struct facts facts = facts_of(work, command);
	struct asking asking = { work, command->phase, command->name };
	struct message request = MESSAGE_INIT;
	const struct err *err;

	err = ask_request(&request, &facts, command->release,
	    command->action == NULL ? NULL : command->action->run,
	    command->name);
	message_add_int(&request, "in-root", command->in_root);
	if (err == NULL)
		err = fleet_run(work->fleet, steps->mask, &request,
		    ask_on_message, ask_is_to_stop, &asking);
	for (size_t i = 0; i < steps->n; i++) {
		const struct message *reply = fleet_reply(work->fleet, i);

		memset(&results[i], 0, sizeof(results[i]));
		results[i].exit_status = -1;
		if (steps->mask[i] && reply != NULL)
			ask_result(&results[i], reply);
	}
	message_release(&request);
	return err;
}

/* Write all ends; the first failed host makes the error. */
static const struct err *
end_steps(struct work *work, const struct command *command,
    struct steps *steps, const struct proc_result *results,
    const struct vec *before, const struct vec *after)
{
	const struct err *err = NULL, *failed = NULL;

	for (size_t i = 0; err == NULL && i < steps->n; i++) {
		/* What nobody could look at may have changed. */
		bool changed = before->n == steps->n &&
		    (after->n != steps->n ||
		    strcmp(before->v[i], after->v[i]) != 0);

		if (!steps->mask[i])
			continue;
		err = end_step(work, &steps->v[i], &results[i], steps->begun,
		    changed);
		if (failed == NULL &&
		    strcmp(steps->v[i].state, "failed") == 0)
			failed = failure(command, &results[i],
			    steps->v[i].host, steps->n == 1);
	}
	return err_first(err, failed);
}

/* The command on its hosts, between its two records. */
static const struct err *
perform(struct work *work, const struct command *command,
    struct steps *steps, struct proc_result *results,
    struct vec *before, struct vec *after)
{
	bool record = command->action != NULL && !command->old_release &&
	    command->action->record != NULL;
	const struct err *err = NULL;

	if (record)
		err = keep_record(work, command, steps, "", before);
	if (err != NULL) {
		for (size_t i = 0; i < steps->n; i++)
			results[i].exit_status = -1;
	} else {
		announce(work, command, steps);
		err = run_steps(work, command, steps, results);
		/* Also a command that nobody heard the end of has run. */
		if (record && !work_is_cut(work))
			record_after(work, command, steps, after);
	}
	return err == NULL ? NULL :
	    err_add(err, "%s (%s)", command->phase, command->name);
}

static bool
all_succeeded(const struct steps *steps, const struct proc_result *results)
{
	for (size_t i = 0; i < steps->n; i++) {
		if (steps->mask[i] && !ask_went_well(&results[i]))
			return false;
	}
	return true;
}

const struct err *
command_run(struct work *work, const struct command *command)
{
	struct vec before = VEC_INIT, after = VEC_INIT;
	struct proc_result *results;
	struct steps steps = { 0 };
	const struct err *err;
	bool any;

	err = halt_check(work, command->phase, command->name);
	if (err != NULL)
		return err;
	err = begin_steps(work, command, &steps, &any);
	results = xcalloc(steps.n, sizeof(*results));
	if (err != NULL || !any)
		goto done;
	work->made_more = true;
	err = perform(work, command, &steps, results, &before, &after);
	/* A host that is lost only now has told how its command ended. */
	if (!work_is_cut(work) ||
	    (err == NULL && all_succeeded(&steps, results)))
		err = err_first(err, end_steps(work, command, &steps,
		    results, &before, &after));
	if (err == NULL && work_is_cut(work))
		err = err_new(ERR_INTERRUPTED, "%s (%s): its host was lost",
		    command->phase, command->name);
	if (!work_is_cut(work) && halt_is_known(work))
		err = halt_error(work, command->phase, command->name);
done:
	steps_release(&steps);
	free(results);
	vec_release(&before);
	vec_release(&after);
	return err;
}

/* Whether the command that was asked for has come to an end on its host. */
static bool
has_ended(const struct work *work, const bool *mask)
{
	for (size_t i = 0; i < work->n_hosts; i++) {
		if (mask[i] && fleet_reply(work->fleet, i) != NULL)
			return true;
	}
	return false;
}

const struct err *
command_changed(struct work *work, const struct step *step,
    const struct action *action, bool *changed)
{
	struct command command = {
		.phase = step->phase,
		.name = step->action,
		.action = action,
		.release = work->deploy.release,
		.argument = step->argument,
	};
	struct steps steps = { .n = work->n_hosts };
	struct vec before = VEC_INIT, after = VEC_INIT;
	const struct err *err;
	bool ended;

	*changed = false;
	if (!step->record)
		return NULL;
	if (action == NULL || action->record == NULL)
		return err_new(ERR_NOT_FOUND, "its record is not in"
		    " slipway.ini any more");
	steps.mask = work_only_host(work, step->host);
	err = keep_record(work, &command, &steps, "", &before);
	ended = has_ended(work, steps.mask);
	if (err == NULL && !ended)
		err = err_new(ERR_NOT_FOUND, "host %s is not in slipway.ini"
		    " any more", step->host);
	if (err == NULL)
		err = keep_record(work, &command, &steps, ".after", &after);
	else if (ended)
		/* It had not been kept, so that "run" never began. */
		err = NULL;
	for (size_t i = 0; err == NULL && i < after.n; i++)
		*changed |= strcmp(before.v[i], after.v[i]) != 0;
	free(steps.mask);
	vec_release(&before);
	vec_release(&after);
	return err;
}
