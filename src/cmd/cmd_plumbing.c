/*
 * slipway cleanup, verify, runner, agent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "deploy/runner.h"
#include "deploy/work.h"
#include "host/agent.h"
#include "journal/chain.h"
#include "json.h"

static const struct err *
print_removed(struct call *call, const struct vec *removed)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;

	if (call->json)
		json_array(&json);
	for (size_t i = 0; i < removed->n; i++) {
		if (call->json)
			json_string(&json, removed->v[i]);
		else
			str_addf(&out, "removed %s\n", removed->v[i]);
	}
	if (call->json) {
		json_end(&json);
		str_addch(&out, '\n');
	} else if (removed->n == 0) {
		str_add(&out, "nothing to remove\n");
	}
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static const struct err *
run_cleanup(struct call *call)
{
	struct vec removed = VEC_INIT, stays = VEC_INIT;
	const struct err *err;

	err = cmd_open(call, DB_WRITE, true);
	if (err == NULL)
		err = runner_cleanup(&call->hub, call->env, &removed,
		    &stays);
	for (size_t i = 0; i < stays.n; i++)
		err_print("slipway", err_new(ERR_FAILED, "%s", stays.v[i]));
	if (err == NULL)
		err = print_removed(call, &removed);
	vec_release(&removed);
	vec_release(&stays);
	return err;
}

const struct cmd cmd_cleanup = {
	.name = "cleanup",
	.words = "",
	.summary = "remove releases that are no longer needed",
	.help = "Remove what the end of a deploy removes: all but the last"
	    " \"keep\" releases that were live. The live release, the one"
	    " before it, and one in which a process has its working folder"
	    " always stay.",
	.example = "slipway cleanup -C /srv/shop.git",
	.json = true,
	.run = run_cleanup,
};

static const struct err *
print_verdict(struct call *call, const struct vec *faults, int64_t events,
    const char *head)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;

	if (call->json) {
		json.pretty = true;
		json_object(&json);
		json_key_int(&json, "events", events);
		json_key_string(&json, "head", head);
		json_key(&json, "faults");
		json_array(&json);
		for (size_t i = 0; i < faults->n; i++)
			json_string(&json, faults->v[i]);
		json_end(&json);
		json_end(&json);
		str_addch(&out, '\n');
	} else {
		for (size_t i = 0; i < faults->n; i++)
			str_addf(&out, "%s\n", faults->v[i]);
		if (faults->n == 0)
			str_add(&out, "the chain is whole, and every row is as"
			    " its last event has it\n");
		str_addf(&out, "%" PRId64 " events, head %s\n", events,
		    head);
	}
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static const struct err *
run_verify(struct call *call)
{
	struct vec faults = VEC_INIT;
	const struct err *err;
	int64_t events;
	char head[65];

	err = cmd_open_journal(call);
	if (err == NULL)
		err = journal_check(call->hub.journal);
	if (err == NULL)
		err = chain_verify(call->hub.journal, &faults, &events,
		    head);
	if (err == NULL)
		err = print_verdict(call, &faults, events, head);
	if (err == NULL && faults.n > 0)
		err = err_new(ERR_CORRUPT, "the journal was changed behind"
		    " Slipway's back: %zu fault%s; put back what was there,"
		    " from a backup of %s/slipway/journal.db, and see who may"
		    " write there", faults.n, faults.n == 1 ? "" : "s",
		    call->hub.path);
	vec_release(&faults);
	return err;
}

const struct cmd cmd_verify = {
	.name = "verify",
	.words = "",
	.summary = "check that nobody has edited the journal",
	.help = "Check the hash chain of the journal's events, and every row"
	    " against its last event. Exits with 1 when an edited or a"
	    " missing row is found.",
	.example = "slipway verify -C /srv/shop.git",
	.json = true,
	.all_environments = true,
	.run = run_verify,
};

static const struct cmd_option runner_options[] = {
	{ 0, "hold", NULL, "be ready, and begin when standard input ends" },
	{ 0, NULL, NULL, NULL },
};

static const struct err *
run_runner(struct call *call)
{
	bool held = call_has(call, "hold");
	struct fleet *started = NULL;
	const struct err *err;

	err = cmd_open_config(call, DB_WRITE, true);
	/* They get ready while somebody writes into the journal. */
	if (err == NULL && held)
		(void)work_start_hosts(&started, &call->hub, call->env);
	if (err == NULL)
		err = cmd_journal(call, DB_WRITE);
	if (err == NULL)
		err = runner_serve(&call->hub, call->env, &started,
		    held ? STDIN_FILENO : -1);
	fleet_close(started);
	return err;
}

const struct cmd cmd_runner = {
	.name = "runner",
	.words = "",
	.summary = "deploy what waits in an environment's queue",
	.help = "Take what waits, deploy it, and end. Leaves at once when"
	    " another runner is at work. Hooks and commands start it by"
	    " themselves.",
	.example = "slipway runner -C /srv/shop.git -e production",
	.plumbing = true,
	.options = runner_options,
	.run = run_runner,
};

static const struct err *
run_agent(struct call *call)
{
	(void)call;
	return agent_serve(STDIN_FILENO, STDOUT_FILENO);
}

const struct cmd cmd_agent = {
	.name = "agent",
	.words = "",
	.summary = "hold the releases of this host for a runner",
	.help = "Read requests on standard input and answer on standard"
	    " output. The runner starts it on every host.",
	.example = "slipway agent",
	.plumbing = true,
	.run = run_agent,
};
