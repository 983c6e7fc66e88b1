#include "journal/chain.h"

#include <string.h>

#include "journal/push.h"
#include "journal/step.h"
#include "journal_fixture.h"

#define NO_TRIGGERS "DROP TRIGGER events_keep; DROP TRIGGER events_same;"

/* What somebody does behind the journal's back, and what is found. */
static const struct {
	const char *sql;
	const char *fault;	/* NULL: none */
} cases[] = {
	{ "", NULL },
	{ "UPDATE pushes SET pusher = 'mallory'", "push 1 is not what" },
	{ "UPDATE push_refs SET new = old", "push 1 is not what" },
	{ "UPDATE deploys SET author = 'x'", "deploy 1 is not what its last"
	    " event says: author is 'x', was 'Alice <a@example.org>'" },
	{ "UPDATE deploys SET author = NULL, error = 'a' || char(10)",
	    "says: author is nothing, was 'Alice <a@example.org>'; error is"
	    " 'a\\x0a', was nothing" },
	{ "UPDATE directives SET argument = 'x'", "deploy 1 is not what" },
	{ "DELETE FROM directives", "deploy 1 is not what" },
	{ "UPDATE steps SET exit = 0", "step 1 is not what" },
	{ "UPDATE releases SET state = 'x'", "release 1 is not what" },
	{ "UPDATE pushers SET signer = 'mallory'", "pusher 1 is not what" },
	{ "UPDATE pushers SET cert_text = ''", "pusher 1 is not what" },
	{ "DELETE FROM pushers", "pusher 1 has events, but is gone" },
	{ "DELETE FROM steps", "step 1 has events, but is gone" },
	{ "INSERT INTO deploys (environment, kind, state, commit_oid,"
	    " pusher, requested_at) VALUES ('p','deploy','live','','x',1)",
	    "deploy 2 is not what" },
	{ NO_TRIGGERS "UPDATE events SET body = replace(body, 'alice',"
	    " 'mallory') WHERE id = 1", "event 1 (push 1) was edited" },
	{ NO_TRIGGERS "UPDATE events SET at = at + 1 WHERE id = 3",
	    "event 3 (deploy 1) was edited" },
	{ NO_TRIGGERS "UPDATE events SET key = 9 WHERE id = 2",
	    "event 2 (deploy 9) was edited" },
	{ NO_TRIGGERS "UPDATE events SET hash = zeroblob(32) WHERE id = 2",
	    "event 2 (deploy 1) was edited" },
	{ NO_TRIGGERS "UPDATE events SET hash = x'' WHERE id = 2",
	    "event 2 (deploy 1) was edited" },
	{ NO_TRIGGERS "DELETE FROM events WHERE id IN (2, 3)",
	    "events 2 to 3 are missing" },
	{ NO_TRIGGERS "DELETE FROM events WHERE id = 1",
	    "events 1 to 1 are missing" },
	{ NO_TRIGGERS "DELETE FROM events WHERE id ="
	    " (SELECT max(id) FROM events)", "are missing at the end" },
	{ NO_TRIGGERS "DELETE FROM events", "are missing at the end" },
	{ "INSERT INTO events (at, noun, key, body, hash)"
	    " SELECT at, noun, key, body, hash FROM events WHERE id = 1",
	    "(push 1) was edited" },
};

static struct journal *
make_journal(void)
{
	struct journal *journal = fixture_journal("chain.db");
	struct directives options = DIRECTIVES_INIT;
	struct push push = PUSH_INIT;
	struct step step = { .deploy = 1, .phase = (char *)"migrate",
	    .action = (char *)"updb", .host = (char *)"local",
	    .state = (char *)"failed", .exit = 1 };
	struct pusher who = { .known_by = (char *)"certificate",
	    .account = (char *)"git", .signer = (char *)"alice",
	    .cert_text = (char *)"certificate version 0.1" };
	struct deploy deploy;

	push.pusher = xstrdup("alice");
	push.receiver = xstrdup("1 2");
	push_add_ref(&push, "old", "new", "refs/heads/main");
	is_ok(push_write(journal, &push), "a push");
	push_release(&push);
	directives_add(&options, "updb", "", "", "option");
	fixture_request(journal, "production", &options);
	directives_release(&options);
	fixture_plan(journal, "production", "20261120101500", NULL,
	    &deploy);
	is_ok(step_begin(journal, &step), "a step begins");
	is_ok(step_end(journal, &step), "a step ends");
	is_ok(pusher_add(journal, 1, &who), "who pushed");
	deploy_release(&deploy);
	return journal;
}

static bool
has_part(const struct vec *faults, const char *part)
{
	for (size_t i = 0; i < faults->n; i++) {
		if (strstr(faults->v[i], part) != NULL)
			return true;
	}
	return false;
}

static void
test_faults(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct journal *journal = make_journal();
		struct vec faults = VEC_INIT;
		int64_t events;
		char head[65];

		is_ok(db_script(journal_db(journal), cases[i].sql),
		    "case %zu is done", i);
		is_ok(chain_verify(journal, &faults, &events, head),
		    "case %zu is looked at", i);
		if (cases[i].fault == NULL)
			is_int((int64_t)faults.n, 0, "no fault");
		else if (!ok(has_part(&faults, cases[i].fault), "found: %s",
		    cases[i].fault))
			diag("%s", faults.n == 0 ? "no fault" : faults.v[0]);
		is_int((int64_t)strlen(head), 64, "a whole hash");
		vec_release(&faults);
		journal_close(journal);
	}
}

static void
test_triggers(void)
{
	struct journal *journal = make_journal();
	struct db *db = journal_db(journal);

	is_err(db_script(db, "DELETE FROM events"), ERR_JOURNAL,
	    "never removed", "events are not removed");
	is_err(db_script(db, "UPDATE events SET at = 1"), ERR_JOURNAL,
	    "never changed", "events are not changed");
	journal_close(journal);
}

/* The head is the last event's hash, and moves with each event. */
static void
test_head(void)
{
	struct journal *journal = fixture_journal("head.db");
	struct vec faults = VEC_INIT;
	char before[65], after[65];
	int64_t events;

	is_ok(chain_verify(journal, &faults, &events, before), "no event");
	is_int(events, 0, "there is none");
	is_str(before, "000000000000000000000000000000000000000000000000"
	    "0000000000000000", "the hash before the first");
	fixture_request(journal, "production", NULL);
	is_ok(chain_verify(journal, &faults, &events, after), "one event");
	is_int(events, 1, "there is one");
	ok(strcmp(before, after) != 0, "the head has moved");
	is_int((int64_t)faults.n, 0, "no fault");
	vec_release(&faults);
	journal_close(journal);
}

int
main(void)
{
	test_faults();
	test_triggers();
	test_head();
	return tap_done();
}
