#include "deploy/work.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "journal/release.h"

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
	vec_release(&work->gone);
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

/* What keeps it from being taken is seen when it is planned. */
static bool
on_tick(void *ctx)
{
	(void)work_take(ctx);
	return false;
}

const struct err *
work_hosts(struct work *work)
{
	const struct err *err = NULL;

	if (work->starting == NULL)
		err = work_start_hosts(&work->starting, work->hub, work->env);
	if (err == NULL)
		err = fleet_ready(work->starting, on_tick, work);
	if (err != NULL) {
		fleet_close(work->starting);
	} else {
		work->fleet = work->starting;
		warn_of_ended(work);
	}
	work->starting = NULL;
	return err;
}

const struct err *
work_open_live(struct work *work, const struct hub *hub,
    const struct environment *env)
{
	struct deploy live;
	const struct err *err;

	memset(work, 0, sizeof(*work));
	err = deploy_get_live(hub->journal, env->name, &live);
	if (err != NULL || live.number == 0)
		return err;
	err = work_open(work, hub, env, &live, NULL);
	return err == NULL ? work_hosts(work) : err;
}

bool
work_is_cut(const struct work *work)
{
	return work->unwritten ||
	    (work->fleet != NULL && fleet_is_lost(work->fleet));
}

bool
work_is_taken(const struct work *work)
{
	return work->deploy.state != DEPLOY_QUEUED;
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

/* A host tells why it did not, in a warning, and what it did. */
bool
work_has_removed(const struct work *work, const char *release)
{
	bool gone = true;

	for (size_t i = 0; i < work->n_hosts && gone; i++) {
		const char *said = message_get(fleet_reply(work->fleet, i),
		    "removed");

		gone = said != NULL && strcmp(said, release) == 0;
	}
	return gone;
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

const struct err *
work_set_aside_all(struct work *work, const struct vec *releases)
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
	err = work_set_aside_all(work, &releases);
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

	/* They have been, unless that failed, too. */
	err = release_newest(work->hub->journal, work->env->name, "failed",
	    SET_ASIDE_MAX, &releases);
	if (err == NULL && releases.n > 0)
		err = work_set_aside_all(work, &releases);
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

void
work_drop_backup(struct work *work, int64_t number)
{
	char *path = hub_backup_path(work->hub, number);

	if (rmdir(path) == -1 && errno != ENOENT && errno != ENOTEMPTY)
		work_warn(work, "the empty folder %s could not be removed",
		    path);
	free(path);
}
