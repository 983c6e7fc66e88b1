/*
 * The tree is walked with a list in memory, not by recursion, so that no
 * depth that a build or a push may create overflows the stack or the table
 * of descriptors.
 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"

/* So many folders of one branch are open at a time. */
#define OPEN_MAX_LEVELS 64

/* One folder between the top and where the removal is now. */
struct level {
	char *name;
	struct vec folders;	/* beneath this one, still to be removed */
	dev_t dev;
	ino_t ino;
	int fd;			/* -1: closed, too many are open */
};

struct removal {
	struct level *levels;
	size_t n;
	size_t size;
	const struct err *err;	/* the first one */
};

/* Only the first error is made: more of them would push it out. */
static void
fail(struct removal *removal, const char *name)
{
	struct str path = STR_INIT;
	int saved_errno = errno;

	if (removal->err != NULL)
		return;
	for (size_t i = 0; i < removal->n; i++)
		str_addf(&path, "%s/", removal->levels[i].name);
	errno = saved_errno;
	removal->err = err_system("remove %s%s", path.s, name);
	str_release(&path);
}

static struct level *
current(struct removal *removal)
{
	return &removal->levels[removal->n - 1];
}

/* Takes "fd". */
static void
push_level(struct removal *removal, const char *name, int fd,
    const struct stat *st)
{
	struct level *level;

	if (removal->n == removal->size) {
		removal->size = removal->size == 0 ? 16 : removal->size * 2;
		removal->levels = xreallocarray(removal->levels,
		    removal->size, sizeof(*removal->levels));
	}
	if (removal->n > OPEN_MAX_LEVELS)
		file_close(
		    &removal->levels[removal->n - OPEN_MAX_LEVELS].fd);
	level = &removal->levels[removal->n++];
	level->name = xstrdup(name);
	level->dev = st->st_dev;
	level->ino = st->st_ino;
	level->fd = fd;
	vec_init(&level->folders);
}

static void
pop_level(struct removal *removal)
{
	struct level *level = current(removal);

	free(level->name);
	vec_release(&level->folders);
	file_close(&level->fd);
	removal->n--;
}

/* RESOLVE_NO_XDEV also notices what st_dev cannot: a bind mount. */
static int
open_same_mount(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	if (fd == -1 && (errno == ENOSYS || errno == EPERM))
		return openat(dirfd, name, (int)how.flags);
	return (int)fd;
}

/* Open a folder so that it can be read and emptied. */
static int
open_for_removal(int dirfd, const char *name, dev_t dev, struct stat *st)
{
	int saved_errno, fd = open_same_mount(dirfd, name);

	if (fd == -1 && errno == EACCES &&
	    fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = open_same_mount(dirfd, name);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == -1)
		goto failed;
	if (st->st_dev != dev) {
		errno = EXDEV;
		goto failed;
	}
	if ((st->st_mode & 0700) != 0700 && fchmod(fd, 0700) == -1)
		goto failed;
	return fd;
failed:
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

/* Remove what is no folder; what is one is put down for later. */
static void
remove_entry(struct removal *removal, const char *name, bool is_folder)
{
	struct level *level = current(removal);

	if (!is_folder && unlinkat(level->fd, name, 0) == 0)
		return;
	if (is_folder || errno == EISDIR)
		vec_push(&level->folders, name);
	else if (errno != ENOENT)
		fail(removal, name);
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *
open_dir(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy == -1 ? NULL : fdopendir(copy);

	if (dir == NULL)
		file_close(&copy);
	return dir;
}

static void
remove_entries(struct removal *removal)
{
	DIR *dir = open_dir(current(removal)->fd);
	struct dirent *entry;

	if (dir == NULL) {
		fail(removal, "");
		return;
	}
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (!is_dots(entry->d_name))
			remove_entry(removal, entry->d_name,
			    entry->d_type == DT_DIR);
	}
	if (errno != 0)
		fail(removal, "");
	closedir(dir);
}

static void
enter(struct removal *removal)
{
	struct level *level = current(removal);
	char *name = level->folders.v[--level->folders.n];
	struct stat st;
	int fd;

	level->folders.v[level->folders.n] = NULL;
	fd = open_for_removal(level->fd, name, level->dev, &st);
	if (fd == -1) {
		if (errno != ENOENT)
			fail(removal, name);
	} else {
		push_level(removal, name, fd, &st);
		remove_entries(removal);
	}
	free(name);
}

/*
 * Open the folder above again. It must still be the one we came from:
 * somebody may have moved ours, and then its new neighbours are not ours
 * to remove.
 */
static int
reopen_above(struct removal *removal)
{
	struct level *above = current(removal) - 1;
	struct stat st;

	if (above->fd != -1)
		return 0;
	above->fd = openat(current(removal)->fd, "..",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above->fd == -1 || fstat(above->fd, &st) == -1)
		return -1;
	if (st.st_dev == above->dev && st.st_ino == above->ino)
		return 0;
	errno = ESTALE;
	return -1;
}

/* Remove the folder that is empty now and go up; -1 when that is cut off. */
static int
leave(struct removal *removal)
{
	int above_fd;
	char *name;

	if (reopen_above(removal) == -1) {
		fail(removal, "..");
		return -1;
	}
	name = xstrdup(current(removal)->name);
	pop_level(removal);
	above_fd = current(removal)->fd;
	if (unlinkat(above_fd, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
		fail(removal, name);
	free(name);
	return 0;
}

static void
walk(struct removal *removal)
{
	for (;;) {
		if (current(removal)->folders.n > 0)
			enter(removal);
		else if (removal->n == 1 || leave(removal) == -1)
			break;
	}
	while (removal->n > 0)
		pop_level(removal);
}

/*
 * The folder that holds the tree is level 0: the tree may not be on
 * another file system than it.
 */
const struct err *
file_remove_tree(int dirfd, const char *path)
{
	struct removal removal = { 0 };
	char *name = xstrdup(path), *dir;
	struct stat st;
	int fd;

	while (name[0] != '\0' && str_ends_with(name, "/"))
		name[strlen(name) - 1] = '\0';
	dir = path_dir(name);
	fd = openat(dirfd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (path_base(name)[0] == '\0' || is_dots(path_base(name))) {
		errno = EINVAL;
		removal.err = err_system("remove '%s'", path);
		file_close(&fd);
	} else if (fd == -1 || fstat(fd, &st) == -1) {
		if (errno != ENOENT)
			removal.err = err_system("open %s", dir);
		file_close(&fd);
	} else {
		push_level(&removal, dir, fd, &st);
		remove_entry(&removal, path_base(name), false);
		walk(&removal);
	}
	free(removal.levels);
	free(name);
	free(dir);
	return removal.err;
}

const struct err *
file_remove_beneath(int dirfd, const char *path)
{
	char *copy = xstrndup(path, strlen(path) -
	    (str_ends_with(path, "/") ? 1 : 0));
	const struct err *err;
	int fd;

	err = file_open_parent(&fd, dirfd, copy);
	if (err == NULL)
		err = file_remove_tree(fd, path_base(copy));
	else if (err->sys_errno == ENOENT)
		err = NULL;
	file_close(&fd);
	free(copy);
	return err;
}
