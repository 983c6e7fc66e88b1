/*
 * slipway deploy, retry - a commit is asked for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/request.h"
#include "deploy/branch.h"
#include "journal/deploy.h"

/*
 * Where the branch moves with the deploy, what the commit does not contain
 * would be in no branch any more. "again" is what was asked for.
 */
static const struct err *
guard_branch(const struct call *call, struct deploy *request,
    const char *again)
{
	bool force = call_has(call, "force");
	char *which = cmd_which(call, call->env->name);
	char *words = xasprintf("slipway %s%s --force %s", call->cmd->name,
	    which, again);
	struct asked asked = {
		.env = call->env,
		.commit = request->commit,
		.seen = request->ref_old,
		.force = words,
	};
	const struct err *err;
	char *from = NULL;

	if (force && !call->env->set.transactional)
		err = err_new(ERR_USAGE, "--force is for a branch that moves"
		    " with its deploys, and %s is not transactional: leave it"
		    " out", call->env->name);
	else
		err = branch_check(&call->hub, &asked, force ? &from : NULL);
	if (from != NULL) {
		free(request->ref_old);
		request->ref_old = from;
	}
	free(words);
	free(which);
	return err;
}

static const struct err *
run_deploy(struct call *call)
{
	struct directives options = DIRECTIVES_INIT;
	struct deploy request = DEPLOY_INIT;
	const struct err *err;

	err = cmd_open(call, DB_WRITE, true);
	if (err == NULL) {
		request_fill(call, &request, "deploy");
		err = request_commit(call, &request);
	}
	if (err == NULL)
		err = guard_branch(call, &request, call->words.n > 0 ?
		    call->words.v[0] : request.commit);
	if (err == NULL)
		err = request_directives(call, &options);
	if (err == NULL)
		err = cmd_request(call, &request, &options);
	deploy_release(&request);
	directives_release(&options);
	return err;
}

#define FORCE_OPTION { 0, "force", NULL, "move a transactional branch" \
    " also to what does not contain it" }

static const struct cmd_option deploy_options[] = {
	{ 'd', "directive", "NAME[:ARGUMENT]", "ask for an action, as -NAME-"
	    " in a commit message does; may be repeated" },
	FORCE_OPTION,
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_deploy = {
	.name = "deploy",
	.words = "[REV]",
	.words_max = 1,
	.summary = "make a commit live, as a push would",
	.help = "Deploy REV (a commit, branch or tag of the repository), or"
	    " the tip of the environment's branch, and show it to its end."
	    " Interrupting the view does not interrupt the deploy.",
	.example = "slipway deploy -C /srv/shop.git -d cc\n"
	    "slipway deploy -C /srv/shop.git v1.4",
	.json = true,
	.options = deploy_options,
	.run = run_deploy,
};

static const struct err *
none_failed(const struct call *call)
{
	char *where = cmd_where(call);
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(call->hub.journal, call->env->name, &live);
	if (err == NULL)
		err = err_new(ERR_NOT_FOUND, "no deploy of %s has failed%s;"
		    " name the one that is meant: slipway retry N%s",
		    call->env->name, live.number == 0 ? "" :
		    " since the live one", where);
	deploy_release(&live);
	free(where);
	return err;
}

static const struct err *
retry_number(const struct call *call, int64_t *number)
{
	const struct err *err;

	if (call->words.n > 0)
		return cmd_number(number, call->words.v[0]);
	err = deploy_newest_failed(call->hub.journal, call->env->name,
	    number);
	if (err == NULL && *number == 0)
		err = none_failed(call);
	return err;
}

/* A commit that was live is no failure; it can be asked for by its name. */
static const struct err *
refuse_live(const struct call *call, const struct deploy *old,
    const char *what, const char *how)
{
	char *which = cmd_which(call, old->environment);
	const struct err *err;

	err = err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail, it %s;"
	    " to have %.7s %s: slipway deploy %.7s%s", old->number, what,
	    old->commit, how, old->commit, which);
	free(which);
	return err;
}

