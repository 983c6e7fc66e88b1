/*
 * An undo is a command like another one: the journal has it before it runs,
 * or whoever finds its runner dead would run it for ever.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/ask.h"
#include "deploy/command.h"
#include "deploy/past.h"
#include "journal/step.h"
#include "proc.h"

static const struct err *
undo_result(const struct work *work, const bool *mask,
    const struct step *step)
{
	struct proc_result result = { .exit_status = -1 };
	struct str how = STR_INIT;
	const struct err *err = NULL;
	bool found = false;

	for (size_t i = 0; i < work->n_hosts; i++) {
		if (mask[i] && fleet_reply(work->fleet, i) != NULL) {
			ask_result(&result, fleet_reply(work->fleet, i));
			found = true;
		}
	}
	proc_describe(&how, &result);
	if (!found)
		err = err_new(ERR_FAILED, "undo of %s: host %s is not in"
		    " slipway.ini any more", step->action, step->host);
	else if (!ask_went_well(&result))
		err = err_new(ERR_FAILED, "undo of %s: %s", step->action,
		    how.s);
	str_release(&how);
	return err;
}

/*
 * Write that it begins. "*why" is the reason when it must not begin again;
 * an error makes the work one that is cut.
 */
static const struct err *
begin(struct work *work, const struct step *step, const struct err **why)
{
	const struct err *err = NULL;
	int64_t times = 0;

	*why = NULL;
	if (strcmp(step->state, "undoing") == 0)
		err = step_times(work->hub->journal, step->id, step->state,
		    work->deploy.number,
		    deploy_state_name(DEPLOY_ACTIVATING), &times);
	work->unwritten |= err != NULL;
	if (err == NULL && times > 0)
		*why = past_interruption(work, step, times);
	if (*why != NULL)
		*why = err_add(*why, "undo of %s", step->action);
	return err != NULL || *why != NULL ? err :
	    work_step_state(work, step, "undoing");
}

static const struct err *
perform(struct work *work, const struct facts *facts, const char *recorded,
    const struct step *step)
{
	struct asking asking = { work, "undo", step->action };
	bool *mask = work_only_host(work, step->host);
	struct message request = MESSAGE_INIT;
	struct facts told = *facts;
	const struct err *err;
	char *record;

	record = xasprintf("%s/.slipway/record/%s/%s", facts->env->set.root,
	    recorded, step->action);
	told.action = config_action(work->hub->config, step->action);
	told.argument = step->argument;
	told.record = step->record ? record : NULL;
	event_add(work->log, "undo", "sss", "action", step->action, "host",
	    step->host, "run", step->undo);
	err = ask_request(&request, &told, facts->deploy->release,
	    step->undo, NULL);
	if (err == NULL)
		err = fleet_call(work->fleet, mask, &request, ask_on_message,
		    &asking);
	if (err == NULL)
		err = undo_result(work, mask, step);
	message_release(&request);
	free(record);
	free(mask);
	return err;
}

const struct err *
command_undo(struct work *work, const struct facts *facts,
    const char *recorded, const struct step *step)
{
	const struct err *err, *written = NULL, *why;

	err = begin(work, step, &why);
	if (err != NULL)
		return err;
	err = why != NULL ? why : perform(work, facts, recorded, step);
	event_add(work->log, "undo_done", "ssb", "action", step->action,
	    "host", step->host, "ok", err == NULL);
	if (!work_is_cut(work))
		written = work_step_state(work, step, err == NULL ? "undone" :
		    "undo-failed");
	return err_first(err, written);
}
