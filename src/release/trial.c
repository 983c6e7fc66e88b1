#include "release/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "noted.h"
#include "release/checkout.h"
#include "release/layout.h"

#define FOLDER ".slipway/trial"
#define TREE "tree"
#define RUNNING "running"

/* So many names are tried; each that is taken is somebody else's. */
#define TRIES_MAX 1000

struct trial {
	int parent_fd;		/* of all trials */
	int fd;			/* of this one, locked */
	int tree_fd;
	int running_fd;
	char *name;
	char *path;		/* of the tree */
};

static char *
path_of(const struct store *store, const char *name)
{
	return xasprintf("%s/" FOLDER "/%s/" TREE, store->root, name);
}

static const struct err *
open_parent(const struct store *store, int *fd)
{
	*fd = -1;
	if (mkdirat(store->root_fd, FOLDER, 0700) == -1 && errno != EEXIST)
		return err_system("create %s/" FOLDER, store->root);
	*fd = openat(store->root_fd, FOLDER, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	return *fd == -1 ? err_system("open %s/" FOLDER, store->root) : NULL;
}

/* Open and lock a trial: -1 when somebody holds it, or it is gone. */
static int
hold(int parent_fd, const char *name)
{
	struct stat st, now;
	int fd;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1 || fstat(fd, &st) == -1 ||
	    fstatat(parent_fd, name, &now, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_ino != now.st_ino || st.st_dev != now.st_dev)
		file_close(&fd);
	return fd;
}

/* A new folder that is ours: a sweep may be faster than our lock. */
static const struct err *
make_folder(struct trial *trial)
{
	for (int i = 0; i < TRIES_MAX && trial->fd == -1; i++) {
		free(trial->name);
		trial->name = xasprintf("%ld.%d", (long)getpid(), i);
		if (mkdirat(trial->parent_fd, trial->name, 0700) == 0)
			trial->fd = hold(trial->parent_fd, trial->name);
		else if (errno != EEXIST)
			return err_system("create " FOLDER "/%s",
			    trial->name);
	}
	return trial->fd != -1 ? NULL : err_new(ERR_BUSY, FOLDER " has no"
	    " free name");
}

static const struct err *
make_places(struct trial *trial)
{
	if (mkdirat(trial->fd, TREE, 0755) == -1)
		return err_system("create %s", trial->path);
	trial->tree_fd = openat(trial->fd, TREE, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (trial->tree_fd == -1)
		return err_system("open %s", trial->path);
	trial->running_fd = openat(trial->fd, RUNNING, O_RDWR | O_CREAT |
	    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return trial->running_fd == -1 ? err_system("create %s", RUNNING) :
	    NULL;
}

static const struct err *
fill(const struct trial *trial, const struct store *store,
    const struct trial_spec *spec)
{
	struct checkout checkout = {
		.repo = spec->repo,
		.commit = spec->commit,
		.dirfd = trial->tree_fd,
		.from_fd = -1,
		.threads = store->threads,
		.only = spec->only,
	};
	struct store_made made = { .files = 0 };
	unsigned int flags;

	return checkout_write(&checkout, NULL, &made, &flags);
}

const struct err *
trial_open(struct trial **trial, struct store *store,
    const struct trial_spec *spec)
{
	struct trial *opened = xcalloc(1, sizeof(*opened));
	struct vec swept = VEC_INIT;
	const struct err *err;

	*trial = NULL;
	opened->parent_fd = opened->fd = -1;
	opened->tree_fd = opened->running_fd = -1;
	err = trial_sweep(store, &swept);
	vec_release(&swept);
	if (err == NULL)
		err = open_parent(store, &opened->parent_fd);
	if (err == NULL)
		err = make_folder(opened);
	if (err == NULL) {
		opened->path = path_of(store, opened->name);
		err = make_places(opened);
	}
	if (err == NULL)
		err = fill(opened, store, spec);
	if (err == NULL)
		*trial = opened;
	else
		trial_close(opened);
	return err;
}

const char *
trial_path(const struct trial *trial)
{
	return trial->path;
}

int
trial_fd(const struct trial *trial)
{
	return trial->tree_fd;
}

int
trial_running(const struct trial *trial)
{
	return trial->running_fd;
}

const struct err *
trial_close(struct trial *trial)
{
	const struct err *err = NULL;

	if (trial == NULL)
		return NULL;
	if (trial->fd != -1)
		err = file_remove_tree(trial->parent_fd, trial->name);
	file_close(&trial->running_fd);
	file_close(&trial->tree_fd);
	file_close(&trial->fd);
	file_close(&trial->parent_fd);
	free(trial->name);
	free(trial->path);
	free(trial);
	return err == NULL ? NULL : err_add(err, "remove a checkout below "
	    FOLDER);
}

/* Its command lost its hook, and perhaps has children that live on. */
static const struct err *
end_command(int fd)
{
	const struct err *err = NULL;
	struct vec left = VEC_INIT;
	int running_fd;
	size_t n;

	running_fd = openat(fd, RUNNING, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (running_fd != -1)
		err = noted_end(running_fd, 0, &n, &left);
	file_close(&running_fd);
	vec_release(&left);
	return err;
}

const struct err *
trial_sweep(struct store *store, struct vec *swept)
{
	struct vec names = VEC_INIT;
	const struct err *err = NULL;
	int parent_fd = -1;

	if (file_exists(store->root_fd, FOLDER))
		err = open_parent(store, &parent_fd);
	if (parent_fd != -1)
		err = file_list(&names, parent_fd, ".");
	for (size_t i = 0; err == NULL && i < names.n; i++) {
		int fd = hold(parent_fd, names.v[i]);

		if (fd == -1)
			continue;
		err = end_command(fd);
		if (err == NULL)
			err = file_remove_tree(parent_fd, names.v[i]);
		if (err == NULL)
			vec_push(swept, names.v[i]);
		file_close(&fd);
	}
	vec_release(&names);
	file_close(&parent_fd);
	return err;
}
