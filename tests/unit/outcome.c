#include "deploy/answer.h"
#include "journal_fixture.h"

static char environment[] = "production";

static struct offered
offered(int64_t deploy)
{
	return (struct offered){
		.ref = xstrdup("refs/heads/main"),
		.old = xstrdup("0000000000000000000000000000000000000000"),
		.new = xstrdup(COMMIT),
		.deploy = deploy,
		.environment = xstrdup(environment),
	};
}

/* What a client is told of a deploy; NULL: that it is live. */
static char *
answer(struct hub *hub, int64_t deploy, bool *unsure)
{
	struct offer offer = OFFER_INIT;
	struct vec notes = VEC_INIT;
	char *reason;

	offer.refs = xcalloc(1, sizeof(*offer.refs));
	offer.refs[0] = offered(deploy);
	offer.n = 1;
	answer_give(hub, &offer, &notes);
	reason = xstrdup_null(offer.refs[0].reason);
	*unsure = offer.refs[0].unsure;
	is_int((int64_t)notes.n, 0, "nothing more is said");
	vec_release(&notes);
	offer_release(&offer);
	return reason;
}

static void
test_open_ends(void)
{
	struct hub hub = HUB_INIT;
	bool unsure;
	char *said;
	int64_t live;

	hub.journal = fixture_journal("journal.db");
	live = fixture_live(hub.journal, environment, "20260101000000", NULL);
	said = answer(&hub, live, &unsure);
	ok(said == NULL && !unsure, "one that is live is a success");
	free(said);
	fixture_request(hub.journal, environment, NULL);
	said = answer(&hub, live + 1, &unsure);
	is_str(said, "deploy 2 is still queued; it may yet go live, see:"
	    " slipway show 2", "one that waits is no failure");
	ok(unsure, "so the push stays open");
	free(said);
	is_ok(db_script(journal_db(hub.journal), "UPDATE deploys SET"
	    " state = 'broken', error = 'verify (chk): exit 1; broken: undo"
	    " of m4: exit 1' WHERE number = 2"), "it breaks");
	said = answer(&hub, live + 1, &unsure);
	is_str(said, "deploy 2 failed at verify (chk), exit 1; broken: undo of"
	    " m4: exit 1; it needs a hand; release 20260101000000 is live",
	    "which is said once");
	free(said);
	said = answer(&hub, 99, &unsure);
	is_str(said, "deploy 99 may be live, or may yet go live, see: slipway"
	    " show 99 (there is no deploy 99)",
	    "nor is one of which nothing can be read");
	ok(unsure, "so that push stays open, too");
	free(said);
	journal_close(hub.journal);
}

/* Somebody wants to stop it; it fails by itself, or is stopped. */
static void
test_stopped(void)
{
	static const struct {
		const char *state;
		const char *error;
		const char *said;
	} cases[] = {
		{ "failed", "build (slow): exit 1", "deploy 2 failed at build"
		    " (slow), exit 1; release 20260101000000 is live" },
		{ "cancelled", "cancelled by bob at build (slow)",
		    "deploy 2 was cancelled by bob at build (slow); release"
		    " 20260101000000 is live" },
		{ "broken", "migrate (schema): exit 1", "deploy 2 failed at"
		    " migrate (schema), exit 1; it needs a hand;"
		    " release 20260101000000 is live" },
	};
	struct hub hub = HUB_INIT;
	bool unsure;

	hub.journal = fixture_journal("stopped.db");
	fixture_live(hub.journal, environment, "20260101000000", NULL);
	fixture_request(hub.journal, environment, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *said;

		is_ok(db_run(journal_db(hub.journal), "UPDATE deploys SET"
		    " cancelled_by = 'bob', state = ?1, error = ?2"
		    " WHERE number = 2", "ss", cases[i].state,
		    cases[i].error), "it is %s", cases[i].state);
		said = answer(&hub, 2, &unsure);
		is_str(said, cases[i].said, "and told so");
		free(said);
	}
	journal_close(hub.journal);
}

/* What does not fit is left out, and no remedy is told by half. */
static void
test_long(void)
{
	struct hub hub = HUB_INIT;
	struct str error = STR_INIT;
	bool unsure;
	char *said;

	hub.journal = fixture_journal("long.db");
	fixture_request(hub.journal, environment, NULL);
	str_add(&error, "the root /srv/shop belongs to somebody else;"
	    " choose another root, or, if that has moved, remove /srv/shop/");
	for (int i = 0; i < 20; i++)
		str_add(&error, "a-folder/");
	str_add(&error, "owner");
	is_ok(db_run(journal_db(hub.journal), "UPDATE deploys SET"
	    " state = 'failed', error = ?1 WHERE number = 1", "s", error.s),
	    "it fails, for a long reason");
	said = answer(&hub, 1, &unsure);
	is_str(said, "deploy 1 failed: the root /srv/shop belongs to somebody"
	    " else, see above; nothing is live", "which is cut at a clause");
	free(said);
	str_release(&error);
	journal_close(hub.journal);
}

int
main(void)
{
	test_open_ends();
	test_stopped();
	test_long();
	return tap_done();
}
