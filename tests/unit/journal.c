#include "journal/journal.h"

#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "journal_fixture.h"

static void
write_text(const char *path, const char *sql)
{
	struct db *db;

	is_ok(db_open(&db, path, DB_CREATE), "a database");
	is_ok(db_script(db, sql), "is prepared");
	db_close(db);
}

static void
test_schema(void)
{
	char *path = path_join(tap_folder(), "schema.db");
	struct journal *journal;

	is_err(journal_open(&journal, path, DB_READ), ERR_JOURNAL, "",
	    "no file to read");
	ok(journal == NULL, "and no journal");
	write_text(path, "PRAGMA user_version = 0");
	is_err(journal_open(&journal, path, DB_READ), ERR_JOURNAL,
	    "version 0", "an old one is not migrated by a reader");
	is_ok(journal_open(&journal, path, DB_WRITE), "but by a writer");
	is_ok(journal_check(journal), "it is sound");
	journal_close(journal);
	is_ok(journal_open(&journal, path, DB_READ), "a reader has it");
	journal_close(journal);
	write_text(path, "PRAGMA user_version = 7");
	is_err(journal_open(&journal, path, DB_WRITE), ERR_JOURNAL,
	    "version 7, this Slipway knows up to version 3", "a newer one");
	unlink(path);
	write_text(path, "CREATE TABLE theirs (x)");
	is_err(journal_open(&journal, path, DB_WRITE), ERR_CORRUPT,
	    "not a journal", "another database");
	unlink(path);
	write_text(path, "PRAGMA user_version = 1");
	is_err(journal_open(&journal, path, DB_WRITE), ERR_CORRUPT,
	    "not a journal", "another program's version 1");
	is_ok(file_replace(AT_FDCWD, path, "no database at all, but text\n",
	    29, 0644), "a text");
	ok(journal_open(&journal, path, DB_WRITE) != NULL,
	    "a text is no journal");
	journal_close(NULL);
	free(path);
}

static void
test_orphans(void)
{
	struct journal *journal = fixture_journal("orphans.db");

	is_ok(db_script(journal_db(journal), "PRAGMA foreign_keys = OFF;"
	    "INSERT INTO directives VALUES (9, 'a', '', '', 'cli', 1)"),
	    "an orphan");
	is_err(journal_check(journal), ERR_CORRUPT, "gone", "is found");
	journal_close(journal);
}

#define BIT(state) (1u << (state))
#define UNDER_WAY (BIT(DEPLOY_FAILED) | BIT(DEPLOY_CANCELLED))

/* deploy.h's picture. */
static const unsigned int allowed[DEPLOY_STATES] = {
	[DEPLOY_QUEUED]	    = BIT(DEPLOY_PREPARING) |
	    BIT(DEPLOY_SUPERSEDED) | BIT(DEPLOY_CANCELLED),
	[DEPLOY_PREPARING]  = BIT(DEPLOY_PREPARED) | UNDER_WAY,
	[DEPLOY_PREPARED]   = BIT(DEPLOY_ACTIVATING) | UNDER_WAY,
	[DEPLOY_ACTIVATING] = BIT(DEPLOY_LIVE) | BIT(DEPLOY_ROLLED_BACK) |
	    BIT(DEPLOY_BROKEN),
	[DEPLOY_LIVE]	    = BIT(DEPLOY_RETIRED),
};

