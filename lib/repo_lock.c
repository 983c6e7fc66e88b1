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

/* So old is a lock when its holder must be dead. */
#define STALE_MS 5000

/* How often to look whether it is free. */
#define LOOK_MS 20

/* False when there is no such file. */
static bool
age_of(const char *path, int64_t *age_ms)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return false;
	*age_ms = clock_now_ms() - (int64_t)st.st_mtim.tv_sec * 1000 -
	    st.st_mtim.tv_nsec / 1000000;
	return true;
}

static const struct err *
free_lock(const char *path)
{
	const struct timespec pause = { 0, LOOK_MS * 1000000L };
	int64_t age_ms, since_ms = clock_monotonic_ms();

	/* A clock that was set back makes no lock immortal. */
	while (age_of(path, &age_ms)) {
		if (age_ms >= STALE_MS ||
		    clock_monotonic_ms() - since_ms >= STALE_MS) {
			if (unlink(path) == -1 && errno != ENOENT)
				return err_system("remove %s, which a dead"
				    " process left", path);
			return NULL;
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
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
	lock = xasprintf("%s%s.lock", dir, ref);
	log_lock = xasprintf("%slogs/%s.lock", dir, ref);
	err = free_lock(lock);
	if (err == NULL)
		err = free_lock(log_lock);
	free(log_lock);
	free(lock);
	return err;
}
