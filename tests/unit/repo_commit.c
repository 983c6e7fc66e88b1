#include "repo.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "repo_fixture.h"

static void
test_commit(struct repo *repo)
{
	char *oid = rev("refs/heads/main~1");
	char *tree = rev("refs/heads/main~1^{tree}");
	struct repo_commit commit;

	is_ok(repo_commit_read(repo, oid, &commit), "a commit is read");
	is_str(commit.oid, oid, "its name");
	is_str(commit.tree, tree, "its tree");
	is_str(commit.author, "Alice \xc3\x84 <a@example.org>", "author");
	is_str(commit.subject, "Subject that   goes on",
	    "the first paragraph is one line");
	is_str(commit.message, "\n\nSubject that\n  goes on  \n \nBody.\n\n"
	    "Deploy: updb,\n  cc\nSigned-off-by: X <x@y>\n",
	    "the message is raw");
	is_int(commit.author_at, 1600000000000, "written at");
	is_int(commit.committed_at, 1700000100000, "committed at");
	repo_commit_release(&commit);
	repo_commit_release(&commit);
	ok(commit.message == NULL, "release twice");
	is_err(repo_commit_read(repo, ABSENT_OID, &commit), ERR_NOT_FOUND,
	    "read commit " ABSENT_OID, "a commit that is not there");
	repo_commit_release(&commit);
	is_err(repo_commit_read(repo, tree, &commit), ERR_NOT_FOUND,
	    tree, "a tree is no commit");
	free(oid);
	free(tree);
}

/* Commits that git itself would not write any more, made by hand. */
static void
test_odd_commits(struct repo *repo)
{
	static const char write[] = "git hash-object -t commit -w --stdin "
	    "--literally <<EOF\ntree $(git rev-parse main^{tree})\n";
	struct repo_commit commit;
	char *oid;

	oid = ask(write, "author  <a@b> 99999999999999999 +0000\n"
	    "committer C <c@d> 1 +0000\nencoding ISO-8859-1\n\n"
	    "$(printf 'gr\\374n')\nEOF");
	is_ok(repo_commit_read(repo, oid, &commit), "an odd commit");
	is_str(commit.author, "<a@b>", "an author without a name");
	is_str(commit.subject, "gr\xfcn", "bytes stay as they are");
	is_int(commit.author_at, INT64_MAX, "a time that does not fit");
	is_int(commit.committed_at, 1000, "a time that does");
	repo_commit_release(&commit);
	free(oid);

	oid = ask(write, "author A <a@b> 1 +0000\n"
	    "committer C <c@d> 1 +0000\n\n"
	    "$(head -c 70000 /dev/zero | tr '\\0' x)\nEOF");
	is_ok(repo_commit_read(repo, oid, &commit), "a long message");
	is_int((int64_t)strlen(commit.message), 70001, "it is whole");
	repo_commit_release(&commit);
	free(oid);

	oid = ask(write, "author $(yes A | head -n 2000 | tr -d '\\n') <a@b>"
	    " 1 +0000\ncommitter C <c@d> 1 +0000\n\n"
	    "y$(yes x | head -n 510)$(yes \303\244 | head -n 300)\nEOF");
	is_ok(repo_commit_read(repo, oid, &commit), "a long author");
	is_int((int64_t)strlen(commit.author), REPO_LINE_MAX, "is cut");
	ok(str_ends_with(commit.author, "A..."), "as is told");
	is_int((int64_t)strlen(commit.subject), REPO_LINE_MAX - 1,
	    "so is a long subject");
	ok(str_ends_with(commit.subject, "x x..."),
	    "between characters");
	repo_commit_release(&commit);
	free(oid);

	oid = ask(write, "author A <a@b> 1 +0000\n"
	    "committer C <c@d> 1 +0000\n\nEOF");
	is_ok(repo_commit_read(repo, oid, &commit), "an empty message");
	is_str(commit.subject, "", "an empty subject");
	repo_commit_release(&commit);
	free(oid);

	oid = ask(write, "nonsense\n\nEOF");
	is_err(repo_commit_read(repo, oid, &commit), ERR_GIT, oid,
	    "a damaged commit");
	free(oid);
}

