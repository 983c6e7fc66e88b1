/*
 * A unit of work is one folder: those of the manifest, and behind them
 * those that only the manifest of what was built has. A unit opens its
 * folder once, by its whole path beneath the release, so that units need
 * not be done in any order.
 */
#include "release/drift.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "crew.h"
#include "file.h"
#include "path.h"
#include "release/content.h"
#include "release/layout.h"

/* Folders that a thread takes at a time. */
#define PIECE 64

#define NAMES_BYTES (32 * 1024)

/* What a folder's mode must be; it may inherit its group. */
#define FOLDER_MODE 0755

/* What one thread has found, and what it works with. */
struct looker {
	struct drift found;
	char *names;		/* of getdents64 */
	struct children {	/* names of the subfolders, in order */
		const char **v;
		size_t n;
		size_t size;
	} children, built;
};

struct look {
	const struct drift_spec *spec;
	size_t n_folders;	/* of the manifest */
	size_t *extra;		/* folders that only the built one has */
	size_t n_extra;
	struct looker lookers[CREW_MAX];
};

/* One folder, open; its look in either manifest. */
struct unit {
	const struct drift_spec *spec;
	struct looker *looker;
	const char *path;
	int64_t folder;
	int64_t built;
	struct manifest_folder of;
	struct manifest_folder of_built;
	int fd;
	uint32_t mode;		/* of the entry at hand */
	bool is_built;		/* and whose it is */
};

const char *
drift_kind_name(enum drift_kind kind)
{
	static const char *const names[] = {
		[DRIFT_MODIFIED] = "modified",
		[DRIFT_MODE] = "mode",
		[DRIFT_REMOVED] = "removed",
		[DRIFT_ADDED] = "added",
		[DRIFT_LINKED] = "linked",
		[DRIFT_STALE] = "stale",
	};

	return names[kind];
}

void
drift_item_release(struct drift_item *item)
{
	free(item->path);
	memset(item, 0, sizeof(*item));
}

void
drift_release(struct drift *drift)
{
	for (size_t i = 0; i < drift->n; i++)
		drift_item_release(&drift->items[i]);
	free(drift->items);
	memset(drift, 0, sizeof(*drift));
}

static struct drift_item *
add_item(struct drift *drift)
{
	if (drift->n == drift->size) {
		drift->size = drift->size == 0 ? 16 : drift->size * 2;
		drift->items = xreallocarray(drift->items, drift->size,
		    sizeof(*drift->items));
	}
	memset(&drift->items[drift->n], 0, sizeof(*drift->items));
	return &drift->items[drift->n++];
}

/* "name" lies in the unit's folder; NULL is the folder. */
static char *
path_in(const struct unit *unit, const char *name)
{
	if (name == NULL)
		return xasprintf("%s/", *unit->path == '\0' ? "." :
		    unit->path);
	return *unit->path == '\0' ? xstrdup(name) :
	    path_join(unit->path, name);
}

static void
tell(struct unit *unit, enum drift_kind kind, const char *name,
    int64_t entry, const struct stat *st)
{
	struct drift_item *item = add_item(&unit->looker->found);

	item->kind = kind;
	item->path = path_in(unit, name);
	item->folder = unit->folder;
	item->entry = entry;
	if (name != NULL) {
		item->mode = unit->mode;
		item->is_built = unit->is_built;
	}
	if (st != NULL)
		item->st = *st;
}

bool
drift_is_writable(const struct vec *patterns, const char *path)
{
	char *part = xstrdup(path);
	bool is = false;

	for (size_t i = 0; patterns != NULL && i < patterns->n && !is; i++) {
		size_t len = strlen(patterns->v[i]);
		char *pattern = xstrndup(patterns->v[i], len -
		    (len > 0 && patterns->v[i][len - 1] == '/'));

		for (char *end = part; !is && end != NULL;) {
			end = strchr(end, '/');
			if (end != NULL)
				*end = '\0';
			is = fnmatch(pattern, part, 0) == 0;
			if (end != NULL)
				*end++ = '/';
		}
		free(pattern);
	}
	free(part);
	return is;
}

