#include "repo.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "repo_fixture.h"

#define NOTES "refs/notes/deploys"

static void
note_is(const char *name, const char *want, const char *what)
{
	char *shown = xasprintf("%s | paste -s -d ,", name);
	char *got = ask("git notes --ref=deploys show ", shown);

	is_str(got, want, "%s", what);
	free(got);
	free(shown);
}

static void
count_is(const char *want, const char *what)
{
	char *got = ask("git rev-list --count ", NOTES);

	is_str(got, want, "%s", what);
	free(got);
}

static void
last_is(struct repo *repo, const char *ref, const char *prefix, int most,
    const char *want, const char *what)
{
	char *got = repo_note_last(repo, ref, prefix, most);

	is_str(got, want, "%s", what);
	free(got);
}

static void
test_add(struct repo *repo)
{
	char *tip = rev("refs/heads/main"), *side = rev("side");
	struct vec both = VEC_INIT, one = VEC_INIT;

	vec_push(&both, tip);
	vec_push(&both, side);
	vec_push(&one, side);
	is_ok(repo_note_add(repo, NOTES, &both, "deploy 1"), "two commits");
	note_is("main", "deploy 1", "git shows the first");
	note_is("side", "deploy 1", "git shows the second");
	count_is("1", "it is one commit of the ref");
	is_ok(repo_note_add(repo, NOTES, &one, "deploy 2"), "a second line");
	note_is("side", "deploy 1,deploy 2", "it is appended");
	note_is("main", "deploy 1", "the other one stays");
	last_is(repo, NOTES, "deploy ", 1, "deploy 2", "it is the last");
	last_is(repo, NOTES, "deploy 1", 2, "deploy 1", "the last of its kind");
	last_is(repo, NOTES, "deploy 1", 1, NULL, "not that far back");
	last_is(repo, NOTES, "deploy 3", 9, NULL, "none of that kind");
	last_is(repo, "refs/notes/none", "deploy ", 9, NULL,
	    "none of a ref that is not there");
	is_ok(repo_note_add(repo, NOTES, &one, "deploy 2"), "it again");
	count_is("2", "which changes nothing");
	must("git -C \"$FOLDER/hub.git\" -c user.name=a -c user.email=a@b"
	    " notes --ref=deploys add -f -m 'by hand' main 2>/dev/null");
	is_ok(repo_note_add(repo, NOTES, &both, "deploy 3"), "after git");
	note_is("main", "by hand,deploy 3", "what git wrote is kept");
	must("git -C \"$FOLDER/hub.git\" fsck --strict --no-dangling");
	vec_release(&both);
	vec_release(&one);
	free(tip);
	free(side);
}

/* Runners of several environments write at the same time. */
static void
test_together(void)
{
	char *tip = rev("refs/heads/main"), *got;
	struct vec one = VEC_INIT;
	int status, failed = 0;

	vec_push(&one, tip);
	for (int i = 0; i < 4; i++) {
		char *line = xasprintf("runner %d", i);
		struct repo *repo;

		if (fork() == 0) {
			_exit(repo_open(&repo, hub, false) != NULL ||
			    repo_note_add(repo, NOTES, &one, line) != NULL);
		}
		free(line);
	}
	while (wait(&status) != -1)
		failed += status != 0;
	is_int(failed, 0, "four at the same time");
	got = ask("git notes --ref=deploys show main | grep -c ", "runner");
	is_str(got, "4", "no line is lost");
	free(got);
	vec_release(&one);
	free(tip);
}

static void
test_failures(struct repo *repo)
{
	struct vec bad = VEC_INIT;

	vec_push(&bad, "../../etc");
	is_err(repo_note_add(repo, NOTES, &bad, "x"), ERR_GIT,
	    "no commit to note", "no object name");
	vec_clear(&bad);
	is_ok(repo_note_add(repo, NOTES, &bad, "x"), "no commit at all");
	vec_push(&bad, ABSENT_OID);
	must("touch -d '-1 minute'"
	    " \"$FOLDER/hub.git/refs/notes/deploys.lock\"");
	is_ok(repo_note_add(repo, NOTES, &bad, "x"),
	    "a lock that a dead process left");
	must("test ! -e \"$FOLDER/hub.git/refs/notes/deploys.lock\"");
	vec_release(&bad);
}

int
main(void)
{
	struct repo *repo;

	fixture_init();
	repo = open_hub();
	test_add(repo);
	test_together();
	test_failures(repo);
	repo_close(repo);
	return tap_done();
}
