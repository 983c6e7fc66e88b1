/*
 * slipway deploy, retry, rollback - requests from the command line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "cmd/cmd.h"
#include "cmd/confirm.h"
#include "cmd/request.h"
#include "deploy/branch.h"
#include "deploy/identity.h"
#include "deploy/rollback.h"
#include "journal/deploy.h"
#include "journal/release.h"
#include "release/store.h"
#include "repo.h"
#include "report/line.h"

static void
fill_request(const struct call *call, struct deploy *request,
    const char *kind)
{
	request->environment = xstrdup(call->env->name);
	request->kind = xstrdup(kind);
	request->pusher = identity_pusher();
}

/*
 * Where the branch moves with the deploy, what the commit does not contain
 * would be in no branch any more. "again" is what was asked for.
 */
static const struct err *
guard_branch(const struct call *call, struct deploy *request,
    const char *again)
{
	bool force = call_has(call, "force");
	char *words = xasprintf("slipway %s --force %s", call->cmd->name,
	    again);
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
		fill_request(call, &request, "deploy");
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
retry_number(const struct call *call, int64_t *number)
{
	const struct err *err;

	if (call->words.n > 0)
		return cmd_number(number, call->words.v[0]);
	err = deploy_newest_failed(call->hub.journal, call->env->name,
	    number);
	if (err == NULL && *number == 0)
		err = err_new(ERR_NOT_FOUND, "no deploy of %s has failed"
		    " since the live one; name the one that is meant:"
		    " slipway retry N", call->env->name);
	return err;
}

/* What took its place may itself have been superseded. */
static const struct err *
refuse_superseded(struct journal *journal, const struct deploy *old)
{
	struct deploy last;
	const struct err *err, *outcome;

	err = deploy_get_last(journal, old->number, &last);
	if (err != NULL)
		return err;
	outcome = deploy_outcome(&last);
	if (!deploy_is_over(last.state))
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail,"
		    " it was superseded by %" PRId64 ", which is %s; see:"
		    " slipway show --follow %" PRId64, old->number,
		    last.number, deploy_state_name(last.state), last.number);
	else if (outcome != NULL)
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail by"
		    " itself, it was superseded by %" PRId64 ", which is %s;"
		    " retry that: slipway retry %" PRId64, old->number,
		    last.number, deploy_state_name(last.state), last.number);
	else
		err = err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail,"
		    " it was superseded by %" PRId64 ", which went live; to"
		    " have %.7s anyway: slipway deploy %.7s", old->number,
		    last.number, old->commit, old->commit);
	deploy_release(&last);
	return err;
}

