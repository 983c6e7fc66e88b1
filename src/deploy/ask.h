/*
 * ask - one command line, from the request to the hosts to what it came to.
 *
 *	struct asking asking = { work, "migrate", "updb" };
 *
 *	err = ask_request(&request, &facts, release, line, NULL);
 *	err = fleet_run(fleet, mask, &request, ask_on_message,
 *	    ask_is_to_stop, &asking);
 *	ask_result(&result, fleet_reply(fleet, 0));
 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>

#include "deploy/facts.h"
#include "deploy/work.h"
#include "proc.h"

/* One command on its way, for the callbacks of the fleet. */
struct asking {
	struct work *work;
	const char *phase;
	const char *name;
};

/* The request for a command line, or for a hook when "line" is NULL. */
const struct err *ask_request(struct message *request,
    const struct facts *facts, const char *release, const char *line,
    const char *hook);

/* What it prints goes into the event log; a fleet_cb. */
const struct err *ask_on_message(const char *host,
    const struct message *message, void *ctx);

/* True when nobody waits for it any more; a fleet_stop_cb. */
bool ask_is_to_stop(void *ctx);

void ask_result(struct proc_result *result, const struct message *reply);

/* A command that is told to end may well do so with status 0. */
bool ask_went_well(const struct proc_result *result);

#endif
