/*
 * Folders wait in a list by their path, so that the depth of a tree costs
 * no descriptors. Every step goes beneath one of the two tops: what is
 * swapped for a symlink while it is copied is an error, not a way out.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"

/* One read where the kernel cannot copy by itself. */
#define CHUNK_BYTES 65536

struct copy {
	int from_fd;
	int to_fd;
	dev_t to_dev;		/* which folder that is */
	ino_t to_ino;
	struct vec folders;	/* relative, "" is the top */
};

static const struct err *
copy_by_hand(int from, int to)
{
	const struct err *err = NULL;
	char *bytes = xmalloc(CHUNK_BYTES);
	ssize_t n;

	do {
		n = read(from, bytes, CHUNK_BYTES);
		if (n > 0)
			err = file_write_fd(to, bytes, (size_t)n);
		else if (n == -1 && errno != EINTR)
			err = err_system("read");
	} while (err == NULL && n != 0);
	free(bytes);
	return err;
}

/* The kernel shares the blocks where the file system can. */
static const struct err *
copy_bytes(int from, int to)
{
	ssize_t n;

	do {
		n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == 0)
		return NULL;
	if (errno == EXDEV || errno == ENOSYS || errno == EINVAL ||
	    errno == EOPNOTSUPP || errno == EPERM)
		return copy_by_hand(from, to);
	return err_system("copy");
}

/* Bytes, mode and mtime: build tools tell by that what is up to date. */
static const struct err *
copy_open(int from, int to)
{
	const struct err *err = copy_bytes(from, to);
	struct timespec times[2];
	struct stat st;

	if (err != NULL)
		return err;
	if (fstat(from, &st) == -1)
		return err_system("stat");
	times[0].tv_nsec = UTIME_OMIT;
	times[1] = st.st_mtim;
	if (fchmod(to, st.st_mode & 0777) == -1)
		return err_system("chmod");
	if (futimens(to, times) == -1)
		return err_system("set the times");
	return NULL;
}

static const struct err *
copy_file(const struct copy *copy, const char *path)
{
	const struct err *err;
	int from, to = -1;

	err = file_open_beneath(&from, copy->from_fd, path, O_RDONLY, 0);
	if (err == NULL)
		err = file_open_beneath(&to, copy->to_fd, path,
		    O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (err != NULL)
		goto done;
	err = copy_open(from, to);
	if (err != NULL)
		err = err_add(err, "%s", path);
done:
	file_close(&from);
	file_close(&to);
	return err;
}

static const struct err *
copy_link(int from_fd, int to_fd, const char *name)
{
	struct str target = STR_INIT;
	const struct err *err = file_readlink(&target, from_fd, name);

	if (err == NULL && symlinkat(target.s, to_fd, name) == -1)
		err = err_system("symlink %s", name);
	str_release(&target);
	return err;
}

/* A folder is made so that it can be filled; its mode comes at the end. */
static const struct err *
copy_entry(struct copy *copy, int from_fd, int to_fd, const char *path)
{
	const char *name = path_base(path);
	struct stat st;

	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_system("stat %s", path);
	if (S_ISREG(st.st_mode))
		return copy_file(copy, path);
	if (S_ISLNK(st.st_mode))
		return copy_link(from_fd, to_fd, name);
	if (!S_ISDIR(st.st_mode))
		return err_new(ERR_FAILED, "%s is neither a file nor a "
		    "folder nor a symlink", path);
	if (st.st_dev == copy->to_dev && st.st_ino == copy->to_ino)
		return err_new(ERR_FAILED, "%s is the copy itself", path);
	if (mkdirat(to_fd, name, 0700) == -1)
		return err_system("mkdir %s", path);
	vec_push(&copy->folders, path);
	return NULL;
}

static const struct err *
open_pair(const struct copy *copy, const char *path, int *from, int *to)
{
	const struct err *err;

	*from = *to = -1;
	if (path[0] == '\0') {
		*from = fcntl(copy->from_fd, F_DUPFD_CLOEXEC, 0);
		*to = fcntl(copy->to_fd, F_DUPFD_CLOEXEC, 0);
		return *from == -1 || *to == -1 ? err_system("dup") : NULL;
	}
	err = file_open_beneath(from, copy->from_fd, path,
	    O_RDONLY | O_DIRECTORY, 0);
	if (err == NULL)
		err = file_open_beneath(to, copy->to_fd, path,
		    O_RDONLY | O_DIRECTORY, 0);
	return err;
}

static const struct err *
copy_folder(struct copy *copy, const char *path)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	int from, to;

	err = open_pair(copy, path, &from, &to);
	if (err == NULL)
		err = file_list(&names, from, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		char *below = path[0] == '\0' ? xstrdup(names.v[i]) :
		    path_join(path, names.v[i]);

		err = copy_entry(copy, from, to, below);
		free(below);
	}
	vec_release(&names);
	file_close(&from);
	file_close(&to);
	return err;
}

/* Keeps the setgid bit that a new folder inherits: it shares a group. */
static const struct err *
copy_folder_mode(const struct copy *copy, const char *path)
{
	const struct err *err;
	struct stat st, made;
	int from, to;

	err = open_pair(copy, path, &from, &to);
	if (err == NULL && (fstat(from, &st) == -1 ||
	    fstat(to, &made) == -1 || fchmod(to,
	    (st.st_mode & 0777) | (made.st_mode & S_ISGID)) == -1))
		err = err_system("chmod %s", path);
	file_close(&from);
	file_close(&to);
	return err;
}

static const struct err *
copy_all(struct copy *copy)
{
	const struct err *err = NULL;
	struct stat st;
	size_t i;

	if (fstat(copy->to_fd, &st) == -1)
		return err_system("stat");
	copy->to_dev = st.st_dev;
	copy->to_ino = st.st_ino;
	vec_push(&copy->folders, "");
	for (i = 0; i < copy->folders.n && err == NULL; i++)
		err = copy_folder(copy, copy->folders.v[i]);
	while (i-- > 0 && err == NULL)
		err = copy_folder_mode(copy, copy->folders.v[i]);
	return err;
}

const struct err *
file_copy_tree(int from_dirfd, const char *from, int to_dirfd,
    const char *to)
{
	struct copy copy = { .to_fd = -1, .folders = VEC_INIT };
	const struct err *err = NULL;

	copy.from_fd = openat(from_dirfd, from,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (copy.from_fd == -1)
		return err_system("open %s", from);
	if (mkdirat(to_dirfd, to, 0700) == -1) {
		err = err_system("mkdir %s", to);
		goto done;
	}
	copy.to_fd = openat(to_dirfd, to,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = copy.to_fd == -1 ? err_system("open %s", to) :
	    copy_all(&copy);
	if (err != NULL) {
		err = err_add(err, "copy %s to %s", from, to);
		file_remove_tree(to_dirfd, to);
	}
done:
	vec_release(&copy.folders);
	file_close(&copy.from_fd);
	file_close(&copy.to_fd);
	return err;
}

const struct err *
file_copy(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	const struct err *err;
	int from_fd, to_fd;

	from_fd = openat(from_dirfd, from,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from_fd == -1)
		return err_system("open %s", from);
	to_fd = openat(to_dirfd, to, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	err = to_fd == -1 ? err_system("create %s", to) :
	    copy_open(from_fd, to_fd);
	if (err != NULL && to_fd != -1)
		unlinkat(to_dirfd, to, 0);
	file_close(&from_fd);
	file_close(&to_fd);
	return err == NULL ? NULL : err_add(err, "copy %s to %s", from, to);
}
