/*
 * The status of one environment: what is live, what is under way, what
 * waits, and what failed since. The journal tells, and the symlink is
 * looked at: what visitors see is what it says.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "deploy/leaving.h"
#include "journal/push.h"
#include "journal/release.h"
#include "journal/step.h"
#include "plan/takes.h"
#include "report/current.h"
#include "report/line.h"
#include "report/paint.h"
#include "report/table.h"

struct status {
	struct deploy live;		/* number 0: nothing is */
	struct deploy running;		/* number 0: none */
	struct deploy failed;		/* number 0: none since "live" */
	int64_t page_up;		/* by this deploy; 0: it is not */
	struct str current;		/* where the symlink points */
	struct str fault;		/* what is wrong with it, or "" */
	struct str page;		/* what takes it down, or "" */
};

static void
status_release(struct status *status)
{
	deploy_release(&status->live);
	deploy_release(&status->running);
	deploy_release(&status->failed);
	str_release(&status->current);
	str_release(&status->fault);
	str_release(&status->page);
}

/*
 * In the middle of an activation the two may differ for a moment. In a root
 * that is another's no deploy turns it.
 */
static void
look_at_current(struct status *status, struct journal *journal,
    const struct table_place *place)
{
	const struct current current = {
		.journal = journal,
		.root = place->root,
		.live = &status->live,
		.which = place->which,
		.several = place->refs,
	};

	current_look(&status->fault, &status->current, &current);
	if (status->running.state == DEPLOY_ACTIVATING ||
	    place->claim != NULL)
		str_clear(&status->fault);
	if (place->claim != NULL)
		str_add(&status->fault, place->claim);
	if (status->page_up != 0) {
		str_add(&status->page, "the page is up; ");
		current_add_page(&status->page, &current);
	}
}

static const struct err *
keep_number(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	int64_t *newest = ctx;

	(void)journal;
	if (deploy->number > *newest)
		*newest = deploy->number;
	return NULL;
}

/* The newest deploy that failed, if it is newer than what is live. */
static const struct err *
get_failed(struct journal *journal, const char *environment, int64_t live,
    struct deploy *failed)
{
	static const enum deploy_state states[] = {
		DEPLOY_FAILED, DEPLOY_ROLLED_BACK, DEPLOY_BROKEN
	};
	const struct err *err = NULL;
	int64_t newest = 0;

	for (size_t i = 0; err == NULL && i < sizeof(states) /
	    sizeof(states[0]); i++) {
		struct deploy_filter filter = {
			.environment = environment,
			.state = deploy_state_name(states[i]),
			.limit = 1,
		};

		err = deploy_each(journal, &filter, keep_number, &newest);
	}
	if (err != NULL || newest <= live)
		return err;
	return deploy_get(journal, newest, failed);
}

static const struct err *
status_get(struct status *status, struct journal *journal,
    const struct table_place *place)
{
	const char *environment = place->environment;
	const struct err *err;

	str_init(&status->current);
	str_init(&status->fault);
	str_init(&status->page);
	status->live = (struct deploy)DEPLOY_INIT;
	status->running = (struct deploy)DEPLOY_INIT;
	status->failed = (struct deploy)DEPLOY_INIT;
	status->page_up = 0;
	err = deploy_get_live(journal, environment, &status->live);
	if (err == NULL)
		err = deploy_get_running(journal, environment,
		    &status->running);
	if (err == NULL)
		err = get_failed(journal, environment, status->live.number,
		    &status->failed);
	if (err == NULL)
		err = deploy_page_up(journal, environment, &status->page_up);
	if (err == NULL)
		look_at_current(status, journal, place);
	return err;
}

/* "deploy 42 (1a2b3c4) by alice, a rollback"; the line is left open. */
static void
add_deploy(struct str *out, const struct deploy *deploy)
{
	str_addf(out, "deploy %" PRId64, deploy->number);
	if (*deploy->commit != '\0') {
		str_add(out, " (");
		line_commit(out, deploy->commit);
		str_addch(out, ')');
	}
	str_add(out, " by ");
	line_text(out, deploy->pusher);
	if (strcmp(deploy->kind, "rollback") == 0)
		str_add(out, ", a rollback");
}

