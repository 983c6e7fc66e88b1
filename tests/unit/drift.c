#include "release/drift.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "drift_fixture.h"
#include "release/store.h"
#include "repo.h"
#include "tap.h"

#define NOBODY 65534

/* What was done to it, and what of that is told. */
static const struct {
	const char *line;
	const char *told;
} edits[] = {
	{ ":", "" },
	{ "touch d/f && touch -d 2030-01-01 r", "" },
	{ "echo f >d/f", "" },
	{ "echo F >d/f", "modified d/f" },
	{ ": >d/f", "modified d/f" },
	{ "chmod +x d/f", "mode d/f" },
	{ "chmod 4755 a/x", "mode a/x" },
	{ "echo F >d/f && chmod +x d/f", "modified d/f" },
	{ "rm d/f", "removed d/f" },
	{ "rm -r d", "removed d/e/g, removed d/f" },
	{ "rm -r d && echo d >d",
	    "added d, removed d/e/g, removed d/f" },
	{ "rm -r d && ln -s a d", "added d, removed d/e/g, removed d/f" },
	{ "rm -r d/e && ln -s ../../../../outside d/e",
	    "added d/e, removed d/e/g" },
	{ "rm -r d/e && mkfifo d/e", "added d/e, removed d/e/g" },
	{ "rm r && mkdir r", "modified r" },
	{ "rm r && mkdir -p r/s && echo 1 >r/s/1",
	    "modified r, added r/s/1" },
	{ "rm r && mkfifo r", "modified r" },
	{ "rm r && ln -s a.b r", "modified r" },
	{ "ln -sf a.b l", "modified l" },
	{ "rm l && cp r l", "modified l" },
	{ "rm l && ln -s r l", "" },
	{ "ln r ../../../outside/r", "" },
	{ "rm r && cp ../../../outside/o r && echo r >r", "" },
	{ "rm r && ln ../../../outside/o r", "modified r" },
	{ "chmod 700 d", "mode d/" },
	{ "chmod 2755 d", "" },
	{ "chmod 700 .", "mode ./" },
	{ "echo n >n && mkdir m d/m && echo n >d/m/n",
	    "added d/m/n, added m/, added n" },
	{ "mkdir -p m/o/p && echo n >m/o/n",
	    "added m/o/n, added m/o/p/" },
	{ "ln -s /etc m && mkfifo d/p", "added d/p, added m" },
	{ "mkdir a.c && echo n >a.c/n && mv a a-", "added a-/x,"
	    " added a.c/n, removed a/x" },
	{ "mv a A && mv a.b A.B", "added A.B, added A/x, removed a.b,"
	    " removed a/x" },
	{ "mv d/f t && mv d/e/g d/f && mv t d/e/g",
	    "modified d/e/g, modified d/f" },
};

/* Repair takes back all that is told, and leaves the rest of the world. */
static void
is_repaired(const char *what)
{
	struct drift drift;

	is_ok(store_drift(store, RELEASE, true, true, NULL, &drift),
	    "%s", what);
	is_ok(store_put_right(store, RELEASE, repo, &drift),
	    "is put right");
	is_told("", true, NULL, "after which nothing");
	ok(sh("diff -r --no-dereference -x .git w root/releases/" RELEASE),
	    "it is the commit");
	ok(sh("test \"$(cat outside/o)\" = o"), "what is outside is as it was");
	drift_release(&drift);
}

static void
test_edits(void)
{
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		char *line = xasprintf("cd root/releases/" RELEASE " && %s",
		    edits[i].line);

		is_ok(make(i % 2 == 0 ? STORE_LINKS : STORE_COPIES),
		    "a release");
		ok(sh(line), "%s", edits[i].line);
		is_told(edits[i].told, false, NULL, "what drift finds");
		is_told(edits[i].told, true, NULL, "what a deep look finds");
		is_repaired(edits[i].line);
		free(line);
	}
}

/* Bytes that changed, with size and mtime as they were. */
static void
test_hidden(void)
{
	static const char hide[] = "cd root/releases/" RELEASE " &&"
	    " touch -r d/f ../../t && printf 'F\n' >d/f &&"
	    " touch -r ../../t d/f";

	is_ok(make(STORE_COPIES), "with its own files");
	ok(sh(hide), "something is hidden");
	is_told("modified d/f", false, NULL, "ctime gives it away");
	is_ok(make(STORE_LINKS), "with shared files");
	ok(sh("cd root/releases/" RELEASE " && touch -d 2020-01-01 d/f"),
	    "an old file");
	ok(sh(hide), "something is hidden");
	is_told("modified d/f", true, NULL, "a deep look finds it");
}

