#include "deploy/work.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/astray.h"
#include "deploy/branch.h"
#include "deploy/ending.h"
#include "journal/release.h"
#include "journal/step.h"
#include "release/store.h"

/* So many that failed are looked for, to be set aside after all. */
#define SET_ASIDE_MAX 16

const struct err *
work_start_hosts(struct fleet **fleet, const struct hub *hub,
    const struct environment *env)
{
	struct fleet_spec spec = {
		.repo = hub->path,
		.root = env->set.root,
		.environment = env->name,
		.threads = env->set.threads,
	};
	const struct host **hosts;
	const struct err *err;

	spec.n_hosts = config_hosts(hub->config, env, &hosts);
	spec.hosts = hosts;
	err = fleet_start(fleet, &spec);
	free(hosts);
	return err;
}

const struct err *
work_open(struct work *work, const struct hub *hub,
    const struct environment *env, struct deploy *deploy,
    struct fleet *started)
{
	char *path = hub_log_path(hub, deploy->number);

	memset(work, 0, sizeof(*work));
	work->hub = hub;
	work->env = env;
	work->deploy = *deploy;
	*deploy = (struct deploy)DEPLOY_INIT;
	work->n_hosts = config_hosts(hub->config, env, &work->hosts);
	work->starting = started;
	/* work_hosts() tries again, where there is somebody to tell. */
	if (started == NULL)
		(void)work_start_hosts(&work->starting, hub, env);
	work->log = event_log_open(path);
	free(path);
	return repo_open(&work->repo, hub->path, false);
}

void
work_close(struct work *work)
{
	fleet_close(work->fleet);
	fleet_close(work->starting);
	plan_release(&work->plan);
	directives_release(&work->directives);
	directives_release(&work->capitals);
	repo_commit_release(&work->commit);
	repo_close(work->repo);
	vec_release(&work->hooks);
	event_log_close(work->log);
	deploy_release(&work->deploy);
	free(work->edits_told);
	free(work->hosts);
	memset(work, 0, sizeof(*work));
}

/* A host's answer to "open" may tell of an agent that was killed. */
static void
warn_of_ended(struct work *work)
{
	for (size_t i = 0; i < work->n_hosts; i++) {
		const struct message *reply = fleet_reply(work->fleet, i);
		int64_t n = message_int(reply, "ended", 0);
		struct vec left = VEC_INIT;

		if (n > 0)
			work_warn(work, "%s: ended %lld process%s that an"
			    " interrupted command had left",
			    work->hosts[i]->name, (long long)n,
			    n == 1 ? "" : "es");
		message_all(reply, "left", &left);
		for (size_t k = 0; k < left.n; k++)
			work_warn(work, "%s: %s", work->hosts[i]->name,
			    left.v[k]);
		vec_release(&left);
	}
}

const struct err *
work_hosts(struct work *work)
{
	const struct err *err = NULL;

	if (work->starting == NULL)
		err = work_start_hosts(&work->starting, work->hub, work->env);
	if (err == NULL)
		err = fleet_ready(work->starting);
	if (err != NULL) {
		fleet_close(work->starting);
	} else {
		work->fleet = work->starting;
		warn_of_ended(work);
	}
	work->starting = NULL;
	return err;
}

bool
work_is_cut(const struct work *work)
{
	return work->unwritten ||
	    (work->fleet != NULL && fleet_is_lost(work->fleet));
}

const struct err *
work_hosts_again(struct work *work)
{
	if (!work_is_cut(work))
		return NULL;
	fleet_close(work->fleet);
	work->fleet = NULL;
	return work_hosts(work);
}

void
work_warn(struct work *work, const char *fmt, ...)
{
	struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	event_add(work->log, "warning", "s", "text", text.s);
	str_release(&text);
}

int64_t
work_phase(struct work *work, const char *name)
{
	event_add(work->log, "phase", "s", "phase", name);
	return clock_monotonic_ms();
}

void
work_phase_done(struct work *work, const char *name, int64_t from_ms,
    bool ok, const char *note)
{
	event_add(work->log, "phase_done", "sibs", "phase", name, "ms",
	    clock_monotonic_ms() - from_ms, "ok", (int)ok, "note", note);
}