/* Every pair of states, each with a fresh request put into the first. */
static void
test_transitions(void)
{
	struct journal *journal = fixture_journal("states.db");

	for (int i = 0; i < DEPLOY_STATES * DEPLOY_STATES; i++) {
		enum deploy_state from = (enum deploy_state)(i /
		    DEPLOY_STATES);
		enum deploy_state to = (enum deploy_state)(i %
		    DEPLOY_STATES);
		struct deploy deploy, got;
		const struct err *err;

		is_ok(deploy_get(journal, fixture_request(journal, "x",
		    NULL), &deploy), "read");
		deploy.state = from;
		is_ok(db_run(journal_db(journal), "UPDATE deploys SET"
		    " state = ?2 WHERE number = ?1", "is", deploy.number,
		    deploy_state_name(from)), "it is %s",
		    deploy_state_name(from));
		err = deploy_move(journal, &deploy, to);
		if ((allowed[from] & BIT(to)) != 0)
			is_ok(err, "%s becomes %s", deploy_state_name(from),
			    deploy_state_name(to));
		else
			is_err(err, ERR_CORRUPT, "cannot become",
			    "%s does not become %s", deploy_state_name(from),
			    deploy_state_name(to));
		is_ok(deploy_get(journal, deploy.number, &got), "read");
		is_int(got.state, err == NULL ? to : from,
		    "what is written");
		is_int(deploy.state, err == NULL ? to : from,
		    "what the caller has");
		deploy_release(&deploy);
		deploy_release(&got);
	}
	journal_close(journal);
}

static void
test_names(void)
{
	enum deploy_state state;

	for (int i = 0; i < DEPLOY_STATES; i++) {
		ok(deploy_state_by_name(&state, deploy_state_name(
		    (enum deploy_state)i)) && (int)state == i, "state %d",
		    i);
		is_int(deploy_is_over((enum deploy_state)i),
		    i >= DEPLOY_LIVE, "is it over");
	}
	ok(!deploy_state_by_name(&state, "no"), "a name that none has");
}

static void
test_outcome(void)
{
	static const struct {
		enum deploy_state state;
		enum err_code code;
	} cases[] = {
		{ DEPLOY_FAILED, ERR_FAILED },
		{ DEPLOY_ROLLED_BACK, ERR_ROLLED_BACK },
		{ DEPLOY_BROKEN, ERR_BROKEN },
		{ DEPLOY_CANCELLED, ERR_FAILED },
	};
	struct deploy deploy = { .number = 4, .state = DEPLOY_LIVE };

	ok(deploy_outcome(&deploy) == NULL, "live is no error");
	deploy.state = DEPLOY_RETIRED;
	ok(deploy_outcome(&deploy) == NULL, "nor is retired");
	deploy.error = (char *)"test: exit 1";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		deploy.state = cases[i].state;
		is_err(deploy_outcome(&deploy), cases[i].code,
		    "test: exit 1", "%s", deploy_state_name(deploy.state));
	}
}

static const struct err *
add_number(int64_t number, void *ctx)
{
	str_addf(ctx, "%d ", (int)number);
	return NULL;
}

static const struct err *
add_deploy(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	(void)journal;
	return add_number(deploy->number, ctx);
}

static void
is_list(struct journal *journal, struct deploy_filter filter,
    const char *want, const char *name)
{
	struct str list = STR_INIT;

	is_ok(deploy_each(journal, &filter, add_deploy, &list), "%s", name);
	is_str(list.s, want, "%s: which", name);
	str_release(&list);
}

/* A rollback neither supersedes what was pushed nor is superseded by it. */
static void
test_mixed_queue(void)
{
	static const int64_t order[] = { 2, 3, 5, 0 };
	struct journal *journal = fixture_journal("mixed.db");
	struct deploy deploy;

	for (int i = 0; i < 5; i++)
		fixture_request(journal, "a", NULL);
	is_ok(db_script(journal_db(journal),
	    "UPDATE deploys SET kind = 'rollback' WHERE number = 3"),
	    "the third is a rollback");
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		is_ok(deploy_take(journal, "a", &deploy), "take");
		is_int(deploy.number, order[i], "take %zu", i);
		deploy_release(&deploy);
	}
	is_ok(deploy_get(journal, 4, &deploy), "the fourth");
	is_int(deploy.superseded_by, 5, "is in the fifth");
	deploy_release(&deploy);
	journal_close(journal);
}

