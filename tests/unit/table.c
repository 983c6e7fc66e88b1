#include "report/table.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy/leaving.h"
#include "journal/step.h"
#include "journal_fixture.h"
#include "report/line.h"

/* 2026-11-20 10:14:58.120 UTC. */
#define AT INT64_C(1795169698120)

static void
test_log_lines(void)
{
	static const char head[] = "DEPLOY  REQUESTED         ENVIRONMENT  "
	    "STATE        RELEASE           COMMIT   PUSHER            "
	    "SUBJECT\n";
	struct journal *journal = fixture_journal("lines.db");
	struct table_columns columns = { 0 };
	struct deploy deploy = DEPLOY_INIT;
	struct str out = STR_INIT;

	table_log_head(&out, &columns);
	is_str(out.s, head, "the titles");
	str_clear(&out);
	deploy.number = 41;
	deploy.environment = (char *)"production";
	deploy.kind = (char *)"deploy";
	deploy.state = DEPLOY_LIVE;
	deploy.commit = (char *)COMMIT;
	deploy.release = (char *)"20261120101500";
	deploy.pusher = (char *)"Zo\xc3\xab";
	deploy.subject = (char *)"a subject";
	deploy.requested_at = AT;
	is_ok(table_log_line(&out, &columns, journal, &deploy), "a line");
	is_str(out.s, "41      2026-11-20 10:14  production   live         "
	    "20261120101500    1a2b3c4  Zo\xc3\xab               a subject\n",
	    "a line, aligned with the titles");
	str_clear(&out);
	deploy.commit = (char *)"";
	deploy.release = NULL;
	deploy.subject = NULL;
	deploy.state = DEPLOY_FAILED;
	deploy.error = (char *)"a\x1b[0m";
	is_ok(table_log_line(&out, &columns, journal, &deploy), "a line");
	is_str(out.s, "41      2026-11-20 10:14  production   failed       "
	    "-                 -        Zo\xc3\xab\n"
	    "        error: a\\x1b[0m\n", "what is not there, and an error");
	str_clear(&out);
	deploy.error = NULL;
	deploy.environment = (char *)"the-one-for-reviews";
	deploy.pusher = (char *)"alice@laptop.example.org";
	deploy.ref = (char *)"refs/tags/v1";
	deploy.subject = (char *)"first";
	columns.environment_width = 19;
	columns.refs = true;
	is_ok(table_log_line(&out, &columns, journal, &deploy), "a line");
	is_str(out.s, "41      2026-11-20 10:14  the-one-for-reviews  failed"
	    "       -                 -        alice@laptop....  tag v1: first"
	    "\n",
	    "long names, and a ref");
	str_clear(&out);
	deploy.kind = (char *)"rollback";
	columns.environment_width = 99;
	is_ok(table_log_line(&out, &columns, journal, &deploy), "a line");
	is_str(out.s, "41      2026-11-20 10:14  the-one-for-reviews"
	    "               failed       -                 -        alice@"
	    "laptop....  rollback: first\n", "a rollback");
	journal_close(journal);
	str_release(&out);
}

static void
test_cut(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "12345", "12345" },
		{ "123456", "12..." },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6",
		    "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6x",
		    "\xc3\xa4\xc3\xb6..." },
		{ "", "" },
		{ NULL, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str out = STR_INIT;

		line_cut(&out, cases[i].text, 5);
		is_str(out.s, cases[i].want, "cut %zu", i);
		str_release(&out);
	}
}

/* Deploy 2 has superseded 1, has a step, a directive twice, one unknown. */
static struct journal *
make_journal(struct deploy *deploy)
{
	struct journal *journal = fixture_journal("table.db");
	struct directives asked = DIRECTIVES_INIT;
	struct step step = { .deploy = 2, .phase = (char *)"migrate",
	    .action = (char *)"updb", .host = (char *)"db1", .signal = 9,
	    .argument = (char *)"all", .exit = -1, .duration_ms = 120,
	    .state = (char *)"failed" };
	struct vec known = VEC_INIT;

	fixture_request(journal, "production", NULL);
	fixture_request(journal, "production", NULL);
	fixture_plan(journal, "production", "20261120101500", NULL, deploy);
	vec_push(&known, "updb");
	directives_add(&asked, "updb", "all", COMMIT, "message");
	directives_add(&asked, "updb", "", "", "option");
	directives_add(&asked, "udpb", "", COMMIT, "trailer");
	deploy->release[13] = '1';
	is_ok(deploy_plan(journal, deploy, &asked, &known), "directives");
	is_ok(step_begin(journal, &step), "a step begins");
	is_ok(step_end(journal, &step), "and ends");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET"
	    " requested_at = 1795169698120, started_at = 0;"
	    "UPDATE steps SET started_at = 1795169698120"), "times");
	deploy_release(deploy);
	is_ok(deploy_get(journal, 2, deploy), "the deploy");
	directives_release(&asked);
	vec_release(&known);
	return journal;
}

