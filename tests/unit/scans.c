/*
 * No statement of what viewers and pushes do goes through a table or an
 * index that grows with each deploy. SQLite counts the operations of each
 * statement: with PAST deploys behind them, they stay few.
 */
#include "journal/deploy.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "db_vfs.h"
#include "deploy/leaving.h"
#include "journal/push.h"
#include "journal/release.h"
#include "journal/step.h"
#include "journal_fixture.h"
#include "report/table.h"

#define PAST 3000

/* A page of the log takes some 1,200, one look at each deploy 9,000. */
#define OPERATIONS_MAX 3000

/* Each with a push, a directive, two steps; some failed, or were refused. */
static const char past[] =
    "CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL"
    " SELECT n + 1 FROM n WHERE n < 3000) SELECT n, n * 60000 AS at,"
    " strftime('%Y%m%d%H%M%S', 1700000000 + n * 600, 'unixepoch') AS name"
    " FROM n;"
    "INSERT INTO pushes SELECT n, at, 'alice', NULL, n || ' 1', '[]',"
    " iif(n % 3, 'landed', 'refused'), NULL FROM n;"
    "INSERT INTO push_refs SELECT n, 'refs/heads/main', '" COMMIT "',"
    " '" COMMIT "', 0, 'Alice', 'a subject', 1 FROM n;"
    "INSERT INTO deploys (number, environment, kind, state, commit_oid,"
    " ref, release, push, pusher, requested_at, started_at, finished_at)"
    " SELECT n, 'production', 'deploy', iif(n % 31, 'retired', 'failed'),"
    " '" COMMIT "', 'refs/heads/main', name, n, 'alice', at, at, at FROM n;"
    "INSERT INTO directives SELECT n, 'cc', '', '" COMMIT "', 'message', 1"
    " FROM n;"
    "INSERT INTO steps SELECT 2 * n + value, n, 'clear', 'cc', 'local',"
    " 'done', '', NULL, 0, 0, 0, 0, 0, at, 4 FROM n,"
    " json_each('[0, 1]');"
    "INSERT INTO releases SELECT n, 'production', name, n, '" COMMIT "',"
    " 'removed', at, at, n FROM n;"
    "INSERT INTO events (at, noun, key, body, hash) SELECT at, 'deploy', n,"
    " '{}', randomblob(32) FROM n, json_each('[1, 2, 3]');"
    "DROP TABLE n;";

static struct journal *journal;
static struct deploy live;
static int most;		/* operations of one statement */
static char *culprit;

static int
on_statement(unsigned int type, void *ctx, void *stmt, void *duration)
{
	int n = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);

	(void)type;
	(void)ctx;
	(void)duration;
	if (n > most) {
		most = n;
		free(culprit);
		culprit = xstrdup(sqlite3_sql(stmt));
	}
	return 0;
}

/* Every connection of this program is watched. */
static int
watch(sqlite3 *handle, char **text, const struct sqlite3_api_routines *api)
{
	(void)text;
	(void)api;
	return sqlite3_trace_v2(handle, SQLITE_TRACE_PROFILE, on_statement,
	    NULL);
}

static const struct err *
pass_over(struct journal *from, const struct deploy *deploy, void *ctx)
{
	(void)from;
	(void)deploy;
	(void)ctx;
	return NULL;
}

static const struct err *
each(const struct deploy_filter *filter)
{
	return deploy_each(journal, filter, pass_over, NULL);
}

static const struct err *
list_page(void)
{
	struct deploy_filter filter = { .limit = 20 };
	const struct err *err = each(&filter);

	filter.environment = "production";
	return err == NULL ? each(&filter) : err;
}

static const struct err *
list_state(void)
{
	struct deploy_filter filter = { .state = "broken",
	    .environment = "production" };

	return each(&filter);
}

static const struct err *
list_waiting(void)
{
	struct deploy_filter filter = { .waiting = true };

	return each(&filter);
}

static const struct err *
list_push(void)
{
	struct deploy_filter filter = { .push = PAST };

	return each(&filter);
}

static const struct err *
list_above(void)
{
	struct deploy_filter filter = { .environment = "production",
	    .above = PAST - 3 };

	return each(&filter);
}

static const struct err *
status(void)
{
	struct vec left = VEC_INIT;
	struct leaving leaving = LEAVING_INIT;
	struct table_place place = { .environment = "production",
	    .root = "/nonexistent", .left = &left, .leaving = &leaving,
	    .handmade = "", .which = "" };
	struct str out = STR_INIT, fault = STR_INIT;
	const struct err *err;

	err = table_status(&out, journal, &place, &fault);
	if (err == NULL)
		err = table_refused(&out, journal);
	str_release(&fault);
	str_release(&out);
	return err;
}

static const struct err *
show(void)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const struct err *err;

	err = table_show(&out, journal, &live, false);
	if (err == NULL)
		err = table_json(&json, journal, &live);
	str_release(&out);
	return err;
}

static const struct err *
get_rows(void)
{
	struct deploy row;
	const struct err *err;
	int64_t number;

	err = deploy_get_last(journal, 7, &row);
	deploy_release(&row);
	if (err == NULL)
		err = deploy_get_running(journal, "production", &row);
	deploy_release(&row);
	if (err == NULL)
		err = deploy_get_unfinished(journal, "production", &row);
	deploy_release(&row);
	if (err == NULL)
		err = deploy_get_newest(journal, "production", &row);
	deploy_release(&row);
	if (err == NULL)
		err = deploy_newest_failed(journal, "production", &number);
	return err;
}

