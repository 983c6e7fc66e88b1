/*
 * command - run one action, or one hook of the release, as a step.
 *
 * The journal has the step as "running" before the command starts on any
 * host, and how it ended on each; the event log has its output as it
 * comes. An action with "record" has its record command run before and
 * after: what it prints is kept beside the release's other records as
 * ACTION and ACTION.after.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

#include "deploy/facts.h"
#include "deploy/work.h"

/* The deadline of what no action configures: a hook of the release. */
#define HOOK_TIMEOUT_MS (10 * 60 * 1000)

struct command {
	const char *phase;
	const char *name;	/* of the action or the hook */
	const struct action *action;	/* NULL: the hook "name" */
	const char *release;	/* in whose folder it runs */
	const char *argument;
	const bool *hosts;	/* NULL: all */
	bool in_root;		/* in the root: no release is there yet */
	bool old_release;	/* run for the release that was live before:
				 * nothing is recorded or undone */
};

/*
 * Run it on its hosts; hosts where the journal has it as done already are
 * left out when the deploy is a resumed one. ERR_FAILED tells
 * "PHASE (NAME): exit 1" when it did not exit with 0 everywhere. When a
 * host is lost its step stays "running", see work_is_cut().
 */
const struct err *command_run(struct work *work,
    const struct command *command);

/*
 * Whether a step that was interrupted had an effect: its record command is
 * run once more, and what it prints is compared with what it printed
 * before the step. False, too, when the step has no record, or never began.
 * An error: nobody could look.
 */
struct step;
const struct err *command_changed(struct work *work,
    const struct step *step, const struct action *action, bool *changed);

/*
 * Run the undo of a step in the release of the deploy that "facts" tells
 * of, on the step's host, with what was recorded in the release "recorded".
 * The step is "undoing" in the journal before that, and becomes "undone" or
 * "undo-failed"; the latter, too, and nothing is run, when the same deploy
 * was interrupted in it and must not begin it again, see past.h.
 */
const struct err *command_undo(struct work *work, const struct facts *facts,
    const char *recorded, const struct step *step);

#endif
