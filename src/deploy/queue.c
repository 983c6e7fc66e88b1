#include "deploy/queue.h"

#include <stdlib.h>

#include "journal/event.h"
#include "path.h"
#include "proc.h"
#include "vec.h"

/* The first lines of the log, so that a viewer has something to show. */
static const struct err *
announce(const struct hub *hub, const struct deploy *request)
{
	char *path = hub_log_path(hub, request->number);
	struct event_log *log = event_log_open(path);
	struct deploy running;
	const struct err *err;

	event_add(log, "requested", "issssss", "deploy", request->number,
	    "environment", request->environment, "kind", request->kind,
	    "commit", request->commit, "ref", request->ref, "pusher",
	    request->pusher, "subject", request->subject);
	err = deploy_get_running(hub->journal, request->environment,
	    &running);
	if (request->state == DEPLOY_SUPERSEDED)
		event_add(log, "superseded", "i", "by",
		    request->superseded_by);
	else if (err == NULL && running.number != 0)
		event_add(log, "waiting", "is", "for", running.number,
		    "state", deploy_state_name(running.state));
	deploy_release(&running);
	event_log_close(log);
	free(path);
	return err;
}

const struct err *
queue_add(const struct hub *hub, struct deploy *request,
    const struct directives *options)
{
	const struct err *err;

	err = deploy_request(hub->journal, request, options);
	if (err != NULL || request->requested_at == 0)
		return err;
	return announce(hub, request);
}

const struct err *
queue_wake(const struct hub *hub, const char *environment)
{
	struct vec env = VEC_INIT;
	const struct err *err;
	char *dir, *program, *log;

	err = path_of_program(&dir);
	if (err != NULL)
		return err;
	program = path_join(dir, "slipway");
	log = hub_file(hub, "slipway/log/runner.log");
	proc_base_env(&env);
	err = proc_detach((const char *const[]){ program, "-C", hub->path,
	    "-e", environment, "runner", NULL },
	    (const char *const *)env.v, log);
	if (err != NULL)
		err = err_add(err, "start a runner");
	vec_release(&env);
	free(log);
	free(program);
	free(dir);
	return err;
}