static const struct err *
add_subject(const struct repo_commit *commit, void *ctx)
{
	struct str *seen = ctx;

	str_addf(seen, "%s;", commit->subject);
	return seen->len > 100 ? err_new(ERR_FAILED, "enough") : NULL;
}

static const struct err *
refuse(const struct repo_commit *commit, void *ctx)
{
	++*(int *)ctx;
	return err_new(ERR_REFUSED, "not %s", commit->subject);
}

static void
test_walk(struct repo *repo)
{
	char *tip = rev("refs/heads/main"), *second = rev("v1^{commit}");
	char *side = rev("side"), *blob = rev("blob");
	const char *hidden[] = { ABSENT_OID, REPO_ZERO_OID, "junk", blob,
	    second };
	const char *both[] = { second, side };
	const char *self[] = { tip };
	struct str seen = STR_INIT;
	int calls = 0;

	is_ok(repo_walk(repo, tip, NULL, 0, add_subject, &seen), "walk");
	is_str(seen.s, "fourth;third;Subject that   goes on;first;",
	    "newest first");
	str_clear(&seen);
	is_ok(repo_walk(repo, tip, hidden, 5, add_subject, &seen),
	    "walk with hidden commits, lost ones among them");
	is_str(seen.s, "fourth;third;", "what is hidden is left out");
	str_clear(&seen);
	is_ok(repo_walk(repo, tip, both, 2, add_subject, &seen), "two");
	is_str(seen.s, "fourth;", "both are hidden");
	str_clear(&seen);
	is_ok(repo_walk(repo, tip, self, 1, add_subject, &seen), "itself");
	is_str(seen.s, "", "nothing is left");
	is_err(repo_walk(repo, tip, NULL, 0, refuse, &calls), ERR_REFUSED,
	    "not fourth", "the callback's error comes back");
	is_int(calls, 1, "and ends the walk");
	is_err(repo_walk(repo, ABSENT_OID, NULL, 0, refuse, &calls),
	    ERR_NOT_FOUND, ABSENT_OID, "a tip that is not there");
	is_err(repo_walk(repo, blob, NULL, 0, refuse, &calls),
	    ERR_NOT_FOUND, blob, "a tip that is no commit");
	str_release(&seen);
	free(tip);
	free(second);
	free(side);
	free(blob);
}

static void
test_ancestor(struct repo *repo)
{
	char *tip = rev("refs/heads/main"), *second = rev("v1^{commit}");
	char *side = rev("side");
	const struct {
		const char *old, *new;
		bool is;
	} cases[] = {
		{ second, tip, true },
		{ side, tip, true },
		{ tip, tip, true },
		{ tip, second, false },
		{ side, second, false },
		{ ABSENT_OID, tip, false },
		{ REPO_ZERO_OID, tip, false },
	};
	bool is;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_ok(repo_is_ancestor(repo, cases[i].old, cases[i].new,
		    &is), "ancestor %zu", i);
		is_int(is, cases[i].is, "ancestor %zu is right", i);
	}
	is_err(repo_is_ancestor(repo, tip, ABSENT_OID, &is), ERR_NOT_FOUND,
	    ABSENT_OID, "descendant that is not there");
	free(tip);
	free(second);
	free(side);
}