static void
test_queue(void)
{
	struct journal *journal = fixture_journal("queue.db");
	struct str list = STR_INIT;
	struct deploy deploy;

	is_ok(deploy_take(journal, "a", &deploy), "nothing waits");
	is_int(deploy.number, 0, "nothing is taken");
	for (int i = 0; i < 3; i++)
		fixture_request(journal, "a", NULL);
	fixture_request(journal, "b", NULL);
	is_list(journal, (struct deploy_filter){ .waiting = true },
	    "1 2 3 4 ", "waiting");
	is_ok(deploy_take(journal, "a", &deploy), "the newest");
	is_int(deploy.number, 3, "is taken");
	is_int(deploy.state, DEPLOY_PREPARING, "it is preparing");
	ok(deploy.started_at > 0, "it has started");
	deploy_release(&deploy);
	is_ok(deploy_superseded(journal, 3, add_number, &list), "the others");
	is_str(list.s, "1 2 ", "are superseded by it");
	is_ok(deploy_get(journal, 1, &deploy), "one of them");
	is_int(deploy.state, DEPLOY_SUPERSEDED, "is superseded");
	is_int(deploy.superseded_by, 3, "by which");
	deploy_release(&deploy);
	is_ok(deploy_get_running(journal, "a", &deploy), "what runs");
	is_int(deploy.number, 3, "is the third");
	deploy_release(&deploy);
	is_ok(deploy_get_running(journal, "b", &deploy), "elsewhere");
	is_int(deploy.number, 0, "nothing runs");
	is_list(journal, (struct deploy_filter){ .waiting = true },
	    "4 ", "waiting still");
	is_err(deploy_get(journal, 99, &deploy), ERR_NOT_FOUND, "99",
	    "none of that number");
	str_release(&list);
	journal_close(journal);
}

static void
test_filters(void)
{
	struct journal *journal = fixture_journal("filters.db");
	int64_t now = clock_now_ms();
	struct deploy deploy;

	is_ok(deploy_get_newest(journal, NULL, &deploy), "of none");
	is_int(deploy.number, 0, "there is no newest");
	fixture_live(journal, "a", "20260101000000", NULL);
	fixture_live(journal, "a", "20260101000001", "20260101000000");
	fixture_request(journal, "b", NULL);
	is_list(journal, (struct deploy_filter){ 0 }, "3 2 1 ", "all");
	is_list(journal, (struct deploy_filter){ .environment = "a" },
	    "2 1 ", "of an environment");
	is_list(journal, (struct deploy_filter){ .author = "EXAMPLE" },
	    "2 1 ", "by author");
	is_list(journal, (struct deploy_filter){ .author = "Ali" },
	    "3 2 1 ", "by pusher");
	is_list(journal, (struct deploy_filter){ .author = "%" }, "",
	    "a wildcard is a letter");
	is_list(journal, (struct deploy_filter){ .state = "live" }, "2 ",
	    "by state");
	is_list(journal, (struct deploy_filter){ .limit = 1 }, "3 ",
	    "one");
	is_list(journal, (struct deploy_filter){ .since_at = now },
	    "3 2 1 ", "since now");
	is_list(journal, (struct deploy_filter){ .since_at = now + 60000 },
	    "", "since later");
	is_list(journal, (struct deploy_filter){ .push = 5 }, "",
	    "of a push");
	is_list(journal, (struct deploy_filter){ .commit = COMMIT },
	    "3 2 1 ", "of a commit");
	is_list(journal, (struct deploy_filter){ .commit = "1a2b3c4" },
	    "3 2 1 ", "of a commit by its first digits");
	is_list(journal, (struct deploy_filter){ .commit = "1a2b3c5" }, "",
	    "of another one");
	is_list(journal, (struct deploy_filter){ .oldest_first = true },
	    "1 2 3 ", "the oldest first");
	is_list(journal, (struct deploy_filter){ .oldest_first = true,
	    .limit = 2 }, "2 3 ", "of the newest two");
	is_list(journal, (struct deploy_filter){ .pusher = "LIC" }, "3 2 1 ",
	    "by pusher alone");
	is_list(journal, (struct deploy_filter){ .pusher = "example" }, "",
	    "an author is none");
	is_list(journal, (struct deploy_filter){ .until_at = now }, "",
	    "until now");
	is_list(journal, (struct deploy_filter){ .until_at = now + 60000 },
	    "3 2 1 ", "until later");
	is_list(journal, (struct deploy_filter){ .directive = "updb" }, "",
	    "by a directive");
	is_ok(deploy_get_newest(journal, "a", &deploy), "of a");
	is_int(deploy.number, 2, "the newest");
	deploy_release(&deploy);
	is_ok(deploy_get_newest(journal, NULL, &deploy), "of any");
	is_int(deploy.number, 3, "the newest");
	deploy_release(&deploy);
	journal_close(journal);
}

