/*
 * A spare that somebody has put a hand to, made the release of another
 * commit.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "release/store.h"
#include "repo.h"
#include "tap.h"

#define FIRST "20261120101500"
#define SECOND "20261120101501"

static struct store *store;
static struct repo *repo;

/* In the work tree, in the spare, and in the work tree again. */
static const struct {
	const char *first;
	const char *tampering;
	const char *second;
	const char *what;
} cases[] = {
	{ "mkdir d && echo f >d/f", ":", "echo g >d/g", "nothing" },
	{ "mkdir d && echo f >d/f", "rm -r d", "echo g >d/g",
	    "a folder that is missing" },
	{ "mkdir d && echo f >d/f", "rm -r d", "git rm -qr d",
	    "one that the commit has not either" },
	{ "mkdir -p d/e && echo f >d/e/f", "rm -r d && ln -s /etc d",
	    "git rm -qr d && echo d >d", "one that is a file now" },
	{ "mkdir d && echo f >d/f", "rm -r d && ln -s ../../.. d",
	    "echo g >d/g", "a link in its place" },
	{ "echo '*.txt eol=crlf' >.gitattributes && echo f >f.txt", ":",
	    "echo g >g.txt", "files that are converted" },
	{ "echo '*.txt eol=crlf' >.gitattributes && echo f >f.txt",
	    "mkdir -p .git/refs && echo x >.git/index", "echo g >g.txt",
	    "and a repository in their folder" },
	{ "echo f >f", "echo x >.git", "echo g >g", "a file called .git" },
};

static bool
commit(const char *line)
{
	char *all = xasprintf("cd w && %s && git add -A . && git commit -qm x"
	    " && git push -q ../hub HEAD:main", line);
	bool done = sh(all);

	free(all);
	return done;
}

static const struct err *
make(const char *release, struct store_made *made)
{
	char name[REPO_OID_SIZE];
	struct store_spec spec = { .release = release, .repo = repo,
	    .commit = name };
	const struct err *err = repo_resolve(repo, "main", name);

	return err == NULL ? store_make(store, &spec, made) : err;
}

static void
test_case(const char *first, const char *tampering, const char *second)
{
	char *line = xasprintf("cd root/.slipway/spare/" FIRST " && { %s\n}",
	    tampering);
	char *root = xasprintf("%s/root", tap_folder());
	char *hub = xasprintf("%s/hub", tap_folder());
	struct store_made made;

	ok(sh("rm -rf w hub root want && git init -q --bare -b main hub &&"
	    " git init -q w && cd w && git config user.name a &&"
	    " git config user.email a@b && echo k >k") && commit(first),
	    "a commit");
	is_ok(repo_open(&repo, hub, false), "its repository");
	is_ok(store_open(&store, root), "a store");
	is_ok(make(FIRST, &made), "a release");
	is_ok(store_retire(store, FIRST), "is the spare");
	ok(sh(line), "%s", tampering);
	ok(commit(second), "another commit");
	is_ok(make(SECOND, &made), "is made");
	is_str(store_way_name(made.way), "recycle", "of the spare");
	ok(sh("mkdir want && git --git-dir=hub --work-tree=want checkout -qf"
	    " main -- . && diff -r --no-dereference want root/releases/"
	    SECOND), "as by git");
	store_close(store);
	repo_close(repo);
	free(line);
	free(root);
	free(hub);
}

int
main(void)
{
	umask(022);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		diag("%s", cases[i].what);
		test_case(cases[i].first, cases[i].tampering,
		    cases[i].second);
	}
	return tap_done();
}
