/*
 * The journal's rows of pushes, and what they ask for.
 */
#include <string.h>

#include "journal/push.h"
#include "journal_fixture.h"

static void
test_pushes(void)
{
	struct journal *journal = fixture_journal("pushes.db");
	struct push push = PUSH_INIT;
	struct push again;
	int64_t id;
	bool open;

	push.pusher = xstrdup("alice");
	push.receiver = xstrdup("12 34");
	push_add_ref(&push, "o", "n", "refs/heads/main");
	push_add_ref(&push, "o", "n", "refs/heads/x");
	push.refs[1].skip = true;
	push.refs[1].author = xstrdup("Alice <a@example.org>");
	push.refs[1].subject = xstrdup("a subject");
	vec_push(&push.options, "updb");
	is_ok(push_by_receiver(journal, "12 34", &id), "before");
	is_int(id, 0, "nobody knows it");
	is_ok(push_write(journal, &push), "it is written");
	is_ok(push_by_receiver(journal, "12 34", &id), "after");
	is_int(id, push.id, "it is found");
	is_ok(push_get(journal, id, &again, &open), "it is read back");
	ok(open, "nobody has marked it");
	is_str(again.pusher, "alice", "its pusher");
	ok(vec_has(&again.options, "updb"), "its option");
	is_int((int64_t)again.n_refs, 2, "its refs");
	is_ok(push_get_ref(journal, id, &again.refs[0]), "a ref");
	ok(!again.refs[0].skip && again.refs[0].author == NULL,
	    "that is not deployed");
	is_ok(push_get_ref(journal, id, &again.refs[1]), "a ref");
	ok(again.refs[1].skip, "that is skipped");
	is_str(again.refs[1].subject, "a subject", "its subject");
	push_release(&again);
	is_ok(push_land(journal, &push), "it lands");
	is_ok(push_get(journal, id, &again, &open), "read once more");
	ok(!open, "it is marked");
	push_release(&again);
	is_err(push_get(journal, 999, &again, &open), ERR_NOT_FOUND,
	    "no push 999", "one that is not there");
	push_release(&again);
	is_ok(db_get_int(&id, journal_db(journal), 0, "SELECT count(*) FROM"
	    " push_refs WHERE landed = 1", ""), "both refs");
	is_int(id, 2, "have landed");
	push_release(&push);
	journal_close(journal);
}

/* One of an older Slipway has no such row. */
static void
test_pushers(void)
{
	struct journal *journal = fixture_journal("pushers.db");
	struct push push = PUSH_INIT;
	struct pusher who;
	int64_t id;

	push.pusher = xstrdup("alice");
	push.receiver = xstrdup("12 34");
	push.who.known_by = xstrdup("ssh key");
	push.who.account = xstrdup("git");
	push.who.ssh_key = xstrdup("SHA256:abc");
	push.who.cert = xstrdup("0123");
	push.who.fault = xstrdup("its signature is bad");
	is_ok(pusher_by_cert(journal, "0123", &id), "a certificate");
	is_int(id, 0, "that is new");
	is_ok(push_write(journal, &push), "a push is written");
	is_ok(push_write(journal, &push), "and another one");
	is_ok(pusher_by_cert(journal, "0123", &id), "its certificate");
	is_int(id, 1, "came with the first one");
	is_ok(push_refuse(journal, 1, "no"), "which is turned away");
	is_ok(pusher_by_cert(journal, "0123", &id), "its certificate");
	is_int(id, 2, "counts from the other one on");
	is_ok(pusher_get(journal, 1, &who), "it is read back");
	is_str(who.known_by, "ssh key", "how");
	is_str(who.account, "git", "the account");
	is_str(who.ssh_key, "SHA256:abc", "the key");
	is_str(who.fault, "its signature is bad", "the fault");
	ok(who.signer == NULL, "nobody signed it");
	pusher_release(&who);
	is_ok(pusher_get(journal, 3, &who), "a push without");
	ok(who.known_by == NULL, "has nothing");
	push_release(&push);
	journal_close(journal);
}

static int64_t
write_push(struct journal *journal, const char *old, const char *new)
{
	return fixture_push(journal, "refs/heads/main", old, new);
}

static void
land(struct journal *journal, int64_t id)
{
	struct push push;
	bool open;

	is_ok(push_get(journal, id, &push, &open), "push %lld",
	    (long long)id);
	is_ok(push_land(journal, &push), "lands");
	push_release(&push);
}

