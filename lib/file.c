#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"

/* One read of a file. */
#define CHUNK_BYTES 65536

/* How many names a temporary file tries before it gives up. */
#define TEMP_TRIES 100

/* So much of a name goes into that of its temporary file. */
#define TEMP_NAME_MAX 200

/* How much to read next, so that a file over its limit is noticed. */
static size_t
next_chunk(size_t done_bytes, size_t limit_bytes)
{
	size_t left_bytes = limit_bytes - done_bytes;

	return left_bytes < CHUNK_BYTES ? left_bytes + 1 : CHUNK_BYTES;
}

const struct err *
file_read_fd(struct str *out, int fd, size_t limit_bytes)
{
	size_t old_len = out->len;
	const struct err *err;
	ssize_t n;

	for (;;) {
		size_t want = next_chunk(out->len - old_len, limit_bytes);

		str_reserve(out, want);
		n = read(fd, out->s + out->len, want);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		out->len += (size_t)n;
		out->s[out->len] = '\0';
		if (out->len - old_len > limit_bytes)
			break;
	}
	if (n == 0)
		return NULL;
	err = n == -1 ? err_system("read") :
	    err_new(ERR_FAILED, "larger than %zu bytes", limit_bytes);
	str_truncate(out, old_len);
	return err;
}

static const struct err *
read_path(struct str *out, int dirfd, const char *path, int flags,
    size_t limit_bytes)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | flags);
	const struct err *err;

	if (fd == -1)
		return err_system("open %s", path);
	err = file_read_fd(out, fd, limit_bytes);
	close(fd);
	return err == NULL ? NULL : err_add(err, "%s", path);
}

const struct err *
file_read(struct str *out, const char *path, size_t limit_bytes)
{
	return read_path(out, AT_FDCWD, path, 0, limit_bytes);
}

const struct err *
file_read_at(struct str *out, int dirfd, const char *path,
    size_t limit_bytes)
{
	return read_path(out, dirfd, path, O_NOFOLLOW, limit_bytes);
}

