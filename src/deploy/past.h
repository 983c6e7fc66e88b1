/*
 * past - what the steps of an interrupted deploy tell who goes on with it.
 *
 * A step that is done is not run again. One that nobody heard the end of
 * is, unless its action says "retry = no" or it was interrupted too often.
 */
#ifndef PAST_H
#define PAST_H

#include <stdbool.h>

#include "deploy/command.h"
#include "deploy/work.h"
#include "journal/step.h"

/* A step that had failed when its runner died, as an error. */
const struct err *past_failure(const struct step *step);

/*
 * Why a step, or its undo, that was interrupted so many times, at least
 * once, must not be run again; NULL when it may.
 */
const struct err *past_interruption(const struct work *work,
    const struct step *step, int64_t interruptions);

/*
 * True through "*done" when that step is to be passed over. In the finish
 * stage and in the old release, where nothing is taken back, an error when
 * it has failed or must not be run again.
 */
const struct err *past_ask(const struct work *work,
    const struct command *command, const char *host, bool *done);

#endif