void
work_blame(struct work *work, const struct err *err)
{
	if (err != NULL && work->deploy.error == NULL)
		work->deploy.error = xstrdup(err->text);
}

void
work_break(struct work *work, const char *fmt, ...)
{
	struct str text = STR_INIT;
	va_list ap;

	if (work->deploy.error != NULL)
		str_addf(&text, "%s; ", work->deploy.error);
	str_add(&text, "broken: ");
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	free(work->deploy.error);
	work->deploy.error = str_detach(&text);
}

bool *
work_only_host(const struct work *work, const char *name)
{
	bool *mask = xcalloc(work->n_hosts, sizeof(*mask));

	for (size_t i = 0; i < work->n_hosts; i++)
		mask[i] = strcmp(work->hosts[i]->name, name) == 0;
	return mask;
}

static const struct err *
on_note(const char *host, const struct message *message, void *ctx)
{
	const char *text = message_get(message, "text");

	/* Where there is one host, its name tells nothing. */
	if (text != NULL && strcmp(host, "local") == 0)
		work_warn(ctx, "%s", text);
	else if (text != NULL)
		work_warn(ctx, "%s: %s", host, text);
	return NULL;
}

void
work_send(struct work *work, const bool *mask, const struct message *request)
{
	fleet_send(work->fleet, mask, request, on_note, work);
}

const struct err *
work_wait(struct work *work)
{
	return fleet_wait(work->fleet);
}

const struct err *
work_ask(struct work *work, const bool *mask, const struct message *request)
{
	work_send(work, mask, request);
	return work_wait(work);
}

const struct err *
work_ask_release(struct work *work, const char *verb, const char *release)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", verb);
	message_add(&request, "release", release);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	return err;
}

const struct err *
work_hooks(struct work *work, const char *release)
{
	const struct err *err;

	vec_clear(&work->hooks);
	err = work_ask_release(work, "hooks", release);
	if (err == NULL)
		message_all(fleet_reply(work->fleet, 0), "hook",
		    &work->hooks);
	return err;
}

static const struct err *
set_aside(struct work *work, const struct vec *releases)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "fail");
	for (size_t i = 0; i < releases->n; i++)
		message_add(&request, "release", releases->v[i]);
	message_add_int(&request, "keep", work->env->set.keep_failed_count);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	return err;
}

const struct err *
work_set_aside(struct work *work)
{
	struct vec releases = VEC_INIT;
	const struct err *err;

	if (work->fleet == NULL || work->deploy.release == NULL)
		return NULL;
	vec_push(&releases, work->deploy.release);
	err = set_aside(work, &releases);
	vec_release(&releases);
	if (err == NULL)
		return NULL;
	if (work_is_cut(work))
		return err_recode(err, ERR_INTERRUPTED);
	work_warn(work, "%s; the next cleanup tries again", err->text);
	return NULL;
}

const struct err *
work_set_aside_left(struct work *work)
{
	struct vec releases = VEC_INIT;
	const struct err *err;

	err = release_failed(work->hub->journal, work->env->name,
	    SET_ASIDE_MAX, &releases);
	if (err == NULL && releases.n > 0)
		err = set_aside(work, &releases);
	vec_release(&releases);
	return err;
}

const struct err *
work_sweep(struct work *work, bool spare)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "sweep");
	message_add_int(&request, "spare", spare);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	return err;
}

/* What people are told of the state of an action's step. */
static const char *
result_of(const struct deploy *deploy, const char *state)
{
	if (state == NULL)
		return "not run";
	/* In a deploy that is live only the page was taken back. */
	if (strcmp(state, "undone") == 0 && deploy->state == DEPLOY_LIVE)
		return "done";
	if (strcmp(state, "failed") == 0 && deploy_was_cancelled(deploy))
		return "stopped";
	return state;
}

/* How bad a result is beside others. */
static size_t
badness_of(const char *result)
{
	static const char *const results[] = {
		"done", "not run", "undone", "interrupted", "stopped",
		"failed", "undo-failed",
	};
	size_t n = sizeof(results) / sizeof(*results), i = 0;

	while (i < n && strcmp(result, results[i]) != 0)
		i++;
	return i;
}