const struct err *
file_write_fd(int fd, const void *bytes, size_t len)
{
	const char *s = bytes;

	while (len > 0) {
		ssize_t n = write(fd, s, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_system("write");
		s += n;
		len -= (size_t)n;
	}
	return NULL;
}

/* The name of the "i"th temporary file beside "path", given. */
static char *
temp_name(const char *path, int i)
{
	const char *base = path_base(path);

	return xasprintf("%.*s.%.*s.%d.%d.tmp", (int)(base - path), path,
	    TEMP_NAME_MAX, base, (int)getpid(), i);
}

/* Create a file that was not there; its name is given through "*temp". */
static int
open_temp(char **temp, int dirfd, const char *path, mode_t mode)
{
	int fd;

	for (int i = 0; ; i++) {
		*temp = temp_name(path, i);
		fd = openat(dirfd, *temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    mode);
		if (fd != -1 || errno != EEXIST || i == TEMP_TRIES)
			return fd;
		free(*temp);
	}
}

static const struct err *
write_temp(int fd, const char *path, const void *bytes, size_t len)
{
	const struct err *err = file_write_fd(fd, bytes, len);

	if (err == NULL && fsync(fd) == -1)
		err = err_system("fsync");
	return err == NULL ? NULL : err_add(err, "%s", path);
}

/* Rename the temporary name to the real one, or remove it. */
static const struct err *
move_temp(int dirfd, const char *temp, const char *path)
{
	const struct err *err;
	char *dir;

	if (renameat(dirfd, temp, dirfd, path) == -1) {
		err = err_system("rename %s to %s", temp, path);
		unlinkat(dirfd, temp, 0);
		return err;
	}
	dir = path_dir(path);
	err = file_sync_dir(dirfd, dir);
	free(dir);
	return err;
}

const struct err *
file_replace(int dirfd, const char *path, const void *bytes, size_t len,
    mode_t mode)
{
	const struct err *err;
	char *temp;
	int fd;

	fd = open_temp(&temp, dirfd, path, mode);
	if (fd == -1) {
		err = err_system("create %s", temp);
		goto done;
	}
	err = write_temp(fd, path, bytes, len);
	if (close(fd) == -1 && err == NULL)
		err = err_system("close %s", temp);
	if (err == NULL)
		err = move_temp(dirfd, temp, path);
	else
		unlinkat(dirfd, temp, 0);
done:
	free(temp);
	return err;
}

bool
file_exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
file_is_gone(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT;
}

/* mkdir, content with a folder that is there. */
static int
make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST || stat(path, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

const struct err *
file_mkdirs(const char *path, mode_t mode)
{
	const struct err *err = NULL;
	char *copy, *end;

	if (make_dir(path, mode) == 0)
		return NULL;
	if (errno != ENOENT)
		return err_system("mkdir %s", path);
	copy = xstrdup(path);
	end = copy;
	do {
		char c;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		c = *end;
		*end = '\0';
		if (make_dir(copy, mode) == -1)
			err = err_system("mkdir %s", copy);
		*end = c;
	} while (err == NULL && *end != '\0');
	free(copy);
	return err;
}

/*
 * Step into folder "name", which may be no symlink, and close where we
 * were. ELOOP for a symlink, as openat2 says it.
 */
static int
step_into(int *fd, const char *name)
{
	int next = openat(*fd, name,
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int saved_errno = errno;
	struct stat st;

	if (next == -1 && saved_errno == ENOTDIR &&
	    fstatat(*fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		saved_errno = ELOOP;
	file_close(fd);
	*fd = next;
	errno = saved_errno;
	return next == -1 ? -1 : 0;
}

static int
open_start(int dirfd)
{
	return openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

const struct err *
file_mkdirs_beneath(int dirfd, const char *path, mode_t mode)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	int fd, rc;

	if (!path_is_beneath(path)) {
		errno = EINVAL;
		return err_system("mkdir '%s' beneath a folder", path);
	}
	vec_split(&names, path, "/");
	fd = open_start(dirfd);
	rc = fd == -1 ? -1 : 0;
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		rc = mkdirat(fd, names.v[i], mode);
		if (rc == 0 || errno == EEXIST)
			rc = step_into(&fd, names.v[i]);
	}
	err = rc == 0 ? NULL : err_system("mkdir %s", path);
	vec_release(&names);
	file_close(&fd);
	return err;
}

static int
open_by_steps(int dirfd, const char *path, int flags, mode_t mode)
{
	struct vec names = VEC_INIT;
	int rc, saved_errno, fd = open_start(dirfd), opened = -1;

	vec_split(&names, path, "/");
	if (str_ends_with(path, "/"))
		flags |= O_DIRECTORY;
	rc = fd == -1 ? -1 : 0;
	for (size_t i = 0; i + 1 < names.n && rc == 0; i++)
		rc = step_into(&fd, names.v[i]);
	if (rc == 0)
		opened = openat(fd, names.v[names.n - 1],
		    flags | O_NOFOLLOW | O_CLOEXEC, mode);
	saved_errno = errno;
	vec_release(&names);
	file_close(&fd);
	errno = saved_errno;
	return opened;
}

static int
open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) != 0 ? mode & 07777 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	} while (fd == -1 && errno == EINTR);
	if (fd == -1 && (errno == ENOSYS || errno == EPERM))
		return open_by_steps(dirfd, path, flags, mode);
	return (int)fd;
}

const struct err *
file_open_beneath(int *fd, int dirfd, const char *path, int flags,
    mode_t mode)
{
	*fd = -1;
	if (!path_is_beneath(path)) {
		errno = EINVAL;
		return err_system("open '%s' beneath a folder", path);
	}
	*fd = open_beneath(dirfd, path, flags, mode);
	return *fd == -1 ? err_system("open %s", path) : NULL;
}

const struct err *
file_open_folder(int *fd, int dirfd, const char *path)
{
	if (path[0] != '\0' && strcmp(path, ".") != 0)
		return file_open_beneath(fd, dirfd, path,
		    O_RDONLY | O_DIRECTORY, 0);
	*fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? err_system("open") : NULL;
}

const struct err *
file_open_parent(int *fd, int dirfd, const char *path)
{
	char *dir = path_dir(path);
	const struct err *err = file_open_folder(fd, dirfd, dir);

	free(dir);
	return err;
}

const struct err *
file_symlink(int dirfd, const char *path, const char *target)
{
	const struct err *err;
	struct stat st;
	char *temp;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISLNK(st.st_mode))
		return err_new(ERR_FAILED, "%s is a %s, not a symlink: "
		    "move it away", path,
		    S_ISDIR(st.st_mode) ? "folder" : "file");
	temp = xasprintf("%.*s.%.*s.%d.tmp", (int)(path_base(path) - path),
	    path, TEMP_NAME_MAX, path_base(path), (int)getpid());
	unlinkat(dirfd, temp, 0);
	if (symlinkat(target, dirfd, temp) == -1)
		err = err_system("symlink %s", temp);
	else
		err = move_temp(dirfd, temp, path);
	free(temp);
	return err;
}

bool
file_is_symlink_temp(const char *name, const char *path)
{
	char *start = xasprintf(".%.*s.", TEMP_NAME_MAX, path_base(path));
	const char *pid = name + strlen(start);
	bool is = str_starts_with(name, start) &&
	    strspn(pid, "0123456789") > 0 &&
	    strcmp(pid + strspn(pid, "0123456789"), ".tmp") == 0;

	free(start);
	return is;
}

const struct err *
file_readlink(struct str *out, int dirfd, const char *path)
{
	size_t size = 256;
	ssize_t n;

	for (;; size *= 2) {
		str_reserve(out, size);
		n = readlinkat(dirfd, path, out->s + out->len, size);
		if (n < (ssize_t)size)
			break;
	}
	if (n == -1) {
		out->s[out->len] = '\0';
		return err_system("readlink %s", path);
	}
	out->len += (size_t)n;
	out->s[out->len] = '\0';
	return NULL;
}

const struct err *
file_sync_dir(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct err *err = NULL;

	if (fd == -1)
		return err_system("open %s", path);
	if (fsync(fd) == -1)
		err = err_system("fsync %s", path);
	close(fd);
	return err;
}

const struct err *
file_sync_all(int fd)
{
	return syncfs(fd) == -1 ? err_system("syncfs") : NULL;
}

const struct err *
file_list(struct vec *names, int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct err *err = NULL;
	struct dirent *entry;
	DIR *dir;

	if (fd == -1)
		return err_system("open %s", path);
	dir = fdopendir(fd);
	if (dir == NULL) {
		err = err_system("read %s", path);
		close(fd);
		return err;
	}
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			vec_push(names, entry->d_name);
	}
	if (errno != 0)
		err = err_system("read %s", path);
	closedir(dir);
	vec_sort(names);
	return err;
}

void
file_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}
