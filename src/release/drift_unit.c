#include "release/drift_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/content.h"
#include "release/layout.h"

/* Names of extended attributes of a file: there are seldom any. */
#define RIGHTS_BYTES 4096

char *
unit_path(const struct unit *unit, const char *name)
{
	if (name == NULL)
		return xasprintf("%s/", *unit->path == '\0' ? "." :
		    unit->path);
	return *unit->path == '\0' ? xstrdup(name) :
	    path_join(unit->path, name);
}

struct drift_item *
unit_tell(struct unit *unit, enum drift_kind kind, const char *name,
    int64_t entry, const struct stat *st)
{
	struct drift_item *item = drift_add(&unit->looker->found);

	item->kind = kind;
	item->path = unit_path(unit, name);
	item->folder = unit->folder;
	item->entry = entry;
	item->owner = manifest_uid(unit->spec->manifest);
	item->is_built = kind != DRIFT_ADDED && unit->folder == -1;
	if (name != NULL) {
		item->mode = unit->mode;
		item->is_built = unit->is_built;
	}
	if (st != NULL)
		item->st = *st;
	return item;
}

bool
unit_is_shared(const struct unit *unit, const char *name)
{
	char *path = unit_path(unit, name);
	bool is = links_is_shared(unit->spec, unit->fd, name, path);

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
			is = links_is_shared(unit->spec, fd, path_base(path),
			    path);
		file_close(&fd);
		free(dir);
		free(path);
		end += *end == '/' ? 1 : 0;
	}
	return is;
}

/*
 * What this user may not read is not known to be the same. A command may have
 * made it so, and then it was changed if it looks so.
 */
static const struct err *
has_other_content(const struct unit *unit, const struct manifest_entry *row,
    const struct stat *st, bool is_built, bool *other)
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
	if (!is_built)
		return NULL;
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
	if (unit->spec->links_max == 0)
		return false;
	return st->st_nlink > unit->spec->links_max ||
	    (st->st_nlink > 1 && (uint64_t)st->st_ino != row->inode);
}

static bool
has_name(const char *names, ssize_t len, const char *name)
{
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		if (strcmp(names + at, name) == 0)
			return true;
	}
	return false;
}

/*
 * What a new file there would not have, and this one gives somebody: NULL is
 * nothing. In a folder with an ACL for new files they all have one.
 */
