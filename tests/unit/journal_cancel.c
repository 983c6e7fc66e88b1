/*
 * Who comes first: the one who cancels, or the deploy that goes on. What a
 * runner holds in its hands is older than the row, as it is in reality.
 */
#include "journal_fixture.h"

/* Bob cancels a deploy of "a"; "first" is what that is to say. */
static void
cancel(struct journal *journal, int64_t number, int64_t want, bool first)
{
	struct deploy row;
	bool is_first;

	is_ok(deploy_cancel(journal, "a", number, "bob", &row, &is_first),
	    "cancel %d", (int)number);
	is_int(row.number, want, "that is deploy %d", (int)want);
	is_str(row.cancelled_by, "bob", "by bob");
	is_int(is_first, first, "the first time, or again");
	deploy_release(&row);
}

static void
cancel_refused(struct journal *journal, int64_t number, enum err_code code,
    const char *part)
{
	struct deploy row;
	bool is_first;

	is_err(deploy_cancel(journal, "a", number, "bob", &row, &is_first),
	    code, part, "not this one");
	ok(!is_first, "nothing has changed");
	deploy_release(&row);
}

static void
is_row(struct journal *journal, int64_t number, enum deploy_state state,
    const char *error)
{
	struct deploy row;

	is_ok(deploy_get(journal, number, &row), "read it again");
	is_int(row.state, state, "it is %s", deploy_state_name(state));
	is_str(row.error, error, "for this reason");
	is_int(deploy_was_cancelled(&row), state == DEPLOY_CANCELLED,
	    "because of bob, or not");
	deploy_release(&row);
}

static void
test_waiting(struct journal *journal)
{
	int64_t one = fixture_request(journal, "a", NULL);
	int64_t two = fixture_request(journal, "a", NULL);

	fixture_request(journal, "b", NULL);
	cancel(journal, 0, two, true);
	is_row(journal, two, DEPLOY_CANCELLED, "cancelled by bob");
	cancel_refused(journal, two, ERR_REFUSED, "over already: cancelled");
	is_row(journal, one, DEPLOY_QUEUED, NULL);
	cancel_refused(journal, two + 1, ERR_USAGE, "is one of b; say -e b");
	cancel_refused(journal, 99, ERR_NOT_FOUND, "no deploy 99");
	cancel(journal, 0, one, true);
	cancel_refused(journal, 0, ERR_NOT_FOUND, "nothing is under way");
}

/* Marked at "marked": the next of these moves is the one that is refused. */
static void
test_last_chance(struct journal *journal, const char *release,
    enum deploy_state marked, enum deploy_state last)
{
	int64_t number = fixture_request(journal, "a", NULL);
	struct deploy deploy;

	fixture_plan(journal, "a", release, NULL, &deploy);
	fixture_move(journal, &deploy, marked);
	fixture_request(journal, "a", NULL);
	cancel(journal, 0, number, true);
	cancel(journal, number, number, false);
	fixture_move(journal, &deploy, last);
	is_err(deploy_move(journal, &deploy, last + 1), ERR_CANCELLED,
	    "cancelled by bob", "%s is the last state",
	    deploy_state_name(last));
	is_int(deploy.state, last, "it stays that");
	is_str(deploy.cancelled_by, "bob", "the runner knows why");
	deploy.error = xstrdup("cancelled by bob");
	is_ok(deploy_move(journal, &deploy, last == DEPLOY_PREPARED ?
	    DEPLOY_CANCELLED : DEPLOY_ROLLED_BACK), "it is taken back");
	ok(deploy_was_cancelled(&deploy), "because of bob");
	deploy_release(&deploy);
	cancel(journal, 0, number + 1, true);
}

static void
test_too_late(struct journal *journal)
{
	int64_t number = fixture_request(journal, "a", NULL);
	struct deploy deploy;

	fixture_plan(journal, "a", "20260101000009", NULL, &deploy);
	fixture_move(journal, &deploy, DEPLOY_ACTIVATING);
	deploy.error = xstrdup("migrate (updb): exit 1");
	is_ok(deploy_update(journal, &deploy), "it fails");
	cancel_refused(journal, 0, ERR_REFUSED, "being taken back already");
	free(deploy.error);
	deploy.error = NULL;
	is_ok(deploy_update(journal, &deploy), "it does not");
	is_ok(deploy_move(journal, &deploy, DEPLOY_LIVE), "it is live");
	cancel_refused(journal, number, ERR_REFUSED, "is live already");
	is_row(journal, number, DEPLOY_LIVE, NULL);
	deploy_release(&deploy);
}

/* A runner that was wrong about its deploy must not be believed. */
static void
test_stale(void)
{
	struct journal *journal = fixture_journal("stale.db");
	struct deploy deploy, got;

	is_ok(deploy_get(journal, fixture_request(journal, "x", NULL),
	    &deploy), "read");
	deploy.state = DEPLOY_ACTIVATING;
	deploy.error = xstrdup("no");
	is_err(deploy_move(journal, &deploy, DEPLOY_ROLLED_BACK),
	    ERR_INTERRUPTED, "is queued in the journal", "moved");
	is_err(deploy_update(journal, &deploy), ERR_INTERRUPTED,
	    "believed to be activating", "updated");
	is_ok(deploy_get(journal, deploy.number, &got), "read");
	is_int(got.state, DEPLOY_QUEUED, "nothing is written");
	deploy_release(&deploy);
	deploy_release(&got);
	journal_close(journal);
}

int
main(void)
{
	struct journal *journal = fixture_journal("cancel.db");

	test_waiting(journal);
	test_last_chance(journal, "20260101000001", DEPLOY_PREPARING,
	    DEPLOY_PREPARED);
	test_last_chance(journal, "20260101000002", DEPLOY_PREPARED,
	    DEPLOY_PREPARED);
	test_last_chance(journal, "20260101000003", DEPLOY_ACTIVATING,
	    DEPLOY_ACTIVATING);
	test_too_late(journal);
	journal_close(journal);
	test_stale();
	return tap_done();
}
