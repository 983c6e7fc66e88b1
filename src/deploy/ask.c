#include "deploy/ask.h"

#include <string.h>

#include "deploy/command.h"
#include "deploy/halt.h"

const struct err *
ask_on_message(const char *host, const struct message *message, void *ctx)
{
	struct asking *asking = ctx;
	const char *text = message_get(message, "text");
	const char *type = message_get(message, "type");

	if (text == NULL || type == NULL)
		return NULL;
	if (strcmp(type, "note") == 0)
		work_warn(asking->work, "%s: %s", asking->name, text);
	else
		event_add(asking->work->log, "output", "ssss", "phase",
		    asking->phase, "action", asking->name, "host", host,
		    "text", text);
	return NULL;
}

bool
ask_is_to_stop(void *ctx)
{
	const struct asking *asking = ctx;

	return halt_is_wanted(asking->work);
}

void
ask_result(struct proc_result *result, const struct message *reply)
{
	memset(result, 0, sizeof(*result));
	result->exit_status = (int)message_int(reply, "exit", -1);
	result->signal = (int)message_int(reply, "signal", 0);
	result->timed_out = message_int(reply, "timed-out", 0) != 0;
	result->stopped = message_int(reply, "stopped", 0) != 0;
	result->duration_ms = message_int(reply, "ms", 0);
}

bool
ask_went_well(const struct proc_result *result)
{
	return result->exit_status == 0 && !result->timed_out &&
	    !result->stopped;
}

static void
add_limits(struct message *request, const struct action *action)
{
	message_add_int(request, "timeout", action->timeout_ms);
	message_add_int(request, "memory", (int64_t)action->memory_bytes);
	message_add_int(request, "nice", action->nice);
}

const struct err *
ask_request(struct message *request, const struct facts *facts,
    const char *release, const char *line, const char *hook)
{
	message_add(request, "verb", "run");
	message_add(request, "release", release);
	if (line != NULL)
		message_add(request, "command", line);
	else
		message_add(request, "hook", hook);
	if (facts->action != NULL)
		add_limits(request, facts->action);
	else
		message_add_int(request, "timeout", HOOK_TIMEOUT_MS);
	return facts_add(request, facts);
}
