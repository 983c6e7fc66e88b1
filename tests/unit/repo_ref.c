#include "repo_fixture.h"

static void
is_at(struct repo *repo, const char *ref, const char *want, const char *what)
{
	char now[REPO_OID_SIZE];

	is_ok(repo_ref_value(repo, ref, now), "%s is read", ref);
	is_str(now, want, "%s", what);
}

static void
test_move(struct repo *repo, const char *a, const char *b)
{
	struct repo_move move = {
		.ref = "refs/heads/moves/here",
		.old = REPO_ZERO_OID,
		.new = a,
		.why = "deploy 1",
	};
	char *line;

	is_ok(repo_move_ref(repo, &move), "from nowhere");
	is_at(repo, move.ref, a, "it is there");
	is_ok(repo_move_ref(repo, &move), "where it is already");
	move.new = b;
	is_err(repo_move_ref(repo, &move), ERR_REFUSED, "somebody else",
	    "not from what it is not");
	is_at(repo, move.ref, a, "it stays");
	move.old = a;
	move.why = "deploy 2";
	is_ok(repo_move_ref(repo, &move), "from what it is");
	is_at(repo, move.ref, b, "it has moved");
	must("git -C \"$FOLDER/hub.git\" pack-refs --all");
	move.old = b;
	move.new = REPO_ZERO_OID;
	is_ok(repo_move_ref(repo, &move), "away, from a packed ref");
	is_at(repo, move.ref, REPO_ZERO_OID, "it is gone");
	line = ask("git for-each-ref --count=1 --format='%(refname)' ",
	    "refs/heads/moves refs/heads/main");
	is_str(line, "refs/heads/main", "git sees none, either");
	free(line);
}

static void
test_locked(struct repo *repo, const char *a)
{
	struct repo_move move = {
		.ref = "refs/heads/held",
		.old = REPO_ZERO_OID,
		.new = a,
		.why = "deploy 3",
	};

	must("touch \"$FOLDER/hub.git/refs/heads/held.lock\"");
	is_ok(repo_move_ref(repo, &move), "a lock that stays for seconds is"
	    " a dead one's");
	is_at(repo, move.ref, a, "then it moves");
	must("test ! -e \"$FOLDER/hub.git/refs/heads/held.lock\"");
	must("touch -d '-1 hour' \"$FOLDER/composer.lock\"");
	is_err(repo_free_lock(repo, "refs/../../composer"), ERR_GIT,
	    "refs/../../composer is no name for a ref", "a way out");
	must("test -e \"$FOLDER/composer.lock\"");
}

static void
test_neighbours(struct repo *repo, const char *a)
{
	static const struct {
		const char *ref, *other;
	} cases[] = {
		{ "refs/heads/near", "refs/heads/near/one" },
		{ "refs/heads/near/one/two", "refs/heads/near/one" },
		{ "refs/heads/near/one/two/three", "refs/heads/near/one" },
	};

	is_ok(repo_set_ref(repo, "refs/heads/near/one", a, "deploy 4"),
	    "there is one");
	for (int packed = 0; packed < 2; packed++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
			is_err(repo_check_new_ref(repo, cases[i].ref),
			    ERR_REFUSED, cases[i].other, "%s cannot be made",
			    cases[i].ref);
		is_ok(repo_check_new_ref(repo, "refs/heads/near/on"),
		    "beside it can be");
		is_ok(repo_check_new_ref(repo, "refs/heads/nea"),
		    "and before it");
		must("git -C \"$FOLDER/hub.git\" pack-refs --all");
	}
}

static void
test_blob(struct repo *repo)
{
	struct str text = STR_INIT;
	char *blob = rev("main:run"), *kept;

	is_ok(repo_blob(repo, blob, 1000, &text), "a blob is read");
	ok(text.len > 0, "it has its bytes");
	is_err(repo_blob(repo, blob, text.len - 1, &text), ERR_REFUSED,
	    "more than", "one that is too large is not");
	is_err(repo_blob(repo, REPO_ZERO_OID, 1000, &text), ERR_NOT_FOUND,
	    "read blob", "nor one that is not there");
	is_ok(repo_keep(repo, "refs/slipway/certs/1", blob), "it is kept");
	is_ok(repo_keep(repo, "refs/slipway/certs/1", blob), "once more");
	kept = rev("refs/slipway/certs/1");
	is_str(kept, blob, "by that ref");
	str_release(&text);
	free(kept);
	free(blob);
}

int
main(void)
{
	struct repo *repo;
	char *a, *b;

	fixture_init();
	repo = open_hub();
	a = rev("main");
	b = rev("main~1");
	test_move(repo, a, b);
	test_locked(repo, a);
	test_neighbours(repo, a);
	test_blob(repo);
	free(a);
	free(b);
	repo_close(repo);
	free(hub);
	return tap_done();
}
