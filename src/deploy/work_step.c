/*
 * How the steps of a deploy get their ends into the journal.
 */
#include <string.h>

#include "deploy/work.h"
#include "journal/step.h"

/* Somebody who holds the journal will let go of it some day. */
static bool
is_held(struct work *work, const struct err *err, bool *told)
{
	if (err == NULL || err->code != ERR_BUSY)
		return false;
	if (!*told)
		work_warn(work, "a command has ended, and the deploy waits"
		    " to write that down: %s", err->text);
	*told = true;
	return true;
}

const struct err *
work_step_end(struct work *work, const struct step *step)
{
	const struct err *err;
	bool told = false;

	do {
		err = step_end(work->hub->journal, step);
	} while (is_held(work, err, &told));
	work->unwritten |= err != NULL;
	return err;
}

const struct err *
work_step_state(struct work *work, const struct step *step,
    const char *state)
{
	const struct err *err;
	bool told = false;

	do {
		err = step_set_state(work->hub->journal, step->id, state);
	} while (is_held(work, err, &told));
	work->unwritten |= err != NULL;
	return err;
}

static const struct err *
interrupt_step(const struct step *step, void *ctx)
{
	struct work *work = ctx;

	if (strcmp(step->state, "running") != 0)
		return NULL;
	return step_set_state(work->hub->journal, step->id, "interrupted");
}

const struct err *
work_interrupt_steps(struct work *work)
{
	return step_each(work->hub->journal, work->deploy.number, false,
	    interrupt_step, work);
}
