/*
 * file - whole files and folders, replaced safely.
 *
 * Writing is always: a temporary file beside the target, fsync, rename,
 * fsync of the folder; after a crash the old or the new content is there,
 * never a mixture. "dirfd" may be AT_FDCWD. Descriptors returned are
 * close-on-exec. Interrupted and short reads and writes are continued.
 * An error names the act and the path ("open /srv/x: Permission denied");
 * one about a descriptor, the act alone.
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "err.h"
#include "str.h"
#include "vec.h"

/* Append the whole file; ERR_FAILED when it is over "limit_bytes". */
const struct err *file_read(struct str *out, const char *path,
    size_t limit_bytes);

/* The same relative to a folder, never through a symlink at the end. */
const struct err *file_read_at(struct str *out, int dirfd, const char *path,
    size_t limit_bytes);

/* Read from a descriptor to its end. */
const struct err *file_read_fd(struct str *out, int fd, size_t limit_bytes);

/* Write all bytes to a descriptor. */
const struct err *file_write_fd(int fd, const void *bytes, size_t len);

/* Replace the file with these bytes, durably. */
const struct err *file_replace(int dirfd, const char *path,
    const void *bytes, size_t len, mode_t mode);

/* True when something is there, a dangling symlink included. */
bool file_exists(int dirfd, const char *path);

/* True when nothing is there; false where that cannot be known, too. */
bool file_is_gone(int dirfd, const char *path);

/* Create a folder and its missing parents. */
const struct err *file_mkdirs(const char *path, mode_t mode);

/*
 * The same beneath "dirfd": no component may be a symlink, "path" must
 * satisfy path_is_beneath().
 */
const struct err *file_mkdirs_beneath(int dirfd, const char *path,
    mode_t mode);

/*
 * Open beneath a folder: no symlink anywhere, no way out
 * (openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS), or one component after
 * the other with O_NOFOLLOW where the kernel lacks it). The descriptor
 * through "*fd", -1 on failure; errno is in the error.
 */
const struct err *file_open_beneath(int *fd, int dirfd, const char *path,
    int flags, mode_t mode);

/*
 * Open a folder beneath "dirfd" in the same way, for reading; "" and "." are
 * that folder itself. And open the folder that "path" is in.
 */
const struct err *file_open_folder(int *fd, int dirfd, const char *path);
const struct err *file_open_parent(int *fd, int dirfd, const char *path);

/*
 * Remove a file or a whole tree, never through a symlink and never into
 * another file system or mount; folders without write permission are
 * opened up first. What is not there is no error. The first error wins,
 * the rest is removed all the same.
 */
const struct err *file_remove_tree(int dirfd, const char *path);

/*
 * The same by the folder that "path" is in, which is found beneath "dirfd":
 * no component may be a symlink. A slash at the end means nothing.
 */
const struct err *file_remove_beneath(int dirfd, const char *path);

/*
 * Make "path" a symlink to "target" at one stroke: symlinkat to a
 * temporary name, renameat, fsync of the folder. A real folder at "path"
 * is an error, never removed.
 */
const struct err *file_symlink(int dirfd, const char *path,
    const char *target);

/* True for a temporary name that file_symlink() may have left of "path". */
bool file_is_symlink_temp(const char *name, const char *path);

/* The target of a symlink, appended. ERR_SYSTEM with ENOENT or EINVAL. */
const struct err *file_readlink(struct str *out, int dirfd,
    const char *path);

/*
 * The absolute path without symlinks, "." and "..", given. The end of it
 * may be missing: that much is taken by its words.
 */
const struct err *file_resolve(char **resolved, const char *path);

/* fsync the folder at "path". */
const struct err *file_sync_dir(int dirfd, const char *path);

/* syncfs: everything written on the file system of "fd" is durable. */
const struct err *file_sync_all(int fd);

/* Names in a folder without "." and "..", sorted, pushed onto "names". */
const struct err *file_list(struct vec *names, int dirfd, const char *path);

/*
 * Copy a folder: files with their times, modes (without setuid and the
 * like), symlinks. "to" must not exist, and is removed again on failure.
 * Not durable before file_sync_all().
 */
const struct err *file_copy_tree(int from_dirfd, const char *from,
    int to_dirfd, const char *to);

/* The same for one regular file. */
const struct err *file_copy(int from_dirfd, const char *from,
    int to_dirfd, const char *to);

/* Close unless -1, and set to -1. */
void file_close(int *fd);

#endif
