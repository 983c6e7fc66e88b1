#include "host/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "host/verb.h"
#include "lock.h"
#include "noted.h"
#include "path.h"
#include "release/store.h"
#include "repo.h"

/* How long "open" waits for the agent of a runner that died, in ms. */
#define LOCK_WAIT_MS 30000

/* And for a process that may be a daemon that it started, in ms. */
#define LEFT_WAIT_MS 10000

bool
verb_is_stop(const struct message *request)
{
	return strcmp(request->lines[0].key, "verb") == 0 &&
	    strcmp(request->lines[0].value, "stop") == 0;
}

const struct err *
verb_text(const struct message *request, const char *key,
    const char **value)
{
	*value = message_get(request, key);
	if (*value == NULL)
		return err_new(ERR_PROTOCOL, "the request has no '%s'", key);
	return NULL;
}

const struct err *
verb_int(const struct message *request, const char *key, int64_t otherwise,
    int64_t max, int64_t *value)
{
	*value = otherwise;
	if (message_get(request, key) == NULL)
		return NULL;
	*value = message_int(request, key, -1);
	if (*value < 0 || *value > max)
		return err_new(ERR_PROTOCOL, "'%s %s' is out of range", key,
		    message_get(request, key));
	return NULL;
}

const struct err *
verb_release(const struct message *request, const char **release)
{
	const struct err *err = verb_text(request, "release", release);

	if (err == NULL && !store_is_release(*release))
		err = err_new(ERR_PROTOCOL, "'%s' is no release", *release);
	return err;
}

const struct err *
verb_releases(const struct message *request, struct vec *releases)
{
	message_all(request, "release", releases);
	for (size_t i = 0; i < releases->n; i++) {
		if (!store_is_release(releases->v[i]))
			return err_new(ERR_PROTOCOL, "'%s' is no release",
			    releases->v[i]);
	}
	return NULL;
}

const struct err *
verb_paths(const struct message *request, const char *key,
    struct vec *paths)
{
	message_all(request, key, paths);
	for (size_t i = 0; i < paths->n; i++) {
		/* "./" is the release itself. */
		if (!path_is_beneath(paths->v[i]) &&
		    strcmp(paths->v[i], "./") != 0)
			return err_new(ERR_PROTOCOL,
			    "'%s' is no path in a release", paths->v[i]);
	}
	return NULL;
}

void
verb_add_all(struct message *result, const char *key,
    const struct vec *values)
{
	for (size_t i = 0; i < values->n; i++)
		message_add(result, key, values->v[i]);
}

const struct err *
verb_note(struct agent *agent, const char *fmt, ...)
{
	struct message note = MESSAGE_INIT;
	struct str text = STR_INIT;
	const struct err *err;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	message_add(&note, "type", "note");
	message_add(&note, "text", text.s);
	err = message_write(&note, agent->out_fd);
	message_release(&note);
	str_release(&text);
	return err;
}

const struct err *
verb_note_once(struct agent *agent, const char *text)
{
	if (!vec_push_new(&agent->told, text))
		return NULL;
	return verb_note(agent, "%s", text);
}

const struct err *
verb_repo(struct agent *agent, struct repo **repo)
{
	const struct err *err = NULL;

	if (agent->repo == NULL)
		err = repo_open(&agent->repo, agent->repo_path, false);
	*repo = agent->repo;
	return err;
}

static const struct err *
hello(struct agent *agent, const struct message *request,
    struct message *result)
{
	int64_t version = message_int(request, "version", 0);

	(void)agent;
	if (version != WIRE_VERSION)
		return err_new(ERR_PROTOCOL, "the runner speaks version %lld"
		    " of the protocol, this agent %d; install the same"
		    " release of slipway on both", (long long)version,
		    WIRE_VERSION);
	message_add_int(result, "version", WIRE_VERSION);
	return NULL;
}

