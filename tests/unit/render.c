#include "report/render.h"

#include <string.h>

#include "report/summary.h"
#include "str.h"
#include "tap.h"

#define COMMIT "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define LIVE "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"

#define REQUESTED "{\"event\":\"requested\",\"deploy\":42," \
    "\"environment\":\"production\",\"kind\":\"deploy\",\"commit\":\"" \
    COMMIT "\",\"ref\":\"refs/heads/main\",\"pusher\":\"alice\"}\n"
#define TITLE "deploy 42: main 1a2b3c4 to production\n"

#define END(state, error, release, live, migrated, page, previous) \
    "{\"event\":\"end\",\"state\":\"" state "\",\"environment\":" \
    "\"production\",\"deploy\":42,\"kind\":\"deploy\",\"release\":" release \
    ",\"commit\":\"" COMMIT "\",\"subject\":\"monthly -updb-\",\"error\":" \
    error ",\"prepare_ms\":812,\"window_ms\":140,\"migrated\":\"" migrated \
    "\",\"maintenance\":\"" page "\",\"live\":" live ",\"live_commit\":\"" \
    LIVE "\",\"previous\":" previous "}\n"

/* Several lines of a log, and the text that they become. */
static const struct {
	const char *name;
	const char *log;
	const char *text;
} cases[] = {
	{ "a request", REQUESTED, TITLE },
	{ "a request by commit",
	    "{\"event\":\"requested\",\"deploy\":7,\"environment\":\"x\","
	    "\"kind\":\"deploy\",\"commit\":\"" COMMIT "\",\"ref\":null}\n",
	    "deploy 7: 1a2b3c4 to x\n" },
	{ "the title waits for a commit",
	    "{\"event\":\"requested\",\"deploy\":7,\"environment\":\"x\","
	    "\"kind\":\"deploy\",\"commit\":\"\",\"ref\":\"v1\"}\n"
	    "{\"event\":\"started\",\"commit\":\"" COMMIT "\"}\n"
	    "{\"event\":\"started\",\"commit\":\"" COMMIT "\"}\n",
	    "deploy 7: v1 1a2b3c4 to x\n" },
	{ "a rollback",
	    "{\"event\":\"requested\",\"deploy\":8,\"environment\":\"x\","
	    "\"kind\":\"rollback\",\"commit\":\"\"}\n"
	    "{\"event\":\"started\",\"commit\":\"" COMMIT
	    "\",\"release\":\"20261119090000\"}\n",
	    "deploy 8: roll back x\n"
	    "  to            release 20261119090000 (1a2b3c4)\n" },
	{ "waiting", REQUESTED
	    "{\"event\":\"waiting\",\"for\":41,\"state\":\"preparing\","
	    "\"before\":0}\n",
	    TITLE "deploy 42 waits: deploy 41 is under way (preparing)\n" },
	{ "waiting behind others", REQUESTED
	    "{\"event\":\"waiting\",\"for\":39,\"state\":\"migrate\","
	    "\"before\":2}\n",
	    TITLE "deploy 42 waits: deploy 39 is under way (migrate), 2"
	    " before it\n" },
	{ "superseded", REQUESTED "{\"event\":\"superseded\",\"by\":43,"
	    "\"holds\":true}\n",
	    TITLE "deploy 42: superseded, your commit is in deploy 43\n" },
	{ "superseded by something else", REQUESTED
	    "{\"event\":\"superseded\",\"by\":43,\"holds\":false}\n",
	    TITLE "deploy 42: superseded, deploy 43 took its place\n" },
	{ "superseded by what leaves it out", REQUESTED
	    "{\"event\":\"superseded\",\"by\":43,\"holds\":false,"
	    "\"commit\":\"" COMMIT "\",\"environment\":\"x\"}\n",
	    TITLE "deploy 42: superseded, deploy 43 took its place; your"
	    " commit 1a2b3c4 is not in it\n"
	    "  to deploy it  slipway deploy 1a2b3c4 -C /srv/shop.git -e"
	    " x\n" },
	{ "cancelled", REQUESTED "{\"event\":\"cancel\",\"by\":\"bob\"}\n",
	    TITLE "bob cancels deploy 42\n" },
	{ "directives",
	    "{\"event\":\"directive\",\"name\":\"updb\",\"argument\":\"\","
	    "\"commit\":\"" COMMIT "\",\"source\":\"message\","
	    "\"action\":\"updb\",\"nearest\":null}\n"
	    "{\"event\":\"directive\",\"name\":\"sync\",\"argument\":\"all\","
	    "\"commit\":\"\",\"source\":\"option\",\"action\":\"s\"}\n"
	    "{\"event\":\"directive\",\"name\":\"udpb\",\"argument\":\"\","
	    "\"commit\":\"" COMMIT "\",\"source\":\"message\","
	    "\"action\":null,\"nearest\":\"updb\"}\n"
	    "{\"event\":\"directive\",\"name\":\"x\",\"argument\":\"\","
	    "\"commit\":\"\",\"source\":\"cli\"}\n",
	    "  -updb-  1a2b3c4 (message)\n"
	    "  -sync:all-  (option)\n"
	    "warning: -udpb- (1a2b3c4): no action takes it; did you mean"
	    " -updb-?\n"
	    "warning: -x- (cli): no action takes it\n" },
	{ "silent phases",
	    "{\"event\":\"phase\",\"phase\":\"checkout\"}\n"
	    "{\"event\":\"phase_done\",\"phase\":\"checkout\",\"ms\":31,"
	    "\"ok\":true,\"note\":\"244 files\"}\n"
	    "{\"event\":\"phase\",\"phase\":\"symlink\"}\n"
	    "{\"event\":\"phase_done\",\"phase\":\"symlink\",\"ms\":1,"
	    "\"ok\":false,\"note\":null}\n",
	    "  checkout      31 ms  244 files\n"
	    "  symlink       failed after 1 ms\n" },
	{ "a phase with a step",
	    "{\"event\":\"phase\",\"phase\":\"migrate\"}\n"
	    "{\"event\":\"step\",\"phase\":\"migrate\",\"action\":\"updb\","
	    "\"host\":\"local\",\"run\":\"drush updatedb -y\"}\n"
	    "{\"event\":\"output\",\"host\":\"local\",\"text\":\"3 done\"}\n"
	    "{\"event\":\"step_done\",\"action\":\"updb\",\"ok\":true,"
	    "\"exit\":0,\"ms\":3}\n"
	    "{\"event\":\"phase_done\",\"phase\":\"migrate\",\"ms\":1210,"
	    "\"ok\":true}\n",
	    "  migrate\n    updb: drush updatedb -y\n    | 3 done\n"
	    "  migrate       1.21 s\n" },
	{ "steps on hosts, and how they fail",
	    "{\"event\":\"phase\",\"phase\":\"restart\"}\n"
	    "{\"event\":\"step\",\"action\":\"fpm\",\"host\":\"web2\"}\n"
	    "{\"event\":\"output\",\"host\":\"web2\",\"text\":\"no\"}\n"
	    "{\"event\":\"step_done\",\"action\":\"fpm\",\"host\":\"web2\","
	    "\"ok\":false,\"exit\":1,\"signal\":0,\"timed_out\":false,"
	    "\"ms\":1200}\n"
	    "{\"event\":\"step_done\",\"action\":\"a\",\"host\":\"local\","
	    "\"ok\":false,\"exit\":-1,\"signal\":9,\"timed_out\":false,"
	    "\"ms\":5}\n"
	    "{\"event\":\"step_done\",\"action\":\"b\",\"host\":\"local\","
	    "\"ok\":false,\"exit\":-1,\"signal\":15,\"timed_out\":true,"
	    "\"ms\":2000}\n",
	    "  restart\n    fpm on web2\n    | web2: no\n"
	    "    fpm on web2 failed: exit 1 after 1.20 s\n"
	    "    a failed: killed by signal 9 after 5 ms\n"
	    "    b failed: timed out after 2.00 s\n" },
	{ "what another environment takes",
	    "{\"event\":\"directive\",\"name\":\"cc\",\"commit\":"
	    "\"" COMMIT "\",\"elsewhere\":\"staging\"}\n",
	    "warning: -cc- (1a2b3c4): no action takes it here, but one of"
	    " staging does\n" },
	{ "undo",
	    "{\"event\":\"undo\",\"action\":\"m2\",\"host\":\"local\","
	    "\"run\":\"drop it\"}\n"
	    "{\"event\":\"output\",\"host\":\"local\",\"text\":\"down\"}\n"
	    "{\"event\":\"undo_done\",\"action\":\"m2\",\"ok\":true}\n"
	    "{\"event\":\"undo\",\"action\":\"m1\",\"host\":\"db\"}\n"
	    "{\"event\":\"undo_done\",\"action\":\"m1\",\"host\":\"db\","
	    "\"ok\":false}\n",
	    "  undo\n    m2: drop it\n    | down\n    m1 on db\n"
	    "    m1 on db could not be undone\n" },
	{ "what could steer a terminal",
	    "{\"event\":\"warning\",\"text\":\"a\\u001b[31m\\nb\"}\n"
	    "{\"event\":\"output\",\"host\":\"local\",\"text\":"
	    "\"10%\\r20%\\ra\\tb\\u001b]0;x\\u0007\\r\"}\n",
	    "warning: a\\x1b[31m\\x0ab\n"
	    "    | a       b\\x1b]0;x\\x07\n" },
	{ "what is no event", "\n{}\n[1]\n{\"event\":\"new kind\"}\n"
	    "{\"event\":\"warn\n{\"event\":null}\n", "" },
};