/* A file that was written in the tick in which the manifest was finished. */
static void
test_racy(void)
{
	int missed = 0;

	for (int i = 0; i < 8; i++) {
		struct str all = STR_INIT;
		struct drift drift;
		int fd = -1, file;

		if (make(STORE_LINKS) != NULL ||
		    store_open_release(store, RELEASE, &fd) != NULL)
			abort();
		/* Right away, in place, with the same size. */
		file = openat(fd, "r", O_WRONLY);
		if (file == -1 || pwrite(file, "R", 1, 0) != 1)
			abort();
		close(file);
		close(fd);
		if (store_drift(store, RELEASE, false, false, NULL, &drift)
		    != NULL)
			abort();
		tell(&drift, &all);
		missed += strcmp(all.s, "modified r") != 0;
		drift_release(&drift);
		str_release(&all);
	}
	is_int(missed, 0, "no edit right after a release is missed");
}

static void
test_writable(void)
{
	static const struct {
		const char *patterns;
		const char *path;
		bool is;
	} cases[] = {
		{ "cache", "cache", true },
		{ "cache", "cache/a/b", true },
		{ "cache/", "cache/a", true },
		{ "cache/", "cache", true },
		{ "cache", "cached", false },
		{ "cache", "a/cache", false },
		{ "*/cache", "a/cache/x", true },
		{ "*/cache", "a/b/cache", true },
		{ "*.pyc", "a/b.pyc", true },
		{ "*.pyc", "a.pyc/b", true },
		{ "a/*", "a", false },
		{ "a/*", "a/b/c", true },
		{ "x cache y", "cache/a", true },
		{ "[ab]", "b/c", true },
		{ "[ab]", "c/b", false },
		{ "/", "a", false },
		{ "", "a", false },
		{ "*", "a/b", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vec patterns = VEC_INIT;

		vec_split(&patterns, cases[i].patterns, " ");
		ok(drift_is_writable(&patterns, cases[i].path) ==
		    cases[i].is, "\"%s\" and %s", cases[i].patterns,
		    cases[i].path);
		vec_release(&patterns);
	}
	ok(!drift_is_writable(NULL, "a"), "without patterns nothing is");
}

/* Only what was added may be; what the commit has may not change. */
static void
test_writable_release(void)
{
	struct vec patterns = VEC_INIT;

	vec_split(&patterns, "d m/*.log v/w/d/", " ");
	is_ok(make(STORE_AUTO), "a release");
	ok(sh("cd root/releases/" RELEASE " && mkdir -p d/new m/sub &&"
	    " echo n >d/new/n && echo 1 >m/1.log && echo 2 >m/2.txt &&"
	    " echo F >d/f && rm d/e/g && mkdir -p v/w/d m/logs &&"
	    " echo 3 >m/logs/3.log && echo 4 >v/w/d/4"),
	    "somebody writes into it");
	is_told("removed d/e/g, modified d/f, added m/2.txt, added m/sub/",
	    false, &patterns, "in places that match a pattern");
	vec_release(&patterns);
}

/* What commands made of a release, and what became of that. */
static const struct {
	const char *line;
	const char *told;
} after[] = {
	{ ":", "" },
	{ "echo 2 >made/deep/2", "modified made/deep/2" },
	{ "rm made/1", "removed made/1" },
	{ "rm -r made", "removed made/1, removed made/deep/2" },
	{ "rm -r made && echo m >made",
	    "added made, removed made/1, removed made/deep/2" },
	{ "echo 3 >made/3", "added made/3" },
	{ "echo g >d/e/g", "added d/e/g" },
	{ "rmdir d/e", "" },
	{ "mv d/e ../../e", "" },
	{ "mkdir d/e/g", "added d/e/g/" },
	{ "mkdir -p d/e/g/h && echo x >d/e/g/h/x && echo y >d/e/g/y",
	    "added d/e/g/h/x, added d/e/g/y" },
	{ "mkfifo d/e/g", "added d/e/g" },
	{ "rm made/1 && mkdir made/1 && echo 1 >made/1/1",
	    "modified made/1, added made/1/1" },
	{ "echo 1 >a/x/1", "added a/x/1" },
	{ "rm -r a/x/in && echo 2 >a/x/in",
	    "added a/x/in, removed a/x/in/1" },
	{ "rm -r a/x && echo x >a/x", "added a/x, removed a/x/in/1" },
	{ "mkfifo ../../../p && mv ../../../p l", "added l" },
	{ "rm l && mkdir l && echo 1 >l/1", "added l/1" },
	{ "echo x >a.b/x", "added a.b/x" },
	{ "echo x >a.b/x && rm a.b/x", "" },
	{ "rmdir a.b", "" },
	{ "rmdir a.b && echo b >a.b", "added a.b" },
	{ "ln -s x d/e/g", "added d/e/g" },
	{ "git -C ../../../w show HEAD:d/f >d/f", "modified d/f" },
	{ "echo built >d/f", "" },
	{ "chmod 600 d/f", "" },
	{ "chmod +x d/f", "mode d/f" },
	{ "rm -r d", "removed d/f" },
	{ "echo r >r", "" },
	{ "chmod +x r", "mode r" },
};

static void
test_built(void)
{
	for (size_t i = 0; i < sizeof(after) / sizeof(*after); i++) {
		char *line = xasprintf("cd root/releases/" RELEASE " && %s",
		    after[i].line);

		is_ok(make(i % 2 == 0 ? STORE_LINKS : STORE_COPIES),
		    "a release");
		ok(sh("cd root/releases/" RELEASE " && mkdir -p made/deep &&"
		    " echo 1 >made/1 && echo two >made/deep/2 && rm d/e/g &&"
		    " echo built >d/f && rm a/x a.b l && mkdir -p a/x/in &&"
		    " echo 1 >a/x/in/1 && mkdir a.b &&"
		    " mkfifo l"), "commands run");
		is_sealed(true);
		is_told("", true, NULL, "nothing has changed since");
		ok(sh(line), "%s", after[i].line);
		is_told(after[i].told, false, NULL, "what drift finds");
		free(line);
	}
}

static void
test_linked(void)
{
	is_ok(make(STORE_LINKS), "a release");
	ok(sh("cd root/releases/" RELEASE " && ln r ../../../outside/1 &&"
	    " ln d/f ../../../outside/2 && ln d/f ../../../outside/3 &&"
	    " cp -p a.b n && rm a.b && mv n a.b &&"
	    " ln a.b ../../../outside/4"), "files with more names");
	is_found("stale a.b", (struct drift_spec){ .links_max = 0 },
	    "any number of links");
	is_found("linked a.b, linked d/f", (struct drift_spec){
	    .links_max = 2 }, "two at most");
	is_found("linked a.b, linked d/f, linked r", (struct drift_spec){
	    .links_max = 1 }, "one");
	is_told("", false, NULL, "people are not told");
}

/* Folders by the thousand, for one thread and for many. */
static void
test_wide(void)
{
	const int threads[] = { 1, 2, 7 };
	struct drift drift;

	ok(sh("cd w && git checkout -qb wide && for i in $(seq -w 1 1200);"
	    " do mkdir s$i; echo $i >s$i/f; echo $i >f$i; done &&"
	    " echo z >s1200/z && git add . && git commit -qm w &&"
	    " git push -q ../hub wide && git -C ../hub symbolic-ref HEAD"
	    " refs/heads/wide"), "a wide commit");
	is_ok(make(STORE_LINKS), "its release");
	is_found("", (struct drift_spec){ .added = true, .deep = true,
	    .threads = 3 }, "as it is");
	ok(sh("cd root/releases/" RELEASE " && echo F >f0001 &&"
	    " echo F >s0001/f && touch s0002/f && mkdir s0003x &&"
	    " rm -r s0004 && chmod 700 s1000 && rm s1200/z &&"
	    " echo n >s1200/n && echo 1200 >t && mv t f1200"),
	    "changed here and there");
	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++) {
		store_set_threads(store, threads[i]);
		is_told("modified f0001, modified s0001/f, added s0003x/,"
		    " removed s0004/f, mode s1000/, added s1200/n,"
		    " removed s1200/z", false, NULL, "the changes");
		is_found("modified f0001, stale f1200, modified s0001/f,"
		    " stale s0002/f, added s0003x/, removed s0004/,"
		    " removed s0004/f, mode s1000/, added s1200/n,"
		    " removed s1200/z", (struct drift_spec){ .added = true,
		    .threads = threads[i] }, "all of it");
	}
	ok(sh("cd root/releases/" RELEASE " && rm -r s* f*"), "no more");
	is_ok(store_drift(store, RELEASE, false, true, NULL, &drift),
	    "all that is missing");
	is_int((int64_t)drift.n, 2401, "is told");
	drift_release(&drift);
}