static const char object[] = "{\"deploy\":2,\"environment\":\"production\","
    "\"kind\":\"deploy\",\"state\":\"preparing\",\"commit\":\"" COMMIT "\","
    "\"ref\":null,\"release\":\"20261120101501\",\"previous\":null,"
    "\"pusher\":\"alice\",\"author\":\"Alice <a@example.org>\","
    "\"subject\":\"a subject\",\"directives\":[\"updb\"],"
    "\"superseded\":[1],\"requested_at\":\"2026-11-20T10:14:58.120Z\","
    "\"started_at\":null,\"finished_at\":null,\"prepare_ms\":null,"
    "\"window_ms\":null,\"error\":null,\"steps\":[{\"phase\":\"migrate\","
    "\"action\":\"updb\",\"host\":\"db1\",\"state\":\"failed\","
    "\"exit\":null,\"started_at\":\"2026-11-20T10:14:58.120Z\","
    "\"duration_ms\":120}],\"push\":null,"
    "\"release_state\":\"building\"}";

static const char shown[] = "deploy 2: production, preparing\n"
    "  commit        " COMMIT "\n"
    "  subject       a subject\n"
    "  author        Alice <a@example.org>\n"
    "  pusher        alice\n"
    "  release       20261120101501\n"
    "  requested     2026-11-20 10:14:58\n"
    "  directive     -updb-  (option)\n"
    "  directive     -updb:all-  1a2b3c4 (message)\n"
    "  unknown       -udpb-  1a2b3c4 (trailer)\n"
    "  superseded    1\n"
    "  migrate       updb on db1: failed, killed by signal 9, 120 ms\n";

/* JSON without white space, whatever the writer puts in. */
static void
squeeze(struct str *text)
{
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (text->s[i] == '"')
			quoted = !quoted;
		if (quoted || strchr(" \n", text->s[i]) == NULL)
			text->s[n++] = text->s[i];
	}
	str_truncate(text, n);
}

static void
test_deploy(void)
{
	struct deploy deploy;
	struct journal *journal = make_journal(&deploy);
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);

	is_ok(table_json(&json, journal, &deploy), "an object");
	squeeze(&out);
	is_str(out.s, object, "has these keys");
	str_clear(&out);
	is_ok(table_show(&out, journal, &deploy, false), "a page");
	is_str(out.s, shown, "has these lines");
	deploy_release(&deploy);
	str_clear(&out);
	is_ok(deploy_get(journal, 1, &deploy), "the superseded one");
	is_ok(table_show(&out, journal, &deploy, false), "its page");
	ok(strstr(out.s, "  superseded by 2\n") != NULL, "says by which");
	deploy_release(&deploy);
	str_release(&out);
	journal_close(journal);
}

static void
is_status(struct journal *journal, const char *want, const char *name)
{
	struct vec none = VEC_INIT;
	const struct leaving leaving = LEAVING_INIT;
	const struct table_place place = {
		.environment = "production",
		.root = "shop",
		.left = &none,
		.leaving = &leaving,
		.handmade = "",
		.which = " -e production",
	};
	struct str out = STR_INIT, fault = STR_INIT;
	const char *but = strstr(want, "  but  ");

	is_ok(table_status(&out, journal, &place, &fault), "%s", name);
	is_str(out.s, want, "%s: the lines", name);
	is_int(fault.len > 0, but != NULL, "%s: a fault", name);
	ok(but == NULL || strstr(but, fault.s) != NULL, "%s: that one",
	    name);
	str_release(&fault);
	str_release(&out);
}

static void
is_status_json(struct journal *journal, const char *part)
{
	struct str out = STR_INIT, fault = STR_INIT;
	struct json json = JSON_INIT(&out);
	struct vec left = VEC_INIT;
	struct leaving_step step = { 8, (char *)"updb", true };
	const struct leaving leaving = {
		.steps = &step,
		.n_steps = 1,
		.release = (char *)"1",
	};
	const struct table_place place = {
		.environment = "production",
		.root = "shop",
		.not_live = "main is ahead",
		.left = &left,
		.leaving = &leaving,
		.handmade = "1 file was edited by hand, a (slipway drift)",
		.n_handmade = 1,
		.which = "",
	};

	vec_push(&left, "deploy 9 is left");
	is_ok(table_status_json(&json, journal, &place, &fault), "as JSON");
	str_release(&fault);
	vec_release(&left);
	squeeze(&out);
	if (!ok(strstr(out.s, part) != NULL, "has %s", part))
		diag("%s", out.s);
	str_release(&out);
}

