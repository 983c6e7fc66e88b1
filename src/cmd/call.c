/*
 * What the commands share.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/nearby.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "file.h"
#include "report/line.h"
#include "report/paint.h"
#include "report/table.h"
#include "report/view.h"

const char *
call_value(const struct call *call, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = call->given.n; i > 0; i--) {
		const char *given = call->given.v[i - 1];

		if (strncmp(given, name, len) == 0 && given[len] == '=')
			return given + len + 1;
	}
	return NULL;
}

bool
call_has(const struct call *call, const char *name)
{
	return vec_has(&call->given, name);
}

void
call_values(const struct call *call, const char *name, struct vec *values)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < call->given.n; i++) {
		const char *given = call->given.v[i];

		if (strncmp(given, name, len) == 0 && given[len] == '=')
			vec_push(values, given + len + 1);
	}
}

/*
 * Somebody else than the owner cannot write there, and is told so before
 * anything else of his fails.
 */
static const struct err *
check_writer(const struct hub *hub)
{
	char *path = hub_file(hub, "slipway/journal.db");
	bool may = access(path, W_OK) == 0 || errno == ENOENT;

	free(path);
	return may ? NULL : hub_check_owner(hub->path);
}

/* One that is lost or damaged needs more than its name. */
const struct err *
cmd_journal(struct call *call, enum db_mode mode)
{
	const struct err *err = hub_journal(&call->hub, mode);

	if (err == NULL || (err->code != ERR_JOURNAL &&
	    err->code != ERR_CORRUPT))
		return err;
	return err_new(err->code, "%s; slipway doctor -C %s says what helps",
	    err->text, call->hub.word);
}

const struct err *
cmd_open_config(struct call *call, enum db_mode mode, bool environment)
{
	const struct err *err;

	err = nearby_open(&call->hub, call->dir);
	if (err == NULL && mode != DB_READ)
		err = check_writer(&call->hub);
	if (err == NULL)
		err = mode == DB_READ ? hub_config_read(&call->hub) :
		    hub_config(&call->hub);
	if (err == NULL && (environment || call->environment != NULL))
		err = hub_environment(&call->hub, call->environment,
		    &call->env);
	return err;
}

const struct err *
cmd_open(struct call *call, enum db_mode mode, bool environment)
{
	const struct err *err = cmd_open_config(call, mode, environment);

	return err != NULL ? err : cmd_journal(call, mode);
}

const struct err *
cmd_check_named(const struct call *call)
{
	const struct environment *env;
	struct deploy newest;
	const struct err *err, *none;

	none = hub_environment(&call->hub, call->environment, &env);
	if (none == NULL)
		return NULL;
	err = deploy_get_newest(call->hub.journal, call->environment,
	    &newest);
	if (err == NULL && newest.number == 0)
		err = none;
	deploy_release(&newest);
	return err;
}

const struct err *
cmd_open_journal(struct call *call)
{
	const struct err *err, *fault;

	err = nearby_open(&call->hub, call->dir);
	if (err != NULL)
		return err;
	fault = hub_config_read(&call->hub);
	if (fault != NULL)
		err_print("slipway: warning", fault);
	err = cmd_journal(call, DB_READ);
	if (err == NULL && fault == NULL && call->environment != NULL)
		err = cmd_check_named(call);
	return err;
}

const struct err *
cmd_repository(const struct call *call, const char **dir)
{
	const char *word = call->words.n > 0 ? call->words.v[0] : NULL;

	if (word != NULL && call->dir != NULL && strcmp(word, call->dir) != 0)
		return err_new(ERR_USAGE, "-C %s and %s are two repositories;"
		    " name one", call->dir, word);
	*dir = word != NULL ? word : call->dir;
	if (*dir == NULL)
		*dir = getenv("GIT_DIR");
	if (*dir == NULL)
		*dir = ".";
	return NULL;
}

const struct err *
cmd_open_to_stop(struct call *call)
{
	const struct err *err, *fault;

	err = nearby_open(&call->hub, call->dir);
	if (err == NULL)
		err = check_writer(&call->hub);
	if (err != NULL)
		return err;
	fault = hub_config(&call->hub);
	if (fault != NULL)
		err_print("slipway: warning", fault);
	return cmd_journal(call, DB_WRITE);
}

const struct err *
cmd_number(int64_t *number, const char *word)
{
	char *end;

	errno = 0;
	*number = strtoll(word, &end, 10);
	if (errno != 0 || end == word || *end != '\0' || *number <= 0)
		return err_new(ERR_USAGE, "'%s' is no deploy number", word);
	return NULL;
}

