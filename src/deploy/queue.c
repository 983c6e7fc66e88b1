#include "deploy/queue.h"

#include <inttypes.h>
#include <stdlib.h>

#include "alloc.h"
#include "file.h"
#include "journal/event.h"
#include "journal/step.h"
#include "lock.h"
#include "path.h"
#include "proc.h"
#include "repo.h"
#include "vec.h"

/* What all that wait in an environment wait for. */
struct ahead {
	const struct hub *hub;
	struct deploy running;
	const char *at;		/* how far it is */
	int64_t above;		/* those up to this number are not told */
	int64_t before;		/* how many have been passed */
};

static struct event_log *
open_log(const struct hub *hub, int64_t number)
{
	char *path = hub_log_path(hub, number);
	struct event_log *log = event_log_open(path);

	free(path);
	return log;
}

static const struct err *
tell_waiting(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct ahead *ahead = ctx;
	struct event_log *log;

	(void)journal;
	if (deploy->number > ahead->above) {
		log = open_log(ahead->hub, deploy->number);
		event_add(log, "waiting", "isi", "for",
		    ahead->running.number, "state", ahead->at, "before",
		    ahead->before);
		event_log_close(log);
	}
	ahead->before++;
	return NULL;
}

const struct err *
queue_tell(const struct hub *hub, const char *environment, int64_t number)
{
	struct deploy_filter waiting = {
		.environment = environment,
		.waiting = true,
	};
	struct ahead ahead = { .hub = hub, .above = number };
	const struct err *err;
	char *phase = NULL;

	err = deploy_get_unfinished(hub->journal, environment,
	    &ahead.running);
	if (err != NULL || ahead.running.number == 0)
		return err;
	err = step_phase_now(hub->journal, ahead.running.number, &phase);
	ahead.at = phase != NULL ? phase :
	    ahead.running.state == DEPLOY_LIVE ? "finishing" :
	    deploy_state_name(ahead.running.state);
	if (err == NULL)
		err = deploy_each(hub->journal, &waiting, tell_waiting,
		    &ahead);
	deploy_release(&ahead.running);
	free(phase);
	return err;
}

struct succession {
	const struct hub *hub;
	struct repo *repo;
	const struct deploy *deploy;
};

/* A forced push may have left the commit behind. */
static const struct err *
tell_superseded(int64_t number, void *ctx)
{
	const struct succession *to = ctx;
	struct event_log *log = open_log(to->hub, number);
	struct deploy old = DEPLOY_INIT;
	const struct err *err;
	bool holds = false, known;

	err = deploy_get(to->hub->journal, number, &old);
	known = err == NULL && repo_is_ancestor(to->repo, old.commit,
	    to->deploy->commit, &holds) == NULL;
	event_add(log, "superseded", "ibss", "by", to->deploy->number,
	    "holds", (int)holds, "commit", known ? old.commit : NULL,
	    "environment", old.environment);
	event_log_close(log);
	deploy_release(&old);
	return err;
}

const struct err *
queue_tell_superseded(const struct hub *hub, struct repo *repo,
    const struct deploy *deploy)
{
	struct succession to = { hub, repo, deploy };

	return deploy_superseded(hub->journal, deploy->number,
	    tell_superseded, &to);
}

const struct err *
queue_is_held(const struct hub *hub, const struct deploy *request,
    const struct deploy *last, bool *is)
{
	struct repo *repo;
	const struct err *err;

	*is = request->number == last->number || *request->commit == '\0';
	if (*is)
		return NULL;
	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = repo_is_ancestor(repo, request->commit, last->commit,
		    is);
	repo_close(repo);
	return err;
}

/*
 * Another took its place while it was on its way. Of a commit that cannot be
 * compared, as that of the other is lost, nothing is said.
 */
static const struct err *
tell_late(const struct hub *hub, const struct deploy *request,
    struct event_log *log)
{
	struct deploy by = DEPLOY_INIT;
	const struct err *err;
	bool holds = false, known;

	if (request->superseded_by == 0)
		return NULL;
	err = deploy_get(hub->journal, request->superseded_by, &by);
	known = err == NULL && queue_is_held(hub, request, &by, &holds) == NULL;
	event_add(log, "superseded", "ibss", "by", request->superseded_by,
	    "holds", (int)holds, "commit", known ? request->commit : NULL,
	    "environment", request->environment);
	deploy_release(&by);
	return err;
}

/* The first lines of the log, so that a viewer has something to show. */
const struct err *
queue_announce(const struct hub *hub, const struct deploy *request)
{
	const struct err *err;
	struct event_log *log;

	if (request->requested_at == 0)
		return NULL;
	log = open_log(hub, request->number);
	event_add(log, "requested", "issssss", "deploy", request->number,
	    "environment", request->environment, "kind", request->kind,
	    "commit", request->commit, "ref", request->ref, "pusher",
	    request->pusher, "subject", request->subject);
	err = tell_late(hub, request, log);
	event_log_close(log);
	return err_first(err, queue_tell(hub, request->environment,
	    request->number - 1));
}