static void
test_withheld(void)
{
	struct journal *journal = fixture_journal("withheld.db");
	int64_t id = write_push(journal, "a", "b");
	struct vec receivers = VEC_INIT;
	char *reason;

	is_ok(push_receivers(journal, "refs/heads/other", &receivers),
	    "who moves another ref");
	ok(receivers.n == 0, "nobody");
	is_ok(push_receivers(journal, "refs/heads/main", &receivers), "main");
	is_ok(push_receivers(journal, NULL, &receivers), "any");
	ok(receivers.n == 2, "the open push, each time");
	is_ok(push_withhold(journal, id, "early"), "before it has landed");
	land(journal, id);
	vec_clear(&receivers);
	is_ok(push_receivers(journal, NULL, &receivers), "afterwards");
	ok(receivers.n == 0, "nobody moves anything");
	is_ok(push_withhold(journal, id, "not of main"), "it is kept back");
	is_ok(db_get_text(&reason, journal_db(journal), "SELECT reason"
	    " FROM pushes WHERE state = 'landed'", ""), "why");
	is_str(reason, "not of main", "that is why");
	free(reason);
	vec_release(&receivers);
	journal_close(journal);
}

static void
test_open_pushes(void)
{
	struct journal *journal = fixture_journal("open.db");
	struct push_ref ref = {
		.ref = xstrdup("refs/heads/main"),
		.old = xstrdup("a"),
		.new = xstrdup("b"),
	};
	int64_t first, again, next, id;
	bool is_found, is_again;

	first = write_push(journal, "a", "b");
	is_ok(push_ask_later(journal, first, &ref, &is_found, &is_again),
	    "alone");
	ok(!is_found && !is_again, "nobody tells of it");
	again = write_push(journal, "a", "b");
	is_ok(push_ask_later(journal, first, &ref, &is_found, &is_again),
	    "the same again");
	ok(!is_found && is_again, "it is that one's");
	next = write_push(journal, "b", "c");
	write_push(journal, "c", "b");
	is_ok(push_ask_later(journal, again, &ref, &is_found, &is_again),
	    "one on top");
	ok(is_found && !is_again, "has found it, whoever brings it back");
	is_ok(push_next_open(journal, 0, &id), "the oldest open one");
	is_int(id, first, "is the first");
	is_ok(push_unland(journal, first, "it died"), "it did not land");
	is_ok(push_next_open(journal, 0, &id), "the oldest open one");
	is_int(id, again, "is the second now");
	is_ok(push_next_open(journal, again, &id), "the one behind it");
	is_int(id, next, "is the third");
	land(journal, again);
	is_ok(push_unland(journal, again, "too late"), "what has landed");
	is_ok(db_get_int(&id, journal_db(journal), 0, "SELECT count(*) FROM"
	    " pushes WHERE state = 'unlanded'", ""), "stays so");
	is_int(id, 1, "one alone did not land");
	is_ok(db_get_int(&next, journal_db(journal), 0, "SELECT count(*)"
	    " FROM events", ""), "events");
	land(journal, again);
	is_ok(db_get_int(&id, journal_db(journal), 0, "SELECT count(*)"
	    " FROM events", ""), "are the same");
	is_int(id, next, "when it lands once more");
	free(ref.ref);
	free(ref.old);
	free(ref.new);
	journal_close(journal);
}

/* Somebody was faster, and then was overrun by force. */
static void
test_forced_again(void)
{
	struct journal *journal = fixture_journal("forced.db");
	struct push_ref ref = {
		.ref = xstrdup("refs/heads/main"),
		.old = xstrdup("a"),
		.new = xstrdup("b"),
	};
	int64_t turned_away = write_push(journal, "a", "b");
	bool is_found, is_again;

	land(journal, write_push(journal, "a", "c"));
	land(journal, write_push(journal, "c", "b"));
	is_ok(push_ask_later(journal, turned_away, &ref, &is_found,
	    &is_again), "turned away, then forced");
	ok(!is_found && is_again, "it is the forced one's");
	free(ref.ref);
	free(ref.old);
	free(ref.new);
	journal_close(journal);
}

/* Several words may be in one push, and each of them is meant. */
static void
test_words_of_a_push(void)
{
	struct journal *journal = fixture_journal("words.db");
	int64_t push = write_push(journal, "a", "b");
	static const char *const kinds[] = { "deploy", "rollback", "deploy" };

	for (int64_t i = 0; i < 3; i++) {
		struct deploy deploy = DEPLOY_INIT;

		deploy.environment = xstrdup("a");
		deploy.kind = xstrdup(kinds[i]);
		deploy.commit = xstrdup("b");
		deploy.pusher = xstrdup("alice");
		deploy.push = push;
		is_ok(deploy_request(journal, &deploy, NULL), "a word");
		is_int(deploy.number, i + 1, "is a deploy of its own");
		is_int(deploy.state, DEPLOY_QUEUED, "that waits");
		deploy_release(&deploy);
	}
	journal_close(journal);
}

static void
stays(struct journal *journal, int64_t push, bool want, const char *when)
{
	struct vec refs = VEC_INIT;
	struct deploy live;
	bool is;

	is_ok(deploy_get_live(journal, "a", &live), "what is live");
	is_ok(deploy_will_stay(journal, &live, &is), "does it stay?");
	is_ok(push_open_refs(journal, push, &refs), "will somebody ask?");
	is_int(is && !vec_has(&refs, "refs/heads/main"), want, "%s", when);
	vec_release(&refs);
	deploy_release(&live);
}