char *
cmd_where(const struct call *call)
{
	char *here = getcwd(NULL, 0);
	struct str where = STR_INIT;

	if (call->dir != NULL && (here == NULL ||
	    strcmp(here, call->hub.path) != 0)) {
		str_add(&where, " -C ");
		str_add(&where, call->hub.word);
	}
	free(here);
	return str_detach(&where);
}

char *
cmd_which(const struct call *call, const char *environment)
{
	char *name = config_which(call->hub.config, environment);
	char *where = cmd_where(call);
	char *which = xasprintf("%s%s", where, name);

	free(where);
	free(name);
	return which;
}

const struct err *
cmd_print(const struct str *text)
{
	struct str safe = STR_INIT;
	const struct err *err;

	paint_guard(&safe, text);
	err = file_write_fd(STDOUT_FILENO, safe.s, safe.len);
	str_release(&safe);
	return err;
}

static const struct err *
print_json(struct call *call, const struct deploy *deploy)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;

	json.pretty = true;
	err = table_json(&json, call->hub.journal, deploy);
	str_addch(&out, '\n');
	if (err == NULL)
		err = cmd_print(&out);
	str_release(&out);
	return err;
}

/* What is said when somebody interrupts a view. */
static struct str goodbye = STR_INIT;

static void
leave(int signal)
{
	ssize_t unheard = write(STDERR_FILENO, goodbye.s, goodbye.len);

	(void)unheard;
	_exit(128 + signal);
}

const struct err *
cmd_view(const struct call *call, const struct view_spec *spec,
    int64_t *last)
{
	struct sigaction action = { .sa_handler = leave }, before;
	const struct err *err;

	str_addf(&goodbye, "\n%s goes on; slipway show -f %" PRId64 " -C ",
	    call->cmd == &cmd_cancel ? "what was begun" : "the deploy",
	    spec->deploy);
	str_add(&goodbye, call->hub.word);
	str_addch(&goodbye, '\n');
	sigaction(SIGINT, NULL, &before);
	if (before.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
	err = view_deploy(spec, last);
	sigaction(SIGINT, &before, NULL);
	str_release(&goodbye);
	return err;
}

const struct err *
cmd_watch(struct call *call, int64_t number, struct deploy *last)
{
	struct view_spec spec = {
		.hub = &call->hub,
		.deploy = number,
		.environment = call->env->name,
		.part = VIEW_ALL,
		.out_fd = call->json ? STDERR_FILENO : STDOUT_FILENO,
		.wake = queue_wake,
		.follow = true,
	};
	const struct err *err;

	err = cmd_view(call, &spec, &number);
	if (err == NULL)
		err = deploy_get(call->hub.journal, number, last);
	if (err == NULL && call->json)
		err = print_json(call, last);
	return err;
}

static const struct err *
settle(struct call *call)
{
	const struct err *err, *untold;

	err = receive_settle_before(&call->hub, &untold);
	if (untold != NULL)
		err_print("slipway: warning", untold);
	return err;
}

/*
 * What is live now may lack what was asked for. Where a branch moves with
 * its deploys this does not happen.
 */
static const struct err *
check_held(const struct call *call, const struct deploy *request,
    const struct deploy *last)
{
	const struct err *err;
	char *which;
	bool held;

	err = queue_is_held(&call->hub, request, last, &held);
	if (err != NULL || held)
		return err;
	which = cmd_which(call, call->env->name);
	err = err_new(ERR_FAILED, "deploy %" PRId64 " took the place of %"
	    PRId64 " and does not contain %.7s; to have that live instead:"
	    " slipway deploy%s %.7s", last->number, request->number,
	    request->commit, which, request->commit);
	free(which);
	return err;
}

const struct err *
cmd_request(struct call *call, struct deploy *request,
    const struct directives *options)
{
	struct deploy last = DEPLOY_INIT;
	const struct err *err;

	err = hub_check_room(&call->hub);
	if (err == NULL)
		err = settle(call);
	if (err == NULL)
		err = queue_add(&call->hub, request, options);
	if (err == NULL)
		err = queue_wake(&call->hub, call->env->name);
	if (err == NULL)
		err = cmd_watch(call, request->number, &last);
	if (err == NULL && deploy_outcome(&last) != NULL)
		err = err_new(deploy_outcome(&last)->code, "%s", "");
	else if (err == NULL)
		err = check_held(call, request, &last);
	deploy_release(&last);
	return err;
}
