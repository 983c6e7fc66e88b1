#include "report/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "journal/push.h"
#include "journal/release.h"
#include "journal/step.h"
#include "plan/phase.h"
#include "plan/takes.h"
#include "report/line.h"
#include "report/paint.h"

/* Characters of a subject that a line of the log shows. */
#define SUBJECT_MAX 50

enum {
	COLUMN_NUMBER,
	COLUMN_TIME,
	COLUMN_ENVIRONMENT,
	COLUMN_STATE,
	COLUMN_RELEASE,
	COLUMN_COMMIT,
	COLUMN_PUSHER,
	COLUMN_COUNT
};

/* What follows the last one is the subject. */
static const struct {
	const char *title;
	size_t width;
} columns[COLUMN_COUNT] = {
	[COLUMN_NUMBER]	     = { "DEPLOY",      6 },
	[COLUMN_TIME]	     = { "REQUESTED",   16 },
	[COLUMN_ENVIRONMENT] = { "ENVIRONMENT", 11 },
	[COLUMN_STATE]	     = { "STATE",       11 },
	[COLUMN_RELEASE]     = { "RELEASE",     16 },
	[COLUMN_COMMIT]	     = { "COMMIT",      LINE_COMMIT_DIGITS },
	[COLUMN_PUSHER]	     = { "PUSHER",      16 },
};

/* Longer names of environments are cut. */
#define ENVIRONMENT_MAX 32

static void
add_cell(struct str *out, const struct table_columns *wanted, int column,
    const char *text)
{
	size_t width = columns[column].width;
	struct str cell = STR_INIT;

	if (column == COLUMN_ENVIRONMENT && wanted->environment_width > width)
		width = wanted->environment_width < ENVIRONMENT_MAX ?
		    wanted->environment_width : ENVIRONMENT_MAX;
	line_cut(&cell, text, width);
	line_cell(out, cell.s, width);
	str_release(&cell);
}

void
table_log_head(struct str *out, const struct table_columns *wanted)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		add_cell(out, wanted, i, columns[i].title);
	str_add(out, "SUBJECT\n");
}

/* "rollback: a subject", "tag v1.2: a subject". */
static void
add_subject(struct str *out, const struct table_columns *wanted,
    const struct deploy *deploy)
{
	struct str lead = STR_INIT;

	if (strcmp(deploy->kind, "rollback") == 0)
		str_add(&lead, "rollback");
	else if (wanted->refs && deploy->ref != NULL)
		takes_add_ref(&lead, deploy->ref);
	line_text(out, lead.len == 0 ? NULL : lead.s);
	if (lead.len > 0 && deploy->subject != NULL)
		str_add(out, ": ");
	line_cut(out, deploy->subject, SUBJECT_MAX);
	str_release(&lead);
}

/* In parentheses: there is no way back to it any more. */
static const struct err *
add_release(struct str *out, const struct table_columns *wanted,
    struct journal *journal, const struct deploy *deploy)
{
	struct str cell = STR_INIT;
	const struct err *err;
	char *state;

	err = release_get_state(journal, deploy->environment, deploy->release,
	    &state);
	str_add(&cell, deploy->release == NULL ? "-" : deploy->release);
	if (state != NULL && (strcmp(state, "removed") == 0 ||
	    strcmp(state, "failed") == 0)) {
		str_clear(&cell);
		str_addf(&cell, "(%s)", deploy->release);
	}
	add_cell(out, wanted, COLUMN_RELEASE, cell.s);
	str_release(&cell);
	free(state);
	return err;
}

const struct err *
table_log_line(struct str *out, const struct table_columns *wanted,
    struct journal *journal, const struct deploy *deploy)
{
	const char *state = deploy_state_name(deploy->state);
	struct str cell = STR_INIT;
	const struct err *err;

	str_addf(&cell, "%" PRId64, deploy->number);
	add_cell(out, wanted, COLUMN_NUMBER, cell.s);
	str_clear(&cell);
	clock_add_local(&cell, deploy->requested_at);
	add_cell(out, wanted, COLUMN_TIME, cell.s);
	add_cell(out, wanted, COLUMN_ENVIRONMENT, deploy->environment);
	paint_begin(out, paint_of_state(state));
	add_cell(out, wanted, COLUMN_STATE, state);
	paint_end(out);
	err = add_release(out, wanted, journal, deploy);
	str_clear(&cell);
	line_commit(&cell, *deploy->commit == '\0' ? "-" : deploy->commit);
	add_cell(out, wanted, COLUMN_COMMIT, cell.s);
	add_cell(out, wanted, COLUMN_PUSHER, deploy->pusher);
	add_subject(out, wanted, deploy);
	str_trim_end(out);
	str_addch(out, '\n');
	if (deploy->error != NULL) {
		str_add(out, "        ");
		paint_lead(out, PAINT_BAD, "error:");
		line_text(out, deploy->error);
		str_addch(out, '\n');
	}
	str_release(&cell);
	return err;
}