static void
test_status(void)
{
	struct journal *journal = fixture_journal("status.db");

	is_int(chdir(tap_folder()), 0, "the root is in the test's folder");
	is_int(mkdir("shop", 0755), 0, "it is made");
	is_status(journal, "production: shop\n"
	    "  live          nothing yet\n", "nothing");
	is_status_json(journal, "{\"environment\":\"production\",\"root\":"
	    "\"shop\",\"current\":null,\"fault\":null,\"live\":null,"
	    "\"running\":null,"
	    "\"waiting\":[],\"failed\":null,"
	    "\"left\":[\"deploy 9 is left\"],"
	    "\"not_live\":\"main is ahead\",\"page_up\":null,\"drift\":1,"
	    "\"not_undone\":[{\"deploy\":8,\"action\":\"updb\","
	    "\"can_be\":true}],\"undone_by\":\"1\"}");
	fixture_live(journal, "production", "20261120101500", NULL);
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET"
	    " finished_at = 1795169698120"), "its time");
	is_int(symlink("releases/20260101000000", "shop/current"), 0,
	    "somebody has turned the symlink");
	is_status(journal, "production: shop\n"
	    "  live          release 20261120101500, since 2026-11-20 10:14\n"
	    "                deploy 1 (1a2b3c4) by alice: a subject\n"
	    "  but           shop/current points to"
	    " releases/20260101000000; slipway deploy 1a2b3c4"
	    " -e production turns it\n", "drifted");
	unlink("shop/current");
	is_int(symlink("releases/20261120101500", "shop/current"), 0,
	    "and back");
	is_status(journal, "production: shop\n"
	    "  live          release 20261120101500, since 2026-11-20 10:14\n"
	    "                deploy 1 (1a2b3c4) by alice: a subject\n"
	    "  but           shop/current points to what is gone; slipway"
	    " deploy 1a2b3c4 -e production makes it anew\n",
	    "without its release");
	journal_close(journal);
}

static void
test_full_status(void)
{
	struct journal *journal = fixture_journal("full.db");
	struct deploy deploy;

	fixture_live(journal, "production", "20261120101500", NULL);
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET"
	    " finished_at = 1795169698120"), "its time");
	is_int(mkdir("shop/releases", 0755), 0, "a folder");
	is_int(mkdir("shop/releases/20261120101500", 0755), 0,
	    "and the release");
	fixture_request(journal, "production", NULL);
	fixture_plan(journal, "production", "20261120101600", NULL,
	    &deploy);
	deploy.error = xstrdup("test: exit 1");
	is_ok(deploy_move(journal, &deploy, DEPLOY_FAILED), "one fails");
	deploy_release(&deploy);
	fixture_request(journal, "production", NULL);
	is_ok(deploy_take(journal, "production", &deploy), "one runs");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET"
	    " started_at = 0 WHERE number = 3"), "nobody knows how long");
	deploy_release(&deploy);
	fixture_request(journal, "production", NULL);
	is_status(journal, "production: shop\n"
	    "  live          release 20261120101500, since 2026-11-20 10:14\n"
	    "                deploy 1 (1a2b3c4) by alice: a subject\n"
	    "  under way     deploy 3 (1a2b3c4) by alice, preparing\n"
	    "  waiting       deploy 4 (1a2b3c4) by alice\n"
	    "  last failure  deploy 2 (1a2b3c4) by alice, failed: test: exit"
	    " 1\n", "everything");
	is_status_json(journal, "\"live\":{\"deploy\":1,");
	is_status_json(journal, "\"running\":{\"deploy\":3,");
	is_status_json(journal, "\"waiting\":[{\"deploy\":4,");
	is_status_json(journal, "\"failed\":{\"deploy\":2,");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET"
	    " state = 'broken', maintenance = 2 WHERE number = 2"),
	    "it is broken, with the page up");
	is_status(journal, "production: shop\n"
	    "  live          release 20261120101500, since 2026-11-20 10:14\n"
	    "                deploy 1 (1a2b3c4) by alice: a subject\n"
	    "  maintenance   the page is up; slipway deploy 1a2b3c4"
	    " -e production takes it down, and so does a push of what mends"
	    " it\n"
	    "  under way     deploy 3 (1a2b3c4) by alice, preparing\n"
	    "  waiting       deploy 4 (1a2b3c4) by alice\n"
	    "  last failure  deploy 2 (1a2b3c4) by alice, broken: test: exit"
	    " 1\n", "with the page");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET kind ="
	    " 'rollback', maintenance = 0; UPDATE deploys SET error ="
	    " 'notify (mail): exit 1' WHERE number = 1"), "rollbacks");
	is_status(journal, "production: shop\n"
	    "  live          release 20261120101500, since 2026-11-20 10:14\n"
	    "                deploy 1 (1a2b3c4) by alice, a rollback: a"
	    " subject\n"
	    "  warning       notify (mail): exit 1\n"
	    "  under way     deploy 3 (1a2b3c4) by alice, a rollback,"
	    " preparing\n"
	    "  waiting       deploy 4 (1a2b3c4) by alice, a rollback\n"
	    "  last failure  deploy 2 (1a2b3c4) by alice, a rollback, broken:"
	    " test: exit 1\n", "are told as such");
	journal_close(journal);
}

int
main(void)
{
	setenv("TZ", "UTC", 1);
	test_log_lines();
	test_cut();
	test_deploy();
	test_status();
	test_full_status();
	return tap_done();
}
