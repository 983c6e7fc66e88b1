/*
 * slipway plan - what a deploy would do, without doing it.
 */
#include <stdlib.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/request.h"
#include "deploy/branch.h"
#include "deploy/forecast.h"

static const struct err *
print(const struct call *call, const struct forecast *forecast)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;

	json.pretty = true;
	if (call->json) {
		forecast_json(&json, forecast);
		str_addch(&out, '\n');
	} else {
		forecast_text(&out, forecast);
	}
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

/* What a deploy would be refused for, as slipway deploy says it. */
static const struct err *
check(const struct call *call, const struct deploy *request,
    const struct forecast *forecast)
{
	char *which = cmd_which(call, call->env->name);
	char *force = xasprintf("slipway deploy%s --force %s", which,
	    call->words.n > 0 ? call->words.v[0] : request->commit);
	struct asked asked = {
		.env = call->env,
		.commit = request->commit,
		.seen = request->ref_old,
		.force = force,
	};
	const struct err *err = branch_check(&call->hub, &asked, NULL);

	free(force);
	free(which);
	err = err_first(err, forecast_check(forecast));
	return err == NULL ? NULL : err_add(err, "%s: this would be refused",
	    call->env->name);
}

static const struct err *
run_plan(struct call *call)
{
	struct directives options = DIRECTIVES_INIT;
	struct deploy request = DEPLOY_INIT;
	struct forecast forecast;
	const struct err *err;

	err = cmd_open(call, DB_READ, true);
	if (err == NULL)
		err = request_commit(call, &request);
	if (err == NULL)
		err = request_directives(call, &options);
	if (err == NULL) {
		err = forecast_make(&forecast, &call->hub, call->env,
		    request.commit, &options);
		if (err == NULL)
			err = print(call, &forecast);
		/* It is planned all the same: one can do something. */
		if (err == NULL)
			err = check(call, &request, &forecast);
		forecast_release(&forecast);
	}
	deploy_release(&request);
	directives_release(&options);
	return err;
}

static const struct cmd_option options_of_plan[] = {
	{ 'd', "directive", "NAME[:ARGUMENT]", "as if it were asked for; may"
	    " be repeated" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_plan = {
	.name = "plan",
	.words = "[REV]",
	.words_max = 1,
	.summary = "what a deploy would do, without doing it",
	.help = "Tell what a deploy of REV, or of the tip of the environment's"
	    " branch, would do: the commits that go live, those that leave"
	    " where it goes back, what they ask for, the files that change,"
	    " the commands in their order, the room there is, edits of the"
	    " live release, and how long it took last time."
	    " Nothing is done. The exit status is 3 when the deploy would be"
	    " refused, lacks something in shared/, or has too little room.",
	.example = "slipway plan -C /srv/shop.git\n"
	    "slipway plan -C /srv/shop.git v1.4 -d updb --json",
	.json = true,
	.options = options_of_plan,
	.run = run_plan,
};