/* How far one would have to walk, at most so far. */
static void
test_few(struct repo *repo)
{
	char *tip = rev("refs/heads/main"), *before = rev("refs/heads/main~1");
	char *first = rev("refs/heads/main~2");
	char *number = ask("git rev-list --count refs/heads/main", "");
	size_t count = strtoul(number, NULL, 10);
	bool few;

	is_ok(repo_is_few(repo, tip, tip, 0, &few), "to itself");
	ok(few, "is no way");
	is_ok(repo_is_few(repo, first, "", count, &few), "to the end");
	ok(few, "is no longer than all");
	is_ok(repo_is_few(repo, tip, "", count, &few), "all");
	ok(few, "are as many as they are");
	is_ok(repo_is_few(repo, tip, ABSENT_OID, count - 1, &few), "past"
	    " nothing that is there");
	ok(!few, "and not fewer");
	is_ok(repo_is_few(repo, before, tip, 0, &few), "back");
	ok(!few, "is not found");
	is_err(repo_is_few(repo, ABSENT_OID, tip, 9, &few), ERR_NOT_FOUND,
	    ABSENT_OID, "from nothing");
	free(tip);
	free(before);
	free(first);
	free(number);
}

static void
test_changed_paths(struct repo *repo)
{
	char *first = rev("refs/heads/main~2"), *second = rev("v1^{commit}");
	struct vec paths = VEC_INIT;
	struct str all = STR_INIT;

	is_ok(repo_changed_paths(repo, first, second, &paths), "changes");
	vec_join(&paths, " ", &all);
	is_str(all.s, "b c link mod",
	    "both names of a rename, a change of type once, a submodule");
	ok(paths.v[paths.n] == NULL, "the list still ends with NULL");
	vec_clear(&paths);
	str_clear(&all);
	is_ok(repo_changed_paths(repo, NULL, first, &paths), "from nothing");
	vec_join(&paths, " ", &all);
	is_str(all.s, "b dir/a link run", "every path");
	vec_clear(&paths);
	is_ok(repo_changed_paths(repo, first, first, &paths), "no change");
	is_int((int64_t)paths.n, 0, "no path");
	is_err(repo_changed_paths(repo, ABSENT_OID, first, &paths),
	    ERR_NOT_FOUND, ABSENT_OID, "old commit is not there");
	is_err(repo_changed_paths(repo, first, ABSENT_OID, &paths),
	    ERR_NOT_FOUND, ABSENT_OID, "new commit is not there");
	vec_release(&paths);
	str_release(&all);
	free(first);
	free(second);
}

static void
test_program(struct repo *repo, const char *commit, const char *path,
    bool want)
{
	bool is;

	is_ok(repo_path_is_program(repo, commit, path, &is), "look at '%s'",
	    path);
	is_int(is, want, "'%s' is %sa program", path, want ? "" : "not ");
}

static void
test_path_kind(struct repo *repo)
{
	static const struct {
		const char *path;
		enum repo_kind in_first, in_second;
	} cases[] = {
		{ "dir", REPO_FOLDER, REPO_FOLDER },
		{ "dir/", REPO_FOLDER, REPO_FOLDER },
		{ "dir/a", REPO_FILE, REPO_FILE },
		{ "dir/a/b", REPO_ABSENT, REPO_ABSENT },
		{ "dir/no", REPO_ABSENT, REPO_ABSENT },
		{ "run", REPO_FILE, REPO_FILE },
		{ "link", REPO_SYMLINK, REPO_FILE },
		{ "link/b", REPO_ABSENT, REPO_ABSENT },
		{ "mod", REPO_ABSENT, REPO_SUBMODULE },
		{ "mod/x", REPO_ABSENT, REPO_ABSENT },
		{ "../b", REPO_ABSENT, REPO_ABSENT },
		{ "/b", REPO_ABSENT, REPO_ABSENT },
		{ "", REPO_ABSENT, REPO_ABSENT },
	};
	char *first = rev("refs/heads/main~2"), *second = rev("v1^{commit}");
	enum repo_kind kind;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_ok(repo_path_kind(repo, first, cases[i].path, &kind),
		    "look at '%s'", cases[i].path);
		is_int(kind, cases[i].in_first, "its kind in the first");
		is_ok(repo_path_kind(repo, second, cases[i].path, &kind),
		    "look at '%s' again", cases[i].path);
		is_int(kind, cases[i].in_second, "its kind in the second");
	}
	test_program(repo, first, "run", true);
	test_program(repo, first, "dir/a", false);
	test_program(repo, first, "link", false);
	test_program(repo, first, "dir", false);
	test_program(repo, first, "no", false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool same;

		is_ok(repo_path_is_same(repo, NULL, first, cases[i].path,
		    &same), "'%s' beside nothing", cases[i].path);
		is_int(same, cases[i].in_first == REPO_ABSENT, "the same");
		is_ok(repo_path_is_same(repo, first, first, cases[i].path,
		    &same), "'%s' beside itself", cases[i].path);
		is_int(same, true, "the same");
		is_ok(repo_path_is_same(repo, first, second, cases[i].path,
		    &same), "'%s' beside the second", cases[i].path);
		ok(!same || cases[i].in_first == cases[i].in_second,
		    "another kind is not the same");
	}
	is_err(repo_path_kind(repo, ABSENT_OID, "b", &kind), ERR_NOT_FOUND,
	    ABSENT_OID, "a commit that is not there");
	free(first);
	free(second);
}