/* Somebody who may read neither a file nor a folder, where that matters. */
static void
test_unreadable(void)
{
	pid_t pid;
	int status;

	if (geteuid() != 0) {
		diag("not root: nobody else to be");
		return;
	}
	is_ok(make(STORE_LINKS), "a release");
	ok(sh("chmod 755 . && cd root/releases/" RELEASE " && touch r &&"
	    " chmod 600 r && echo X >a.b && chmod 600 a.b && chmod 700 a &&"
	    " chmod 711 d && mkdir m && echo n >m/n && chmod 700 m"),
	    "root's alone");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct drift drift;
		struct str all = STR_INIT;

		if (setgid(NOBODY) == -1 || setuid(NOBODY) == -1 ||
		    store_drift(store, RELEASE, false, true, NULL, &drift) !=
		    NULL)
			_exit(2);
		tell(&drift, &all);
		diag("%s", all.s);
		_exit(strcmp(all.s, "modified a.b, mode a/, mode d/,"
		    " added m/, modified r") == 0 ? 0 : 1);
	}
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0, "what nobody can tell of it");
}

int
main(void)
{
	set_up();
	test_edits();
	test_hidden();
	test_racy();
	test_writable();
	test_writable_release();
	test_built();
	test_linked();
	test_unreadable();
	test_wide();
	store_close(store);
	repo_close(repo);
	return tap_done();
}