/* What would replace what is live, and what has done so unseen. */
static void
test_will_stay(void)
{
	struct journal *journal = fixture_journal("stay.db");
	struct db *db = journal_db(journal);
	int64_t other, push;

	fixture_live(journal, "a", "1", NULL);
	fixture_request(journal, "b", NULL);
	other = write_push(journal, "a", "b");
	push = write_push(journal, "b", "a");
	stays(journal, other, true, "it stays");
	stays(journal, push, false, "not when a push has yet to ask");
	land(journal, other);
	stays(journal, push, true, "it has, and asked for nothing");
	fixture_request(journal, "a", NULL);
	fixture_request(journal, "a", NULL);
	stays(journal, push, false, "not with some that wait");
	is_ok(db_script(db, "UPDATE deploys SET state = 'cancelled' WHERE"
	    " number = 4"), "the newest is cancelled");
	stays(journal, push, false, "nor with an older one");
	is_ok(db_script(db, "UPDATE deploys SET state = 'activating' WHERE"
	    " number = 3"), "which goes on");
	stays(journal, push, false, "nor then");
	is_ok(db_script(db, "UPDATE deploys SET state = 'broken' WHERE"
	    " number = 3"), "until it breaks");
	stays(journal, push, false, "nor behind a broken one");
	fixture_live(journal, "a", "2", "1");
	stays(journal, push, true, "but when that is past");
	journal_close(journal);
}

/* Would a push of "commit" join what is under way? */
static bool
joins(struct journal *journal, const char *commit, const char *option)
{
	struct directives options = DIRECTIVES_INIT;
	struct deploy deploy = DEPLOY_INIT;
	bool joined;

	if (option != NULL)
		is_ok(directives_add_word(&options, option, "", "option"),
		    "an option");
	deploy.environment = xstrdup("a");
	deploy.kind = xstrdup("deploy");
	deploy.commit = xstrdup(commit);
	deploy.pusher = xstrdup("bob");
	deploy.joins = true;
	is_ok(deploy_request(journal, &deploy, &options), "once more");
	joined = deploy.joins;
	is_int(deploy.state, joined ? DEPLOY_SUPERSEDED : DEPLOY_QUEUED,
	    joined ? "it is over" : "it waits");
	deploy_release(&deploy);
	directives_release(&options);
	is_ok(db_script(journal_db(journal), "DELETE FROM directives"
	    " WHERE deploy IN (SELECT number FROM deploys WHERE state ="
	    " 'queued'); DELETE FROM deploys WHERE state = 'queued'"),
	    "and is forgotten");
	return joined;
}

static void
test_joins(void)
{
	struct journal *journal = fixture_journal("joins.db");
	struct db *db = journal_db(journal);
	struct directives options = DIRECTIVES_INIT;
	struct deploy deploy;

	ok(!joins(journal, COMMIT, NULL), "none is under way");
	is_ok(directives_add_word(&options, "cc", "", "option"), "an option");
	fixture_request(journal, "a", &options);
	directives_release(&options);
	fixture_plan(journal, "a", "1", NULL, &deploy);
	ok(joins(journal, COMMIT, NULL), "the same commit");
	ok(joins(journal, COMMIT, "cc"), "with the same option");
	is_ok(deploy_pending_directives(journal, &deploy, &options),
	    "what is asked for");
	is_int(options.n, 1, "is so once");
	directives_release(&options);
	ok(!joins(journal, COMMIT, "updb"), "not with another option");
	ok(!joins(journal, "abc", NULL), "nor another commit");
	fixture_move(journal, &deploy, DEPLOY_ACTIVATING);
	ok(joins(journal, COMMIT, NULL), "until it is live");
	is_ok(db_script(db, "UPDATE deploys SET error = 'no' WHERE state ="
	    " 'activating'"), "it fails");
	ok(!joins(journal, COMMIT, NULL), "not one that is taken back");
	is_ok(db_script(db, "UPDATE deploys SET error = NULL, cancelled_by ="
	    " 'eve' WHERE state = 'activating'"), "or is stopped");
	ok(!joins(journal, COMMIT, NULL), "nor then");
	is_ok(db_script(db, "UPDATE deploys SET cancelled_by = NULL"),
	    "neither");
	is_ok(deploy_move(journal, &deploy, DEPLOY_LIVE), "it is live");
	ok(!joins(journal, COMMIT, NULL), "what is live is deployed again");
	deploy_release(&deploy);
	journal_close(journal);
}

int
main(void)
{
	test_pushes();
	test_pushers();
	test_withheld();
	test_open_pushes();
	test_forced_again();
	test_words_of_a_push();
	test_will_stay();
	test_joins();
	return tap_done();
}
