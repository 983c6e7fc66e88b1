#include "report/summary.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/deploy.h"
#include "plan/phase.h"
#include "report/line.h"
#include "report/paint.h"

static bool is_remote, is_past;

void
summary_for_remote(bool remote)
{
	is_remote = remote;
}

void
summary_for_past(bool past)
{
	is_past = past;
}

struct summary {
	struct str *out;
	const struct json_flat *end;
	const struct vec *results;
	const char *repo;
};

static const char *
get(const struct summary *summary, const char *key)
{
	return json_flat_get(summary->end, key);
}

/* The same with a word for what is not there. */
static const char *
get_or(const struct summary *summary, const char *key, const char *otherwise)
{
	const char *value = get(summary, key);

	return value == NULL ? otherwise : value;
}

static bool
is_rollback(const struct summary *summary)
{
	return strcmp(get_or(summary, "kind", "deploy"), "rollback") == 0;
}

/* "slipway VERB [ARGUMENT] -C REPO"; the line is left open. */
static void
add_words(const struct summary *summary, const char *verb,
    const char *argument)
{
	str_addf(summary->out, "%sslipway %s ", is_remote ?
	    "on the server: " : "", verb);
	if (argument != NULL) {
		line_text(summary->out, argument);
		str_addch(summary->out, ' ');
	}
	str_add(summary->out, "-C ");
	str_add_word(summary->out, summary->repo);
}

static void
add_command(const struct summary *summary, const char *label,
    const char *verb, const char *argument)
{
	line_label(summary->out, label);
	add_words(summary, verb, argument);
}

static void
add_duration(const struct summary *summary, const char *key,
    const char *words)
{
	int64_t ms = json_flat_int(summary->end, key, -1);

	if (ms < 0)
		return;
	str_add(summary->out, words);
	clock_add_duration(summary->out, ms);
}

static void
add_commit(const struct summary *summary)
{
	const char *subject = get(summary, "subject");

	line_label(summary->out, "commit");
	line_commit(summary->out, get(summary, "commit"));
	if (subject != NULL) {
		str_addch(summary->out, ' ');
		line_cut(summary->out, subject, LINE_SUBJECT_MAX);
	}
	str_addch(summary->out, '\n');
	/* There only when a branch went elsewhere than forward. */
	if (get(summary, "moved") != NULL)
		line_pair(summary->out, "branch", get(summary, "moved"));
}

static void
add_times(const struct summary *summary)
{
	line_label(summary->out, "deploy");
	line_text(summary->out, get(summary, "deploy"));
	add_duration(summary, "prepare_ms", ", prepared in ");
	add_duration(summary, "window_ms", ", window ");
	str_addch(summary->out, '\n');
}

static void
add_results(const struct summary *summary)
{
	struct str joined = STR_INIT;

	if (summary->results->n == 0)
		return;
	vec_join(summary->results, ", ", &joined);
	line_pair(summary->out, "directives", joined.s);
	str_release(&joined);
}

static void
add_database_and_page(const struct summary *summary)
{
	const char *migrated = get_or(summary, "migrated", "none");

	line_pair(summary->out, "migrations",
	    strcmp(migrated, "none") == 0 ? "did not run" : migrated);
	line_pair(summary->out, "maintenance",
	    get_or(summary, "maintenance", "not used"));
}

/* Where several environments are, a rollback must name the one it means. */
static void
add_rollback(const struct summary *summary, const char *label,
    const char *release)
{
	add_command(summary, label, "rollback", release);
	str_add(summary->out, " -e ");
	str_add_word(summary->out, get_or(summary, "environment", ""));
	str_addch(summary->out, '\n');
}

/* Code went back, now or before, and nothing else did. */
static void
add_leaving(const struct summary *summary)
{
	int64_t n = json_flat_int(summary->end, "leave", 0);

	if (n > 0) {
		line_label(summary->out, "goes back");
		str_addf(summary->out, "%lld commit%s\n", (long long)n,
		    n == 1 ? " leaves" : "s leave");
	}
	line_pair(summary->out, "not undone", get(summary, "not_undone"));
	line_pair(summary->out, "backed up", get(summary, "backups"));
	if (get(summary, "undone_by") != NULL)
		add_rollback(summary, "to undo it", get(summary,
		    "undone_by"));
}

/* The same for who has no login there; "commit" NULL: the verb has none. */
static void
add_push(const struct summary *summary, const char *verb, const char *commit)
{
	line_label(summary->out, "");
	str_add(summary->out, "or git push REMOTE ");
	line_commit(summary->out, commit);
	str_add(summary->out, ":refs/deploy/");
	line_text(summary->out, get(summary, "environment"));
	str_addf(summary->out, "/%s\n", verb);
}

void
summary_add_left_out(struct str *out, const struct json_flat *superseded,
    const char *repo)
{
	const struct summary summary = { out, superseded, NULL, repo };
	const char *commit = get(&summary, "commit");
	struct str name = STR_INIT;

	if (commit == NULL) {
		str_addch(out, '\n');
		return;
	}
	line_commit(&name, commit);
	str_addf(out, "; your commit %s is not in it\n", name.s);
	add_command(&summary, "to deploy it", "deploy", name.s);
	str_add(out, " -e ");
	str_add_word(out, get_or(&summary, "environment", ""));
	str_addch(out, '\n');
	if (is_remote)
		add_push(&summary, "now", commit);
	str_release(&name);
}