/* Several actions may have the directive: the worst of them counts. */
static const struct err *
worst_result(const struct work *work, const char *directive, char **result)
{
	const struct err *err = NULL;

	*result = xstrdup("done");
	for (size_t i = 0; err == NULL && i < work->plan.n_items; i++) {
		const struct action *action = work->plan.items[i].action;
		const char *other;
		char *state;

		if (action->directive == NULL ||
		    strcmp(action->directive, directive) != 0)
			continue;
		err = step_worst_state(work->hub->journal,
		    work->deploy.number, action->name, work->old_from,
		    &state);
		if (err != NULL)
			break;
		other = result_of(&work->deploy, state);
		if (badness_of(other) > badness_of(*result)) {
			free(*result);
			*result = xstrdup(other);
		}
		free(state);
	}
	return err;
}

static const struct err *
report_results(struct work *work)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < work->plan.directives.n; i++) {
		const char *name = work->plan.directives.v[i];
		char *result;

		err = worst_result(work, name, &result);
		if (err == NULL)
			event_add(work->log, "result", "ss", "name", name,
			    "result", result);
		free(result);
	}
	return err;
}

void
work_drop_backup(struct work *work, int64_t number)
{
	char *path = hub_backup_path(work->hub, number);

	if (rmdir(path) == -1 && errno != ENOENT && errno != ENOTEMPTY)
		work_warn(work, "the empty folder %s could not be removed",
		    path);
	free(path);
}

/* Of what only the host knows, or has lost, there is no way back. */
static const struct err *
knows_previous(const struct work *work, bool *known)
{
	struct release release = { 0 };
	const struct err *err;

	*known = false;
	if (work->deploy.previous == NULL)
		return NULL;
	err = release_get(work->hub->journal, work->env->name,
	    work->deploy.previous, &release);
	*known = err == NULL && store_has(work->env->set.root,
	    work->deploy.previous);
	release_release(&release);
	return err != NULL && err->code == ERR_NOT_FOUND ? NULL : err;
}

/* That a rollback goes back is no news. */
static void
find_leaving(struct work *work, struct leaving *leaving)
{
	const struct err *err;

	err = strcmp(work->deploy.kind, "rollback") == 0 ?
	    leaving_find_live(leaving, work->hub, work->env) :
	    leaving_find(leaving, work);
	if (err != NULL)
		work_warn(work, "what is not undone cannot be told: %s",
		    err->text);
}

/* The last line of the log. */
static const struct err *
tell_end(struct work *work)
{
	struct deploy *deploy = &work->deploy;
	struct ending ending = ENDING_INIT;
	const struct err *err;
	bool known = false;

	err = deploy_get_live(work->hub->journal, deploy->environment,
	    &ending.live);
	if (err == NULL)
		err = deploy_page_up(work->hub->journal, deploy->environment,
		    &ending.page_up);
	if (err == NULL)
		err = knows_previous(work, &known);
	if (err != NULL)
		goto done;
	ending.no_back = !known;
	if (deploy->state == DEPLOY_LIVE) {
		branch_tell(work->repo, work->env, deploy, &ending.moved);
		find_leaving(work, &ending.leaving);
	} else {
		astray_find(work, ending.live.release, &ending.astray);
		if (strcmp(deploy->kind, "deploy") == 0)
			work_add_staying(work, &ending.stays);
		ending.no_again = !branch_may_retry(work);
	}
	ending_add(work->log, work->env, deploy, &ending);
done:
	ending_release(&ending);
	return err;
}

const struct err *
work_end(struct work *work)
{
	struct deploy *deploy = &work->deploy;
	const struct err *err;

	work_drop_backup(work, deploy->number);
	/* A host that was lost at the end never told how its step went. */
	err = work_interrupt_steps(work);
	if (err != NULL)
		return err;
	deploy->finished_at = clock_now_ms();
	err = work_update(work);
	if (err == NULL && strcmp(deploy->kind, "deploy") == 0)
		err = report_results(work);
	if (err == NULL)
		err = tell_end(work);
	if (err != NULL)
		return err;
	/* Standard error is the runner's own log. */
	if (event_log_error(work->log) != NULL)
		fprintf(stderr, "deploy %lld: its event log is incomplete:"
		    " %s\n", (long long)deploy->number,
		    event_log_error(work->log));
	return NULL;
}
