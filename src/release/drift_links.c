/*
 * Whether the links to shared/ are where they were put. A command that had
 * put something else in the place of one has made that its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/drift_unit.h"
#include "release/layout.h"

bool
links_is_shared(const struct drift_spec *spec, int dirfd, const char *name,
    const char *path)
{
	return (spec->any_shared || (spec->shared != NULL &&
	    vec_has(spec->shared, path))) &&
	    layout_is_shared_link(dirfd, name, path);
}

/* A version before did not strike such a path from the list. */
static bool
is_built(const struct manifest *built, const char *path)
{
	const char *name = path_base(path);
	int64_t folder;
	char *dir;

	if (built == NULL)
		return false;
	dir = name == path ? xstrdup("") :
	    xstrndup(path, (size_t)(name - path - 1));
	folder = manifest_find_folder(built, dir);
	free(dir);
	return manifest_find_folder(built, path) != -1 || (folder != -1 &&
	    manifest_find_entry(built, (size_t)folder, name) != -1);
}

bool
unit_is_link(const struct unit *unit, const char *name)
{
	const struct drift_spec *spec = unit->spec;
	size_t len = strlen(unit->path);

	for (size_t i = 0; spec->links && i < spec->shared->n; i++) {
		const char *path = spec->shared->v[i];
		const char *base = path_base(path);

		/* Most names are none: no path is put together for these. */
		if (strcmp(base, name) == 0 && strncmp(path, unit->path, len)
		    == 0 && (size_t)(base - path) == len + (len > 0))
			return !is_built(spec->built, path);
	}
	return false;
}

static bool
lies_in(const struct drift_spec *spec, const char *path, bool itself)
{
	for (size_t i = 0; spec->links && i < spec->shared->n; i++) {
		const char *link = spec->shared->v[i];
		size_t len = strlen(link);

		if (strncmp(path, link, len) == 0 && (path[len] == '/' ||
		    (itself && path[len] == '\0')))
			return !is_built(spec->built, link);
	}
	return false;
}

bool
unit_lies_in_link(const struct unit *unit)
{
	return lies_in(unit->spec, unit->path, true);
}

/* Where nobody may look, nobody can tell. */
static const struct err *
check(const struct drift_spec *spec, const char *path, struct drift *drift)
{
	struct stat st = { .st_ino = 0 };
	struct drift_item *item;
	const struct err *err;
	bool there = false;
	int fd;

	err = file_open_parent(&fd, spec->dirfd, path);
	if (err != NULL)
		/* With its folder, or something is in the place of that. */
		err = err->sys_errno == ENOENT || err->sys_errno == ENOTDIR
		    || err->sys_errno == ELOOP ? NULL : err;
	else if (fstatat(fd, path_base(path), &st, AT_SYMLINK_NOFOLLOW) == 0)
		there = true;
	else if (errno != ENOENT)
		err = err_system("stat %s", path);
	if (err == NULL && (!there || !links_is_shared(spec, fd,
	    path_base(path), path))) {
		item = drift_add(drift);
		item->kind = there ? DRIFT_MODIFIED : DRIFT_REMOVED;
		item->path = xstrdup(path);
		item->folder = item->entry = -1;
		item->is_shared = true;
		item->st = st;
	}
	file_close(&fd);
	return err != NULL && err->sys_errno == EACCES ? NULL : err;
}

const struct err *
drift_links(struct drift *drift, const struct drift_spec *spec)
{
	const struct err *err = NULL;

	for (size_t i = 0; spec->links && i < spec->shared->n && err == NULL;
	    i++) {
		const char *path = spec->shared->v[i];

		if (!lies_in(spec, path, false) &&
		    !is_built(spec->built, path))
			err = check(spec, path, drift);
	}
	return err;
}
