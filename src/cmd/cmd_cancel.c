/*
 * slipway cancel - stop a deploy, and show what becomes of it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "deploy/cancel.h"
#include "deploy/identity.h"
#include "journal/deploy.h"

/* A number knows its environment. */
static const struct err *
find_number(struct call *call, int64_t *number)
{
	struct deploy deploy = DEPLOY_INIT;
	const struct err *err;

	*number = 0;
	if (call->words.n == 0)
		return NULL;
	err = cmd_number(number, call->words.v[0]);
	if (err == NULL)
		err = deploy_get(call->hub.journal, *number, &deploy);
	if (err == NULL && call->env == NULL)
		err = hub_environment(&call->hub, deploy.environment,
		    &call->env);
	deploy_release(&deploy);
	return err;
}

static const struct err *
run_cancel(struct call *call)
{
	struct deploy last = DEPLOY_INIT;
	const struct err *err;
	int64_t number;
	char *who = NULL;

	err = cmd_open(call, DB_WRITE, call->words.n == 0);
	if (err == NULL)
		err = find_number(call, &number);
	if (err == NULL) {
		who = identity_pusher();
		err = cancel_request(&call->hub, call->env, number, who,
		    &number);
	}
	if (err == NULL)
		err = cmd_watch(call, number, &last);
	if (err == NULL)
		err = cancel_outcome(&last);
	free(who);
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