static void
is_release(struct journal *journal, const char *name, const char *state)
{
	struct release release;

	is_ok(release_get(journal, "a", name, &release), "release %s", name);
	is_str(release.state, state, "release %s is %s", name, state);
	release_release(&release);
}

static void
test_live(void)
{
	struct journal *journal = fixture_journal("live.db");
	struct deploy deploy;

	is_ok(deploy_get_live(journal, "a", &deploy), "nothing");
	is_int(deploy.number, 0, "is live");
	fixture_live(journal, "a", "20260101000000", NULL);
	fixture_live(journal, "b", "20260101000000", NULL);
	fixture_live(journal, "a", "20260101000001", "20260101000000");
	is_ok(deploy_get_live(journal, "a", &deploy), "what is live");
	is_int(deploy.number, 3, "is the newest");
	is_str(deploy.previous, "20260101000000", "what was before");
	deploy_release(&deploy);
	is_list(journal, (struct deploy_filter){ .state = "live" }, "3 2 ",
	    "one of each environment");
	is_list(journal, (struct deploy_filter){ .state = "retired" }, "1 ",
	    "the one before");
	is_release(journal, "20260101000000", "retired");
	is_release(journal, "20260101000001", "live");
	fixture_request(journal, "a", NULL);
	fixture_plan(journal, "a", "20260101000002", NULL, &deploy);
	is_release(journal, "20260101000002", "building");
	is_ok(deploy_move(journal, &deploy, DEPLOY_PREPARED), "prepared");
	is_release(journal, "20260101000002", "ready");
	is_ok(deploy_move(journal, &deploy, DEPLOY_CANCELLED), "cancelled");
	is_release(journal, "20260101000002", "failed");
	deploy_release(&deploy);
	journal_close(journal);
}

/* A deploy that the disk did not let go live is not live in memory. */
static void
test_refused(void)
{
	struct journal *journal = fixture_journal("refused.db");
	struct deploy deploy;

	fixture_live(journal, "a", "20260101000000", NULL);
	fixture_request(journal, "a", NULL);
	fixture_plan(journal, "a", "20260101000001", "20260101000000",
	    &deploy);
	fixture_move(journal, &deploy, DEPLOY_ACTIVATING);
	is_ok(db_script(journal_db(journal), "CREATE TEMP TRIGGER full"
	    " BEFORE INSERT ON main.events"
	    " BEGIN SELECT RAISE(ABORT, 'full'); END"), "no room");
	is_err(deploy_move(journal, &deploy, DEPLOY_LIVE), ERR_JOURNAL,
	    "full", "going live is refused");
	is_int(deploy.state, DEPLOY_ACTIVATING, "and has not happened");
	is_ok(db_script(journal_db(journal), "DROP TRIGGER full"), "room");
	is_ok(deploy_update(journal, &deploy), "what is told of it then");
	is_list(journal, (struct deploy_filter){ .state = "live" }, "1 ",
	    "makes no second one live");
	deploy_release(&deploy);
	journal_close(journal);
}

