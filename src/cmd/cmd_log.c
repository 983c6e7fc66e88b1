/*
 * slipway log, show - what happened.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/filter.h"
#include "deploy/queue.h"
#include "file.h"
#include "journal/deploy.h"
#include "plan/takes.h"
#include "report/left.h"
#include "report/line.h"
#include "report/pattern.h"
#include "report/summary.h"
#include "report/table.h"
#include "report/view.h"

/* Where the rows of one listing go. */
struct listing {
	struct call *call;
	const char *pattern;	/* NULL: none was given */
	struct table_columns columns;
	struct str *out;
	struct json json;
	size_t n;
};

static const struct err *
list_one(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct listing *listing = ctx;
	const struct config *config = listing->call->hub.config;
	const struct environment *env = config == NULL ? NULL :
	    config_environment(config, deploy->environment);

	listing->n++;
	if (listing->call->json)
		return table_json(&listing->json, journal, deploy);
	if (listing->pattern != NULL)
		return pattern_add(listing->out, listing->pattern, journal,
		    deploy);
	/* Where it deploys one branch alone, that is known. */
	listing->columns.refs = env != NULL && takes_several(env);
	return table_log_line(listing->out, &listing->columns, journal,
	    deploy);
}

/* Of none at all, or of none of those that are asked for. */
static const struct err *
say_none(const struct call *call)
{
	struct deploy newest;
	const struct err *err;

	err = deploy_get_newest(call->hub.journal, NULL, &newest);
	if (err == NULL)
		fprintf(stderr, "slipway: %s\n", newest.number == 0 ?
		    "nothing was deployed yet" : "there is no such deploy");
	deploy_release(&newest);
	return err;
}

/* Without a config nobody knows how long the names are. */
static void
choose_columns(struct table_columns *columns, const struct config *config)
{
	for (size_t i = 0; config != NULL && i < config->n_environments;
	    i++) {
		size_t len = strlen(config->environments[i].name);

		if (len > columns->environment_width)
			columns->environment_width = len;
	}
}

static const struct err *
list_all(struct listing *listing, const struct deploy_filter *filter)
{
	const struct call *call = listing->call;
	const struct err *err;

	if (call->json)
		json_array(&listing->json);
	else if (listing->pattern == NULL)
		table_log_head(listing->out, &listing->columns);
	err = filter_each(call, filter, list_one, listing);
	if (call->json) {
		json_end(&listing->json);
		str_addch(listing->out, '\n');
	}
	return err;
}

static const struct err *
run_log(struct call *call)
{
	struct str out = STR_INIT;
	struct listing listing = {
		.call = call,
		.pattern = call_value(call, "format"),
		.out = &out,
		.json = JSON_INIT(&out),
	};
	struct deploy_filter filter = { 0 };
	const struct err *err = NULL;

	listing.json.pretty = true;
	if (call->json && listing.pattern != NULL)
		err = err_new(ERR_USAGE, "--json and --format are two"
		    " results; ask for one of them");
	else if (listing.pattern != NULL)
		err = pattern_check(listing.pattern);
	if (err == NULL)
		err = cmd_open_journal(call);
	if (err == NULL)
		err = filter_read(&filter, call);
	choose_columns(&listing.columns, call->hub.config);
	if (err == NULL)
		err = list_all(&listing, &filter);
	/* The head of a table that is empty would be all there is. */
	if (listing.n == 0 && !call->json)
		str_clear(&out);
	if (err == NULL)
		err = cmd_print(&out);
	if (err == NULL && listing.n == 0 && !call->json)
		err = say_none(call);
	filter_release(&filter);
	str_release(&out);
	return err;
}

