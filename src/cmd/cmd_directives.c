/*
 * slipway directives - what do these commits ask for?
 *
 * It needs no server and no repository of Slipway's: it is for a
 * developer's clone, before a push or after a pull.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/clone.h"
#include "cmd/cmd.h"
#include "json.h"
#include "plan/plan.h"
#include "proc.h"
#include "report/line.h"

#define DEFAULT_RANGE "@{upstream}..HEAD"

/* Everything about one answer. */
struct asking {
	const struct call *call;
	struct clone clone;
	const char *range;
	struct str branch;	/* of the default range */
	struct str upstream;	/* likewise; empty for any other */
	bool all;		/* whatever HEAD reaches */
	struct str since;	/* the range, where git knows no upstream */
	size_t n_commits;
	struct directives list;
	struct vec subjects;	/* "COMMIT SUBJECT" of those that ask */
	struct config *config;	/* the clone's own; NULL: it has none */
	const struct environment *env;
	struct plan plan;	/* of that */
};

static const struct err *
one_commit(const char *commit, const char *message, void *ctx)
{
	struct asking *asking = ctx;
	size_t before = asking->list.n;
	const struct err *err;

	asking->n_commits++;
	err = directives_scan(&asking->list, message, commit);
	if (asking->list.n > before)
		vec_pushf(&asking->subjects, "%s %.*s", commit,
		    (int)strcspn(message, "\n"), message);
	return err;
}

static const char *
subject_of(const struct asking *asking, const char *commit)
{
	size_t len = strlen(commit);

	for (size_t i = 0; i < asking->subjects.n; i++) {
		if (strncmp(asking->subjects.v[i], commit, len) == 0)
			return asking->subjects.v[i] + len + 1;
	}
	return "";
}

/*
 * "git push REMOTE BRANCH" sets no upstream, and leaves what is there now.
 * One remote that has the branch is as good; of several, who knows.
 */
static const struct err *
only_remote(struct asking *asking)
{
	const char *branch = asking->branch.s;
	struct vec names = VEC_INIT, others = VEC_INIT;
	struct str list = STR_INIT;
	const struct err *err;

	err = clone_tracked(&asking->clone, branch, &names);
	if (err == NULL && names.n == 0)
		err = clone_tracked(&asking->clone, NULL, &others);
	vec_join(&names, ", ", &list);
	if (err == NULL && names.n == 1) {
		str_add(&asking->upstream, names.v[0]);
		str_addf(&asking->since, "%s..HEAD", names.v[0]);
		asking->range = asking->since.s;
	} else if (err == NULL && names.n == 0 && others.n == 0) {
		asking->all = true;
	} else if (err == NULL) {
		err = err_new(ERR_USAGE, "branch %s has no upstream to"
		    " compare it with, and %s%s; name the commits, as in:"
		    " slipway directives %s..HEAD; or all of them: slipway"
		    " directives --all; or give it one: git push"
		    " -u REMOTE %s", branch, names.n == 0 ? "no remote has"
		    " it yet" : "several remotes have it: ", list.len == 0 ?
		    "" : list.s, names.n == 0 ? "REV" : names.v[0], branch);
	}
	vec_release(&names);
	vec_release(&others);
	str_release(&list);
	return err;
}

/* What is not on the upstream yet: of which branch, and of which upstream. */
static const struct err *
default_range(struct asking *asking)
{
	const struct err *err;
	bool found;

	err = clone_name(&asking->clone, "HEAD", true, &asking->branch,
	    &found);
	if (err == NULL && !found)
		return err_new(ERR_USAGE, "there is no commit here yet");
	if (asking->all)
		return err;
	if (err == NULL)
		err = clone_name(&asking->clone, "@{upstream}", true,
		    &asking->upstream, &found);
	if (err == NULL && !found && strcmp(asking->branch.s, "HEAD") == 0)
		err = err_new(ERR_USAGE, "HEAD is on no branch; name the"
		    " commits, as in: slipway directives origin/main..HEAD");
	else if (err == NULL && !found)
		err = only_remote(asking);
	return err;
}