static void
render_all(struct render *render, const char *log, struct str *out)
{
	while (*log != '\0') {
		size_t len = strcspn(log, "\n");

		render_line(render, log, len, out);
		log += len + 1;
	}
}

static void
test_lines(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct render *render = render_new("/srv/shop.git");
		struct str out = STR_INIT;

		render_all(render, cases[i].log, &out);
		is_str(out.s, cases[i].text, "%s", cases[i].name);
		str_release(&out);
		render_free(render);
	}
}

static const struct {
	const char *name;
	const char *repo;
	const char *log;
	const char *text;
} ends[] = {
	{ "a success", "/srv/shop.git",
	    "{\"event\":\"result\",\"name\":\"updb\",\"result\":\"done\"}\n"
	    "{\"event\":\"result\",\"name\":\"cc\",\"result\":\"done\"}\n"
	    END("live", "null", "\"20261120101500\"", "\"20261120101500\"",
	    "ran", "down", "\"20261119090000\""),
	    "production: release 20261120101500 is live\n"
	    "  commit        1a2b3c4 monthly -updb-\n"
	    "  deploy        42, prepared in 812 ms, window 140 ms\n"
	    "  directives    updb done, cc done\n"
	    "  migrations    ran\n"
	    "  maintenance   down\n"
	    "  roll back     slipway rollback -C /srv/shop.git"
	    " -e production\n" },
	{ "a first success, not finished well", "/srv/shop.git",
	    END("live", "\"notify (mail): exit 1\"", "\"1\"", "\"1\"",
	    "none", "not used", "null"),
	    "production: release 1 is live\n"
	    "warning: notify (mail): exit 1\n"
	    "  commit        1a2b3c4 monthly -updb-\n"
	    "  deploy        42, prepared in 812 ms, window 140 ms\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n" },
	{ "a failure that was undone", "/srv/my shop's.git",
	    END("rolled-back", "\"migrate (updb): exit 1\"", "\"2\"",
	    "\"1\"", "ran, undone", "down", "\"1\""),
	    "error: deploy 42 failed at migrate (updb): exit 1; it was rolled"
	    " back\n"
	    "  live          release 1 is still live (9f8e7d6)\n"
	    "  migrations    ran, undone\n"
	    "  maintenance   down\n"
	    "  again         slipway retry 42 -C '/srv/my shop'\\''s.git'\n" },
	{ "a failure of a first deploy", "/r",
	    END("failed", "\"at build (b): exit 7\"", "\"2\"", "null",
	    "none", "not used", "null"),
	    "error: deploy 42 failed at build (b): exit 7\n"
	    "  live          nothing is live yet\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         slipway retry 42 -C /r\n" },
	{ "a failure that needs a hand", "/r",
	    END("broken", "\"no disk space\"", "\"2\"", "\"2\"",
	    "ran, not undone", "up", "\"1\""),
	    "error: deploy 42 failed: no disk space\n"
	    "  live          release 2 is live (9f8e7d6)\n"
	    "  migrations    ran, not undone\n"
	    "  maintenance   up\n"
	    "  needs a hand  slipway show 42 -C /r; A BROKEN DEPLOY in"
	    " slipway-hooks(7)\n"
	    "  again         slipway retry 42 -C /r\n" },
	{ "a failure without words", "/r",
	    END("failed", "null", "null", "\"1\"", "none", "not used",
	    "\"1\""),
	    "error: deploy 42 failed\n"
	    "  live          release 1 is still live (9f8e7d6)\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         slipway retry 42 -C /r\n" },
	{ "a cancelled one", "/r",
	    END("cancelled", "\"cancelled by alice\","
	    "\"cancelled_by\":\"alice\"", "null", "\"1\"", "none",
	    "not used", "\"1\""),
	    "deploy 42 was cancelled by alice\n"
	    "  live          release 1 is still live (9f8e7d6)\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         slipway retry 42 -C /r\n" },
	{ "a failure beside a symlink that points elsewhere", "/r",
	    END("failed", "null,\"astray\":\"current points to /tmp\"",
	    "null", "\"1\"", "none", "not used", "\"1\""),
	    "error: deploy 42 failed\n"
	    "  live          not release 1, which should be: current points"
	    " to /tmp\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         slipway retry 42 -C /r\n" },
	{ "one that the journal does not know", "/r",
	    END("failed", "null,\"astray\":\"current points to /tmp\"",
	    "null", "null", "none", "not used", "null"),
	    "error: deploy 42 failed\n"
	    "  live          nothing that the journal knows: current points"
	    " to /tmp\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         slipway retry 42 -C /r\n" },
	{ "a failed push", "/r",
	    END("failed", "null,\"again\":\"push\"", "null", "\"1\"", "none",
	    "not used", "\"1\""),
	    "error: deploy 42 failed\n"
	    "  live          release 1 is still live (9f8e7d6)\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         git push (the same commit), or slipway retry 42"
	    " -C /r\n" },
	{ "a failure that would be one again", "/r",
	    END("failed", "null,\"again\":\"no\"", "null", "\"1\"", "none",
	    "not used", "\"1\""),
	    "error: deploy 42 failed\n"
	    "  live          release 1 is still live (9f8e7d6)\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n" },
	{ "a branch that was moved back", "/r",
	    "{\"event\":\"end\",\"state\":\"live\",\"environment\":\"x\","
	    "\"deploy\":9,\"kind\":\"rollback\",\"release\":\"1\",\"commit\":"
	    "\"" COMMIT "\",\"moved\":\"main moved back from 9f8e7d6 to"
	    " 1a2b3c4\",\"again\":\"retry\"}\n",
	    "x: release 1 is live again\n"
	    "  commit        1a2b3c4\n"
	    "  branch        main moved back from 9f8e7d6 to 1a2b3c4\n"
	    "  deploy        9\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n" },
	{ "one that goes back without a rollback", "/r",
	    "{\"event\":\"end\",\"state\":\"live\",\"environment\":\"x\","
	    "\"deploy\":9,\"kind\":\"deploy\",\"release\":\"3\",\"commit\":"
	    "\"" COMMIT "\",\"previous\":\"2\",\"leave\":1,\"not_undone\":"
	    "\"updb of deploy 8\",\"backups\":null,\"undone_by\":\"1\"}\n",
	    "x: release 3 is live\n"
	    "  commit        1a2b3c4\n"
	    "  deploy        9\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  goes back     1 commit leaves\n"
	    "  not undone    updb of deploy 8\n"
	    "  to undo it    slipway rollback 1 -C /r -e x\n"
	    "  roll back     slipway rollback -C /r -e x\n" },
	{ "a rollback", "/r",
	    "{\"event\":\"end\",\"state\":\"live\",\"environment\":\"x\","
	    "\"deploy\":9,\"kind\":\"rollback\",\"release\":\"1\",\"commit\":"
	    "\"" COMMIT "\",\"window_ms\":3,\"prepare_ms\":-1}\n",
	    "x: release 1 is live again\n"
	    "  commit        1a2b3c4\n"
	    "  deploy        9, window 3 ms\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n" },
	{ "a rollback that failed", "/r",
	    "{\"event\":\"end\",\"state\":\"failed\",\"environment\":\"x\","
	    "\"deploy\":9,\"kind\":\"rollback\",\"release\":\"1\",\"live\":"
	    "\"2\"}\n",
	    "error: deploy 9 failed\n"
	    "  live          release 2 is still live\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n" },
	{ "a rollback that got further", "/r",
	    "{\"event\":\"end\",\"state\":\"rolled-back\","
	    "\"environment\":\"x\","
	    "\"deploy\":9,\"kind\":\"rollback\",\"release\":\"1\",\"live\":"
	    "\"2\"}\n",
	    "error: deploy 9 failed; it was rolled back\n"
	    "  live          release 2 is still live\n"
	    "  migrations    did not run\n"
	    "  maintenance   not used\n"
	    "  again         slipway rollback 1 -C /r -e x\n" },
	{ "what may have been left in the data", "/r",
	    "{\"event\":\"end\",\"state\":\"rolled-back\","
	    "\"environment\":\"x\",\"deploy\":9,\"kind\":\"deploy\","
	    "\"migrated\":\"failed, may have changed data\","
	    "\"again\":\"no\"}\n",
	    "error: deploy 9 failed; it was rolled back, but for a migration"
	    " that may have changed data\n"
	    "  live          nothing is live yet\n"
	    "  migrations    failed, may have changed data\n"
	    "  maintenance   not used\n" },
};

