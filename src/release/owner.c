/*
 * Whose a root is. Two repositories with one root would take the site from
 * each other by turns, and clean up each other's releases.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/layout.h"
#include "release/store.h"

#define OWNER ".slipway/owner"

/* A path, a space, the name of an environment, a newline. */
#define OWNER_MAX_BYTES (PATH_MAX + 256)

/* What "root" is called is told before it. */
static const struct err *
belongs_to(const char *what, const char *root, const char *owner)
{
	const char *space = strrchr(owner, ' ');
	int len = space == NULL ? (int)strlen(owner) : (int)(space - owner);

	return err_new(ERR_CONFIG, "%s %s belongs to %.*s, environment %s;"
	    " choose another root in slipway.ini, or, if that has moved or"
	    " been renamed, remove %s/%s", what, root, len, owner,
	    space == NULL ? "?" : space + 1, root, OWNER);
}

static const struct err *
check(const struct store *store, const char *wanted)
{
	struct str found = STR_INIT;
	const struct err *err;

	err = file_read_at(&found, store->root_fd, OWNER, OWNER_MAX_BYTES);
	if (err == NULL && strcmp(found.s, wanted) != 0) {
		str_trim_end(&found);
		err = belongs_to("the root", store->root, found.s);
	}
	str_release(&found);
	return err;
}

const struct err *
store_check_owner(const struct store *store, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	const struct err *err = check(store, wanted);

	free(wanted);
	return err != NULL && err->sys_errno == ENOENT ? NULL : err;
}

const struct err *
store_claim(struct store *store, const char *repo, const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	const struct err *err = check(store, wanted);

	if (err != NULL && err->sys_errno == ENOENT)
		err = file_replace(store->root_fd, OWNER, wanted,
		    strlen(wanted), 0644);
	free(wanted);
	return err;
}

/* Nothing through "*found" where no root is. Whose folder it is is unknown. */
static const struct err *
read_owner(struct str *found, const char *path)
{
	const struct err *err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return NULL;
	if (fd == -1)
		return err_system("open %s", path);
	err = file_read_fd(found, fd, OWNER_MAX_BYTES);
	close(fd);
	return err == NULL ? NULL : err_add(err, "%s", path);
}

static const struct err *
check_folder(const char *folder, const char *root, const char *how,
    const char *wanted)
{
	char *path = path_join(folder, OWNER);
	struct str found = STR_INIT;
	const struct err *err;

	err = read_owner(&found, path);
	if (err == NULL && found.len > 0 && strcmp(found.s, wanted) != 0) {
		char *what = xasprintf("%s %s", root, how);

		str_trim_end(&found);
		err = belongs_to(what, folder, found.s);
		free(what);
	}
	str_release(&found);
	free(path);
	return err;
}

const struct err *
store_check_above(const char *root, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment), *at;
	const struct err *err = file_resolve(&at, root);

	while (err == NULL && strcmp(at, "/") != 0) {
		char *up = path_dir(at);

		err = check_folder(up, root, "is in the root of another"
		    " environment:", wanted);
		free(at);
		at = up;
	}
	free(wanted);
	free(at);
	return err;
}

/* A walk down from a root that is new. */
struct below {
	const char *root;
	const char *wanted;
	int left;		/* names that may still be looked at */
};

/* Releases are many, and no root is in one. */
static bool
is_passed_over(const struct dirent *entry)
{
	return (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
	    strcmp(entry->d_name, ".") == 0 ||
	    strcmp(entry->d_name, "..") == 0 ||
	    strcmp(entry->d_name, ".slipway") == 0 ||
	    store_is_release(entry->d_name);
}

/* What cannot be read is nobody's root as far as one can see. */
static const struct err *
look_below(struct below *below, const char *folder, int depth)
{
	const struct err *err = NULL;
	struct dirent *entry;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		file_close(&fd);
		return NULL;
	}
	while (err == NULL && below->left > 0 &&
	    (entry = readdir(dir)) != NULL) {
		char *path;

		below->left--;
		if (is_passed_over(entry))
			continue;
		path = path_join(folder, entry->d_name);
		err = check_folder(path, below->root, "would have the root"
		    " of another environment in it:", below->wanted);
		if (err != NULL && err->sys_errno != 0)
			err = NULL;
		if (err == NULL && depth < STORE_BELOW_DEPTH)
			err = look_below(below, path, depth + 1);
		free(path);
	}
	closedir(dir);
	return err;
}

const struct err *
store_check_around(const char *root, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	struct below below = { root, wanted, STORE_BELOW_NAMES };
	char *owner = path_join(root, OWNER);
	const struct err *err;

	err = store_check_above(root, repo, environment);
	if (err == NULL && !file_exists(AT_FDCWD, owner)) {
		char *real = realpath(root, NULL);

		if (real != NULL)
			err = look_below(&below, real, 1);
		free(real);
	}
	free(owner);
	free(wanted);
	return err;
}