static bool
is_shared_link(int dirfd, const char *name, const char *path)
{
	struct str want = STR_INIT, present = STR_INIT;
	bool is;

	layout_shared_target(&want, path);
	is = file_readlink(&present, dirfd, name) == NULL &&
	    strcmp(want.s, present.s) == 0;
	str_release(&want);
	str_release(&present);
	return is;
}

static bool
is_shared(const struct unit *unit, const char *name)
{
	char *path = path_in(unit, name);
	bool is = !unit->spec->strict &&
	    is_shared_link(unit->fd, name, path);

	free(path);
	return is;
}

/* True when a folder above, or this one, is a link to shared/. */
static bool
lies_in_shared(const struct unit *unit)
{
	const char *end = unit->path;
	bool is = false;

	while (*end != '\0' && !is) {
		char *path, *dir;
		int fd;

		end += strcspn(end, "/");
		path = xstrndup(unit->path, (size_t)(end - unit->path));
		dir = path_dir(path);
		if (file_open_folder(&fd, unit->spec->dirfd, dir) == NULL)
			is = is_shared_link(fd, path_base(path), path);
		file_close(&fd);
		free(dir);
		free(path);
		end += *end == '/' ? 1 : 0;
	}
	return is;
}

/* A file that this user may not read was changed if it looks so. */
static const struct err *
has_other_content(const struct unit *unit, const struct manifest_entry *row,
    const struct stat *st, bool *other)
{
	unsigned char now[CONTENT_BYTES];
	struct manifest_entry seen;
	const struct err *err;

	*other = true;
	err = content_of(now, unit->fd, row->name);
	if (err == NULL) {
		*other = memcmp(now, row->content, sizeof(now)) != 0;
		return NULL;
	}
	if (err->sys_errno == ENOENT)
		return NULL;
	if (err->sys_errno != EACCES)
		return err;
	manifest_entry_stat(&seen, st);
	*other = seen.size_bytes != row->size_bytes ||
	    seen.mtime_ns != row->mtime_ns || seen.inode != row->inode;
	return NULL;
}

/* True when the stat data of the entry are not those of the file. */
static bool
is_stale(const struct manifest_entry *row, const struct stat *st)
{
	struct manifest_entry now;

	manifest_entry_stat(&now, st);
	return now.mtime_ns != row->mtime_ns || now.inode != row->inode ||
	    (row->ctime_ns != 0 && now.ctime_ns != row->ctime_ns);
}

/* What commands wrote may have any mode; one bit of it is the commit's. */
static bool
has_other_mode(enum manifest_state state, const struct manifest_entry *row,
    const struct stat *st, bool is_built)
{
	if (state != MANIFEST_MODE)
		return false;
	return !is_built || (st->st_mode & 0100) != (row->mode & 0100);
}

/* Another inode than the one that was written, and not ours alone. */
static bool
is_linked(const struct unit *unit, const struct manifest_entry *row,
    const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || unit->spec->links_max == 0)
		return false;
	return st->st_nlink > unit->spec->links_max ||
	    (st->st_nlink > 1 && (uint64_t)st->st_ino != row->inode);
}

/* What commands added is known by its look alone. */
static void
compare_added(struct unit *unit, const struct manifest_entry *row,
    const struct stat *st)
{
	struct manifest_entry now;

	manifest_entry_stat(&now, st);
	if (now.size_bytes != row->size_bytes ||
	    now.mtime_ns != row->mtime_ns || now.inode != row->inode)
		tell(unit, DRIFT_MODIFIED, row->name, -1, st);
}