static void
add_time(struct str *out, const char *label, int64_t at)
{
	struct str text = STR_INIT;

	clock_add_local_seconds(&text, at);
	line_pair(out, label, at == 0 ? NULL : text.s);
	str_release(&text);
}

static void
add_duration(struct str *out, const char *label, int64_t ms)
{
	struct str text = STR_INIT;

	clock_add_duration(&text, ms);
	line_pair(out, label, ms < 0 ? NULL : text.s);
	str_release(&text);
}

/* "ssh key SHA256:... as git"; what is the name itself is not repeated. */
static void
add_known_by(struct str *out, const struct pusher *who, const char *name)
{
	struct str text = STR_INIT;

	if (who->known_by == NULL)
		return;
	str_add(&text, who->known_by);
	if (who->ssh_key != NULL && strcmp(who->ssh_key, name) != 0)
		str_addf(&text, "%s %s", strcmp(who->known_by, "ssh key") ==
		    0 ? "" : ", ssh key", who->ssh_key);
	if (strcmp(who->account, name) != 0)
		str_addf(&text, ", as %s", who->account);
	line_pair(out, "known by", text.s);
	str_release(&text);
}

static void
add_signer(struct str *out, const struct pusher *who)
{
	struct str text = STR_INIT;

	if (who->cert == NULL)
		return;
	if (who->fault != NULL)
		str_addf(&text, "nobody: %s", who->fault);
	else
		str_addf(&text, "%s, key %s", who->signer == NULL ? "?" :
		    who->signer, who->signing_key == NULL ? "?" :
		    who->signing_key);
	line_pair(out, "signed by", text.s);
	str_release(&text);
}

/* Where the push came from, if not from this machine, and whose it was. */
static const struct err *
add_push(struct str *out, struct journal *journal,
    const struct deploy *deploy)
{
	struct pusher who = PUSHER_INIT;
	const struct err *err;
	char *origin;

	err = push_get_origin(journal, deploy->push, &origin);
	if (err == NULL)
		err = pusher_get(journal, deploy->push, &who);
	add_known_by(out, &who, deploy->pusher);
	line_pair(out, "pushed from", origin);
	add_signer(out, &who);
	pusher_release(&who);
	free(origin);
	return err;
}

static const struct err *
add_facts(struct str *out, struct journal *journal,
    const struct deploy *deploy)
{
	const struct err *err;

	line_pair(out, "commit", *deploy->commit == '\0' ? NULL :
	    deploy->commit);
	line_pair(out, "subject", deploy->subject);
	line_pair(out, "author", deploy->author);
	line_pair(out, "ref", deploy->ref);
	line_pair(out, "pusher", deploy->pusher);
	err = add_push(out, journal, deploy);
	line_pair(out, "release", deploy->release);
	line_pair(out, "previous", deploy->previous);
	line_pair(out, "asked for", deploy->target);
	add_time(out, "requested", deploy->requested_at);
	add_time(out, "started", deploy->started_at);
	add_time(out, "finished", deploy->finished_at);
	add_duration(out, "prepared in", deploy->prepare_ms);
	add_duration(out, "window", deploy->window_ms);
	return err;
}

/* What steps of a deploy that is not over tell of its migrations. */
struct migrations {
	bool running, interrupted, done;
};

static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct migrations *found = ctx;

	if (strcmp(step->phase, phase_name(PHASE_MIGRATE)) != 0)
		return NULL;
	found->running |= strcmp(step->state, "running") == 0;
	found->interrupted |= strcmp(step->state, "interrupted") == 0;
	found->done |= strcmp(step->state, "done") == 0 ||
	    strcmp(step->state, "undoing") == 0;
	return NULL;
}

