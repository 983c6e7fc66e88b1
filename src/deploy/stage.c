#include "deploy/stage.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/command.h"

static bool
has_actions(const struct work *work, enum phase phase)
{
	for (size_t i = 0; i < work->plan.n_items; i++) {
		if (work->plan.items[i].action->phase == phase)
			return true;
	}
	return false;
}

const struct err *
stage_actions(struct work *work, enum phase phase, const char *release,
    bool old_release)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < work->plan.n_items; i++) {
		const struct plan_item *item = &work->plan.items[i];
		struct command command = {
			.phase = phase_name(phase),
			.name = item->action->name,
			.action = item->action,
			.release = release,
			.argument = item->argument,
			.hosts = item->hosts,
			.old_release = old_release,
		};

		if (item->action->phase == phase)
			err = command_run(work, &command);
	}
	return err;
}

/* deploy/before_PHASE or deploy/after_PHASE, if the release has it. */
static const struct err *
run_hook(struct work *work, enum phase phase, const char *hook)
{
	struct command command = {
		.phase = phase_name(phase),
		.name = hook,
		.release = work->deploy.release,
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

const struct err *
stage_phase(struct work *work, enum phase phase, builtin_cb builtin)
{
	char *before = xasprintf("before_%s", phase_name(phase));
	char *after = xasprintf("after_%s", phase_name(phase));
	int64_t from_ms = clock_monotonic_ms();
	struct str note = STR_INIT;
	const struct err *err = NULL;

	if (builtin == NULL && !has_actions(work, phase) &&
	    !vec_has(&work->hooks, before) && !vec_has(&work->hooks, after))
		goto done;
	event_add(work->log, "phase", "s", "phase", phase_name(phase));
	err = run_hook(work, phase, before);
	if (err == NULL)
		err = run_builtin(work, phase, builtin, &note);
	if (err == NULL)
		err = stage_actions(work, phase, work->deploy.release,
		    false);
	if (err == NULL)
		err = run_hook(work, phase, after);
	event_add(work->log, "phase_done", "sibs", "phase",
	    phase_name(phase), "ms", clock_monotonic_ms() - from_ms, "ok",
	    err == NULL, "note", note.len == 0 ? NULL : note.s);
done:
	str_release(&note);
	free(before);
	free(after);
	return err;
}