static const struct cmd_option log_options[] = {
	{ 'n', "limit", "N", "at most N deploys (20)" },
	{ 0, "author", "TEXT", "whose author or pusher contains TEXT" },
	{ 0, "pusher", "TEXT", "whose pusher contains TEXT" },
	{ 0, "since", "WHEN", "requested since WHEN: 2026-11-20, friday,"
	    " \"3 days ago\"" },
	{ 0, "until", "WHEN", "requested before WHEN" },
	{ 0, "state", "STATE", "in this state, or in one of several (with"
	    " commas, or the option again): queued, preparing, prepared,"
	    " activating, live, retired, failed, rolled-back, broken,"
	    " superseded, cancelled" },
	{ 0, "kind", "KIND", "deploy or rollback" },
	{ 'd', "directive", "NAME", "for which -NAME- was asked" },
	{ 0, "commit", "REV", "of this commit" },
	{ 0, "path", "PATH", "that changed what the site has at PATH" },
	{ 0, "reverse", NULL, "the oldest of them first" },
	{ 0, "format", "TEXT", "a line of this form for each: \"{deploy}"
	    " {state} {short} {subject}\"" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_log = {
	.name = "log",
	.words = "",
	.summary = "list deploys: what went live when, and who did it",
	.help = "List deploys, newest first. Of several options all have to"
	    " be met; -e ENV is one, too. In --format a name of the JSON"
	    " object in braces stands for its value, which is made visible"
	    " as for a terminal: a record is one line.",
	.example = "slipway log -C /srv/shop.git --since friday\n"
	    "slipway log -C /srv/shop.git --state"
	    " failed,rolled-back,broken --json\n"
	    "slipway log -C /srv/shop.git -d updb --format '{deploy}"
	    " {short} {pusher}'",
	.json = true,
	.options = log_options,
	.environment_help = CMD_ALL_ENVIRONMENTS,
	.run = run_log,
};

/* Deploy N, or the newest. */
static const struct err *
find_shown(struct call *call, struct deploy *deploy)
{
	const struct err *err;
	int64_t number;

	if (call->words.n > 0) {
		err = cmd_number(&number, call->words.v[0]);
		if (err == NULL)
			err = deploy_get(call->hub.journal, number, deploy);
		if (err == NULL && call->environment != NULL &&
		    strcmp(deploy->environment, call->environment) != 0)
			err = err_new(ERR_USAGE, "deploy %" PRId64 " was one"
			    " of %s", number, deploy->environment);
		return err;
	}
	err = deploy_get_newest(call->hub.journal, call->environment,
	    deploy);
	if (err == NULL && deploy->number == 0)
		err = err_new(ERR_NOT_FOUND, "nothing was deployed yet");
	return err;
}

static const struct err *
follow(struct call *call, const struct deploy *deploy)
{
	struct view_spec spec = {
		.hub = &call->hub,
		.deploy = deploy->number,
		.environment = deploy->environment,
		.part = VIEW_ALL,
		.out_fd = call->json ? STDERR_FILENO : STDOUT_FILENO,
		/* A runner must be its owner's. */
		.wake = hub_check_owner(call->hub.path) == NULL ?
		    queue_wake : NULL,
		.follow = true,
	};
	int64_t last;

	return cmd_view(call, &spec, &last);
}

/* Where what it made can be looked at, on this machine. */
static void
add_kept(struct str *out, const struct call *call, const struct deploy *deploy)
{
	const struct config *config = call->hub.config;
	const struct environment *env = config == NULL ? NULL :
	    config_environment(config, deploy->environment);
	char *path;

	if (env == NULL || deploy->release == NULL)
		return;
	path = xasprintf("%s/.slipway/failed/%s", env->set.root,
	    deploy->release);
	if (file_exists(AT_FDCWD, path))
		line_pair(out, "kept in", path);
	free(path);
}

static const struct err *
print_shown(struct call *call, const struct deploy *deploy)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;
	bool abandoned;

	json.pretty = true;
	if (call->json) {
		err = table_json(&json, call->hub.journal, deploy);
		str_addch(&out, '\n');
	} else {
		err = left_is_abandoned(&call->hub, deploy, &abandoned);
		if (err == NULL)
			err = table_show(&out, call->hub.journal, deploy,
			    abandoned);
		if (err == NULL && abandoned) {
			line_label(&out, "left");
			str_add(&out, "its runner is gone: slipway resume"
			    " -C ");
			str_add(&out, call->hub.word);
			str_addch(&out, '\n');
		}
		if (err == NULL)
			add_kept(&out, call, deploy);
	}
	if (err == NULL)
		err = cmd_print(&out);
	str_release(&out);
	return err;
}

/* What to do next is not what it was then. */
static const struct err *
is_past(const struct call *call, const struct deploy *deploy, bool *is)
{
	struct deploy newest;
	const struct err *err;

	err = deploy_get_newest(call->hub.journal, deploy->environment,
	    &newest);
	*is = deploy_is_over(deploy->state) && deploy->state != DEPLOY_LIVE &&
	    newest.number > deploy->number;
	deploy_release(&newest);
	return err;
}

/* What was said while it ran, as far as it is there. */
static const struct err *
print_output(struct call *call, const struct deploy *deploy)
{
	struct view_spec spec = {
		.hub = &call->hub,
		.deploy = deploy->number,
		.environment = deploy->environment,
		.part = VIEW_ALL,
		.out_fd = STDOUT_FILENO,
	};
	int64_t last;

	return view_deploy(&spec, &last);
}

static const struct err *
run_show(struct call *call)
{
	struct deploy deploy = DEPLOY_INIT;
	const struct err *err;
	bool following = call_has(call, "follow"), past;
	int64_t number;

	err = cmd_open_journal(call);
	if (err == NULL)
		err = find_shown(call, &deploy);
	number = deploy.number;
	if (err == NULL)
		err = is_past(call, &deploy, &past);
	if (err == NULL)
		summary_for_past(past);
	if (err == NULL && following) {
		err = follow(call, &deploy);
		deploy_release(&deploy);
		if (err == NULL)
			err = deploy_get(call->hub.journal, number, &deploy);
	} else if (err == NULL && !call->json) {
		err = print_output(call, &deploy);
	}
	if (err == NULL && (call->json || !following))
		err = print_shown(call, &deploy);
	deploy_release(&deploy);
	return err;
}

static const struct cmd_option show_options[] = {
	{ 'f', "follow", NULL, "watch it until it is over" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_show = {
	.name = "show",
	.words = "[N]",
	.words_max = 1,
	.summary = "show one deploy: its steps, times and output",
	.help = "Show deploy N, or the newest: what its commands printed,"
	    " who asked for it, what each commit asked for, the steps with"
	    " their times, and how it ended.",
	.example = "slipway show -C /srv/shop.git 41\n"
	    "slipway show -C /srv/shop.git --follow",
	.json = true,
	.options = show_options,
	.run = run_show,
};
