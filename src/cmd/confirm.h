/*
 * confirm - ask somebody who sits at a terminal.
 */
#ifndef CONFIRM_H
#define CONFIRM_H

#include "cmd/cmd.h"
#include "err.h"

/*
 * True when a question would reach somebody: --yes was not given, and
 * standard input and standard error are terminals. A script, a hook and
 * cron are never asked.
 */
bool confirm_is_wanted(const struct call *call);

/*
 * Ask on standard error, as in "Go on? [y/N] ". NULL when the answer begins
 * with a 'y', else an error that says that nothing was done. Ctrl-C says the
 * same, and ends the process with status 130.
 */
const struct err *confirm_ask(const char *question);

#endif
