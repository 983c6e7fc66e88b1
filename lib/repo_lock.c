/*
 * git locks a ref by a file beside it, which outlives a holder that was
 * killed. It takes no longer to write a line than a moment, so a lock that
 * has been there for seconds is a dead one's; unless its holder is a git that
 * waits for a hook, which is for the caller to rule out where it can.
 */
#include "repo.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
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
#include "path.h"
#include "str.h"
#include "vec.h"

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

/* Who may have made a lock that is there: all that lives. */
struct makers {
	struct kin_process *all;
	size_t n;
};

/* The texts of a file of /proc, of which a '\0' ends each. */
static void
read_texts(struct vec *texts, pid_t pid, const char *file)
{
	char *path = xasprintf("/proc/%ld/%s", (long)pid, file);
	struct str all = STR_INIT;

	if (file_read(&all, path, TEXT_MAX) == NULL) {
		for (size_t at = 0; at < all.len; at += strlen(all.s + at) + 1)
			vec_push(texts, all.s + at);
	}
	str_release(&all);
	free(path);
}

/* In doubt a name ends, so that no holder is passed over. */
static bool
goes_on(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	    (c != '\0' && strchr("._-+~@%,", c) != NULL);
}

/* Not where it is but a part of a longer name, as of "shop.git-archive". */
static bool
mentions(const char *text, const char *dir)
{
	const char *at = text;

	while ((at = strstr(at, dir)) != NULL) {
		if (!goes_on(at[strlen(dir)]) &&
		    (at == text || !goes_on(at[-1])))
			return true;
		at++;
	}
	return false;
}

/* A shell's PWD and OLDPWD say nothing of what a git of it works with. */
static bool
is_place(const char *variable)
{
	return str_starts_with(variable, "GIT_DIR=") ||
	    str_starts_with(variable, "GIT_COMMON_DIR=") ||
	    str_starts_with(variable, "GIT_OBJECT_DIRECTORY=");
}

/* What it was started with, or what it has mapped. */
static bool
names_in(pid_t pid, const char *file, const char *dir)
{
	bool all = strcmp(file, "environ") != 0, found = false;
	struct vec texts = VEC_INIT;

	read_texts(&texts, pid, file);
	for (size_t i = 0; i < texts.n && !found; i++)
		found = (all || is_place(texts.v[i])) &&
		    mentions(texts.v[i], dir);
	vec_release(&texts);
	return found;
}

static bool
is_within(pid_t pid, const char *dir)
{
	char *path = xasprintf("/proc/%ld/cwd", (long)pid);
	struct str real = STR_INIT;
	struct stat cwd, repo;
	bool is;

	is = stat(path, &cwd) == 0 && stat(dir, &repo) == 0 &&
	    cwd.st_dev == repo.st_dev && cwd.st_ino == repo.st_ino;
	is = is || (file_readlink(&real, AT_FDCWD, path) == NULL &&
	    path_is_within(real.s, dir));
	str_release(&real);
	free(path);
	return is;
}

static bool
works_in(pid_t pid, const char *dir)
{
	return is_within(pid, dir) || names_in(pid, "cmdline", dir) ||
	    names_in(pid, "environ", dir) || names_in(pid, "maps", dir);
}

