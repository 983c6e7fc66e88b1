/*
 * What no commit has and no deploy wants to make anew: dependencies that a
 * package manager has installed. They are copied, since package managers
 * write in place; where the file system can, the copies share their blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/layout.h"
#include "release/store.h"

static bool
is_nothing(const struct err *err)
{
	return err->sys_errno == ENOENT || err->sys_errno == ENOTDIR ||
	    err->sys_errno == ELOOP;
}

static const struct err *
copy(int from_fd, int to_fd, const char *name, bool *done)
{
	struct stat st;

	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? NULL : err_system("stat %s", name);
	/* Links to shared/ are made by themselves. */
	*done = (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) &&
	    !file_exists(to_fd, name);
	if (!*done)
		return NULL;
	return S_ISDIR(st.st_mode) ?
	    file_copy_tree(from_fd, name, to_fd, name) :
	    file_copy(from_fd, name, to_fd, name);
}

static const struct err *
carry(int from_fd, int to_fd, const char *path, bool *done)
{
	int from = -1, to = -1;
	const struct err *err;
	char *dir = path_dir(path);

	err = file_open_parent(&from, from_fd, path);
	if (err == NULL && strcmp(dir, ".") != 0)
		err = file_mkdirs_beneath(to_fd, dir, 0755);
	if (err == NULL)
		err = file_open_parent(&to, to_fd, path);
	if (err == NULL)
		err = copy(from, to, path_base(path), done);
	else if (is_nothing(err))
		err = NULL;
	file_close(&from);
	file_close(&to);
	free(dir);
	return err == NULL ? NULL : err_add(err, "carry %s", path);
}

const struct err *
store_carry(struct store *store, const char *release,
    const struct vec *paths, struct vec *carried)
{
	struct str live = STR_INIT;
	int from_fd = -1, to_fd = -1;
	const struct err *err;

	err = store_current(store, &live);
	if (err == NULL && (live.len == 0 || paths->n == 0 ||
	    !file_exists(store->releases_fd, live.s)))
		goto done;
	if (err == NULL)
		err = store_open_release(store, live.s, &from_fd);
	if (err == NULL)
		err = store_open_release(store, release, &to_fd);
	for (size_t i = 0; i < paths->n && err == NULL; i++) {
		size_t len = strlen(paths->v[i]);
		char *path = xstrndup(paths->v[i], len -
		    (paths->v[i][len - 1] == '/'));
		bool done = false;

		err = carry(from_fd, to_fd, path, &done);
		if (done)
			vec_push(carried, path);
		free(path);
	}
done:
	file_close(&from_fd);
	file_close(&to_fd);
	str_release(&live);
	return err;
}
