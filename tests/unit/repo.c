#include "repo.h"

#include <stdlib.h>

#include "repo_fixture.h"

static void
test_set_ref(struct repo *repo)
{
	static const char live[] = "refs/live/production";
	char *tip = rev("refs/heads/main"), *side = rev("side");
	char oid[REPO_OID_SIZE], *got;

	is_ok(repo_set_ref(repo, live, tip, "deploy 1 is live"), "make");
	is_ok(repo_set_ref(repo, live, side, "deploy 2 is live"), "move");
	got = rev(live);
	is_str(got, side, "git sees the commit");
	free(got);
	is_ok(repo_set_ref(repo, live, side, "deploy 2 is live"), "again");
	is_ok(repo_set_ref(repo, "refs/heads/main", side, "deploy 3"),
	    "a branch");
	got = ask("git log -g -1 --format='%gn <%ge> %gs' ",
	    "refs/heads/main");
	is_str(got, "Slipway <slipway@localhost> deploy 3",
	    "git sees the line of the log");
	free(got);
	is_ok(repo_set_ref(repo, "refs/heads/main", tip, "back"), "back");
	must("cd \"$FOLDER/hub.git\" && git pack-refs --all");
	is_ok(repo_set_ref(repo, live, tip, "deploy 4"), "a packed ref");
	is_ok(repo_ref(repo, live, oid), "read it");
	is_str(oid, tip, "is moved");
	free(tip);
	free(side);
}

static void
test_set_ref_failures(struct repo *repo)
{
	char *tip = rev("refs/heads/main"), *blob = rev("blob");

	is_err(repo_set_ref(repo, "refs/../config", tip, "x"), ERR_GIT,
	    "no name for a ref", "a way out");
	is_err(repo_set_ref(repo, "HEAD", tip, "x"), ERR_GIT,
	    "no name for a ref", "HEAD is left alone");
	is_err(repo_set_ref(repo, "refs/live/y", ABSENT_OID, "x"),
	    ERR_NOT_FOUND, "refs/live/y", "a commit that is not there");
	is_err(repo_set_ref(repo, "refs/live/y", blob, "x"), ERR_NOT_FOUND,
	    "refs/live/y", "a blob");
	is_err(repo_set_ref(repo, "refs/live/y", "zz", "x"), ERR_GIT,
	    "refs/live/y", "no object name");
	must("test ! -e \"$FOLDER/hub.git/logs/refs/live\"");
	must("touch -d '-1 minute' \"$FOLDER/hub.git/refs/heads/main.lock\"");
	is_ok(repo_set_ref(repo, "refs/heads/main", tip, "x"),
	    "an old lock is a dead one's");
	must("test ! -e \"$FOLDER/hub.git/refs/heads/main.lock\"");
	must("touch -d '1 hour' \"$FOLDER/hub.git/refs/live/x.lock\"");
	is_ok(repo_set_ref(repo, "refs/live/x", tip, "x"),
	    "a clock that was set back makes no lock immortal");
	must("test ! -e \"$FOLDER/hub.git/refs/live/x.lock\"");
	free(tip);
	free(blob);
}

static void
test_config(struct repo *repo)
{
	char *value;

	is_ok(repo_config_get(repo, "slipway.word", &value), "a value");
	is_str(value, "two words", "the value is right");
	free(value);
	is_ok(repo_config_get(repo, "slipway.none", &value), "not set");
	ok(value == NULL, "not set is NULL");
	must("git -C \"$FOLDER/hub.git\" config slipway.word changed");
	is_ok(repo_config_get(repo, "slipway.word", &value), "again");
	is_str(value, "changed", "a change is seen");
	free(value);
	is_err(repo_config_get(repo, "nodot", &value), ERR_GIT, "nodot",
	    "no key at all");
}

static void
expect_open(const char *name, enum err_code code, const char *part)
{
	char *path = in_folder(name);
	struct repo *repo;

	is_err(repo_open(&repo, path, false), code, part, "open %s", name);
	ok(repo == NULL, "%s gives nothing", name);
	free(path);
}

static void
test_open_failures(void)
{
	must("cd \"$FOLDER\" && mkdir plain hub.git/inside && >file &&"
	    " git init -q --bare --object-format=sha256 new.git &&"
	    " git init -q --bare partial.git &&"
	    " git -C partial.git config core.repositoryformatversion 1 &&"
	    " git -C partial.git config extensions.partialclone origin &&"
	    " git init -q --bare strange.git &&"
	    " git -C strange.git config core.repositoryformatversion 1 &&"
	    " git -C strange.git config extensions.unheardof true");
	expect_open("none", ERR_NOT_FOUND, "/none");
	expect_open("plain", ERR_NOT_FOUND, "/plain");
	expect_open("file", ERR_NOT_FOUND, "/file");
	expect_open("hub.git/inside", ERR_NOT_FOUND, "/inside");
	expect_open("new.git", ERR_GIT,
	    "new.git uses sha256 objects, which this version does not read");
	expect_open("partial.git", ERR_GIT, "partial clone of origin");
	expect_open("strange.git", ERR_GIT, "unheardof");
	repo_close(NULL);
}

static void
test_harmless_extensions(void)
{
	char *path = in_folder("extended.git");
	struct repo *repo;

	must("cd \"$FOLDER\" && git init -q --bare extended.git &&"
	    " cd extended.git && git config core.repositoryformatversion 1"
	    " && git config extensions.objectformat sha1"
	    " && git config extensions.preciousobjects true"
	    " && git config extensions.worktreeconfig true");
	is_ok(repo_open(&repo, path, false), "harmless extensions");
	repo_close(repo);
	free(path);
}

