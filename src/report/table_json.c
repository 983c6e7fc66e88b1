/*
 * The object of a deploy for scripts. The order of the keys is that of the
 * manual page; new ones come last.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/push.h"
#include "journal/release.h"
#include "journal/step.h"
#include "report/table.h"

static void
add_int_or_null(struct json *json, const char *key, int64_t value)
{
	json_key(json, key);
	if (value == -1)
		json_null(json);
	else
		json_int(json, value);
}

static const struct err *
add_superseded(int64_t number, void *ctx)
{
	json_int(ctx, number);
	return NULL;
}

static const struct err *
add_step(const struct step *step, void *ctx)
{
	struct json *json = ctx;

	json_object(json);
	json_key_string(json, "phase", step->phase);
	json_key_string(json, "action", step->action);
	json_key_string(json, "host", step->host);
	json_key_string(json, "state", step->state);
	add_int_or_null(json, "exit", step->exit);
	json_key_time(json, "started_at", step->started_at);
	add_int_or_null(json, "duration_ms", strcmp(step->state,
	    "interrupted") == 0 ? -1 : step->duration_ms);
	json_end(json);
	return NULL;
}

/* The same directive of several commits is one name. */
static const struct err *
add_directives(struct json *json, struct journal *journal, int64_t number)
{
	struct directives list = DIRECTIVES_INIT;
	struct vec names = VEC_INIT;
	const struct err *err;

	err = deploy_directives(journal, number, true, &list);
	json_key(json, "directives");
	json_array(json);
	for (size_t i = 0; i < list.n; i++) {
		if (vec_push_new(&names, list.v[i].name))
			json_string(json, list.v[i].name);
	}
	json_end(json);
	vec_release(&names);
	directives_release(&list);
	return err;
}

static void
add_facts(struct json *json, const struct deploy *deploy)
{
	json_key_int(json, "deploy", deploy->number);
	json_key_string(json, "environment", deploy->environment);
	json_key_string(json, "kind", deploy->kind);
	json_key_string(json, "state", deploy_state_name(deploy->state));
	json_key_string(json, "commit", *deploy->commit == '\0' ? NULL :
	    deploy->commit);
	json_key_string(json, "ref", deploy->ref);
	json_key_string(json, "release", deploy->release);
	json_key_string(json, "previous", deploy->previous);
	json_key_string(json, "pusher", deploy->pusher);
	json_key_string(json, "author", deploy->author);
	json_key_string(json, "subject", deploy->subject);
}

static void
add_times(struct json *json, const struct deploy *deploy)
{
	json_key_time(json, "requested_at", deploy->requested_at);
	json_key_time(json, "started_at", deploy->started_at);
	json_key_time(json, "finished_at", deploy->finished_at);
	add_int_or_null(json, "prepare_ms", deploy->prepare_ms);
	add_int_or_null(json, "window_ms", deploy->window_ms);
	json_key_string(json, "error", deploy->error);
}

/* How its push came in; null for what was asked for without one. */
static const struct err *
add_push(struct json *json, struct journal *journal, int64_t push)
{
	struct pusher who = PUSHER_INIT;
	const struct err *err = NULL;
	char *origin = NULL;

	json_key(json, "push");
	if (push == 0) {
		json_null(json);
		return NULL;
	}
	err = push_get_origin(journal, push, &origin);
	if (err == NULL)
		err = pusher_get(journal, push, &who);
	json_object(json);
	json_key_int(json, "push", push);
	json_key_string(json, "known_by", who.known_by);
	json_key_string(json, "account", who.account);
	json_key_string(json, "ssh_key", who.ssh_key);
	json_key_string(json, "origin", origin);
	json_key_string(json, "signer", who.signer);
	json_key_string(json, "signing_key", who.signing_key);
	json_key_string(json, "certificate", who.cert);
	json_key_string(json, "fault", who.fault);
	json_end(json);
	pusher_release(&who);
	free(origin);
	return err;
}

const struct err *
table_json(struct json *json, struct journal *journal,
    const struct deploy *deploy)
{
	const struct err *err;
	char *state = NULL;

	json_object(json);
	add_facts(json, deploy);
	err = add_directives(json, journal, deploy->number);
	json_key(json, "superseded");
	json_array(json);
	if (err == NULL)
		err = deploy_superseded(journal, deploy->number,
		    add_superseded, json);
	json_end(json);
	add_times(json, deploy);
	json_key(json, "steps");
	json_array(json);
	if (err == NULL)
		err = step_each(journal, deploy->number, false, add_step,
		    json);
	json_end(json);
	if (err == NULL)
		err = add_push(json, journal, deploy->push);
	if (err == NULL)
		err = release_get_state(journal, deploy->environment,
		    deploy->release, &state);
	json_key_string(json, "release_state", state);
	json_end(json);
	free(state);
	return err;
}