/* Only what did not come to its aim is tried again. */
static const struct err *
check_failed(struct journal *journal, const struct deploy *old)
{
	switch (old->state) {
	case DEPLOY_FAILED:
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_BROKEN:
	case DEPLOY_CANCELLED:
		return NULL;
	case DEPLOY_SUPERSEDED:
		return refuse_superseded(journal, old);
	case DEPLOY_LIVE:
	case DEPLOY_RETIRED:
		return err_new(ERR_REFUSED, "deploy %" PRId64 " did not fail,"
		    " it %s live; to have %.7s again: slipway deploy %.7s",
		    old->number, old->state == DEPLOY_LIVE ? "is" : "was",
		    old->commit, old->commit);
	default:
		break;
	}
	return err_new(ERR_REFUSED, "deploy %" PRId64 " has not ended, it is"
	    " %s; see: slipway show --follow %" PRId64, old->number,
	    deploy_state_name(old->state), old->number);
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
	err = check_failed(call->hub.journal, old);
	if (err != NULL)
		return err;
	fill_request(call, request, "deploy");
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

static const struct err *
keep_release(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct release release = { .id = 0 };
	char **name = ctx;
	const struct err *err;

	if (*name != NULL || deploy->release == NULL)
		return NULL;
	err = release_get(journal, deploy->environment, deploy->release,
	    &release);
	if (err == NULL && strcmp(release.state, "retired") == 0)
		*name = xstrdup(deploy->release);
	release_release(&release);
	return err;
}

/* Somebody names what is to be live, and not where that is. */
static const struct err *
no_target(const struct call *call, const char *word)
{
	struct deploy_filter filter = { .environment = call->environment };
	char oid[REPO_OID_SIZE], *release = NULL;
	struct repo *repo = NULL;
	const struct err *err;

	err = repo_open(&repo, call->hub.path, false);
	if (err == NULL)
		err = repo_resolve(repo, word, oid);
	repo_close(repo);
	if (err != NULL)
		return err_new(ERR_USAGE, "'%s' is neither a release (14"
		    " digits) nor a deploy number", word);
	filter.commit = oid;
	err = deploy_each(call->hub.journal, &filter, keep_release,
	    &release);
	if (err == NULL)
		err = err_new(ERR_USAGE, "'%s' is commit %.7s, and a rollback"
		    " goes to a release: %s%s%sto deploy it, without undoing"
		    " anything: slipway deploy %s", word, oid,
		    release == NULL ? "" : "slipway rollback ",
		    release == NULL ? "" : release,
		    release == NULL ? "" : " goes to the one of it; ", word);
	free(release);
	return err;
}

/* The release of a deploy, whose environment is the one that is meant. */
static const struct err *
target_of_deploy(struct call *call, const char *word, char **target)
{
	struct deploy deploy = DEPLOY_INIT;
	const struct err *err;
	int64_t number;

	if (cmd_number(&number, word) != NULL)
		return no_target(call, word);
	err = deploy_get(call->hub.journal, number, &deploy);
	if (err == NULL && call->env == NULL)
		err = hub_environment(&call->hub, deploy.environment,
		    &call->env);
	if (err == NULL && strcmp(deploy.environment, call->env->name) != 0)
		err = err_new(ERR_USAGE, "deploy %" PRId64 " was one of %s",
		    number, deploy.environment);
	if (err == NULL && deploy.release == NULL)
		err = err_new(ERR_NOT_FOUND, "deploy %" PRId64 " made no"
		    " release", number);
	if (err == NULL)
		*target = xstrdup(deploy.release);
	deploy_release(&deploy);
	return err;
}

static const struct err *
find_target(struct call *call, char **target)
{
	*target = NULL;
	if (call->words.n == 0)
		return NULL;
	if (!store_is_release(call->words.v[0]))
		return target_of_deploy(call, call->words.v[0], target);
	*target = xstrdup(call->words.v[0]);
	return NULL;
}

/* What cannot work is said now, and does not become a deploy. */
static const struct err *
check_target(const struct call *call, const char *name)
{
	struct release target, live;
	const struct err *err;

	err = release_get_target(call->hub.journal, call->env->name, name,
	    &target, &live);
	release_release(&target);
	release_release(&live);
	return err;
}

/* "  updb of deploy 41: bin/migrate down". */
static const struct err *
add_undo(const struct step *step, void *ctx)
{
	struct str *out = ctx;

	str_add(out, "  ");
	line_text(out, step->action);
	str_addf(out, " of deploy %" PRId64, step->deploy);
	str_add(out, step->undo == NULL ? " cannot be undone" : ": ");
	line_text(out, step->undo);
	str_addch(out, '\n');
	return NULL;
}

/* "production goes back to release ... (1a2b3c4), live since ...". */
static const struct err *
say_target(const struct call *call, const char *name)
{
	struct release target, live;
	struct str line = STR_INIT;
	const struct err *err;

	err = release_get_target(call->hub.journal, call->env->name, name,
	    &target, &live);
	if (err == NULL) {
		str_addf(&line, "%s goes back to release %s (%.7s%s), which"
		    " became live on ", call->env->name, target.name,
		    target.commit, strcmp(target.commit, live.commit) == 0 ?
		    ", the commit that is live" : "");
		clock_add_local(&line, target.live_at);
		fprintf(stderr, "%s.\n", line.s);
	}
	release_release(&target);
	release_release(&live);
	str_release(&line);
	return err;
}

/* Code comes back by itself; whose data are undone, is asked first. */
static const struct err *
confirm_undo(const struct call *call, const char *target)
{
	struct str lines = STR_INIT;
	const struct err *err;

	if (!confirm_is_wanted(call))
		return NULL;
	err = rollback_each(&call->hub, call->env, target, add_undo, &lines);
	if (err == NULL && lines.len > 0) {
		err = say_target(call, target);
		fprintf(stderr, "This rollback undoes, in this order:\n%s",
		    lines.s);
		if (err == NULL)
			err = confirm_ask("Go on?");
	}
	str_release(&lines);
	return err;
}

static const struct err *
run_rollback(struct call *call)
{
	struct deploy request = DEPLOY_INIT;
	const struct err *err;

	err = cmd_open(call, DB_WRITE, call->words.n == 0 ||
	    store_is_release(call->words.v[0]));
	if (err == NULL)
		err = find_target(call, &request.target);
	if (err == NULL)
		err = check_target(call, request.target);
	if (err == NULL)
		err = confirm_undo(call, request.target);
	if (err == NULL) {
		fill_request(call, &request, "rollback");
		request.commit = xstrdup("");
		err = cmd_request(call, &request, NULL);
	}
	deploy_release(&request);
	return err;
}

static const struct cmd_option rollback_options[] = {
	{ 'y', "yes", NULL, "do not ask, also on a terminal" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_rollback = {
	.name = "rollback",
	.words = "[RELEASE|N]",
	.words_max = 1,
	.summary = "make an earlier release live again, database included",
	.help = "Go back to the release that was live before, or to RELEASE,"
	    " or to the release of deploy N. The \"undo\" commands of every"
	    " deploy in between run first, newest first; what cannot be"
	    " undone is told. When something would be undone, and standard"
	    " input and error are a terminal, that is told first, and you"
	    " are asked; nobody is asked otherwise, or with -y.",
	.example = "slipway rollback -C /srv/shop.git\n"
	    "slipway rollback -C /srv/shop.git 20261119090000",
	.json = true,
	.options = rollback_options,
	.run = run_rollback,
};
