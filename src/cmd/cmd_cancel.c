/*
 * slipway cancel - stop a deploy, and show what becomes of it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "deploy/cancel.h"
#include "deploy/identity.h"
#include "journal/deploy.h"
#include "lock.h"

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
	gone->name = xstrdup(name);
	call->env = gone;
	return err;
}

static const struct err *
add_environment(struct journal *journal, const struct deploy *deploy,
    void *ctx)
{
	(void)journal;
	vec_push_new(ctx, deploy->environment);
	return NULL;
}

/* Without a config, the one in which something waits or is under way. */
static const struct err *
only_busy(struct call *call, char **name)
{
	struct deploy_filter filter = {
		.states = ",queued,preparing,prepared,activating,",
	};
	struct vec names = VEC_INIT;
	struct str list = STR_INIT;
	const struct err *err;

	err = deploy_each(call->hub.journal, &filter, add_environment,
	    &names);
	vec_join(&names, ", ", &list);
	if (err == NULL && names.n == 0)
		err = err_new(ERR_NOT_FOUND, "nothing waits or is under way");
	else if (err == NULL && names.n > 1)
		err = err_new(ERR_USAGE, "there is something to cancel in"
		    " several environments; name one with -e: %s", list.s);
	else if (err == NULL)
		*name = xstrdup(names.v[0]);
	str_release(&list);
	vec_release(&names);
	return err;
}

/* What is under way has a runner that read its config before it was wrong. */
static const struct err *
take_blind(struct call *call, const char *name, struct environment *gone)
{
	struct deploy begun = DEPLOY_INIT;
	const struct err *err = NULL;
	char *lock;

	if (name != NULL)
		gone->name = xstrdup(name);
	else
		err = only_busy(call, &gone->name);
	if (err != NULL)
		return err;
	call->env = gone;
	err = deploy_get_unfinished(call->hub.journal, gone->name, &begun);
	lock = hub_lock_path(&call->hub, gone->name);
	if (err == NULL && begun.number != 0 && !lock_is_held(lock))
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " was begun in"
		    " %s, and its runner is gone; mend slipway.ini, and then:"
		    " slipway cancel -C %s -e %s", begun.number, gone->name,
		    call->hub.word, gone->name);
	free(lock);
	deploy_release(&begun);
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
	}
	if (err == NULL && call->hub.config == NULL)
		return take_blind(call, name, gone);
	if (err == NULL && name == NULL)
		return hub_environment(&call->hub, NULL, &call->env);
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
	struct environment gone = { 0 };
	const struct err *err;
	char *who = NULL;

	err = cmd_open_to_stop(call);
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
	free(gone.name);
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