/* The row of the deploy has the word for what has come to an end. */
static const struct err *
add_migrations(struct str *out, struct journal *journal,
    const struct deploy *deploy, bool abandoned)
{
	struct migrations found = { false, false, false };
	const char *word = "did not run";
	const struct err *err;

	err = step_each(journal, deploy->number, false, look_at_step, &found);
	if (deploy->migrated != MIGRATED_NO)
		word = deploy_migrated(deploy);
	else if (found.running && !abandoned)
		word = "under way";
	else if (found.running || found.interrupted)
		word = "interrupted, may have changed data";
	else if (found.done)
		word = migrated_name(MIGRATED_YES);
	line_pair(out, "migrations", word);
	line_pair(out, "maintenance", maintenance_name(deploy->maintenance));
	return err;
}

static const struct err *
add_directives(struct str *out, struct journal *journal, int64_t number,
    bool known)
{
	struct directives list = DIRECTIVES_INIT;
	const struct err *err;

	err = deploy_directives(journal, number, known, &list);
	for (size_t i = 0; err == NULL && i < list.n; i++) {
		const struct directive *d = &list.v[i];

		line_label(out, known ? "directive" : "unknown");
		str_addch(out, '-');
		line_text(out, d->name);
		str_add(out, *d->argument == '\0' ? "" : ":");
		line_text(out, d->argument);
		str_add(out, "-  ");
		line_commit(out, d->commit);
		str_add(out, *d->commit == '\0' ? "(" : " (");
		line_text(out, d->source);
		str_add(out, ")\n");
	}
	directives_release(&list);
	return err;
}

static const struct err *
add_superseded(int64_t number, void *ctx)
{
	struct str *list = ctx;

	str_addf(list, "%s%" PRId64, list->len == 0 ? "" : ", ", number);
	return NULL;
}

/* How a step ended, where its state alone does not say it. */
static void
add_step_end(struct str *out, const struct step *step)
{
	if (step->timed_out)
		str_add(out, ", timed out");
	else if (step->signal != 0)
		str_addf(out, ", killed by signal %" PRId64, step->signal);
	else if (step->exit > 0)
		str_addf(out, ", exit %" PRId64, step->exit);
}

static const struct err *
add_step(const struct step *step, void *ctx)
{
	struct str *out = ctx;
	struct str label = STR_INIT;

	line_text(&label, step->phase);
	line_label(out, label.s);
	line_text(out, step->action);
	if (strcmp(step->host, "local") != 0) {
		str_add(out, " on ");
		line_text(out, step->host);
	}
	str_add(out, ": ");
	paint_begin(out, paint_of_state(step->state));
	line_text(out, step->state);
	paint_end(out);
	add_step_end(out, step);
	if (strcmp(step->state, "interrupted") == 0) {
		str_add(out, ", nobody knows after how long");
	} else if (strcmp(step->state, "running") != 0) {
		str_add(out, ", ");
		clock_add_duration(out, step->duration_ms);
	}
	str_addch(out, '\n');
	str_release(&label);
	return NULL;
}

static void
add_state(struct str *out, const struct deploy *deploy)
{
	const char *name = deploy_state_name(deploy->state);

	paint_word(out, paint_of_state(name), name);
}

const struct err *
table_show(struct str *out, struct journal *journal,
    const struct deploy *deploy, bool abandoned)
{
	struct str list = STR_INIT;
	const struct err *err;

	str_addf(out, "deploy %" PRId64 ": ", deploy->number);
	str_add(out, strcmp(deploy->kind, "rollback") == 0 ? "rollback of " :
	    "");
	line_text(out, deploy->environment);
	str_add(out, ", ");
	add_state(out, deploy);
	str_addch(out, '\n');
	err = add_facts(out, journal, deploy);
	if (err == NULL && deploy->started_at != 0)
		err = add_migrations(out, journal, deploy, abandoned);
	if (err == NULL)
		err = add_directives(out, journal, deploy->number, true);
	if (err == NULL)
		err = add_directives(out, journal, deploy->number, false);
	if (err == NULL)
		err = deploy_superseded(journal, deploy->number,
		    add_superseded, &list);
	line_pair(out, "superseded", list.len == 0 ? NULL : list.s);
	str_release(&list);
	if (deploy->superseded_by != 0) {
		line_label(out, "superseded by");
		str_addf(out, "%" PRId64 "\n", deploy->superseded_by);
	}
	if (err == NULL)
		err = step_each(journal, deploy->number, false, add_step,
		    out);
	line_pair(out, "error", deploy->error);
	line_pair(out, "needs a hand", deploy->state == DEPLOY_BROKEN ?
	    LINE_BROKEN : NULL);
	return err;
}
