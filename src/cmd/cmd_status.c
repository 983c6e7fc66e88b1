/*
 * slipway status - how things stand.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/hooks.h"
#include "deploy/leaving.h"
#include "deploy/tip.h"
#include "journal/deploy.h"
#include "plan/takes.h"
#include "release/store.h"
#include "report/handmade.h"
#include "report/left.h"
#include "report/line.h"
#include "report/table.h"

static const struct err *
status_one(struct call *call, const struct environment *env, struct str *out,
    struct json *json, const struct vec *left, const char *claim,
    struct str *fault)
{
	struct table_place place = {
		.environment = env->name,
		.root = env->set.root,
		.left = left,
		.claim = claim,
		.refs = takes_several(env),
	};
	char *where = cmd_where(call), *which = cmd_which(call, env->name);
	struct journal *journal = call->hub.journal;
	struct str tip = STR_INIT, handmade = STR_INIT;
	struct leaving leaving = LEAVING_INIT;
	const struct err *err;

	place.which = which;
	place.n_handmade = handmade_add(&handmade, env, which);
	place.handmade = handmade.s;
	/* What the journal knows is told of a broken repository, too. */
	err = claim != NULL ? NULL : tip_add(&tip, &call->hub, env, where);
	if (err == NULL && claim == NULL)
		err = leaving_find_live(&leaving, &call->hub, env);
	if (err != NULL)
		str_add(&tip, err->text);
	place.leaving = &leaving;
	place.not_live = tip.len == 0 ? NULL : tip.s;
	if (call->json)
		err = table_status_json(json, journal, &place, fault);
	else
		err = table_status(out, journal, &place, fault);
	leaving_release(&leaving);
	str_release(&tip);
	str_release(&handmade);
	free(which);
	free(where);
	return err;
}

/*
 * A broken environment needs a hand, and says so by the exit status; so
 * does one in which something was left half done. Standard output has
 * the whole of it.
 */
static const struct err *
check_broken(struct call *call, const struct environment *env,
    const struct vec *left, const char *claim, const struct str *fault)
{
	struct deploy deploy;
	const struct err *err;
	int64_t number;
	char *where;

	err = deploy_get_newest(call->hub.journal, env->name, &deploy);
	number = deploy.number;
	deploy_release(&deploy);
	where = cmd_where(call);
	/* A push that joined one that was under way is what became of it. */
	if (err == NULL && number != 0)
		err = deploy_get_last(call->hub.journal, number, &deploy);
	if (err == NULL && number != 0 && deploy.state == DEPLOY_BROKEN)
		err = err_new(ERR_BROKEN, "%s: deploy %" PRId64 " is broken"
		    " and needs a hand; slipway show %" PRId64 "%s tells why,"
		    " and what to do is told under " LINE_BROKEN, env->name,
		    deploy.number, deploy.number, where);
	else if (err == NULL && left->n > 0)
		err = err_new(ERR_FAILED, "%s: work was left undone; to have"
		    " it finished: slipway resume -C %s", env->name,
		    call->hub.word);
	else if (err == NULL && claim != NULL)
		err = err_new(ERR_FAILED, "%s: every deploy would fail, since"
		    " the root is another's", env->name);
	else if (err == NULL && fault->len > 0)
		err = err_new(ERR_FAILED, "%s: current does not point to"
		    " what is live", env->name);
	deploy_release(&deploy);
	free(where);
	return err;
}

/* What would have every push refused. Others cannot judge that. */
static void
warn_of_config(const struct call *call)
{
	struct hub own = {
		.path = call->hub.path,
		.word = call->hub.word,
	};
	const struct err *err = NULL;

	if (hub_check_owner(own.path) == NULL)
		err = hub_config(&own);
	if (err != NULL)
		err_print("slipway: warning", err);
	hub_forget_config(&own);
}

/* Everything of one environment; what "broken" keeps is its exit status. */
static const struct err *
add_environment(struct call *call, const struct environment *env,
    struct str *out, struct json *json, struct err_kept *broken)
{
	struct str fault = STR_INIT;
	struct vec left = VEC_INIT;
	const struct err *err;
	char *claim = NULL;

	err = store_check_root(env->set.root, call->hub.path, env->name);
	if (err != NULL)
		claim = xstrdup(err->text);
	err = left_find(&call->hub, env, &left);
	if (err == NULL)
		err = status_one(call, env, out, json, &left, claim, &fault);
	if (err == NULL)
		err_keep(broken, check_broken(call, env, &left, claim,
		    &fault));
	str_release(&fault);
	vec_release(&left);
	free(claim);
	return err;
}

/*
 * What concerns the repository, and none of the environments above alone: a
 * push that was refused, and what was left where no environment is any more.
 */
static const struct err *
add_repository(struct call *call, const struct err *nameless, struct str *out)
{
	struct str lines = STR_INIT, hooks = STR_INIT;
	const struct err *err;

	hooks_add_fault(&hooks, &call->hub);
	line_pair(&lines, "hooks", hooks.len == 0 ? NULL : hooks.s);
	str_release(&hooks);
	if (nameless != NULL)
		line_pair(&lines, "left", nameless->text);
	err = table_refused(&lines, call->hub.journal);
	if (lines.len > 0) {
		str_add(out, "repository: ");
		line_text(out, call->hub.path);
		str_addf(out, "\n%s", lines.s);
	}
	str_release(&lines);
	return err;
}

static const struct err *
run_status(struct call *call)
{
	const struct config *config;
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	struct err_kept broken = ERR_KEPT_INIT;
	const struct err *err, *nameless = NULL;

	json.pretty = true;
	err = cmd_open(call, DB_READ, false);
	if (err != NULL)
		return err;
	config = call->hub.config;
	warn_of_config(call);
	if (call->json)
		json_array(&json);
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (call->env == NULL || call->env == env)
			err = add_environment(call, env, &out, &json,
			    &broken);
	}
	if (call->env == NULL)
		nameless = left_find_nameless(&call->hub);
	if (call->json) {
		json_end(&json);
		str_addch(&out, '\n');
	} else if (err == NULL) {
		err = add_repository(call, nameless, &out);
		if (nameless != NULL)
			nameless = err_new(nameless->code, "a deploy was left"
			    " in an environment that slipway.ini does not"
			    " have");
	}
	err_keep(&broken, nameless);
	if (err == NULL)
		err = cmd_print(&out);
	str_release(&out);
	return err_first(err, err_kept(&broken));
}

const struct cmd cmd_status = {
	.name = "status",
	.words = "",
	.summary = "what is live, what is under way, what waits",
	.help = "Tell for each environment which release is live, since when"
	    " and by whom, what is under way and what waits. The exit status"
	    " is 6 when the last deploy of an environment is broken, and 1"
	    " when \"current\" does not point to what is live, when the root"
	    " is another's, or when work was left that nobody is doing:"
	    " slipway resume.",
	.example = "slipway status -C /srv/shop.git",
	.json = true,
	.environment_help = CMD_ALL_ENVIRONMENTS,
	.run = run_status,
};
