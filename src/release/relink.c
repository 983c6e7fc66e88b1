/*
 * Links to shared/ that somebody removed, or put something else in the place
 * of. That may be a copy of what is shared, with its passwords, or uploads: it
 * is for nobody but the administrator, and is kept where only he looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/store.h"

#define EDITED ".slipway/edited"

struct relinking {
	struct store *store;
	const char *release;
	int dirfd;		/* of the release */
	struct vec *saved;
};

/* A path that nothing has yet, given; the folders above it are made. */
static const struct err *
make_place(const struct relinking *relinking, const char *path, char **place)
{
	int root_fd = relinking->store->root_fd;
	const struct err *err;
	char *dir;

	*place = xasprintf("%s/%s/%s", EDITED, relinking->release, path);
	for (int i = 1; file_exists(root_fd, *place); i++) {
		free(*place);
		*place = xasprintf("%s/%s/%s.%d", EDITED, relinking->release,
		    path, i);
	}
	dir = path_dir(*place);
	err = file_mkdirs_beneath(root_fd, dir, 0700);
	free(dir);
	return err;
}

/* Out of its place, which nothing is in then. */
static const struct err *
save(const struct relinking *relinking, int fd, const char *path)
{
	int root_fd = relinking->store->root_fd;
	const struct err *err;
	char *place;

	err = make_place(relinking, path, &place);
	if (err == NULL && renameat(fd, path_base(path), root_fd, place) ==
	    -1)
		err = errno == ENOENT ? NULL :
		    err_system("move %s to %s", path, place);
	else if (err == NULL)
		vec_push(relinking->saved, place);
	free(place);
	return err;
}

const struct err *
layout_save_copy(struct store *store, const char *release, int dirfd,
    const char *path, struct vec *saved)
{
	const struct relinking relinking = { .store = store,
	    .release = release, .dirfd = dirfd };
	const struct err *err;
	char *place;
	int fd = -1;

	err = make_place(&relinking, path, &place);
	if (err == NULL)
		err = file_open_parent(&fd, dirfd, path);
	if (err == NULL)
		err = file_copy(fd, path_base(path), store->root_fd, place);
	if (err == NULL)
		vec_push(saved, place);
	file_close(&fd);
	free(place);
	return err == NULL ? NULL : err_add(err, "keep %s", path);
}

static const struct err *
put_link(const struct relinking *relinking, int fd, const char *path)
{
	struct str target = STR_INIT;
	const struct err *err = NULL;

	if (layout_is_shared_link(fd, path_base(path), path))
		return NULL;
	if (file_exists(fd, path_base(path)))
		err = save(relinking, fd, path);
	layout_shared_target(&target, path);
	/* What has come since is told of the next time. */
	if (err == NULL && symlinkat(target.s, fd, path_base(path)) == -1 &&
	    errno != EEXIST)
		err = err_system("link %s", path);
	str_release(&target);
	return err;
}

/* Where a folder above is something else, that has to go before. */
static const struct err *
relink(const struct relinking *relinking, const char *path)
{
	char *dir = path_dir(path);
	const struct err *err = NULL;
	int fd = -1;

	if (strcmp(dir, ".") != 0)
		err = file_mkdirs_beneath(relinking->dirfd, dir, 0755);
	if (err == NULL)
		err = file_open_parent(&fd, relinking->dirfd, path);
	if (err == NULL)
		err = put_link(relinking, fd, path);
	else if (err->sys_errno == ENOTDIR || err->sys_errno == ELOOP ||
	    err->sys_errno == EEXIST)
		err = NULL;
	file_close(&fd);
	free(dir);
	return err;
}

const struct err *
store_relink(struct store *store, const char *release,
    const struct vec *paths, struct vec *saved)
{
	struct relinking relinking = { .store = store, .release = release,
	    .saved = saved };
	const struct err *err;

	err = store_open_release(store, release, &relinking.dirfd);
	for (size_t i = 0; i < paths->n && err == NULL; i++)
		err = relink(&relinking, paths->v[i]);
	if (err == NULL && paths->n > 0)
		err = file_sync_all(relinking.dirfd);
	file_close(&relinking.dirfd);
	return err == NULL ? NULL : err_add(err, "links of %s", release);
}

static const struct err *
save_all(const struct relinking *relinking, const struct drift *drift)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < drift->n && err == NULL; i++) {
		const char *path = drift->items[i].path;
		int fd;

		if (drift->items[i].kind == DRIFT_REMOVED)
			continue;
		err = file_open_parent(&fd, relinking->dirfd, path);
		if (err == NULL)
			err = save(relinking, fd, path);
		file_close(&fd);
	}
	return err;
}

const struct err *
store_save_replaced(struct store *store, const char *release,
    struct vec *saved)
{
	struct relinking relinking = { .store = store, .release = release,
	    .saved = saved };
	char *name = layout_built(release);
	struct manifest *built = NULL;
	struct vec shared = VEC_INIT;
	struct drift_spec spec = { .shared = &shared, .links = true };
	struct drift drift = DRIFT_INIT;
	const struct err *err;

	err = store_open_release(store, release, &relinking.dirfd);
	if (err == NULL)
		err = layout_list_shared(store, release, &shared);
	/* Without one, more is saved. */
	if (err == NULL && manifest_open(&built, store->manifest_fd, name) !=
	    NULL)
		built = NULL;
	spec.dirfd = relinking.dirfd;
	spec.built = built;
	if (err == NULL)
		err = drift_links(&drift, &spec);
	if (err == NULL)
		err = save_all(&relinking, &drift);
	drift_release(&drift);
	manifest_close(built);
	vec_release(&shared);
	file_close(&relinking.dirfd);
	free(name);
	return err != NULL && (err->code == ERR_NOT_FOUND ||
	    err->sys_errno == ENOENT) ? NULL : err;
}
