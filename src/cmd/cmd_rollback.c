/*
 * slipway rollback - an earlier release is asked for.
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
#include "deploy/rollback.h"
#include "journal/deploy.h"
#include "journal/release.h"
#include "release/store.h"
#include "repo.h"
#include "report/line.h"

/* Where a commit is: in a release that is gone back to, or live already. */
struct found {
	struct release kept;	/* id 0: none is */
	struct deploy live;	/* number 0: it is not */
};

static const struct err *
look_in(const struct call *call, const struct environment *env,
    const char *oid, struct found *found)
{
	struct deploy live = DEPLOY_INIT;
	const struct err *err;

	err = deploy_get_live(call->hub.journal, env->name, &live);
	if (err == NULL && live.number != 0 && strcmp(live.commit, oid) == 0
	    && found->live.number == 0) {
		found->live = live;
		return NULL;
	}
	if (err == NULL && live.number != 0 && found->kept.id == 0)
		err = release_way_back(call->hub.journal, env->name, oid, 0,
		    &found->kept);
	deploy_release(&live);
	return err;
}

/* The deploy of it that is not refused for what the branch is. */
static char *
deploy_of(const struct call *call, const char *word, const char *oid,
    const char *environment)
{
	char *which = cmd_which(call, environment);
	const struct environment *env;
	bool force = false;
	char *command;

	if (hub_environment(&call->hub, environment, &env) == NULL) {
		const struct asked asked = { .env = env, .commit = oid,
		    .force = "" };

		force = branch_check(&call->hub, &asked, NULL) != NULL;
	}
	command = xasprintf("slipway deploy %s%s%s", force ? "--force " : "",
	    word, which);
	free(which);
	return command;
}

/* Where a release of it is kept, the environment is that one's. */
static const struct err *
is_commit(const struct call *call, const char *word, const char *oid,
    const struct found *found)
{
	bool kept = found->kept.id != 0;
	const char *name = kept ? found->kept.environment :
	    call->environment;
	char *which, *back, *again;
	const struct err *err;

	if (!kept && found->live.number != 0)
		return err_new(ERR_USAGE, "'%s' is commit %.7s, which is live"
		    " in %s already, as release %s; a rollback goes to"
		    " another release", word, oid, found->live.environment,
		    found->live.release);
	which = cmd_which(call, name);
	again = deploy_of(call, word, oid, name);
	back = !kept ? xstrdup("") : xasprintf("slipway rollback %s%s goes"
	    " to the one of it; ", found->kept.name, which);
	err = err_new(ERR_USAGE, "'%s' is commit %.7s, and a rollback goes to"
	    " a release: %sto deploy it, without undoing anything: %s", word,
	    oid, back, again);
	free(again);
	free(back);
	free(which);
	return err;
}

/* Somebody names what is to be live, and not where that is. */
static const struct err *
no_target(const struct call *call, const char *word)
{
	const struct config *config = call->hub.config;
	struct found found = { .live = DEPLOY_INIT };
	char oid[REPO_OID_SIZE];
	struct repo *repo = NULL;
	const struct err *err;

	err = repo_open(&repo, call->hub.path, false);
	if (err == NULL)
		err = repo_resolve(repo, word, oid);
	repo_close(repo);
	if (err != NULL)
		return err_new(ERR_USAGE, "'%s' is neither a release (14"
		    " digits) nor a deploy number", word);
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (call->environment == NULL ||
		    strcmp(call->environment, env->name) == 0)
			err = look_in(call, env, oid, &found);
	}
	if (err == NULL)
		err = is_commit(call, word, oid, &found);
	release_release(&found.kept);
	deploy_release(&found.live);
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

	err = rollback_target(&call->hub, call->env, name, &target, &live);
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
		request_fill(call, &request, "rollback");
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