const struct err *
queue_add(const struct hub *hub, struct deploy *request,
    const struct directives *options)
{
	const struct err *err, *untold;

	err = deploy_request(hub->journal, request, options);
	if (err != NULL && err->code == ERR_INTERRUPTED)
		return err_new(err->code, "%s; it may yet go live, slipway"
		    " log tells", err->text);
	if (err != NULL)
		return err;
	untold = queue_announce(hub, request);
	if (untold != NULL)
		err_print("slipway", untold);
	return NULL;
}

static char *
keeping_ref(const struct deploy *request)
{
	return xasprintf("refs/slipway/deploys/%" PRId64, request->number);
}

const struct err *
queue_free_kept(struct repo *repo, const struct deploy *request)
{
	char *ref = keeping_ref(request);
	const struct err *err = repo_free_lock(repo, ref);

	free(ref);
	return err;
}

/* From wherever it was: a journal may have begun anew. */
const struct err *
queue_keep(struct repo *repo, const struct deploy *request)
{
	char *ref = keeping_ref(request);
	const struct err *err = repo_keep(repo, ref, request->commit);

	free(ref);
	return err;
}

/*
 * Its log tells why a runner died; where it cannot be written, because its
 * folder or the room for it is missing, a runner is wanted all the same.
 */
const struct err *
queue_start(const struct hub *hub, const char *const *argv,
    const struct vec *env, int *hold)
{
	char *log = hub_file(hub, "slipway/log/runner.log");
	char *dir = path_dir(log);
	const struct err *err;

	err = file_mkdirs(dir, 0755);
	if (err == NULL)
		err = proc_detach(argv, (const char *const *)env->v, log,
		    hold);
	if (err != NULL)
		err = proc_detach(argv, (const char *const *)env->v, NULL,
		    hold);
	free(dir);
	free(log);
	return err;
}

const struct err *
queue_wake_ahead(const struct hub *hub, const char *environment, int *hold)
{
	struct vec env = VEC_INIT;
	const struct err *err;
	char *dir, *program;

	if (hold != NULL)
		*hold = -1;
	err = path_of_program(&dir);
	if (err != NULL)
		return err;
	program = path_join(dir, "slipway");
	proc_base_env(&env);
	err = queue_start(hub, (const char *const[]){ program, "-C", hub->path,
	    "-e", environment, "runner", hold == NULL ? NULL : "--hold",
	    NULL }, &env, hold);
	if (err != NULL)
		err = err_add(err, "start a runner");
	vec_release(&env);
	free(program);
	free(dir);
	return err;
}

const struct err *
queue_wake(const struct hub *hub, const char *environment)
{
	return queue_wake_ahead(hub, environment, NULL);
}

static const struct err *
is_waiting(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	(void)journal;
	(void)deploy;
	*(bool *)ctx = true;
	return NULL;
}

const struct err *
queue_waits(const struct hub *hub, const char *environment, bool *waits)
{
	struct deploy_filter filter = {
		.environment = environment,
		.waiting = true,
	};

	*waits = false;
	return deploy_each(hub->journal, &filter, is_waiting, waits);
}

const struct err *
queue_wake_waiting(const struct hub *hub, const char *environment)
{
	const struct err *err;
	bool waits;

	err = queue_waits(hub, environment, &waits);
	return err == NULL && waits ? queue_wake(hub, environment) : err;
}

/* What was begun and not finished: 0 for nothing. */
static const struct err *
get_begun(const struct hub *hub, const char *environment, int64_t *number)
{
	struct deploy begun;
	const struct err *err;

	err = deploy_get_unfinished(hub->journal, environment, &begun);
	*number = err == NULL ? begun.number : 0;
	deploy_release(&begun);
	return err;
}

/*
 * Whose runner is gone was begun before the lock was seen free, and is not
 * finished after that: in between it may have been begun, or ended.
 */
static const struct err *
wake_if_left(const struct hub *hub, const char *environment,
    struct vec *notes)
{
	int64_t before, after = 0;
	const struct err *err;
	char *path;
	bool held;

	/* One that slipway.ini does not have any more is doctor's business. */
	if (config_environment(hub->config, environment) == NULL)
		return NULL;
	path = hub_lock_path(hub, environment);
	err = get_begun(hub, environment, &before);
	held = err == NULL && lock_is_held(path);
	free(path);
	if (err != NULL || held)
		return err;
	if (before != 0)
		err = get_begun(hub, environment, &after);
	if (err == NULL && after != 0 && after == before)
		vec_pushf(notes, "deploy %" PRId64 " of %s was left"
		    " unfinished when its runner ended, and goes on now:"
		    " slipway show %" PRId64 " --follow", before,
		    environment, before);
	return err == NULL ? queue_wake(hub, environment) : err;
}

const struct err *
queue_wake_left(const struct hub *hub, struct vec *notes)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = deploy_open_environments(hub->journal, &names);
	for (size_t i = 0; err == NULL && i < names.n; i++)
		err = wake_if_left(hub, names.v[i], notes);
	vec_release(&names);
	return err;
}
