/*
 * How a deploy and its steps get into the journal what became of them.
 */
#include <string.h>

#include "deploy/queue.h"
#include "deploy/work.h"
#include "journal/release.h"
#include "journal/step.h"

/* Somebody who holds the journal will let go of it some day. */
static bool
is_held(struct work *work, const struct err *err, bool *told)
{
	if (err == NULL || err->code != ERR_BUSY)
		return false;
	if (!*told)
		work_warn(work, "the deploy waits to write down how far it"
		    " is: %s", err->text);
	*told = true;
	return true;
}

/* The event log tells what the journal has. */
static const struct err *
move_along(struct work *work, const enum deploy_state *states, size_t n)
{
	const struct err *err;
	bool told = false;

	do {
		err = deploy_move_along(work->hub->journal, &work->deploy,
		    states, n);
	} while (is_held(work, err, &told));
	work->unwritten |= err != NULL && err->code == ERR_INTERRUPTED;
	if (err != NULL)
		return err;
	for (size_t i = 0; i < n; i++)
		event_add(work->log, "state", "s", "state",
		    deploy_state_name(states[i]));
	if (states[n - 1] == DEPLOY_ACTIVATING ||
	    states[n - 1] == DEPLOY_LIVE)
		err = queue_tell(work->hub, work->env->name, 0);
	/* Who waits and is not told waits as well. */
	if (err != NULL)
		work_warn(work, "%s", err->text);
	return NULL;
}

const struct err *
work_move(struct work *work, enum deploy_state state)
{
	return move_along(work, &state, 1);
}

const struct err *
work_activate(struct work *work)
{
	static const enum deploy_state states[] = {
		DEPLOY_PREPARED, DEPLOY_ACTIVATING
	};

	return move_along(work, states, sizeof(states) / sizeof(*states));
}

static const struct err *
update(struct work *work)
{
	struct journal *journal = work->hub->journal;
	const struct err *err;

	if (work->gone.n == 0)
		return deploy_update(journal, &work->deploy);
	err = journal_group(journal);
	if (err != NULL)
		return err;
	for (size_t i = 0; i < work->gone.n && err == NULL; i++)
		err = release_set_state(journal, work->env->name,
		    work->gone.v[i], "removed");
	if (err == NULL)
		err = deploy_update(journal, &work->deploy);
	return journal_group_end(journal, err);
}

const struct err *
work_update(struct work *work)
{
	const struct err *err;
	bool told = false;

	do {
		err = update(work);
	} while (is_held(work, err, &told));
	if (err == NULL)
		vec_clear(&work->gone);
	return err;
}

const struct err *
work_step_begin(struct work *work, struct step *step)
{
	const struct err *err;
	bool told = false;

	do {
		err = step_begin(work->hub->journal, step);
	} while (is_held(work, err, &told));
	work->unwritten |= err != NULL;
	return err;
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
	return work_step_state(work, step, "interrupted");
}

const struct err *
work_interrupt_steps(struct work *work)
{
	return step_each(work->hub->journal, work->deploy.number, false,
	    interrupt_step, work);
}