static const char *
find_right(const struct unit *unit, const char *name)
{
	const char *right = NULL;
	char names[RIGHTS_BYTES];
	ssize_t len;
	int fd;

	fd = openat(unit->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return NULL;
	len = flistxattr(fd, names, sizeof(names));
	if (len == -1 && errno == ERANGE)
		right = "with many extended attributes";
	else if (has_name(names, len, "security.capability"))
		right = "with a file capability";
	else if (has_name(names, len, "system.posix_acl_access") &&
	    fgetxattr(unit->fd, "system.posix_acl_default", NULL, 0) == -1)
		right = "with an ACL";
	file_close(&fd);
	return right;
}

/* Whoever has set one has changed the ctime, where that is recorded. */
static bool
may_have_right(const struct unit *unit, const struct manifest_entry *row,
    const struct stat *st)
{
	struct manifest_entry now;

	if (!S_ISREG(st->st_mode))
		return false;
	manifest_entry_stat(&now, st);
	return unit->spec->deep || (row->ctime_ns == 0 ?
	    (st->st_mode & 0111) != 0 : now.ctime_ns != row->ctime_ns);
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
		unit_tell(unit, DRIFT_MODIFIED, row->name, -1, st);
}

static const struct err *
compare(struct unit *unit, const struct manifest *with,
    const struct manifest_entry *row, int64_t entry, const struct stat *st)
{
	enum manifest_state state = manifest_compare(with, row, st);
	bool is_built = with != unit->spec->manifest, other = false;
	const char *right = NULL;
	const struct err *err = NULL;

	if (state == MANIFEST_OTHER) {
		unit_tell(unit, DRIFT_MODIFIED, row->name, entry, st);
		return NULL;
	}
	if (state != MANIFEST_SAME || unit->spec->deep)
		err = has_other_content(unit, row, st, is_built, &other);
	if (err != NULL)
		return err;
	if (!other && !is_built && may_have_right(unit, row, st))
		right = find_right(unit, row->name);
	if (other)
		unit_tell(unit, DRIFT_MODIFIED, row->name, entry, st);
	else if (has_other_mode(state, row, st, is_built) || right != NULL)
		unit_tell(unit, DRIFT_MODE, row->name, entry, st)->right =
		    right;
	else if (is_linked(unit, row, st))
		unit_tell(unit, DRIFT_LINKED, row->name, entry, st);
	else if (!is_built && is_stale(row, st))
		unit_tell(unit, DRIFT_STALE, row->name, entry, st);
	return NULL;
}

/*
 * A command may have put something else in the place of a file. A folder of
 * its making is looked at by itself; one that a version before sealed is not
 * known to be one, and an inode is used again.
 */
static bool
is_in_place(const struct unit *unit, const struct manifest_entry *row,
    const struct stat *st)
{
	struct manifest_entry now;
	char *path;
	bool is;

	if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		return false;
	manifest_entry_stat(&now, st);
	if (now.inode == row->inode && (!S_ISDIR(st->st_mode) ||
	    now.mtime_ns == row->mtime_ns))
		return true;
	path = unit_path(unit, row->name);
	is = S_ISDIR(st->st_mode) &&
	    manifest_find_folder(unit->spec->built, path) != -1;
	free(path);
	return is;
}

static const struct err *
check_gone(struct unit *unit, const struct manifest_entry *row,
    int64_t entry, const struct stat *st)
{
	if (is_in_place(unit, row, st))
		return NULL;
	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return unit_tell_added(unit, row->name);
	unit_tell(unit, DRIFT_ADDED, row->name, entry, st);
	return NULL;
}

/* "row" is of the manifest, or what a command made of it. */
static const struct err *
check_row(struct unit *unit, const struct manifest *with,
    const struct manifest_entry *row, int64_t entry)
{
	bool is_gone = (row->flags & MANIFEST_GONE) != 0;
	const struct err *err = NULL;
	struct stat st;

	unit->mode = row->mode;
	unit->is_built = with != unit->spec->manifest;
	if (unit_is_link(unit, row->name))
		return NULL;
	if (fstatat(unit->fd, row->name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		/* One that may not be searched is told of itself. */
		if (errno != ENOENT && errno != EACCES)
			return err_system("stat %s", row->name);
		if (errno == EACCES)
			return NULL;
		if (!is_gone)
			unit_tell(unit, DRIFT_REMOVED, row->name, entry, NULL);
		return NULL;
	}
	if (S_ISLNK(st.st_mode) && unit_is_shared(unit, row->name))
		return NULL;
	if (is_gone)
		return check_gone(unit, row, entry, &st);
	if (row->flags & MANIFEST_ADDED)
		compare_added(unit, row, &st);
	else
		err = compare(unit, with, row, entry, &st);
	if (err == NULL && S_ISDIR(st.st_mode) && unit->spec->whole)
		err = unit_tell_inside(unit, row->name);
	return err;
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

/* Nothing is left of the folder and of what was in it. */
static void
tell_missing(struct unit *unit)
{
	const struct drift_spec *spec = unit->spec;

	if (lies_in_shared(unit))
		return;
	unit_tell(unit, DRIFT_REMOVED, NULL, -1, NULL);
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
		if ((row.flags & MANIFEST_GONE) == 0 &&
		    !unit_is_link(unit, row.name))
			unit_tell(unit, DRIFT_REMOVED, row.name, (int64_t)k,
			    NULL);
	}
	for (size_t k = 0; k < unit->of_built.n_entries; k++) {
		struct manifest_entry row;

		manifest_entry(spec->built, (size_t)unit->built, k, &row);
		unit->mode = row.mode;
		unit->is_built = true;
		if (row.flags & MANIFEST_ADDED)
			unit_tell(unit, DRIFT_REMOVED, row.name, -1, NULL);
	}
}

/* How one looks that only commands had made may not be known. */
static void
compare_folder(struct unit *unit, const struct stat *st)
{
	struct drift_item *item;
	mode_t mode;
	uid_t uid;
	bool sealed;

	sealed = manifest_folder_look(unit->spec->manifest, &unit->of_built,
	    st, &mode, &uid);
	if ((unit->folder == -1 && !sealed) ||
	    (((st->st_mode ^ mode) & 07777) == 0 && st->st_uid == uid))
		return;
	item = unit_tell(unit, DRIFT_MODE, NULL, -1, st);
	item->mode = mode;
	item->owner = uid;
}

/*
 * What is in a folder that this user may not read nobody can tell, but what it
 * looks like. One that cannot be seen for a folder above is left to that.
 */
static void
compare_closed(struct unit *unit)
{
	struct stat st;
	int fd;

	if (file_open_beneath(&fd, unit->spec->dirfd, unit->path,
	    O_PATH | O_DIRECTORY, 0) == NULL && fstat(fd, &st) == 0)
		compare_folder(unit, &st);
	file_close(&fd);
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
	if (err != NULL && err->sys_errno == EACCES) {
		compare_closed(unit);
		return NULL;
	}
	if (err == NULL && unit->folder != -1) {
		if (fstat(unit->fd, &st) == -1)
			err = err_system("stat");
		else
			compare_folder(unit, &st);
	}
	return err;
}

const struct err *
unit_check(struct unit *unit)
{
	const struct err *err;
	bool there;

	if (unit_lies_in_link(unit))
		return NULL;
	err = open_unit(unit, &there);
	if (err == NULL && there && unit->spec->added)
		err = unit_check_names(unit);
	if (err == NULL && there)
		err = check_rows(unit);
	file_close(&unit->fd);
	return err == NULL ? NULL : err_add(err, "%s", *unit->path == '\0' ?
	    "." : unit->path);
}
