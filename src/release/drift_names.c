#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/drift_unit.h"

/* The names of the folders right below, in their order. */
static void
list_children(struct children *children, const struct manifest *manifest,
    int64_t at)
{
	struct manifest_folder of, child;
	size_t skip, end;

	children->n = 0;
	if (at == -1)
		return;
	manifest_folder(manifest, (size_t)at, &of);
	skip = *of.path == '\0' ? 0 : strlen(of.path) + 1;
	end = (size_t)at + of.n_folders;
	for (size_t i = (size_t)at + 1; i < end; i += child.n_folders) {
		manifest_folder(manifest, i, &child);
		if (children->n == children->size) {
			children->size = children->n == 0 ? 64 :
			    children->n * 2;
			children->v = xreallocarray(children->v,
			    children->size, sizeof(*children->v));
		}
		children->v[children->n++] = child.path + skip;
	}
}

static int
by_order(const void *name, const void *child)
{
	return manifest_order(name, *(const char *const *)child);
}

static bool
has_child(const struct children *children, const char *name)
{
	return children->n > 0 && bsearch(name, children->v, children->n,
	    sizeof(*children->v), by_order) != NULL;
}

static bool
is_known(struct unit *unit, const char *name, bool is_folder)
{
	const struct drift_spec *spec = unit->spec;

	if (unit->folder != -1 && manifest_find_entry(spec->manifest,
	    (size_t)unit->folder, name) != -1)
		return true;
	if (unit->built != -1 && manifest_find_entry(spec->built,
	    (size_t)unit->built, name) != -1)
		return true;
	return is_folder && (has_child(&unit->looker->children, name) ||
	    has_child(&unit->looker->built, name));
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* True when one of the paths lies in the folder. */
static bool
holds_one(const struct vec *paths, const char *folder)
{
	size_t len = strlen(folder);

	for (size_t i = 0; i < paths->n; i++) {
		if (strncmp(paths->v[i], folder, len) == 0 &&
		    paths->v[i][len] == '/')
			return true;
	}
	return false;
}

/* One name in an added folder; what may be there is pushed onto "may". */
static void
list_name(struct unit *added, const char *name, struct vec *folders,
    struct vec *may)
{
	struct stat st;
	char *path;

	if (fstatat(added->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	path = unit_path(added, name);
	if (unit_is_link(added, name) ||
	    drift_is_writable(added->spec->writable, path) ||
	    (S_ISLNK(st.st_mode) && unit_is_shared(added, name))) {
		vec_push_take(may, path);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		vec_push_take(folders, path);
		return;
	}
	unit_tell(added, DRIFT_ADDED, name, -1, &st);
	free(path);
}

/* One that was added, as far as it can be seen. */
static void
tell_folder(struct unit *unit, const char *path)
{
	struct unit added = { .spec = unit->spec, .looker = unit->looker,
	    .path = path, .folder = -1 };
	struct stat st;
	bool there;
	int fd;

	there = file_open_parent(&fd, unit->spec->dirfd, path) == NULL &&
	    fstatat(fd, path_base(path), &st, AT_SYMLINK_NOFOLLOW) == 0;
	file_close(&fd);
	unit_tell(&added, DRIFT_ADDED, NULL, -1, there ? &st : NULL);
}

/*
 * Folders that were added wait in a list by their path. One that was made for
 * the sake of a place in it that may be written, or is shared, is not told
 * of.
 */
static const struct err *
list_added(struct unit *unit, const char *name, bool itself)
{
	struct vec folders = VEC_INIT, may = VEC_INIT;
	const struct err *err = NULL;

	vec_push_take(&folders, unit_path(unit, name));
	for (size_t i = 0; i < folders.n && err == NULL; i++) {
		struct unit added = { .spec = unit->spec, .looker =
		    unit->looker, .path = folders.v[i], .folder = -1,
		    .built = -1, .fd = -1 };
		struct vec names = VEC_INIT;

		err = file_open_folder(&added.fd, unit->spec->dirfd,
		    added.path);
		if (err == NULL)
			err = file_list(&names, added.fd, ".");
		for (size_t k = 0; k < names.n && err == NULL; k++)
			list_name(&added, names.v[k], &folders, &may);
		/* It may have gone since, or be nobody's to read. */
		if (err != NULL && (err->sys_errno == ENOENT ||
		    err->sys_errno == EACCES))
			err = NULL;
		vec_release(&names);
		file_close(&added.fd);
	}
	for (size_t i = itself ? 0 : 1; i < folders.n && err == NULL; i++) {
		if (!holds_one(&may, folders.v[i]))
			tell_folder(unit, folders.v[i]);
	}
	vec_release(&folders);
	vec_release(&may);
	return err;
}

const struct err *
unit_tell_inside(struct unit *unit, const char *name)
{
	return list_added(unit, name, false);
}

const struct err *
unit_tell_added(struct unit *unit, const char *name)
{
	struct drift_item *item;
	struct stat st;
	char *path;
	bool skip;

	if (unit_is_link(unit, name))
		return NULL;
	if (fstatat(unit->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT || errno == EACCES ? NULL :
		    err_system("stat %s", name);
	path = unit_path(unit, name);
	skip = (S_ISLNK(st.st_mode) && unit_is_shared(unit, name)) ||
	    drift_is_writable(unit->spec->writable, path);
	if (!skip && S_ISDIR(st.st_mode) && unit->spec->whole) {
		free(path);
		return list_added(unit, name, true);
	}
	if (skip) {
		free(path);
		return NULL;
	}
	item = drift_add(&unit->looker->found);
	item->kind = DRIFT_ADDED;
	item->path = S_ISDIR(st.st_mode) ? xasprintf("%s/", path) :
	    xstrdup(path);
	item->folder = item->entry = -1;
	item->st = st;
	free(path);
	return NULL;
}

const struct err *
unit_check_names(struct unit *unit)
{
	struct looker *looker = unit->looker;
	const struct err *err = NULL;
	ssize_t len;

	list_children(&looker->children, unit->spec->manifest, unit->folder);
	list_children(&looker->built, unit->spec->built, unit->built);
	for (;;) {
		len = getdents64(unit->fd, looker->names, UNIT_NAMES_BYTES);
		if (len == -1)
			return err_system("read");
		if (len == 0 || err != NULL)
			return err;
		for (ssize_t at = 0; at < len && err == NULL;) {
			struct dirent64 *name = (struct dirent64 *)
			    (looker->names + at);

			at += name->d_reclen;
			if (!is_dots(name->d_name) && !is_known(unit,
			    name->d_name, name->d_type == DT_DIR ||
			    name->d_type == DT_UNKNOWN))
				err = unit_tell_added(unit, name->d_name);
		}
	}
}
