/*
 * repo_fixture - a repository made by git, for the tests of repo.
 *
 * Every date and identity is fixed, so object names are the same each time.
 *
 *	fixture_init();
 *	repo = open_hub();
 *	...
 *	repo_close(repo);
 *	free(hub);
 */
#ifndef REPO_FIXTURE_H
#define REPO_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "repo.h"
#include "tap.h"

/* Two blobs whose names begin alike, and how far they do. */
#define TWIN_A "195"
#define TWIN_B "389"
#define TWIN_PREFIX "6bb2f"
#define ABSENT_OID "1234567890123456789012345678901234567890"

/*
 * first - second - fourth (main), with a side commit third merged into
 * fourth. "first" has a folder, a symlink and a program; "second" renames
 * and adds a submodule.
 */
static const char make_repo[] =
    "set -e; cd \"$FOLDER\"; git init -q -b main work; cd work\n"
    "mkdir dir; echo a >dir/a; echo b >b; ln -s b link\n"
    "echo run >run; chmod +x run; git add .; git commit -qm first\n"
    "git mv b c; rm link; echo file >link; git add .\n"
    "git update-index --add --cacheinfo "
    "160000," ABSENT_OID ",mod\n"
    "printf '\\n\\nSubject that\\n  goes on  \\n \\nBody.\\n\\n"
    "Deploy: updb,\\n  cc\\nSigned-off-by: X <x@y>\\n' >../message\n"
    "GIT_COMMITTER_DATE='1700000100 +0000' "
    "git commit -q --cleanup=verbatim -F ../message\n"
    "git checkout -q -b side HEAD~1; echo s >s; git add s\n"
    "GIT_COMMITTER_DATE='1700000200 +0000' git commit -qm third\n"
    "git checkout -q main\n"
    "GIT_COMMITTER_DATE='1700000300 +0000' "
    "git merge -q --no-ff -m fourth side\n"
    "git tag -a -m one v1 HEAD~1\n"
    "git -c advice.nestedTag=false tag -a -m two v2 v1\n"
    "git tag light side; git tag blob HEAD:c; git tag tree HEAD:dir\n"
    "git tag -a -m x of-tree HEAD:dir\n"
    "git branch deep/er side\n"
    "echo " TWIN_A " | git hash-object -w --stdin >/dev/null\n"
    "echo " TWIN_B " | git hash-object -w --stdin >/dev/null\n"
    "cd ..; git clone -q --mirror work hub.git\n"
    "cd hub.git; git config slipway.word 'two words'\n"
    "git config core.logAllRefUpdates true\n"
    "git config core.warnAmbiguousRefs false\n"
    "git update-ref refs/heads/HEAD side\n"
    "git update-ref refs/heads/refs/heads/main side\n"
    "git update-ref refs/heads/" ABSENT_OID " main\n";

/* The path of the bare repository. */
static char *hub;

static inline void
must(const char *script)
{
	int status = system(script);

	if (status != 0) {
		diag("status %d of: %s", status, script);
		exit(1);
	}
}

/* The first line that a command prints, given. */
static inline char *
ask(const char *fmt, const char *argument)
{
	char line[512] = "", command[1024];
	FILE *pipe;

	snprintf(command, sizeof(command), "cd \"$FOLDER/hub.git\" && %s%s",
	    fmt, argument);
	pipe = popen(command, "r");
	if (pipe == NULL || fgets(line, sizeof(line), pipe) == NULL)
		diag("no answer from: %s", command);
	if (pipe != NULL)
		pclose(pipe);
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

static inline char *
rev(const char *name)
{
	char *quoted = xasprintf("'%s'", name);
	char *oid = ask("git rev-parse --verify ", quoted);

	free(quoted);
	return oid;
}

static inline char *
in_folder(const char *name)
{
	return xasprintf("%s/%s", tap_folder(), name);
}

static inline struct repo *
open_hub(void)
{
	struct repo *repo;

	if (!is_ok(repo_open(&repo, hub, false), "the hub opens"))
		exit(1);
	return repo;
}

static inline void
set_environment(void)
{
	static const char *const vars[][2] = {
		{ "GIT_CONFIG_GLOBAL", "/dev/null" },
		{ "GIT_CONFIG_NOSYSTEM", "1" },
		{ "GIT_AUTHOR_NAME", "Alice \xc3\x84" },
		{ "GIT_AUTHOR_EMAIL", "a@example.org" },
		{ "GIT_AUTHOR_DATE", "1600000000 +0200" },
		{ "GIT_COMMITTER_NAME", "Bob" },
		{ "GIT_COMMITTER_EMAIL", "b@example.org" },
		{ "GIT_COMMITTER_DATE", "1700000000 +0000" },
	};

	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++)
		setenv(vars[i][0], vars[i][1], 1);
	setenv("FOLDER", tap_folder(), 1);
	setenv("HOME", tap_folder(), 1);
	unsetenv("GIT_DIR");
	unsetenv("GIT_OBJECT_DIRECTORY");
	unsetenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
}

static inline void
fixture_init(void)
{
	set_environment();
	must(make_repo);
	hub = in_folder("hub.git");
}

#endif