static void
close_root(struct agent *agent)
{
	repo_close(agent->repo);
	agent->repo = NULL;
	store_close(agent->store);
	agent->store = NULL;
	lock_release(agent->lock);
	agent->lock = NULL;
	free(agent->repo_path);
	free(agent->environment);
	free(agent->host);
	agent->repo_path = agent->environment = agent->host = NULL;
	drift_release(&agent->kept);
	free(agent->kept_of);
	agent->kept_of = NULL;
	vec_clear(&agent->roles);
}

/*
 * An agent that was killed took its command's shell with it, but not what
 * the shell had started: that ends before anything else happens here, since
 * the step is going to be run again, or undone.
 */
static const struct err *
end_leftover(struct agent *agent, struct message *result)
{
	struct vec left = VEC_INIT;
	const struct err *err;
	size_t n = 0;
	int fd;

	err = store_running(agent->store, &fd);
	if (err == NULL)
		err = noted_end(fd, LEFT_WAIT_MS, &n, &left);
	if (err == NULL)
		message_add_int(result, "ended", (int64_t)n);
	verb_add_all(result, "left", &left);
	vec_release(&left);
	return err;
}

/* Lock and claim the root, and end what a dead agent has left running. */
static const struct err *
take_root(struct agent *agent, struct message *result)
{
	const struct err *err;
	char *purpose;

	purpose = xasprintf("agent %ld of %s", (long)getpid(),
	    agent->environment);
	err = lock_take(&agent->lock, store_lock_path(agent->store), purpose,
	    LOCK_WAIT_MS);
	free(purpose);
	if (err == NULL)
		err = store_claim(agent->store, agent->repo_path,
		    agent->environment);
	return err == NULL ? end_leftover(agent, result) : err;
}

/* Somebody who only looks does so while others deploy. */
static const struct err *
open_root(struct agent *agent, const char *root, bool look, int threads,
    struct message *result)
{
	struct str current = STR_INIT;
	const struct err *err;

	if (look)
		err = store_look(&agent->store, root);
	else
		err = store_check_around(root, agent->repo_path,
		    agent->environment);
	if (err == NULL && !look)
		err = store_open(&agent->store, root);
	if (err == NULL)
		store_set_threads(agent->store, threads);
	if (err == NULL && !look)
		err = take_root(agent, result);
	if (err == NULL)
		err = store_current(agent->store, &current);
	if (err == NULL)
		message_add(result, "current", current.s);
	str_release(&current);
	return err;
}

static const struct err *
open_verb(struct agent *agent, const struct message *request,
    struct message *result)
{
	const char *repo, *root, *environment, *host;
	int64_t look = 0, threads = 0;
	const struct err *err;

	if (agent->store != NULL)
		return err_new(ERR_PROTOCOL, "the root is open already");
	err = verb_text(request, "repo", &repo);
	if (err == NULL)
		err = verb_text(request, "root", &root);
	if (err == NULL)
		err = verb_text(request, "environment", &environment);
	if (err == NULL)
		err = verb_text(request, "host", &host);
	if (err == NULL)
		err = verb_int(request, "look", 0, 1, &look);
	if (err == NULL)
		err = verb_int(request, "threads", 0, INT16_MAX, &threads);
	if (err != NULL)
		return err;
	if (root[0] != '/' || repo[0] != '/')
		return err_new(ERR_PROTOCOL,
		    "'repo' and 'root' must be absolute paths");
	agent->repo_path = xstrdup(repo);
	agent->environment = xstrdup(environment);
	agent->host = xstrdup(host);
	message_all(request, "role", &agent->roles);
	err = open_root(agent, root, look == 1, (int)threads, result);
	if (err != NULL)
		close_root(agent);
	return err;
}