/* Of a rollback: what the release that it went back to was made of. */
static void
add_ref(struct str *out, struct journal *journal, const struct deploy *live)
{
	struct release release = { .id = 0 };
	struct deploy maker = DEPLOY_INIT;
	const char *ref = live->ref;
	struct str text = STR_INIT;

	if (ref == NULL && live->release != NULL && release_get(journal,
	    live->environment, live->release, &release) == NULL &&
	    deploy_get(journal, release.deploy, &maker) == NULL)
		ref = maker.ref;
	if (ref != NULL)
		takes_add_ref(&text, ref);
	line_pair(out, "of", ref == NULL ? NULL : text.s);
	str_release(&text);
	deploy_release(&maker);
	release_release(&release);
}

static void
add_live(struct str *out, const struct deploy *live)
{
	line_label(out, "live");
	if (live->number == 0) {
		str_add(out, "nothing yet\n");
		return;
	}
	str_add(out, "release ");
	paint_begin(out, PAINT_GOOD);
	line_text(out, live->release);
	paint_end(out);
	str_add(out, ", since ");
	clock_add_local(out, live->finished_at != 0 ? live->finished_at :
	    live->started_at);
	str_addch(out, '\n');
	line_label(out, "");
	add_deploy(out, live);
	if (live->subject != NULL) {
		str_add(out, ": ");
		line_cut(out, live->subject, LINE_SUBJECT_MAX);
	}
	str_addch(out, '\n');
}

static void
add_not_undone(struct str *out, const struct leaving *leaving)
{
	struct str text = STR_INIT;

	leaving_add_steps(&text, leaving);
	if (leaving->command != NULL)
		str_addf(&text, "; to undo it: %s", leaving->command);
	line_pair(out, "not undone", text.len == 0 ? NULL : text.s);
	str_release(&text);
}

/* ", failed: build (gate): exit 1"; the line is left open. */
static void
add_state(struct str *out, const struct deploy *deploy)
{
	const char *state = deploy_state_name(deploy->state);

	str_add(out, ", ");
	paint_word(out, paint_of_state(state), state);
	if (deploy->error != NULL) {
		str_add(out, ": ");
		line_text(out, deploy->error);
	}
}

static void
add_since(struct str *out, int64_t at)
{
	int64_t ms = clock_now_ms() - at;

	/* A clock that was set back tells nothing. */
	if (at == 0 || ms < 0)
		return;
	str_add(out, " for ");
	clock_add_duration(out, ms);
}

static const struct err *
add_running_step(const struct step *step, void *ctx)
{
	struct str *out = ctx;

	if (strcmp(step->state, "running") != 0)
		return NULL;
	str_add(out, ", at ");
	line_text(out, step->phase);
	str_add(out, " (");
	line_text(out, step->action);
	str_addch(out, ')');
	add_since(out, step->started_at);
	return NULL;
}

/* "preparing for 12 s, at build (gate) for 11 s": it may just be slow. */
static const struct err *
add_running(struct str *out, struct journal *journal,
    const struct deploy *deploy)
{
	const struct err *err;

	if (deploy->number == 0)
		return NULL;
	line_label(out, "under way");
	add_deploy(out, deploy);
	add_state(out, deploy);
	add_since(out, deploy->started_at);
	err = step_each(journal, deploy->number, false, add_running_step,
	    out);
	str_addch(out, '\n');
	return err;
}

static void
add_failed(struct str *out, const struct deploy *deploy)
{
	if (deploy->number == 0)
		return;
	line_label(out, "last failure");
	add_deploy(out, deploy);
	add_state(out, deploy);
	str_addch(out, '\n');
}

static const struct err *
add_waiting(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct str *out = ctx;

	(void)journal;
	line_label(out, "waiting");
	add_deploy(out, deploy);
	str_addch(out, '\n');
	return NULL;
}

/*
 * Several reasons, each of them on a line, become one line; commands that
 * stand below one, and begin with spaces, do as well.
 */
static void
add_reasons(struct str *out, const char *reasons)
{
	struct vec lines = VEC_INIT;

	vec_split(&lines, reasons, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " ");

		if (i > 0)
			str_add(out, line != lines.v[i] &&
			    str_ends_with(lines.v[i - 1], ":") ? " " : "; ");
		line_text(out, line);
	}
	vec_release(&lines);
}