static void
test_trailers(void)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{ "s\n\nDeploy: updb,\n  cc\nOther: x\n",
		    "Deploy: updb, cc|Other: x" },
		{ "s\n\nDeploy: a  b\n", "Deploy: a  b" },
		{ "s\n\nDeploy: a\n\nmore text\n", "" },
		{ "s\n", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vec trailers = VEC_INIT;
		struct str all = STR_INIT;

		is_ok(repo_trailers(cases[i].message, &trailers),
		    "trailers %zu", i);
		vec_join(&trailers, "|", &all);
		is_str(all.s, cases[i].want, "trailers %zu are right", i);
		str_release(&all);
		vec_release(&trailers);
	}
}

static const struct err *
add_oid(const struct repo_commit *commit, void *ctx)
{
	vec_push(ctx, commit->oid);
	return NULL;
}

/* Which contains the others, and that it does not take a walk for each. */
static void
test_newest(struct repo *repo)
{
	enum { MANY = 2000 };
	char *tip = rev("refs/heads/main"), *first = rev("v1^{commit}");
	const char *some[] = { first, tip, first, tip }, *many[MANY];
	struct vec commits = VEC_INIT;
	clock_t start;
	size_t at;

	is_ok(repo_newest(repo, some, 4, &at), "of some");
	is_int((int64_t)at, 3, "the last of equal ones");
	is_ok(repo_newest(repo, some, 3, &at), "of three");
	is_int((int64_t)at, 1, "the one in the middle");
	is_ok(repo_newest(repo, some, 1, &at), "of one");
	is_int((int64_t)at, 0, "itself");
	free(tip);
	tip = ask("for i in $(seq 2000); do printf 'commit refs/heads/long\n"
	    "committer A <a@b> %s +0000\ndata 0\n\n' $((1000000 - i)); done"
	    " | git fast-import --quiet && git rev-parse long", "");
	is_ok(repo_walk(repo, tip, NULL, 0, add_oid, &commits), "many");
	is_int((int64_t)commits.n, MANY, "each older than its parent");
	for (size_t i = 0; i < commits.n; i++)
		many[i] = commits.v[commits.n - 1 - i];
	start = clock();
	is_ok(repo_newest(repo, many, commits.n, &at), "of many");
	ok(clock() - start < CLOCKS_PER_SEC, "quick");
	is_int((int64_t)at, MANY - 1, "the last one");
	many[1] = first;
	is_ok(repo_newest(repo, many, commits.n, &at), "of two histories");
	is_int((int64_t)at, MANY, "none");
	vec_release(&commits);
	free(tip);
	free(first);
}

int
main(void)
{
	struct repo *repo;

	fixture_init();
	repo = open_hub();
	test_commit(repo);
	test_odd_commits(repo);
	test_walk(repo);
	test_ancestor(repo);
	test_newest(repo);
	test_few(repo);
	test_changed_paths(repo);
	test_path_kind(repo);
	test_trailers();
	repo_close(repo);
	test_trailers();
	free(hub);
	return tap_done();
}