static const struct verb {
	const char *name;
	verb_cb cb;
	bool before_open;
} verbs[] = {
	{ "hello",	hello,			true },
	{ "open",	open_verb,		true },
	{ "check",	verb_check,		false },
	{ "room",	verb_room,		false },
	{ "checkout",	verb_checkout,		false },
	{ "configure",	verb_configure,		false },
	{ "hooks",	verb_hooks,		false },
	{ "run",	verb_run,		false },
	{ "seal",	verb_seal,		false },
	{ "flip",	verb_flip,		false },
	{ "verify",	verb_verify,		false },
	{ "drift",	verb_drift,		false },
	{ "adopt",	verb_adopt,		false },
	{ "repair",	verb_repair,		false },
	{ "list",	verb_list,		false },
	{ "busy",	verb_busy,		false },
	{ "remove",	verb_remove,		false },
	{ "fail",	verb_fail,		false },
	{ "sweep",	verb_sweep,		false },
};

static const struct err *
find_verb(const struct verb **verb, const struct message *request)
{
	const char *name = request->lines[0].value;

	if (strcmp(request->lines[0].key, "verb") != 0)
		return err_new(ERR_PROTOCOL,
		    "the request does not begin with its verb");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		*verb = &verbs[i];
		if (strcmp(verbs[i].name, name) == 0)
			return NULL;
	}
	return err_new(ERR_PROTOCOL, "unknown verb '%s'", name);
}

static const struct err *
perform(struct agent *agent, const struct message *request,
    struct message *result)
{
	const struct err *err;
	const struct verb *verb = NULL;

	err = find_verb(&verb, request);
	if (err != NULL)
		return err;
	if (agent->store == NULL && !verb->before_open)
		return err_new(ERR_PROTOCOL, "'%s' came before 'open'",
		    verb->name);
	return verb->cb(agent, request, result);
}

static const struct err *
answer_error(struct agent *agent, const struct err *failure)
{
	struct message answer = MESSAGE_INIT;
	const struct err *err;

	message_add(&answer, "type", "error");
	message_add(&answer, "code", err_code_name(failure->code));
	message_add(&answer, "text", failure->text);
	err = message_write(&answer, agent->out_fd);
	message_release(&answer);
	return err;
}

static const struct err *
answer(struct agent *agent, const struct message *request)
{
	struct message result = MESSAGE_INIT;
	const struct err *err;

	message_add(&result, "type", "result");
	err = perform(agent, request, &result);
	if (err != NULL)
		err = answer_error(agent, err);
	else
		err = message_write(&result, agent->out_fd);
	message_release(&result);
	return err;
}

/* A runner that is gone is how every service ends, early or not. */
static bool
is_gone(const struct err *err)
{
	return err->code == ERR_SYSTEM &&
	    (err->sys_errno == EPIPE || err->sys_errno == ECONNRESET);
}

/* One that came while a command ran had to wait. */
static const struct err *
next_request(struct agent *agent, struct message *request, bool *closed)
{
	const struct err *err = NULL;

	*closed = false;
	if (!agent->is_ahead)
		err = message_read(&agent->ahead, &agent->reader,
		    agent->in_fd, closed);
	*request = agent->ahead;
	agent->ahead = (struct message)MESSAGE_INIT;
	agent->is_ahead = false;
	return err;
}

/* A "stop" that comes here is too late: its command has ended by itself. */
static const struct err *
serve(struct agent *agent)
{
	const struct err *err;
	bool closed;

	do {
		struct message request;

		err = next_request(agent, &request, &closed);
		if (err == NULL && !closed && !verb_is_stop(&request))
			err = answer(agent, &request);
		else if (err != NULL && err->code == ERR_PROTOCOL)
			err = err_first(answer_error(agent, err), err);
		message_release(&request);
	} while (err == NULL && !closed);
	return err != NULL && is_gone(err) ? NULL : err;
}

const struct err *
agent_serve(int in_fd, int out_fd)
{
	struct agent agent = {
		.in_fd = in_fd,
		.out_fd = out_fd,
		.reader = PKT_READER_INIT,
	};
	const struct err *err;

	umask(022);
	signal(SIGPIPE, SIG_IGN);
	err = serve(&agent);
	close_root(&agent);
	vec_release(&agent.roles);
	vec_release(&agent.told);
	message_release(&agent.ahead);
	pkt_reader_release(&agent.reader);
	return err;
}