static bool
is_one_of(const char *word, const char *const *list)
{
	while (*list != NULL && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

/* "log" of "git -C /srv/shop.git log", and of git-log; NULL for none. */
static const char *
verb_of(const struct vec *words)
{
	static const char *const with_value[] = {
		"-C", "-c", "--attr-source", "--config-env", "--git-dir",
		"--namespace", "--shallow-file", "--super-prefix",
		"--work-tree", NULL
	};
	const char *program = words->n > 0 ? path_base(words->v[0]) : "";
	size_t i = 1;

	if (str_starts_with(program, "git-"))
		return program + strlen("git-");
	while (i < words->n && *words->v[i] == '-')
		i += is_one_of(words->v[i], with_value) ? 2 : 1;
	return i < words->n ? words->v[i] : NULL;
}

/*
 * Some of these live for days, and what they start counts by itself. Of what
 * is not known it is taken that it writes.
 */
static bool
writes_no_ref(pid_t pid)
{
	static const char *const readers[] = {
		"archive", "blame", "cat-file", "daemon", "diff",
		"for-each-ref", "fsck", "grep", "log", "ls-tree",
		"pack-objects", "rev-list", "show", "upload-archive",
		"upload-pack", NULL
	};
	struct vec words = VEC_INIT;
	const char *verb;
	bool is;

	read_texts(&words, pid, "cmdline");
	verb = verb_of(&words);
	is = verb != NULL && is_one_of(verb, readers);
	vec_release(&words);
	return is;
}

static void
collect(const struct kin_process *process, void *ctx)
{
	struct makers *makers = ctx;

	makers->all = xreallocarray(makers->all, makers->n + 1,
	    sizeof(*makers->all));
	makers->all[makers->n++] = *process;
}

static pid_t
parent_of(const struct makers *makers, pid_t pid)
{
	for (size_t i = 0; i < makers->n; i++) {
		if (makers->all[i].pid == pid)
			return makers->all[i].parent;
	}
	return 0;
}

/*
 * git holds no lock of a ref while it runs one of these, nor does who waits
 * for that git: a push may be watched for as long as its deploy takes.
 */
static bool
waits_for_hook(const struct makers *makers, pid_t pid)
{
	static const char *const hooks[] = {
		"pre-receive", "proc-receive", "post-receive"
	};

	for (size_t i = 0; i < makers->n; i++) {
		const struct kin_process *process = &makers->all[i];
		pid_t above = process->parent;
		bool is = false;

		for (size_t k = 0; k < sizeof(hooks) / sizeof(*hooks); k++)
			is |= strcmp(process->name, hooks[k]) == 0;
		while (is && above > 1 && above != pid)
			above = parent_of(makers, above);
		if (is && above == pid)
			return true;
	}
	return false;
}

static bool
may_hold(const struct makers *makers, const struct kin_process *process,
    int64_t made_ticks, const char *dir)
{
	return process->state != 'Z' && process->state != 'X' &&
	    process->start_ticks <= made_ticks &&
	    (strcmp(process->name, "git") == 0 ||
	    str_starts_with(process->name, "git-")) &&
	    !writes_no_ref(process->pid) && works_in(process->pid, dir) &&
	    !waits_for_hook(makers, process->pid);
}

static bool
maker_lives(const char *lock, const char *dir)
{
	int64_t hz = sysconf(_SC_CLK_TCK), age_ms, made_ticks;
	struct makers makers = { NULL, 0 };
	struct timespec now;
	bool lives = false;
	struct stat st;

	if (!age_of(lock, &st, &age_ms))
		return false;
	clock_gettime(CLOCK_BOOTTIME, &now);
	made_ticks = ((int64_t)now.tv_sec * 1000 - age_ms + SLACK_MS) * hz /
	    1000;
	kin_each(collect, &makers);
	for (size_t i = 0; i < makers.n && !lives; i++)
		lives = may_hold(&makers, &makers.all[i], made_ticks, dir);
	free(makers.all);
	return lives;
}

/* With "dir" it stays where a git may be at work with it. */
static const struct err *
free_lock(const char *path, const char *dir)
{
	struct stat seen;

	if (!outlasts(path, &seen) || (dir != NULL && maker_lives(path, dir)))
		return NULL;
	return drop(path, &seen);
}

/* As "/srv/shop.git": git_repository_path() has a slash at its end. */
static char *
dir_of(struct repo *repo)
{
	const char *path = git_repository_path(repo_handle(repo));
	size_t len = strlen(path);

	return xstrndup(path, len > 1 ? len - 1 : len);
}

static const struct err *
free_both(struct repo *repo, const char *ref, const char *dir)
{
	const char *path = git_repository_path(repo_handle(repo));
	char *lock, *log_lock;
	const struct err *err;

	/* It would be the way to any other file that ends in ".lock". */
	if (strcmp(ref, "HEAD") != 0 && !repo_is_ref(ref))
		return err_new(ERR_GIT, "%s is no name for a ref", ref);
	lock = lock_of(repo, ref);
	log_lock = xasprintf("%slogs/%s.lock", path, ref);
	err = free_lock(lock, dir);
	if (err == NULL)
		err = free_lock(log_lock, dir);
	free(log_lock);
	free(lock);
	return err;
}

const struct err *
repo_free_lock(struct repo *repo, const char *ref)
{
	return free_both(repo, ref, NULL);
}

const struct err *
repo_free_lock_of_git(struct repo *repo, const char *ref)
{
	char *dir = dir_of(repo);
	const struct err *err = free_both(repo, ref, dir);

	free(dir);
	return err;
}

/*
 * The lock goes last: as long as it is there, nobody begins a new list, whose
 * file must not be there either.
 */
const struct err *
repo_free_packed(struct repo *repo)
{
	char *dir = dir_of(repo);
	char *lock = xasprintf("%s/packed-refs.lock", dir);
	char *list = xasprintf("%s/packed-refs.new", dir);
	const struct err *err = NULL;
	struct stat seen;

	if (outlasts(lock, &seen) && !maker_lives(lock, dir)) {
		if (is_same(lock, &seen))
			err = free_lock(list, NULL);
		if (err == NULL)
			err = drop(lock, &seen);
	}
	free(list);
	free(lock);
	free(dir);
	return err;
}