/* What was asked for is pending until a deploy of it is live. */
static void
is_pending(struct journal *journal, int64_t number, const char *want)
{
	struct directives list = DIRECTIVES_INIT;
	struct str names = STR_INIT;
	struct deploy deploy;

	is_ok(deploy_get(journal, number, &deploy), "read");
	is_ok(deploy_pending_directives(journal, &deploy, &list), "pending");
	for (size_t i = 0; i < list.n; i++)
		str_addf(&names, "%s ", list.v[i].name);
	is_str(names.s, want, "pending for %d", (int)number);
	str_release(&names);
	directives_release(&list);
	deploy_release(&deploy);
}

static int64_t
request_with(struct journal *journal, const char *name)
{
	struct directives options = DIRECTIVES_INIT;
	int64_t number;

	directives_add(&options, name, "", "", "option");
	number = fixture_request(journal, "a", &options);
	directives_release(&options);
	return number;
}

static void
test_directives(void)
{
	struct journal *journal = fixture_journal("directives.db");
	struct directives asked = DIRECTIVES_INIT, got = DIRECTIVES_INIT;
	struct vec known = VEC_INIT;
	struct deploy deploy;

	request_with(journal, "one");
	is_ok(deploy_take(journal, "a", &deploy), "taken");
	is_ok(deploy_move(journal, &deploy, DEPLOY_FAILED), "failed");
	deploy_release(&deploy);
	is_pending(journal, request_with(journal, "two"), "one two ");
	is_ok(deploy_take(journal, "a", &deploy), "taken");
	deploy.release = xstrdup("20260101000000");
	directives_add(&asked, "two", "", "", "option");
	directives_add(&asked, "tow", "x", COMMIT, "message");
	vec_push(&known, "two");
	is_ok(deploy_plan(journal, &deploy, &asked, &known), "planned");
	is_ok(deploy_directives(journal, 2, false, &got), "unknown ones");
	is_int((int64_t)got.n, 1, "one");
	is_str(got.v[0].name, "tow", "its name");
	is_str(got.v[0].argument, "x", "its argument");
	is_str(got.v[0].commit, COMMIT, "its commit");
	fixture_move(journal, &deploy, DEPLOY_LIVE);
	is_pending(journal, request_with(journal, "three"), "three ");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET state ="
	    " 'failed', error = 'build: exit 1', cancelled_by = 'bob'"
	    " WHERE number = 3"), "it fails by itself, and is not stopped");
	is_pending(journal, request_with(journal, "four"), "three four ");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET error ="
	    " 'cancelled by bob' WHERE number = 3"), "it is stopped");
	is_pending(journal, 4, "four ");
	deploy_release(&deploy);
	directives_release(&asked);
	directives_release(&got);
	vec_release(&known);
	journal_close(journal);
}

/* What "slipway retry" takes by itself. */
static void
test_failed(void)
{
	struct journal *journal = fixture_journal("failed.db");
	struct deploy deploy;
	int64_t number;

	is_ok(deploy_newest_failed(journal, "a", &number), "of none");
	is_int(number, 0, "none has failed");
	for (int i = 1; i <= 2; i++) {
		fixture_request(journal, "a", NULL);
		fixture_plan(journal, "a", i == 1 ? "r1" : "r2", NULL,
		    &deploy);
		is_ok(deploy_move(journal, &deploy, DEPLOY_FAILED), "fails");
		deploy_release(&deploy);
		is_ok(deploy_newest_failed(journal, "a", &number), "of some");
		is_int(number, i, "the newest");
	}
	is_ok(deploy_newest_failed(journal, "b", &number), "elsewhere");
	is_int(number, 0, "none has failed");
	fixture_live(journal, "a", "r3", NULL);
	is_ok(deploy_newest_failed(journal, "a", &number), "behind a live");
	is_int(number, 0, "it is past");
	fixture_live(journal, "a", "r4", "r3");
	is_ok(deploy_newest_failed(journal, "a", &number), "and two");
	is_int(number, 0, "it is past");
	journal_close(journal);
}

int
main(void)
{
	test_schema();
	test_orphans();
	test_names();
	test_transitions();
	test_outcome();
	test_queue();
	test_mixed_queue();
	test_filters();
	test_live();
	test_refused();
	test_directives();
	test_failed();
	return tap_done();
}
