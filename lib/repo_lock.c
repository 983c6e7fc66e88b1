/*
 * git locks a ref by a file beside it, which outlives a holder that was
 * killed. It takes no longer to write a line than a moment, so a lock that
 * has been there for seconds is a dead one's; unless its holder is a git that
 * waits for a hook, which is for the caller to rule out where it can.
 */
#include "repo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <git2.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "kin.h"
#include "str.h"

/* So old is a lock when its holder must be dead. */
#define STALE_MS 5000

/* Of a process and a file it is known when they began, to the second. */
#define SLACK_MS 2000

/* Of what /proc tells of a process, in bytes. */
#define TEXT_MAX (4 * 1024 * 1024)

/* How often to look whether it is free. */
#define LOOK_MS 20

/* False when there is no such file. */
static bool
age_of(const char *path, struct stat *st, int64_t *age_ms)
{
	if (lstat(path, st) == -1)
		return false;
	*age_ms = clock_now_ms() - (int64_t)st->st_mtim.tv_sec * 1000 -
	    st->st_mtim.tv_nsec / 1000000;
	return true;
}

/* Wait until it is free, or is so old, and what it is then; false: free. */
static bool
outlasts(const char *path, struct stat *st)
{
	const struct timespec pause = { 0, LOOK_MS * 1000000L };
	int64_t age_ms, since_ms = clock_monotonic_ms();

	/* A clock that was set back makes no lock immortal. */
	while (age_of(path, st, &age_ms)) {
		if (age_ms >= STALE_MS ||
		    clock_monotonic_ms() - since_ms >= STALE_MS)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* An inode may be used again at once, and not at the same instant. */
static bool
is_same(const char *path, const struct stat *seen)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_dev == seen->st_dev &&
	    st.st_ino == seen->st_ino &&
	    st.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
}

/*
 * Others free it, too, and somebody may have taken it since it was seen. So
 * it is moved away, looked at, and put back where it is not the one that was
 * meant; unless there is a third one by then. No ref has a '~' in its name,
 * nor is one what ends in ".lock".
 */
static const struct err *
drop(const char *path, const struct stat *seen)
{
	char *aside = xasprintf("%s~%ld.lock", path, (long)getpid());
	const struct err *err = NULL;
	bool moved = rename(path, aside) == 0;

	if (!moved && errno != ENOENT)
		err = err_system("remove %s, which a dead process left",
		    path);
	if (moved && !is_same(aside, seen) && link(aside, path) == -1 &&
	    errno != EEXIST)
		moved = rename(aside, path) == -1;
	if (moved && unlink(aside) == -1 && errno != ENOENT)
		err = err_system("remove %s, a lock which a dead process"
		    " left", aside);
	free(aside);
	return err;
}

static const struct err *
free_lock(const char *path)
{
	struct stat seen;

	return outlasts(path, &seen) ? drop(path, &seen) : NULL;
}

static char *
lock_of(struct repo *repo, const char *ref)
{
	return xasprintf("%s%s.lock", git_repository_path(repo_handle(repo)),
	    ref);
}

bool
repo_lock_look(struct repo *repo, const char *ref, struct stat *held)
{
	char *path = lock_of(repo, ref);
	bool found = lstat(path, held) == 0;

	free(path);
	return found;
}

void
repo_lock_drop(struct repo *repo, const char *ref, const struct stat *held)
{
	char *path = lock_of(repo, ref);

	if (is_same(path, held))
		(void)unlink(path);
	free(path);
}

const struct err *
repo_free_lock(struct repo *repo, const char *ref)
{
	const char *dir = git_repository_path(repo_handle(repo));
	char *lock, *log_lock;
	const struct err *err;

	/* It would be the way to any other file that ends in ".lock". */
	if (strcmp(ref, "HEAD") != 0 && !repo_is_ref(ref))
		return err_new(ERR_GIT, "%s is no name for a ref", ref);
	lock = lock_of(repo, ref);
	log_lock = xasprintf("%slogs/%s.lock", dir, ref);
	err = free_lock(lock);
	if (err == NULL)
		err = free_lock(log_lock);
	free(log_lock);
	free(lock);
	return err;
}

/* Who may have made a lock that is there. */
struct makers {
	const char *dir;	/* of the repository */
	int64_t made_ticks;	/* since the boot */
	bool live;
};

/* What it was started with, or what it has mapped. */
static bool
mentions(pid_t pid, const char *file, const char *dir)
{
	char *path = xasprintf("/proc/%ld/%s", (long)pid, file);
	struct str text = STR_INIT;
	bool found;

	found = file_read(&text, path, TEXT_MAX) == NULL &&
	    memmem(text.s, text.len, dir, strlen(dir)) != NULL;
	str_release(&text);
	free(path);
	return found;
}

static bool
works_in(pid_t pid, const char *dir)
{
	char *path = xasprintf("/proc/%ld/cwd", (long)pid);
	struct stat cwd, repo;
	bool is;

	is = stat(path, &cwd) == 0 && stat(dir, &repo) == 0 &&
	    cwd.st_dev == repo.st_dev && cwd.st_ino == repo.st_ino;
	free(path);
	return is || mentions(pid, "cmdline", dir) ||
	    mentions(pid, "environ", dir) || mentions(pid, "maps", dir);
}

static void
look_at_maker(const struct kin_process *process, void *ctx)
{
	struct makers *makers = ctx;

	if (makers->live || process->state == 'Z' || process->state == 'X' ||
	    process->start_ticks > makers->made_ticks ||
	    (strcmp(process->name, "git") != 0 &&
	    strncmp(process->name, "git-", 4) != 0))
		return;
	makers->live = works_in(process->pid, makers->dir);
}

static bool
maker_lives(const char *lock, const char *dir)
{
	int64_t hz = sysconf(_SC_CLK_TCK);
	struct makers makers = { .dir = dir };
	struct timespec now;
	struct stat st;
	int64_t age_ms;

	if (!age_of(lock, &st, &age_ms))
		return false;
	clock_gettime(CLOCK_BOOTTIME, &now);
	makers.made_ticks = ((int64_t)now.tv_sec * 1000 - age_ms + SLACK_MS) *
	    hz / 1000;
	kin_each(look_at_maker, &makers);
	return makers.live;
}

/*
 * The lock goes last: as long as it is there, nobody begins a new list, whose
 * file must not be there either.
 */
const struct err *
repo_free_packed(struct repo *repo)
{
	const char *path = git_repository_path(repo_handle(repo));
	size_t len = strlen(path);
	char *dir = xstrndup(path, len > 1 ? len - 1 : len);
	char *lock = xasprintf("%s/packed-refs.lock", dir);
	char *list = xasprintf("%s/packed-refs.new", dir);
	const struct err *err = NULL;
	struct stat seen;

	if (outlasts(lock, &seen) && !maker_lives(lock, dir)) {
		if (is_same(lock, &seen))
			err = free_lock(list);
		if (err == NULL)
			err = drop(lock, &seen);
	}
	free(list);
	free(lock);
	free(dir);
	return err;
}