static const struct err *
read_commits(struct asking *asking)
{
	const struct err *err = NULL;

	asking->range = DEFAULT_RANGE;
	asking->all = call_has(asking->call, "all");
	if (asking->all && asking->call->words.n > 0)
		return err_new(ERR_USAGE, "--all and %s are two ranges; name"
		    " one", asking->call->words.v[0]);
	if (asking->call->words.n > 0)
		asking->range = asking->call->words.v[0];
	else
		err = default_range(asking);
	if (asking->all)
		asking->range = "HEAD";
	return err != NULL ? err : clone_log(&asking->clone, asking->range,
	    asking->all, one_commit, asking);
}

/* The same plan that a server makes of the same words. */
static const struct err *
read_plan(struct asking *asking)
{
	const char *name = asking->call->environment;
	struct hub hub = HUB_INIT;
	struct vec changed = VEC_INIT;
	const struct err *err;

	err = clone_config(&asking->clone, &asking->config);
	if (err != NULL || asking->config == NULL)
		return err;
	hub.config = asking->config;
	err = hub_environment(&hub, name, &asking->env);
	if (err == NULL)
		err = clone_changed(&asking->clone, asking->range,
		    asking->all, &changed);
	if (err == NULL)
		err = plan_make(&asking->plan, asking->config, asking->env,
		    &asking->list, &changed);
	vec_release(&changed);
	return err;
}

/* "  -updb-  2800b5a (message)  prices". */
static void
add_directive(struct str *out, const struct asking *asking,
    const struct directive *directive)
{
	str_addf(out, "-%s%s", directive->name,
	    directive->argument[0] == '\0' ? "" : ":");
	line_text(out, directive->argument);
	str_add(out, "-  ");
	line_commit(out, directive->commit);
	str_addf(out, " (%s)  ", directive->source);
	line_cut(out, subject_of(asking, directive->commit),
	    LINE_SUBJECT_MAX);
	str_trim_end(out);
	str_addch(out, '\n');
}

static void
json_directives(struct json *json, const struct asking *asking)
{
	json_key(json, "directives");
	json_array(json);
	for (size_t i = 0; i < asking->list.n; i++) {
		const struct directive *directive = &asking->list.v[i];

		json_object(json);
		json_key_string(json, "name", directive->name);
		json_key_string(json, "argument",
		    directive->argument[0] == '\0' ? NULL :
		    directive->argument);
		json_key_string(json, "commit", directive->commit);
		json_key_string(json, "source", directive->source);
		json_key_string(json, "subject", subject_of(asking,
		    directive->commit));
		json_end(json);
	}
	json_end(json);
}

static void
json_actions(struct json *json, const struct plan *plan)
{
	json_key(json, "actions");
	json_array(json);
	for (size_t i = 0; i < plan->n_items; i++) {
		const struct action *action = plan->items[i].action;

		json_object(json);
		json_key_string(json, "phase", phase_name(action->phase));
		json_key_string(json, "action", action->name);
		json_key_string(json, "run", action->run);
		json_key_string(json, "argument", plan->items[i].argument);
		json_end(json);
	}
	json_end(json);
}

static const struct err *
print(const struct asking *asking)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;

	json.pretty = true;
	for (size_t i = 0; !asking->call->json && i < asking->list.n; i++)
		add_directive(&out, asking, &asking->list.v[i]);
	if (asking->call->json) {
		json_object(&json);
		json_key_string(&json, "range", asking->range);
		json_key_bool(&json, "all", asking->all);
		json_key_string(&json, "branch", asking->branch.len == 0 ?
		    NULL : asking->branch.s);
		json_key_string(&json, "upstream",
		    asking->upstream.len == 0 ? NULL : asking->upstream.s);
		json_key_int(&json, "commits", (int64_t)asking->n_commits);
		json_directives(&json, asking);
		json_actions(&json, &asking->plan);
		json_end(&json);
		str_addch(&out, '\n');
	}
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

