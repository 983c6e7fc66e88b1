#include "deploy/stage.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/command.h"
#include "deploy/halt.h"

static bool
has_actions(const struct work *work, enum phase phase)
{
	for (size_t i = 0; i < work->plan.n_items; i++) {
		if (work->plan.items[i].action->phase == phase)
			return true;
	}
	return false;
}

/* In whose folder a phase runs, and whether it is the one before. */
struct place {
	const char *release;
	bool old;
};

static const struct err *
run_actions(struct work *work, enum phase phase, const struct place *place)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < work->plan.n_items; i++) {
		const struct plan_item *item = &work->plan.items[i];
		struct command command = {
			.phase = phase_name(phase),
			.name = item->action->name,
			.action = item->action,
			.release = place->release,
			.argument = item->argument,
			.hosts = item->hosts,
			.in_root = phase == PHASE_FETCH,
			.old_release = place->old,
		};

		if (item->action->phase == phase)
			err = command_run(work, &command);
	}
	return err;
}

/* deploy/before_PHASE or deploy/after_PHASE, if the release has it. */
static const struct err *
run_hook(struct work *work, enum phase phase, const char *hook,
    const struct place *place)
{
	struct command command = {
		.phase = phase_name(phase),
		.name = hook,
		.release = place->release,
		.old_release = place->old,
	};

	if (!vec_has(&work->hooks, hook))
		return NULL;
	return command_run(work, &command);
}

static const struct err *
run_builtin(struct work *work, enum phase phase, builtin_cb builtin,
    struct str *note)
{
	const struct err *err;

	if (builtin == NULL)
		return NULL;
	err = builtin(work, note);
	return err == NULL ? NULL : err_add(err, "%s", phase_name(phase));
}

bool
stage_runs(const struct work *work, enum phase phase)
{
	char *before = xasprintf("before_%s", phase_name(phase));
	char *after = xasprintf("after_%s", phase_name(phase));
	bool runs = has_actions(work, phase) ||
	    vec_has(&work->hooks, before) || vec_has(&work->hooks, after);

	free(before);
	free(after);
	return runs;
}

/* Everything of a phase; "work->hooks" are those of the place. */
static const struct err *
run_phase(struct work *work, enum phase phase, builtin_cb builtin,
    const struct place *place)
{
	char *before = xasprintf("before_%s", phase_name(phase));
	char *after = xasprintf("after_%s", phase_name(phase));
	struct str note = STR_INIT;
	const struct err *err = NULL;
	int64_t from_ms;

	if (builtin == NULL && !stage_runs(work, phase))
		goto done;
	err = halt_check(work, phase_name(phase), NULL);
	if (err != NULL)
		goto done;
	from_ms = work_phase(work, phase_name(phase));
	err = run_hook(work, phase, before, place);
	if (err == NULL)
		err = run_builtin(work, phase, builtin, &note);
	if (err == NULL)
		err = run_actions(work, phase, place);
	if (err == NULL)
		err = run_hook(work, phase, after, place);
	work_phase_done(work, phase_name(phase), from_ms, err == NULL,
	    note.len == 0 ? NULL : note.s);
done:
	str_release(&note);
	free(before);
	free(after);
	return err;
}

const struct err *
stage_phase(struct work *work, enum phase phase, builtin_cb builtin)
{
	struct place place = { work->deploy.release, false };

	return run_phase(work, phase, builtin, &place);
}

const struct err *
stage_phase_old(struct work *work, enum phase phase)
{
	struct place place = { work->deploy.previous, true };

	return run_phase(work, phase, NULL, &place);
}
