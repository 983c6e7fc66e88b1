/*
 * The object is a contract with scripts: keys are only added.
 */
#include <stdint.h>
#include <string.h>

#include "deploy/forecast.h"

static void
add_number(struct json *json, const char *key, int64_t value, int64_t none)
{
	json_key(json, key);
	if (value == none)
		json_null(json);
	else
		json_int(json, value);
}

static void
add_strings(struct json *json, const char *key, const struct vec *strings)
{
	json_key(json, key);
	json_array(json);
	for (size_t i = 0; i < strings->n; i++)
		json_string(json, strings->v[i]);
	json_end(json);
}

static void
add_commits(struct json *json, const char *key, const struct commits *commits)
{
	json_key(json, key);
	json_array(json);
	for (size_t i = 0; i < commits->n; i++) {
		json_object(json);
		json_key_string(json, "commit", commits->v[i].oid);
		json_key_string(json, "author", commits->v[i].author);
		json_key_string(json, "subject", commits->v[i].subject);
		json_end(json);
	}
	json_end(json);
}

static void
add_leaving(struct json *json, const struct leaving *leaving)
{
	json_key_int(json, "leave", (int64_t)leaving->commits.n);
	add_commits(json, "leaving", &leaving->commits);
	leaving_add_json(json, leaving);
}

static bool
is_known(const struct plan *plan, const struct directive *directive)
{
	return strcmp(directive->name, DIRECTIVE_SKIP) == 0 ||
	    vec_has(&plan->directives, directive->name);
}

static void
add_directives(struct json *json, const struct work *work)
{
	json_key(json, "directives");
	json_array(json);
	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		json_object(json);
		json_key_string(json, "name", d->name);
		json_key_string(json, "argument", d->argument[0] == '\0' ?
		    NULL : d->argument);
		json_key_string(json, "commit", d->commit[0] == '\0' ? NULL :
		    d->commit);
		json_key_string(json, "source", d->source);
		json_key(json, "older");
		if (d->deploy == 0)
			json_null(json);
		else
			json_int(json, d->deploy);
		json_key_bool(json, "known", is_known(&work->plan, d));
		json_end(json);
	}
	json_end(json);
}

static void
add_hosts(struct json *json, const struct plan *plan,
    const struct plan_item *item)
{
	json_key(json, "hosts");
	json_array(json);
	for (size_t i = 0; i < plan->n_hosts; i++) {
		if (item == NULL || item->hosts[i])
			json_string(json, plan->hosts[i]->name);
	}
	json_end(json);
}

static void
add_steps(struct json *json, const struct forecast *forecast)
{
	json_key(json, "steps");
	json_array(json);
	for (size_t i = 0; i < forecast->n_steps; i++) {
		const struct forecast_step *step = &forecast->steps[i];
		const struct action *action = step->item == NULL ? NULL :
		    step->item->action;

		json_object(json);
		json_key_string(json, "phase", phase_name(step->phase));
		json_key_string(json, "action", step->name);
		json_key_string(json, "run", action == NULL ? NULL :
		    action->run);
		json_key_string(json, "undo", action == NULL ? NULL :
		    action->undo);
		json_key_string(json, "argument", action == NULL ? NULL :
		    step->item->argument);
		json_key_bool(json, "once", action != NULL && action->once);
		add_hosts(json, &forecast->work.plan, step->item);
		add_number(json, "last_ms", step->took_ms, -1);
		json_end(json);
	}
	json_end(json);
}

/* null: that is not known. */
static void
add_edits(struct json *json, const struct forecast *forecast)
{
	const struct edits *edits = &forecast->edits;

	json_key(json, "edits");
	if (forecast->edits_fault != NULL || forecast->lost != NULL) {
		json_null(json);
		return;
	}
	json_array(json);
	for (size_t i = 0; i < edits->n; i++) {
		json_object(json);
		json_key_string(json, "host", edits->v[i].host);
		json_key_string(json, "path", edits->v[i].path);
		json_key_string(json, "change", edits->v[i].change);
		json_end(json);
	}
	json_end(json);
}

static void
add_room(struct json *json, const struct forecast *forecast)
{
	const struct store_room *room = &forecast->room;

	json_key(json, "room");
	if (!forecast->has_root) {
		json_null(json);
		return;
	}
	json_object(json);
	json_key_int(json, "need_bytes", room->need_bytes);
	json_key_int(json, "need_inodes", room->need_inodes);
	json_key_int(json, "free_bytes", room->free_bytes);
	add_number(json, "free_inodes", room->free_inodes, INT64_MAX);
	json_end(json);
}

void
forecast_json(struct json *json, const struct forecast *forecast)
{
	const struct work *work = &forecast->work;
	const struct deploy *live = &forecast->live;

	json_object(json);
	json_key_string(json, "environment", work->env->name);
	json_key_string(json, "commit", work->deploy.commit);
	json_key_string(json, "live", live->release);
	json_key_string(json, "live_commit", live->commit);
	add_commits(json, "commits", &forecast->commits);
	add_leaving(json, &forecast->leaving);
	add_directives(json, work);
	add_strings(json, "changed", &forecast->changed);
	add_strings(json, "shared", &work->env->set.shared);
	add_strings(json, "missing", &forecast->missing);
	add_strings(json, "carried", &forecast->carried);
	add_steps(json, forecast);
	add_room(json, forecast);
	add_edits(json, forecast);
	add_number(json, "last_prepare_ms", forecast->last.prepare_ms, -1);
	add_number(json, "last_window_ms", forecast->last.window_ms, -1);
	json_end(json);
}