/* What took its place may itself have been superseded. */
static const struct err *
refuse_superseded(const struct call *call, const struct deploy *old)
{
	struct journal *journal = call->hub.journal;
	struct deploy last;
	const struct err *err, *outcome;
	char *what, *where;

	err = deploy_get_last(journal, old->number, &last);
	if (err != NULL)
		return err;
	where = cmd_where(call);
	outcome = deploy_outcome(&last);
	if (!deploy_is_over(last.state))
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail,"
		    " it was superseded by %" PRId64 ", which is %s; see:"
		    " slipway show --follow %" PRId64 "%s", old->number,
		    last.number, deploy_state_name(last.state), last.number,
		    where);
	else if (outcome != NULL)
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail by"
		    " itself, it was superseded by %" PRId64 ", which is %s;"
		    " retry that: slipway retry %" PRId64 "%s", old->number,
		    last.number, deploy_state_name(last.state), last.number,
		    where);
	if (err == NULL) {
		what = xasprintf("was superseded by %" PRId64 ", which went"
		    " live", last.number);
		err = refuse_live(call, old, what, "anyway");
		free(what);
	}
	deploy_release(&last);
	free(where);
	return err;
}

static const struct err *
refuse_open(const struct call *call, const struct deploy *old)
{
	char *where = cmd_where(call);
	const struct err *err;

	err = err_new(ERR_REFUSED, "deploy %" PRId64 " has not ended, it is"
	    " %s; see: slipway show --follow %" PRId64 "%s", old->number,
	    deploy_state_name(old->state), old->number, where);
	free(where);
	return err;
}

/* Only what did not come to its aim is tried again. */
static const struct err *
check_failed(const struct call *call, const struct deploy *old)
{
	switch (old->state) {
	case DEPLOY_FAILED:
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_BROKEN:
	case DEPLOY_CANCELLED:
		return NULL;
	case DEPLOY_SUPERSEDED:
		return refuse_superseded(call, old);
	case DEPLOY_LIVE:
		return refuse_live(call, old, "is live", "again");
	case DEPLOY_RETIRED:
		return refuse_live(call, old, "was live", "again");
	default:
		return refuse_open(call, old);
	}
}

/* The same commit, with what options had asked for. */
static const struct err *
copy_request(const struct call *call, const struct deploy *old,
    struct deploy *request, struct directives *options)
{
	struct directives all = DIRECTIVES_INIT;
	const struct err *err;

	if (strcmp(old->environment, call->env->name) != 0)
		return err_new(ERR_USAGE, "deploy %" PRId64 " was one of %s;"
		    " say -e %s", old->number, old->environment,
		    old->environment);
	if (strcmp(old->kind, "deploy") != 0)
		return err_new(ERR_USAGE, "deploy %" PRId64 " was a %s; ask"
		    " for it again: slipway %s", old->number, old->kind,
		    old->kind);
	err = check_failed(call, old);
	if (err != NULL)
		return err;
	request_fill(call, request, "deploy");
	request->commit = xstrdup(old->commit);
	request->ref = xstrdup_null(old->ref);
	request->author = xstrdup_null(old->author);
	request->subject = xstrdup_null(old->subject);
	err = deploy_directives(call->hub.journal, old->number, true, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].commit[0] == '\0')
			directives_add(options, all.v[i].name,
			    all.v[i].argument, "", all.v[i].source);
	}
	directives_release(&all);
	return err;
}

static const struct err *
run_retry(struct call *call)
{
	struct deploy old = DEPLOY_INIT, request = DEPLOY_INIT;
	struct directives options = DIRECTIVES_INIT;
	const struct err *err;
	char *again = NULL;
	int64_t number;

	/* A number knows its environment. */
	err = cmd_open(call, DB_WRITE, call->words.n == 0);
	if (err == NULL)
		err = retry_number(call, &number);
	if (err == NULL)
		err = deploy_get(call->hub.journal, number, &old);
	if (err == NULL && call->env == NULL)
		err = hub_environment(&call->hub, old.environment,
		    &call->env);
	if (err == NULL)
		err = copy_request(call, &old, &request, &options);
	if (err == NULL) {
		again = xasprintf("%" PRId64, number);
		err = guard_branch(call, &request, again);
	}
	if (err == NULL)
		err = cmd_request(call, &request, &options);
	free(again);
	deploy_release(&old);
	deploy_release(&request);
	directives_release(&options);
	return err;
}

static const struct cmd_option retry_options[] = {
	FORCE_OPTION,
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_retry = {
	.name = "retry",
	.words = "[N]",
	.words_max = 1,
	.summary = "deploy again what has failed",
	.help = "Deploy the commit of deploy N again, or of the newest one"
	    " that has failed since something went live. One that did not"
	    " fail is refused.",
	.example = "slipway retry -C /srv/shop.git\n"
	    "slipway retry -C /srv/shop.git 42",
	.json = true,
	.options = retry_options,
	.run = run_retry,
};