static void
test_ends(void)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct render *render = render_new(ends[i].repo);
		struct str out = STR_INIT;

		render_all(render, ends[i].log, &out);
		is_str(out.s, ends[i].text, "%s", ends[i].name);
		ok(render_is_over(render), "%s: is over", ends[i].name);
		str_release(&out);
		render_free(render);
	}
}

static void
test_remote(void)
{
	struct render *render = render_new("/r");
	struct str out = STR_INIT;

	summary_for_remote(true);
	render_all(render, END("live", "null", "\"2\"", "\"2\"", "none",
	    "not used", "\"1\""), &out);
	ok(strstr(out.s, "  roll back     on the server: slipway rollback"
	    " -C /r -e ") != NULL, "where a command is to be run");
	ok(strstr(out.s, "\n                or git push REMOTE"
	    " :refs/deploy/") != NULL, "what git alone can do");
	str_clear(&out);
	render_free(render);
	render = render_new("/r");
	render_all(render, "{\"event\":\"end\",\"state\":\"failed\","
	    "\"environment\":\"x\",\"deploy\":9,\"commit\":\"" COMMIT
	    "\"}\n", &out);
	ok(strstr(out.s, "\n                or git push REMOTE"
	    " 1a2b3c4:refs/deploy/x/now\n") != NULL, "and after a failure");
	summary_for_remote(false);
	str_release(&out);
	render_free(render);
}

