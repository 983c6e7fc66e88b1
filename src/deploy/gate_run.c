/*
 * The project's own checks. They run on a checkout of what is still in
 * quarantine, which is gone afterwards, and see what an action sees; of git's
 * variables, none.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/chained.h"
#include "deploy/facts.h"
#include "deploy/gate_part.h"
#include "host/wire.h"
#include "plan/plan.h"
#include "proc.h"
#include "release/trial.h"

/* Longer lines are shown in pieces. */
#define LINE_MAX_BYTES 4096

/* With these a shell ends whose command could not be run. */
#define CANNOT_RUN 126
#define NOT_FOUND 127

/* What the command prints, until there is a line. */
struct output {
	struct gate *gate;
	struct str line;
};

static void __attribute__((format(printf, 2, 3)))
say(struct gate *gate, const char *fmt, ...)
{
	struct str line = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	gate->say(line.s, gate->say_ctx);
	str_release(&line);
}

/* As on a terminal: what stands behind the last carriage return stays. */
static void
say_line(struct output *output)
{
	struct str *line = &output->line;
	const char *from;

	while (line->len > 0 && line->s[line->len - 1] == '\r')
		str_truncate(line, line->len - 1);
	from = memrchr(line->s, '\r', line->len);
	say(output->gate, "| %s", from == NULL ? line->s : from + 1);
	str_clear(line);
}

static const struct err *
on_output(const char *bytes, size_t len, void *ctx)
{
	struct output *output = ctx;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' || output->line.len >= LINE_MAX_BYTES)
			say_line(output);
		/* A NUL would hide what follows it. */
		if (bytes[i] != '\n')
			str_addch(&output->line, bytes[i] == '\0' ? '?' :
			    bytes[i]);
	}
	return NULL;
}

/* The names that were asked for and that an action takes. */
static const struct err *
add_names(struct gate *gate, const struct candidate *candidate,
    struct vec *names)
{
	struct directives list = DIRECTIVES_INIT;
	const struct config *config = gate->hub->config;
	const struct err *err = gate_collect(gate, candidate, &list);

	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		if (action->directive != NULL &&
		    config_action_applies(action, candidate->env) &&
		    directives_has(&list, action->directive))
			vec_push_new(names, action->directive);
	}
	directives_release(&list);
	return err;
}

static void
add_host(const struct gate *gate, const struct environment *env,
    struct vec *out)
{
	const struct host **hosts;
	struct str roles = STR_INIT;

	config_hosts(gate->hub->config, env, &hosts);
	vec_join(&hosts[0]->roles, " ", &roles);
	vec_pushf(out, "SLIPWAY_HOST=%s", hosts[0]->name);
	vec_pushf(out, "SLIPWAY_ROLES=%s", roles.s);
	str_release(&roles);
	free(hosts);
}

/* What is live now, as the deploy before the one that may come. */
static const struct err *
fill_deploy(struct gate *gate, const struct candidate *candidate,
    struct deploy *deploy)
{
	const struct err *err;
	struct deploy live;

	err = deploy_get_live(gate->hub->journal, candidate->env->name,
	    &live);
	if (err == NULL)
		deploy->previous = xstrdup_null(live.release);
	deploy->pusher = xstrdup(gate->push->pusher);
	deploy->ref = candidate->by_word ? NULL :
	    xstrdup(candidate->ref->ref);
	deploy_release(&live);
	return err;
}

static const struct err *
build_env(struct gate *gate, const struct candidate *candidate,
    const char *folder, struct vec *env)
{
	struct vec names = VEC_INIT, told = VEC_INIT;
	struct message facts_told = MESSAGE_INIT;
	struct deploy deploy = DEPLOY_INIT;
	struct repo_commit commit = { 0 };
	struct facts facts = {
		.hub = gate->hub,
		.env = candidate->env,
		.deploy = &deploy,
		.commit = &commit,
		.directives = &names,
		.argument = "",
		.folder = folder,
	};
	const struct err *err;

	err = repo_commit_read(gate->repo, candidate->commit, &commit);
	if (err == NULL)
		err = fill_deploy(gate, candidate, &deploy);
	if (err == NULL)
		err = add_names(gate, candidate, &names);
	if (err == NULL)
		err = facts_add(&facts_told, &facts);
	proc_base_env(env);
	add_host(gate, candidate->env, env);
	message_all(&facts_told, "env", &told);
	for (size_t i = 0; i < told.n; i++)
		vec_put_variable(env, told.v[i]);
	message_release(&facts_told);
	vec_release(&told);
	vec_release(&names);
	deploy_release(&deploy);
	repo_commit_release(&commit);
	return err;
}

