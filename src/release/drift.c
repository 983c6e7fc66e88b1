/*
 * A unit of work is one folder: those of the manifest, and behind them
 * those that only the manifest of what was built has. A unit opens its
 * folder once, by its whole path beneath the release, so that units need
 * not be done in any order.
 */
#include "release/drift.h"

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
#include "release/drift_unit.h"

/* Folders that a thread takes at a time. */
#define PIECE 64

struct look {
	const struct drift_spec *spec;
	size_t n_folders;	/* of the manifest */
	size_t *extra;		/* folders that only the built one has */
	size_t n_extra;
	struct looker lookers[CREW_MAX];
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
drift_add_mode(struct str *out, const struct drift_item *item)
{
	unsigned int is = item->st.st_mode & 07777;
	unsigned int was = item->mode & 07777;
	const char *separator = "";

	if (!S_ISLNK(item->st.st_mode) && is != was) {
		str_addf(out, "%o instead of %o", is, was);
		separator = ", ";
	}
	if (item->st.st_uid != item->owner) {
		str_addf(out, "%sowner %u instead of %u", separator,
		    (unsigned int)item->st.st_uid,
		    (unsigned int)item->owner);
		separator = ", ";
	}
	if (item->right != NULL)
		str_addf(out, "%s%s", separator, item->right);
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

struct drift_item *
drift_add(struct drift *drift)
{
	if (drift->n == drift->size) {
		drift->size = drift->size == 0 ? 16 : drift->size * 2;
		drift->items = xreallocarray(drift->items, drift->size,
		    sizeof(*drift->items));
	}
	memset(&drift->items[drift->n], 0, sizeof(*drift->items));
	return &drift->items[drift->n++];
}

bool
drift_is_out_of_reach(int dirfd, const char *path)
{
	uid_t self = geteuid();
	struct stat st, entry;
	bool is;
	int fd;

	is = file_open_parent(&fd, dirfd, path) == NULL &&
	    fstat(fd, &st) == 0 && st.st_uid != self &&
	    ((faccessat(fd, ".", W_OK, AT_EACCESS) == -1 &&
	    errno == EACCES) || ((st.st_mode & S_ISVTX) != 0 && self != 0 &&
	    fstatat(fd, path_base(path), &entry, AT_SYMLINK_NOFOLLOW) == 0 &&
	    entry.st_uid != self));
	file_close(&fd);
	return is;
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
		looker->names = xmalloc(UNIT_NAMES_BYTES);
	for (size_t i = from; i < to && err == NULL; i++) {
		set_unit(&unit, look, i);
		err = unit_check(&unit);
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

/* Put together what the threads have found, and what is of no folder. */
static const struct err *
collect(struct look *look, struct drift *drift)
{
	const struct err *err;

	for (int i = 0; i < CREW_MAX; i++) {
		struct looker *looker = &look->lookers[i];

		for (size_t k = 0; k < looker->found.n; k++) {
			*drift_add(drift) = looker->found.items[k];
			looker->found.items[k].path = NULL;
		}
		drift_release(&looker->found);
		free(looker->names);
		free(looker->children.v);
		free(looker->built.v);
	}
	err = drift_links(drift, look->spec);
	if (drift->n > 1)
		qsort(drift->items, drift->n, sizeof(*drift->items), by_path);
	return err;
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
	err = err_first(err, collect(&look, drift));
	free(look.extra);
	return err;
}