/* What one could do then is not said of what others have followed. */
static void
test_past(void)
{
	struct render *render = render_new("/r");
	struct str out = STR_INIT;

	summary_for_past(true);
	render_all(render, END("live", "null", "\"2\"", "\"2\"", "none",
	    "not used", "\"1\""), &out);
	ok(strstr(out.s, " went live\n") != NULL, "it is not live any more");
	ok(strstr(out.s, "roll back") == NULL, "nothing is rolled back");
	str_clear(&out);
	render_free(render);
	render = render_new("/r");
	render_all(render, "{\"event\":\"end\",\"state\":\"failed\","
	    "\"environment\":\"x\",\"deploy\":9,\"live\":\"1\"}\n", &out);
	ok(strstr(out.s, "release 1 was still live\n") != NULL,
	    "nor is what was live instead");
	ok(strstr(out.s, "retry") == NULL, "nothing is tried again");
	summary_for_past(false);
	str_release(&out);
	render_free(render);
}

static void
test_state(void)
{
	struct render *render = render_new("/r");
	struct str out = STR_INIT;

	is_str(render_state(render), "", "no state before the first");
	render_all(render, REQUESTED
	    "{\"event\":\"state\",\"state\":\"prepared\"}\n", &out);
	is_str(render_state(render), "prepared", "a state is kept");
	is_str(out.s, TITLE, "and shows nothing");
	ok(!render_is_over(render), "it is not over");
	is_int(render_superseded_by(render), 0, "nothing took its place");
	render_all(render, "{\"event\":\"superseded\",\"by\":43}\n", &out);
	ok(render_is_over(render), "superseded is over");
	is_int(render_superseded_by(render), 43, "what took its place");
	render_free(render);
	render = render_new("/r");
	render_all(render, END("failed", "null", "null", "null", "none",
	    "not used", "null"), &out);
	is_str(render_state(render), "failed", "the end has the state");
	is_int(render_superseded_by(render), 0, "and no successor");
	render_free(render);
	render_free(NULL);
	str_release(&out);
}

int
main(void)
{
	test_lines();
	test_ends();
	test_remote();
	test_past();
	test_state();
	return tap_done();
}