/* What was looked at, and what was not found there: for people. */
static void
tell(const struct asking *asking)
{
	struct str line = STR_INIT;
	const char *s = asking->n_commits == 1 ? "" : "s";

	if (asking->upstream.len > 0) {
		line_text(&line, asking->branch.s);
		str_addf(&line, ": %zu commit%s that ", asking->n_commits, s);
		line_text(&line, asking->upstream.s);
		str_add(&line, " does not have");
	} else if (asking->all) {
		line_text(&line, asking->branch.s);
		str_addf(&line, ": %zu commit%s, the whole history",
		    asking->n_commits, s);
	} else {
		str_addf(&line, "%zu commit%s", asking->n_commits, s);
	}
	if (asking->list.n == 0)
		str_add(&line, ", and no directive");
	fprintf(stderr, "slipway: %s\n", line.s);
	str_release(&line);
}

static const struct err *
say_line(const char *line)
{
	struct str out = STR_INIT;
	const struct err *err;

	str_add(&out, "  | ");
	line_output(&out, line);
	str_addch(&out, '\n');
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static const struct err *
on_output(const char *bytes, size_t len, void *ctx)
{
	struct str *line = ctx;
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < len; i++) {
		if (bytes[i] != '\n') {
			str_addch(line, bytes[i]);
			continue;
		}
		err = say_line(line->s);
		str_clear(line);
	}
	return err;
}

static void
push_fact(struct vec *env, const char *name, const char *value)
{
	char *fact = xasprintf("SLIPWAY_%s=%s", name, value);

	vec_put_variable(env, fact);
	free(fact);
}

/*
 * The developer's environment without what git says of this repository,
 * what a server would tell of the deploy, and env.NAME. Of two with one name
 * the later one counts, so what is more to the point comes later.
 */
static void
make_env(const struct asking *asking, const struct plan_item *item,
    struct vec *env)
{
	const struct vec *sets[] = { &asking->env->set.env,
	    &item->action->env };
	struct str directives = STR_INIT, head = STR_INIT;
	bool found;

	for (size_t i = 0; i < asking->clone.env.n; i++) {
		if (!str_starts_with(asking->clone.env.v[i], "GIT_"))
			vec_put_variable(env, asking->clone.env.v[i]);
	}
	vec_join(&asking->plan.directives, " ", &directives);
	clone_name(&asking->clone, "HEAD", false, &head, &found);
	push_fact(env, "APP", asking->env->set.app);
	push_fact(env, "ENVIRONMENT", asking->env->name);
	push_fact(env, "RELEASE", asking->clone.top);
	push_fact(env, "COMMIT", head.s);
	push_fact(env, "DIRECTIVES", directives.s);
	push_fact(env, "ARGUMENT", item->argument);
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		for (size_t k = 0; k < sets[i]->n; k++)
			vec_put_variable(env, sets[i]->v[k]);
	}
	str_release(&directives);
	str_release(&head);
}

static const struct err *
run_item(const struct asking *asking, const struct plan_item *item)
{
	const struct action *action = item->action;
	const char *argv[] = { "/bin/sh", "-c", action->run, NULL };
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_result result;
	struct str line = STR_INIT;
	struct vec env = VEC_INIT;
	const struct err *err;

	make_env(asking, item, &env);
	spec.argv = argv;
	spec.env = (const char *const *)env.v;
	spec.dir = asking->clone.top;
	spec.timeout_ms = action->timeout_ms;
	spec.memory_bytes = (uint64_t)action->memory_bytes;
	spec.nice = (int)action->nice;
	str_addf(&line, "%s: ", action->name);
	line_text(&line, action->run);
	str_addch(&line, '\n');
	err = cmd_print(&line);
	str_clear(&line);
	if (err == NULL)
		err = proc_run(&result, &spec, on_output, &line);
	if (err == NULL && line.len > 0)
		err = say_line(line.s);
	if (err == NULL && result.exit_status != 0) {
		str_clear(&line);
		proc_describe(&line, &result);
		err = err_new(ERR_FAILED, "%s: %s", action->name, line.s);
	}
	str_release(&line);
	vec_release(&env);
	return err;
}

