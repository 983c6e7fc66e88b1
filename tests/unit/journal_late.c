/*
 * Pushes that ask for their deploys late: which of them is the newest.
 */
#include "journal_fixture.h"

#define MAIN "refs/heads/main"

/* A request of push "id" for a ref; the row as it was written. */
static void
ask_for(struct journal *journal, int64_t id, const char *ref,
    const char *commit, struct deploy *deploy)
{
	*deploy = (struct deploy)DEPLOY_INIT;
	deploy->environment = xstrdup("a");
	deploy->kind = xstrdup("deploy");
	deploy->commit = xstrdup(commit);
	deploy->ref = xstrdup(ref);
	deploy->pusher = xstrdup("alice");
	deploy->push = id;
	is_ok(deploy_request(journal, deploy, NULL), "push %lld asks",
	    (long long)id);
}

static void
ask(struct journal *journal, int64_t id, const char *commit,
    struct deploy *deploy)
{
	ask_for(journal, id, MAIN, commit, deploy);
}

/* The same: the number that it got, and the one that it is behind. */
static int64_t
late(struct journal *journal, int64_t id, const char *ref,
    const char *commit, int64_t *behind)
{
	struct deploy deploy;
	int64_t number;

	ask_for(journal, id, ref, commit, &deploy);
	number = deploy.number;
	*behind = deploy.superseded_by;
	deploy_release(&deploy);
	return number;
}

static void
test_requests_of_pushes(void)
{
	struct journal *journal = fixture_journal("asked.db");
	struct deploy deploy;
	int64_t first, second, third, number, later;

	first = fixture_push(journal, MAIN, "a", "b");
	second = fixture_push(journal, MAIN, "b", "c");
	third = fixture_push(journal, MAIN, "c", "d");
	ask(journal, third, "d", &deploy);
	later = deploy.number;
	is_int(deploy.state, DEPLOY_QUEUED, "it waits");
	deploy_release(&deploy);
	ask(journal, third, "d", &deploy);
	is_int(deploy.number, later, "a push that asks twice asks once");
	is_int(deploy.requested_at, 0, "and is not announced twice");
	deploy_release(&deploy);
	ask(journal, first, "b", &deploy);
	number = deploy.number;
	deploy_release(&deploy);
	is_ok(deploy_get(journal, number, &deploy), "an older push");
	is_int(deploy.state, DEPLOY_SUPERSEDED, "that comes late is behind");
	is_int(deploy.superseded_by, later, "the newer one");
	ok(deploy.finished_at != 0, "and over");
	deploy_release(&deploy);
	ask(journal, second, "c", &deploy);
	is_int(deploy.superseded_by, later, "a late one behind a late one is"
	    " behind what goes live");
	deploy_release(&deploy);
	ask(journal, fixture_push(journal, MAIN, "d", "b"), "b", &deploy);
	is_int(deploy.state, DEPLOY_QUEUED, "one that goes back is not late");
	deploy_release(&deploy);
	journal_close(journal);
}

/* An annotated tag is what is pushed, and its commit what is deployed. */
static void
test_late_tags(void)
{
	struct journal *journal = fixture_journal("tags.db");
	const char *tag = "refs/tags/rel";
	int64_t first = fixture_push(journal, tag, "0", "t1"), behind, later;
	int64_t second = fixture_push(journal, tag, "t1", "t2");

	later = late(journal, second, tag, "b", &behind);
	is_int(behind, 0, "the newer tag");
	(void)late(journal, first, tag, "a", &behind);
	is_int(behind, later, "is not overrun by the older one");
	journal_close(journal);
}

/* Of several refs the one that was pushed last is live. */
static void
test_late_refs(void)
{
	struct journal *journal = fixture_journal("refs.db");
	const char *release = "refs/heads/r/4";
	struct db *db = journal_db(journal);
	int64_t first = fixture_push(journal, MAIN, "a", "b"), behind, later;
	int64_t second = fixture_push(journal, MAIN, "b", "c");
	int64_t third = fixture_push(journal, MAIN, "c", "d"), fourth;

	fourth = fixture_push(journal, release, "0", "r");
	later = late(journal, fourth, release, "r", &behind);
	is_int(behind, 0, "the newest");
	(void)late(journal, first, MAIN, "b", &behind);
	is_int(behind, later, "an older one of another ref is behind it");
	is_ok(db_script(db, "UPDATE deploys SET state = 'failed' WHERE ref ="
	    " 'refs/heads/r/4'"), "it fails");
	(void)late(journal, second, MAIN, "c", &behind);
	is_int(behind, 0, "then the next one is not");
	is_ok(db_script(db, "UPDATE deploys SET environment = 'b'"
	    " WHERE state = 'queued'"), "elsewhere");
	(void)late(journal, third, MAIN, "d", &behind);
	is_int(behind, 0, "nor is it by one of another environment");
	(void)late(journal, fixture_push(journal, release, "r", "s"), release,
	    "s", &behind);
	is_int(behind, 0, "nor a newer one by an older one");
	journal_close(journal);
}

int
main(void)
{
	test_requests_of_pushes();
	test_late_tags();
	test_late_refs();
	return tap_done();
}