/* Read as another account's, or skip the case where that needs root. */
static void
test_other_owner(void)
{
	struct repo *repo;

	if (system("chown -R 12345 \"$FOLDER/hub.git\" 2>/dev/null") != 0) {
		ok(true, "another owner # SKIP only root gives files away");
		return;
	}
	is_ok(repo_open(&repo, hub, false), "another owner's repository");
	repo_close(repo);
	must("chown -R $(id -u) \"$FOLDER/hub.git\"");
}

static void
set_quarantine(const char *incoming, const char *list)
{
	char *path = in_folder(incoming);

	setenv("GIT_OBJECT_DIRECTORY", path, 1);
	setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", list, 1);
	setenv("GIT_WORK_TREE", "/nowhere", 1);
	free(path);
}

static void
unset_quarantine(void)
{
	unsetenv("GIT_OBJECT_DIRECTORY");
	unsetenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	unsetenv("GIT_WORK_TREE");
}

/* A commit in an object folder of its own, on top of the hub's. */
static char *
commit_aside(const char *folder)
{
	static const char commit[] = "mkdir -p \"$Q\" && "
	    "GIT_OBJECT_DIRECTORY=\"$Q\" "
	    "GIT_ALTERNATE_OBJECT_DIRECTORIES=\"$FOLDER/hub.git/objects\" "
	    "git commit-tree -p main main^{tree} -m ";
	char *path = in_folder(folder), *oid;

	setenv("Q", path, 1);
	oid = ask(commit, "\"aside in $Q\"");
	free(path);
	return oid;
}

static void
test_quarantine(void)
{
	char *pushed = commit_aside("incoming"), *odd, *list;
	char oid[REPO_OID_SIZE];
	struct repo *repo;

	odd = commit_aside("o:d \"d\\\xc3\xa4");
	list = xasprintf("%s/objects::\"%s/o:d \\\"d\\\\\\303\\244\":%s",
	    hub, tap_folder(), "/nowhere");
	set_quarantine("incoming", list);
	is_ok(repo_open(&repo, hub, true), "open with a quarantine");
	is_ok(repo_resolve(repo, pushed, oid), "what is pushed is there");
	is_ok(repo_resolve(repo, "main", oid), "what was there is there");
	is_ok(repo_resolve(repo, odd, oid), "a quoted folder is used");
	repo_close(repo);
	is_ok(repo_open(&repo, hub, false), "open without it");
	is_err(repo_resolve(repo, pushed, oid), ERR_NOT_FOUND, pushed,
	    "what is pushed is not there yet");
	repo_close(repo);
	unset_quarantine();
	is_ok(repo_open(&repo, hub, true), "no quarantine in sight");
	is_err(repo_resolve(repo, pushed, oid), ERR_NOT_FOUND, pushed,
	    "nothing is used then");
	repo_close(repo);
	free(list);
	free(odd);
	free(pushed);
}

static void
test_misquoted(void)
{
	static const char *const lists[] = {
		"\"/a", "\"/a\"b", "\"/a\\q\"", "\"/a\\",
	};
	struct repo *repo;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		set_quarantine("incoming", lists[i]);
		is_err(repo_open(&repo, hub, true), ERR_GIT, "misquoted",
		    "alternates %s", lists[i]);
	}
	unset_quarantine();
}

/* A real push, whose hook writes down the environment that git gave it. */
static void
test_real_quarantine(void)
{
	char *list, *incoming, *path = in_folder("a:b.git");
	char oid[REPO_OID_SIZE], *pushed;
	struct repo *repo;

	must("cd \"$FOLDER\" && git clone -q --mirror hub.git a:b.git &&"
	    " printf '%s\\n' '#!/bin/sh' 'read old new ref'"
	    " 'echo $new >../pushed'"
	    " 'echo \"$GIT_ALTERNATE_OBJECT_DIRECTORIES\" >../list'"
	    " 'cp -r \"$GIT_OBJECT_DIRECTORY\" ../kept; exit 1'"
	    " >a:b.git/hooks/pre-receive && chmod +x a:b.git/hooks/*e &&"
	    " cd work && git commit -q --allow-empty -m pushed &&"
	    " ! git push -q \"file://$FOLDER/a:b.git\" HEAD:refs/heads/new"
	    " 2>/dev/null");
	pushed = ask("cat ", "../pushed");
	list = ask("cat ", "../list");
	incoming = xstrdup("kept");
	ok(list[0] == '"', "git quotes the folder");
	set_quarantine(incoming, list);
	is_ok(repo_open(&repo, path, true), "open as the hook would");
	is_ok(repo_resolve(repo, pushed, oid), "what is pushed is there");
	is_ok(repo_resolve(repo, "main", oid), "what was there is there");
	repo_close(repo);
	unset_quarantine();
	free(incoming);
	free(list);
	free(pushed);
	free(path);
}

int
main(void)
{
	struct repo *repo;

	fixture_init();
	repo = open_hub();
	ok(repo_handle(repo) != NULL, "the handle is there");
	test_set_ref(repo);
	test_set_ref_failures(repo);
	test_config(repo);
	repo_close(repo);
	test_open_failures();
	test_harmless_extensions();
	test_other_owner();
	test_quarantine();
	test_misquoted();
	test_real_quarantine();
	free(hub);
	return tap_done();
}