static const struct err *
execute(struct gate *gate, const struct candidate *candidate,
    const struct trial *trial, struct proc_result *result)
{
	const struct settings *set = &candidate->env->set;
	const char *argv[] = { "/bin/sh", "-c", set->gate, NULL };
	struct proc_spec spec = PROC_SPEC_INIT;
	struct output output = { gate, STR_INIT };
	struct vec env = VEC_INIT;
	const struct err *err;

	err = build_env(gate, candidate, trial_path(trial), &env);
	spec.argv = argv;
	spec.env = (const char *const *)env.v;
	spec.dirfd = trial_fd(trial);
	spec.note_fd = trial_running(trial);
	spec.timeout_ms = set->gate_timeout_ms;
	if (err == NULL)
		err = proc_run(result, &spec, on_output, &output);
	if (output.line.len > 0)
		say_line(&output);
	str_release(&output.line);
	vec_release(&env);
	return err;
}

static void
take_result(struct gate *gate, const struct candidate *candidate,
    const struct proc_result *result)
{
	const struct environment *env = candidate->env;
	struct str how = STR_INIT;

	proc_describe(&how, result);
	if (result->exit_status == CANNOT_RUN || result->exit_status ==
	    NOT_FOUND)
		vec_pushf(&gate->reasons, "%s: the gate itself cannot run"
		    " (gate = %.200s: %s); it stands in slipway.ini of the"
		    " server, for its administrator to mend, unless %.7s"
		    " should have brought what it names", env->name,
		    env->set.gate, how.s, candidate->commit);
	else if (result->timed_out)
		vec_pushf(&gate->reasons, "%s: the check of %.7s did not end"
		    " in time (gate = %.200s: %s); make it quicker, or have"
		    " gate_timeout raised in slipway.ini of the server",
		    env->name, candidate->commit, env->set.gate, how.s);
	else if (result->exit_status != 0)
		vec_pushf(&gate->reasons, "%s: the check of %.7s failed (gate"
		    " = %.200s: %s); mend what it says, and push again",
		    env->name, candidate->commit, env->set.gate, how.s);
	str_release(&how);
}

static const struct err *
run_in(struct gate *gate, const struct candidate *candidate,
    struct store *store)
{
	struct trial_spec spec = { gate->repo, candidate->commit, NULL };
	struct proc_result result;
	struct trial *trial;
	const struct err *err, *left;

	err = trial_open(&trial, store, &spec);
	if (err == NULL)
		err = execute(gate, candidate, trial, &result);
	if (err == NULL)
		take_result(gate, candidate, &result);
	/* The next deploy tries again. */
	left = trial_close(trial);
	if (left != NULL)
		vec_pushf(gate->notes, "%s: %s", candidate->env->name,
		    left->text);
	return err;
}

static bool
declines(struct gate *gate, const struct candidate *candidate,
    const char *ref, const char *old, const char *new)
{
	bool declined = chained_update(gate->hooks->argv[0], ref, old, new)
	    != NULL;

	if (declined)
		vec_pushf(&gate->reasons, "%s: the update hook declined %s",
		    candidate->env->name, ref);
	return declined;
}

/*
 * git asks the update hook later on, when the command has run what it may
 * decline. In a transactional environment a word moves the branch, too.
 */
static const struct err *
ask_update(struct gate *gate, const struct candidate *candidate, bool *may)
{
	const struct environment *env = candidate->env;
	const struct push_ref *ref = candidate->ref;
	const struct err *err = NULL;

	*may = !declines(gate, candidate, ref->ref, ref->old, ref->new);
	if (*may && candidate->by_word && env->set.transactional) {
		char *branch = xasprintf("refs/heads/%s", env->branch);
		char now[REPO_OID_SIZE];

		err = repo_ref_value(gate->repo, branch, now);
		*may = err == NULL && !declines(gate, candidate, branch, now,
		    candidate->commit);
		free(branch);
	}
	return err;
}

const struct err *
gate_run(struct gate *gate, const struct candidate *candidate)
{
	const struct environment *env = candidate->env;
	struct store *store;
	const struct err *err;
	bool may;

	if (env->set.gate == NULL)
		return NULL;
	err = ask_update(gate, candidate, &may);
	if (err != NULL || !may)
		return err;
	say(gate, "%s: gate of %.7s: %s", env->name, candidate->commit,
	    env->set.gate);
	err = store_open(&store, env->set.root);
	if (err == NULL) {
		store_set_threads(store, (int)env->set.threads);
		err = run_in(gate, candidate, store);
	}
	store_close(store);
	return err == NULL ? NULL : err_add(err, "%s: gate", env->name);
}