const struct err *
table_refused(struct str *out, struct journal *journal)
{
	struct push push = PUSH_INIT;
	const struct err *err;
	char *reason;

	err = push_get_refused(journal, &push, &reason);
	if (err == NULL && push.id != 0) {
		line_label(out, "refused");
		str_add(out, "a push by ");
		line_text(out, push.pusher);
		str_add(out, ", ");
		clock_add_local(out, push.at);
		str_add(out, ": ");
		add_reasons(out, reason == NULL ? "" : reason);
		str_addch(out, '\n');
	}
	push_release(&push);
	free(reason);
	return err;
}

const struct err *
table_status(struct str *out, struct journal *journal,
    const struct table_place *place, struct str *fault)
{
	struct deploy_filter waiting = {
		.environment = place->environment,
		.waiting = true,
	};
	struct status status;
	const struct err *err;

	err = status_get(&status, journal, place);
	str_add(fault, status.fault.s);
	if (err == NULL) {
		line_text(out, place->environment);
		str_add(out, ": ");
		line_text(out, place->root);
		str_addch(out, '\n');
		add_live(out, &status.live);
		if (place->refs && status.live.number != 0)
			add_ref(out, journal, &status.live);
		line_pair(out, "but", status.fault.len == 0 ? NULL :
		    status.fault.s);
		/* What failed after it had become live; the row has it. */
		line_pair(out, "warning", status.live.error);
		line_pair(out, "not live", place->not_live);
		add_not_undone(out, place->leaving);
		line_pair(out, "maintenance", status.page_up == 0 ? NULL :
		    status.page.s);
		err = add_running(out, journal, &status.running);
	}
	if (err == NULL)
		err = deploy_each(journal, &waiting, add_waiting, out);
	if (err == NULL) {
		add_failed(out, &status.failed);
		if (*place->handmade != '\0')
			line_pair(out, "drift", place->handmade);
		for (size_t i = 0; i < place->left->n; i++)
			line_pair(out, "left", place->left->v[i]);
	}
	status_release(&status);
	return err;
}

static const struct err *
add_object(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	return table_json(ctx, journal, deploy);
}

static const struct err *
add_object_or_null(struct json *json, const char *key,
    struct journal *journal, const struct deploy *deploy)
{
	json_key(json, key);
	if (deploy->number != 0)
		return table_json(json, journal, deploy);
	json_null(json);
	return NULL;
}

const struct err *
table_status_json(struct json *json, struct journal *journal,
    const struct table_place *place, struct str *fault)
{
	struct deploy_filter waiting = {
		.environment = place->environment,
		.waiting = true,
	};
	struct status status;
	const struct err *err;

	err = status_get(&status, journal, place);
	str_add(fault, status.fault.s);
	json_object(json);
	json_key_string(json, "environment", place->environment);
	json_key_string(json, "root", place->root);
	json_key_string(json, "current", status.current.len == 0 ? NULL :
	    status.current.s);
	json_key_string(json, "fault", status.fault.len == 0 ? NULL :
	    status.fault.s);
	if (err == NULL)
		err = add_object_or_null(json, "live", journal,
		    &status.live);
	if (err == NULL)
		err = add_object_or_null(json, "running", journal,
		    &status.running);
	json_key(json, "waiting");
	json_array(json);
	if (err == NULL)
		err = deploy_each(journal, &waiting, add_object, json);
	json_end(json);
	if (err == NULL)
		err = add_object_or_null(json, "failed", journal,
		    &status.failed);
	json_key(json, "left");
	json_array(json);
	for (size_t i = 0; i < place->left->n; i++)
		json_string(json, place->left->v[i]);
	json_end(json);
	json_key_string(json, "not_live", place->not_live);
	json_key(json, "page_up");
	if (status.page_up == 0)
		json_null(json);
	else
		json_int(json, status.page_up);
	json_key(json, "drift");
	if (place->n_handmade == -1)
		json_null(json);
	else
		json_int(json, place->n_handmade);
	leaving_add_json(json, place->leaving);
	json_end(json);
	status_release(&status);
	return err;
}
