/*
 * slipway cancel - stop a deploy, and show what becomes of it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "deploy/cancel.h"
#include "deploy/identity.h"
#include "journal/deploy.h"

/*
 * What waits in an environment that slipway.ini does not have any more needs
 * no runner to be stopped; what was begun needs one.
 */
static const struct err *
take_gone(struct call *call, const char *name, struct environment *gone)
{
	struct deploy begun;
	const struct err *err;

	err = deploy_get_unfinished(call->hub.journal, name, &begun);
	if (err == NULL && begun.number != 0)
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " was begun in"
		    " the environment %s, which slipway.ini does not have any"
		    " more; put it back there, and then: slipway cancel -C %s"
		    " -e %s", begun.number, name, call->hub.word, name);
	deploy_release(&begun);
	gone->name = (char *)name;
	call->env = gone;
	return err;
}

/* A number knows its environment. */
static const struct err *
find_environment(struct call *call, struct deploy *deploy,
    struct environment *gone)
{
	const char *name = call->environment;
	const struct err *err = NULL;

	if (call->words.n > 0) {
		err = cmd_number(&deploy->number, call->words.v[0]);
		if (err == NULL)
			err = deploy_get(call->hub.journal, deploy->number,
			    deploy);
		if (name == NULL)
			name = deploy->environment;
	} else if (name == NULL) {
		return hub_environment(&call->hub, NULL, &call->env);
	}
	if (err == NULL && hub_environment(&call->hub, name, &call->env) ==
	    NULL)
		return NULL;
	if (err == NULL && call->environment != NULL)
		err = cmd_check_named(call);
	return err != NULL ? err : take_gone(call, name, gone);
}

static const struct err *
run_cancel(struct call *call)
{
	struct deploy deploy = DEPLOY_INIT, last = DEPLOY_INIT;
	const char *name = call->environment;
	struct environment gone = { 0 };
	const struct err *err;
	char *who = NULL;

	/* One that is not in the config may be in the journal. */
	call->environment = NULL;
	err = cmd_open(call, DB_WRITE, false);
	call->environment = name;
	if (err == NULL)
		err = find_environment(call, &deploy, &gone);
	if (err == NULL) {
		who = identity_pusher();
		err = cancel_request(&call->hub, call->env, deploy.number,
		    who, &deploy.number);
	}
	if (err == NULL)
		err = cmd_watch(call, deploy.number, &last);
	if (err == NULL)
		err = cancel_outcome(&last);
	free(who);
	deploy_release(&deploy);
	deploy_release(&last);
	return err;
}

const struct cmd cmd_cancel = {
	.name = "cancel",
	.words = "[N]",
	.words_max = 1,
	.summary = "stop a deploy that waits or is under way",
	.help = "Stop deploy N, or the one that is under way, or else the"
	    " newest that waits, and show it to its end. The command that"
	    " runs is ended; what was done is undone. What is live already"
	    " is not cancelled but rolled back: slipway rollback.",
	.example = "slipway cancel -C /srv/shop.git\n"
	    "slipway cancel -C /srv/shop.git 42",
	.json = true,
	.run = run_cancel,
};