static const struct err *
compare(struct unit *unit, const struct manifest *with,
    const struct manifest_entry *row, int64_t entry, const struct stat *st)
{
	enum manifest_state state = manifest_compare(with, row, st);
	bool is_built = with != unit->spec->manifest, other = false;
	const struct err *err = NULL;

	if (state == MANIFEST_OTHER) {
		tell(unit, DRIFT_MODIFIED, row->name, entry, st);
		return NULL;
	}
	if (state != MANIFEST_SAME || unit->spec->deep)
		err = has_other_content(unit, row, st, &other);
	if (err != NULL)
		return err;
	if (other)
		tell(unit, DRIFT_MODIFIED, row->name, entry, st);
	else if (has_other_mode(state, row, st, is_built))
		tell(unit, DRIFT_MODE, row->name, entry, st);
	else if (is_linked(unit, row, st))
		tell(unit, DRIFT_LINKED, row->name, entry, st);
	else if (!is_built && is_stale(row, st))
		tell(unit, DRIFT_STALE, row->name, entry, st);
	return NULL;
}

/* "row" is of the manifest, or what a command made of it. */
static const struct err *
check_row(struct unit *unit, const struct manifest *with,
    const struct manifest_entry *row, int64_t entry)
{
	bool is_gone = (row->flags & MANIFEST_GONE) != 0;
	struct stat st;

	unit->mode = row->mode;
	unit->is_built = with != unit->spec->manifest;
	if (fstatat(unit->fd, row->name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			return err_system("stat %s", row->name);
		if (!is_gone)
			tell(unit, DRIFT_REMOVED, row->name, entry, NULL);
		return NULL;
	}
	if (S_ISLNK(st.st_mode) && is_shared(unit, row->name))
		return NULL;
	if (is_gone && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
		tell(unit, DRIFT_ADDED, row->name, entry, &st);
	else if (is_gone)
		return NULL;
	else if (row->flags & MANIFEST_ADDED)
		compare_added(unit, row, &st);
	else
		return compare(unit, with, row, entry, &st);
	return NULL;
}

static const struct err *
check_rows(struct unit *unit)
{
	const struct drift_spec *spec = unit->spec;
	const struct err *err = NULL;

	for (size_t k = 0; k < unit->of.n_entries && err == NULL; k++) {
		const struct manifest *with = spec->manifest;
		struct manifest_entry row;
		int64_t at = -1;

		manifest_entry(with, (size_t)unit->folder, k, &row);
		if (unit->built != -1)
			at = manifest_find_entry(spec->built,
			    (size_t)unit->built, row.name);
		if (at != -1) {
			with = spec->built;
			manifest_entry(with, (size_t)unit->built, (size_t)at,
			    &row);
		}
		err = check_row(unit, with, &row, (int64_t)k);
	}
	for (size_t k = 0; k < unit->of_built.n_entries && err == NULL; k++) {
		struct manifest_entry row;

		manifest_entry(spec->built, (size_t)unit->built, k, &row);
		if (row.flags & MANIFEST_ADDED)
			err = check_row(unit, spec->built, &row, -1);
	}
	return err;
}

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

static void
list_name(struct unit *added, const char *name, struct vec *folders)
{
	char *path = path_in(added, name);
	struct stat st;

	if (drift_is_writable(added->spec->writable, path) ||
	    fstatat(added->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		free(path);
	else if (S_ISDIR(st.st_mode))
		vec_push_take(folders, path);
	else {
		tell(added, DRIFT_ADDED, name, -1, &st);
		free(path);
	}
}

/* Folders that were added wait in a list by their path. */
static const struct err *
list_added(struct unit *unit, const char *name)
{
	struct vec folders = VEC_INIT;
	const struct err *err = NULL;

	vec_push_take(&folders, path_in(unit, name));
	for (size_t i = 0; i < folders.n && err == NULL; i++) {
		struct unit added = { .spec = unit->spec, .looker =
		    unit->looker, .path = folders.v[i], .folder = -1,
		    .built = -1, .fd = -1 };
		struct vec names = VEC_INIT;

		err = file_open_folder(&added.fd, unit->spec->dirfd, added.path);
		if (err == NULL)
			err = file_list(&names, added.fd, ".");
		for (size_t k = 0; k < names.n && err == NULL; k++)
			list_name(&added, names.v[k], &folders);
		/* Where nothing is left out, folders are known, too. */
		if (err == NULL && (names.n == 0 ||
		    unit->spec->writable == NULL))
			tell(&added, DRIFT_ADDED, NULL, -1, NULL);
		/* It may have gone since, or be nobody's to read. */
		if (err != NULL && (err->sys_errno == ENOENT ||
		    err->sys_errno == EACCES))
			err = NULL;
		vec_release(&names);
		file_close(&added.fd);
	}
	vec_release(&folders);
	return err;
}

static const struct err *
tell_added(struct unit *unit, const char *name)
{
	struct drift_item *item;
	struct stat st;
	char *path;
	bool skip;

	if (fstatat(unit->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? NULL : err_system("stat %s", name);
	path = path_in(unit, name);
	skip = (S_ISLNK(st.st_mode) && is_shared(unit, name)) ||
	    drift_is_writable(unit->spec->writable, path);
	if (!skip && S_ISDIR(st.st_mode) && unit->spec->whole) {
		free(path);
		return list_added(unit, name);
	}
	if (skip) {
		free(path);
		return NULL;
	}
	item = add_item(&unit->looker->found);
	item->kind = DRIFT_ADDED;
	item->path = S_ISDIR(st.st_mode) ? xasprintf("%s/", path) :
	    xstrdup(path);
	item->folder = item->entry = -1;
	item->st = st;
	free(path);
	return NULL;
}

/* What is there, and neither manifest has it. */
static const struct err *
check_names(struct unit *unit)
{
	struct looker *looker = unit->looker;
	const struct err *err = NULL;
	ssize_t len;

	list_children(&looker->children, unit->spec->manifest, unit->folder);
	list_children(&looker->built, unit->spec->built, unit->built);
	for (;;) {
		len = getdents64(unit->fd, looker->names, NAMES_BYTES);
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
				err = tell_added(unit, name->d_name);
		}
	}
}

/* Nothing is left of the folder and of what was in it. */
static void
tell_missing(struct unit *unit)
{
	const struct drift_spec *spec = unit->spec;

	if (!spec->strict && lies_in_shared(unit))
		return;
	tell(unit, DRIFT_REMOVED, NULL, -1, NULL);
	for (size_t k = 0; k < unit->of.n_entries; k++) {
		struct manifest_entry row;
		int64_t at = -1;

		manifest_entry(spec->manifest, (size_t)unit->folder, k, &row);
		if (unit->built != -1)
			at = manifest_find_entry(spec->built,
			    (size_t)unit->built, row.name);
		if (at != -1)
			manifest_entry(spec->built, (size_t)unit->built,
			    (size_t)at, &row);
		unit->mode = row.mode;
		unit->is_built = at != -1;
		if ((row.flags & MANIFEST_GONE) == 0)
			tell(unit, DRIFT_REMOVED, row.name, (int64_t)k, NULL);
	}
	for (size_t k = 0; k < unit->of_built.n_entries; k++) {
		struct manifest_entry row;

		manifest_entry(spec->built, (size_t)unit->built, k, &row);
		unit->mode = row.mode;
		unit->is_built = true;
		if (row.flags & MANIFEST_ADDED)
			tell(unit, DRIFT_REMOVED, row.name, -1, NULL);
	}
}

static const struct err *
open_unit(struct unit *unit, bool *there)
{
	const struct err *err;
	struct stat st;

	err = file_open_folder(&unit->fd, unit->spec->dirfd, unit->path);
	*there = err == NULL;
	if (err != NULL && (err->sys_errno == ENOENT ||
	    err->sys_errno == ENOTDIR || err->sys_errno == ELOOP)) {
		tell_missing(unit);
		return NULL;
	}
	/* What is in it nobody can tell, then. */
	if (err != NULL && err->sys_errno == EACCES) {
		tell(unit, DRIFT_MODE, NULL, -1, NULL);
		return NULL;
	}
	if (err == NULL && unit->folder != -1) {
		if (fstat(unit->fd, &st) == -1)
			err = err_system("stat");
		else if ((st.st_mode & 07777 & ~S_ISGID) != FOLDER_MODE ||
		    st.st_uid != manifest_uid(unit->spec->manifest))
			tell(unit, DRIFT_MODE, NULL, -1, &st);
	}
	return err;
}

static const struct err *
check_unit(struct unit *unit)
{
	const struct err *err;
	bool there;

	err = open_unit(unit, &there);
	if (err == NULL && there && unit->spec->added)
		err = check_names(unit);
	if (err == NULL && there)
		err = check_rows(unit);
	file_close(&unit->fd);
	return err == NULL ? NULL : err_add(err, "%s", *unit->path == '\0' ?
	    "." : unit->path);
}

static void
set_unit(struct unit *unit, const struct look *look, size_t i)
{
	const struct drift_spec *spec = look->spec;

	unit->folder = unit->built = -1;
	memset(&unit->of, 0, sizeof(unit->of));
	memset(&unit->of_built, 0, sizeof(unit->of_built));
	if (i < look->n_folders) {
		unit->folder = (int64_t)i;
		manifest_folder(spec->manifest, i, &unit->of);
		unit->path = unit->of.path;
		if (spec->built != NULL)
			unit->built = manifest_find_folder(spec->built,
			    unit->path);
	} else {
		unit->built = (int64_t)look->extra[i - look->n_folders];
	}
	if (unit->built != -1)
		manifest_folder(spec->built, (size_t)unit->built,
		    &unit->of_built);
	if (unit->folder == -1)
		unit->path = unit->of_built.path;
}

static const struct err *
check_some(size_t from, size_t to, int worker, void *ctx)
{
	struct look *look = ctx;
	struct looker *looker = &look->lookers[worker];
	struct unit unit = { .spec = look->spec, .looker = looker, .fd = -1 };
	const struct err *err = NULL;

	if (looker->names == NULL)
		looker->names = xmalloc(NAMES_BYTES);
	for (size_t i = from; i < to && err == NULL; i++) {
		set_unit(&unit, look, i);
		err = check_unit(&unit);
	}
	return err;
}

static void
list_extra(struct look *look)
{
	const struct drift_spec *spec = look->spec;
	size_t n = spec->built == NULL ? 0 : manifest_n_folders(spec->built);

	look->extra = xcalloc(n + 1, sizeof(*look->extra));
	for (size_t i = 0; i < n; i++) {
		struct manifest_folder folder;

		manifest_folder(spec->built, i, &folder);
		if (manifest_find_folder(spec->manifest, folder.path) == -1)
			look->extra[look->n_extra++] = i;
	}
}

static int
by_path(const void *a, const void *b)
{
	const struct drift_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Put together what the threads have found. */
static void
collect(struct look *look, struct drift *drift)
{
	for (int i = 0; i < CREW_MAX; i++) {
		struct looker *looker = &look->lookers[i];

		for (size_t k = 0; k < looker->found.n; k++) {
			*add_item(drift) = looker->found.items[k];
			looker->found.items[k].path = NULL;
		}
		drift_release(&looker->found);
		free(looker->names);
		free(looker->children.v);
		free(looker->built.v);
	}
	if (drift->n > 1)
		qsort(drift->items, drift->n, sizeof(*drift->items), by_path);
}

const struct err *
drift_find(struct drift *drift, const struct drift_spec *spec)
{
	struct look look = { .spec = spec,
	    .n_folders = manifest_n_folders(spec->manifest) };
	const struct err *err;

	memset(drift, 0, sizeof(*drift));
	list_extra(&look);
	err = crew_run(spec->threads, look.n_folders + look.n_extra, PIECE,
	    check_some, &look);
	collect(&look, drift);
	free(look.extra);
	return err;
}