/* pre-receive, post-receive, post-update, and what a later push settles. */
static const struct err *
push_and_land(void)
{
	struct push push = PUSH_INIT, back = PUSH_INIT;
	const struct err *err;
	bool found, again, open;
	int64_t id;
	char *old = NULL;
	struct vec refs = VEC_INIT;

	push.pusher = xstrdup("alice");
	push.receiver = xstrdup("4711 1");
	push_add_ref(&push, COMMIT, COMMIT, "refs/heads/main");
	err = push_write(journal, &push);
	if (err == NULL)
		err = push_by_receiver(journal, push.receiver, &id);
	if (err == NULL)
		err = push_next_open(journal, 0, &id);
	if (err == NULL)
		err = push_get(journal, push.id, &back, &open);
	if (err == NULL)
		err = push_get_old(journal, push.id, "refs/heads/main", &old);
	if (err == NULL)
		err = push_ask_later(journal, push.id - 1, &push.refs[0],
		    &found, &again);
	if (err == NULL)
		err = push_was_skipped(journal, "refs/heads/main", COMMIT,
		    &found);
	if (err == NULL)
		err = push_open_refs(journal, push.id, &refs);
	if (err == NULL)
		err = deploy_will_stay(journal, &live, &found);
	if (err == NULL)
		err = push_land(journal, &push);
	free(old);
	vec_release(&refs);
	push_release(&push);
	push_release(&back);
	return err;
}

/* From the request to what is live, as a runner does it. */
static const struct err *
deploy_it(void)
{
	struct deploy request = DEPLOY_INIT, row = DEPLOY_INIT;
	struct directives none = DIRECTIVES_INIT, pending = DIRECTIVES_INIT;
	const struct err *err;

	request.environment = xstrdup("production");
	request.kind = xstrdup("deploy");
	request.commit = xstrdup(COMMIT);
	request.pusher = xstrdup("alice");
	request.joins = true;
	err = deploy_request(journal, &request, NULL);
	if (err == NULL)
		err = deploy_take(journal, "production", &row);
	if (err == NULL)
		err = deploy_pending_directives(journal, &row, &pending);
	if (err == NULL) {
		row.release = xstrdup("20991231235959");
		row.previous = xstrdup("20991231235958");
		err = deploy_plan(journal, &row, &none, NULL);
	}
	fixture_move(journal, &row, DEPLOY_LIVE);
	directives_release(&pending);
	deploy_release(&request);
	deploy_release(&row);
	return err;
}

/* Others were faster, here and in the other environment. */
static const struct err *
come_late(void)
{
	struct deploy request = DEPLOY_INIT;
	const struct err *err;

	request.environment = xstrdup("staging");
	request.kind = xstrdup("deploy");
	request.commit = xstrdup(COMMIT);
	request.ref = xstrdup("refs/heads/main");
	request.pusher = xstrdup("alice");
	request.push = PAST - 3;
	err = deploy_request(journal, &request, NULL);
	deploy_release(&request);
	return err;
}

static const struct err *
clean_up(void)
{
	struct vec names = VEC_INIT;
	struct release release = { 0 };
	const struct err *err;
	char name[15];
	int64_t oldest;

	err = release_new_name(journal, name);
	if (err == NULL)
		err = release_disposable(journal, "production", 5, NULL,
		    &names);
	if (err == NULL)
		err = release_oldest_deploy(journal, &oldest);
	if (err == NULL)
		err = release_before_live(journal, "production", &release);
	release_release(&release);
	vec_release(&names);
	return err;
}

static const struct err *
cancel(void)
{
	struct deploy row = DEPLOY_INIT;
	const struct err *err;
	char *who = NULL;
	bool first;

	err = deploy_cancel(journal, "production", 0, "bob", &row, &first);
	deploy_release(&row);
	if (err != NULL && err->code != ERR_NOT_FOUND)
		return err;
	err = deploy_canceller(journal, PAST, &who);
	free(who);
	return err;
}

static const struct {
	const char *what;
	const struct err *(*run)(void);
} acts[] = {
	{ "a page of the log", list_page },
	{ "what is in a rare state", list_state },
	{ "what waits", list_waiting },
	{ "the deploys of a push", list_push },
	{ "those above a number", list_above },
	{ "the status", status },
	{ "all about a deploy", show },
	{ "single deploys", get_rows },
	{ "a push", push_and_land },
	{ "a deploy", deploy_it },
	{ "a late request", come_late },
	{ "a cleanup", clean_up },
	{ "a wish to stop", cancel },
};

/* That it is seen when a table is gone through. */
static void
test_counted(void)
{
	int64_t n;

	most = 0;
	is_ok(db_get_int(&n, journal_db(journal), 0, "SELECT count(*) FROM"
	    " deploys WHERE pusher = 'alice'", ""), "a scan");
	ok(most > OPERATIONS_MAX, "is seen");
}

int
main(void)
{
	ok(db_vfs() != NULL, "ours comes first");
	sqlite3_auto_extension((void (*)(void))watch);
	journal = fixture_journal("long.db");
	is_ok(db_script(journal_db(journal), past), "a long past");
	fixture_live(journal, "production", "20991231235958", NULL);
	is_ok(deploy_get_live(journal, "production", &live), "a live one");
	test_counted();
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		most = 0;
		is_ok(acts[i].run(), "%s", acts[i].what);
		if (!ok(most <= OPERATIONS_MAX, "goes through no table"))
			diag("%d operations: %s", most, culprit);
	}
	deploy_release(&live);
	journal_close(journal);
	free(culprit);
	return tap_done();
}