static const struct err *
run_plan(const struct asking *asking)
{
	const struct unknown *unknown = &asking->plan.unknown;
	const struct err *err = NULL;
	struct str text = STR_INIT;

	if (asking->config == NULL)
		return err_new(ERR_CONFIG, "%s/slipway.ini is not there; write"
		    " an [action NAME] with 'phase', 'directive' and 'run'"
		    " into it for what is to be run here",
		    asking->clone.common);
	if (asking->clone.top == NULL)
		return err_new(ERR_USAGE, "--run: a bare repository has no"
		    " files to run anything in");
	for (size_t i = 0; i < unknown->n; i++) {
		str_clear(&text);
		unknown_text(&text, &unknown->v[i]);
		fprintf(stderr, "slipway: not here: %s\n", text.s);
	}
	str_clear(&text);
	unknown_add_rest(&text, unknown);
	if (text.len > 0)
		fprintf(stderr, "slipway: not here: %s\n", text.s);
	str_release(&text);
	for (size_t i = 0; err == NULL && i < asking->plan.n_items; i++)
		err = run_item(asking, &asking->plan.items[i]);
	return err;
}

static const struct err *
run_directives(struct call *call)
{
	struct asking asking = {
		.call = call,
		.clone = CLONE_INIT,
		.branch = STR_INIT,
		.upstream = STR_INIT,
		.since = STR_INIT,
		.list = DIRECTIVES_INIT,
		.subjects = VEC_INIT,
	};
	bool running = call_has(call, "run");
	const struct err *err;

	if (call->json && running)
		return err_new(ERR_USAGE, "--json and --run are two results;"
		    " ask for one of them");
	err = clone_open(&asking.clone, call->dir);
	if (err == NULL)
		err = read_commits(&asking);
	if (err == NULL && (running || call->json))
		err = read_plan(&asking);
	if (err == NULL && !call->json)
		tell(&asking);
	if (err == NULL)
		err = print(&asking);
	if (err == NULL && running)
		err = run_plan(&asking);
	plan_release(&asking.plan);
	config_free(asking.config);
	directives_release(&asking.list);
	vec_release(&asking.subjects);
	str_release(&asking.branch);
	str_release(&asking.upstream);
	str_release(&asking.since);
	clone_release(&asking.clone);
	return err;
}

static const struct cmd_option options[] = {
	{ 0, "all", NULL, "every commit of this branch, as in a first push" },
	{ 0, "run", NULL, "run what slipway.ini in this clone's git folder"
	    " has for them" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_directives = {
	.name = "directives",
	.words = "[RANGE]",
	.words_max = 1,
	.summary = "what do commits ask for? in any clone, with no server",
	.help = "List the directives of the commits in RANGE, as git log takes"
	    " it; of one name without a range, that commit alone. Without"
	    " RANGE: the commits of this branch that its upstream does not"
	    " have, which a push would bring; all of them where nothing was"
	    " pushed to any remote yet, or with --all. -C is any clone here."
	    " --run runs the actions that slipway.ini in the git folder of this"
	    " clone has for them, in their order, until one fails.",
	.example = "slipway directives\n"
	    "slipway directives ORIG_HEAD..HEAD --run",
	.json = true,
	.options = options,
	.dir_help = "the clone (else the one of the current folder)",
	.environment_help = "the environment of this clone's slipway.ini,"
	    " where that has several",
	.run = run_directives,
};