static void
add_success(const struct summary *summary)
{
	const char *error = get(summary, "error");

	line_text(summary->out, get(summary, "environment"));
	str_add(summary->out, ": release ");
	line_text(summary->out, get(summary, "release"));
	str_addch(summary->out, ' ');
	paint_word(summary->out, PAINT_GOOD, is_past ? "went live" :
	    "is live");
	str_add(summary->out, is_rollback(summary) ? " again\n" : "\n");
	if (error != NULL) {
		paint_lead(summary->out, PAINT_BUSY, "warning:");
		line_text(summary->out, error);
		str_addch(summary->out, '\n');
	}
	add_commit(summary);
	add_times(summary);
	add_results(summary);
	add_database_and_page(summary);
	add_leaving(summary);
	/* After a rollback the one before may be the first of all. */
	if (get(summary, "previous") == NULL || is_rollback(summary) ||
	    is_past)
		return;
	add_rollback(summary, "roll back", NULL);
	if (is_remote)
		add_push(summary, "rollback", NULL);
}

/* What the journal has for live is not what visitors get. */
static void
add_astray(const struct summary *summary, const char *live)
{
	if (live == NULL || *live == '\0') {
		str_add(summary->out, "nothing that the journal knows: ");
	} else {
		str_add(summary->out, "not release ");
		line_text(summary->out, live);
		str_add(summary->out, ", which should be: ");
	}
	line_text(summary->out, get(summary, "astray"));
	str_addch(summary->out, '\n');
}

static void
add_live(const struct summary *summary)
{
	const char *live = get(summary, "live");
	const char *commit = get(summary, "live_commit");

	line_label(summary->out, "live");
	if (get(summary, "astray") != NULL) {
		add_astray(summary, live);
		return;
	}
	if (live == NULL || *live == '\0') {
		str_addf(summary->out, "nothing %s live yet\n", is_past ?
		    "was" : "is");
		return;
	}
	str_add(summary->out, "release ");
	line_text(summary->out, live);
	str_add(summary->out, is_past ? " was" : " is");
	str_add(summary->out, strcmp(live, get_or(summary, "release", ""))
	    == 0 ? " live" : " still live");
	if (commit != NULL && *commit != '\0') {
		str_add(summary->out, " (");
		line_commit(summary->out, commit);
		str_addch(summary->out, ')');
	}
	str_addch(summary->out, '\n');
}

static void
add_again(const struct summary *summary)
{
	const char *how = get_or(summary, "again", "retry");

	if (is_rollback(summary)) {
		/*
		 * One that was refused would be refused again, and where
		 * visitors get something else there is more to be done.
		 */
		if (strcmp(get_or(summary, "state", ""), "failed") != 0 &&
		    get(summary, "astray") == NULL)
			add_rollback(summary, "again",
			    get(summary, "release"));
		return;
	}
	if (strcmp(how, "no") == 0)
		return;
	line_label(summary->out, "again");
	if (strcmp(how, "push") == 0)
		str_add(summary->out, "git push (the same commit), or ");
	add_words(summary, "retry", get(summary, "deploy"));
	str_addch(summary->out, '\n');
	if (is_remote && strcmp(how, "push") != 0)
		add_push(summary, "now", get(summary, "commit"));
}

/* An error that begins with a phase or a place reads on: "failed at ...". */
static void
add_error(struct str *out, const char *error)
{
	char *word = xstrndup(error, strcspn(error, " :"));
	enum phase phase;

	if (phase_by_name(&phase, word))
		str_add(out, " at ");
	else
		str_add(out, strcmp(word, "at") == 0 ? " " : ": ");
	line_text(out, error);
	free(word);
}

/* "cancelled_by" is there when that is why it ended, and so is the error. */
static void
add_failure(const struct summary *summary, const char *state)
{
	const char *error = get(summary, "error");
	bool cancelled = get(summary, "cancelled_by") != NULL;
	bool broken = strcmp(state, "broken") == 0;

	if (!cancelled || broken)
		paint_lead(summary->out, PAINT_BAD, "error:");
	str_add(summary->out, "deploy ");
	line_text(summary->out, get(summary, "deploy"));
	if (cancelled) {
		str_add(summary->out, " was ");
		line_text(summary->out, error);
	} else {
		str_add(summary->out, " failed");
		if (error != NULL)
			add_error(summary->out, error);
	}
	if (strcmp(state, "rolled-back") == 0)
		str_add(summary->out, "; it was rolled back");
	if (strcmp(state, "rolled-back") == 0 && str_ends_with(
	    get_or(summary, "migrated", ""), ", may have changed data"))
		str_add(summary->out, DEPLOY_BUT_PERHAPS);
	str_addch(summary->out, '\n');
	add_live(summary);
	add_results(summary);
	if (get(summary, "stays") != NULL && !is_past) {
		line_label(summary->out, "asked for");
		line_text(summary->out, get(summary, "stays"));
		str_add(summary->out, ", until a deploy goes live; see"
		    " DIRECTIVES in slipway.ini(5)\n");
	}
	add_database_and_page(summary);
	if (broken) {
		add_command(summary, "needs a hand", "show",
		    get(summary, "deploy"));
		str_add(summary->out, "; " LINE_BROKEN "\n");
	}
	if (!is_past)
		add_again(summary);
}

void
summary_add(struct str *out, const struct json_flat *end,
    const struct vec *results, const char *repo)
{
	const struct summary summary = { out, end, results, repo };
	const char *state = get_or(&summary, "state", "");

	if (strcmp(state, "live") == 0 || strcmp(state, "retired") == 0)
		add_success(&summary);
	else
		add_failure(&summary, state);
}
