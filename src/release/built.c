/*
 * What commands made of a release, kept when it is sealed: from then on that
 * is what it is compared with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/content.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/store.h"

/* One row of the second manifest. */
struct made {
	char *folder;
	const char *name;		/* lent; NULL: the folder itself */
	const struct drift_item *item;
};

struct building {
	int dirfd;
	const struct manifest *manifest;
	struct made *rows;
	size_t n;
};

char *
layout_built(const char *release)
{
	return xasprintf("%s" LAYOUT_BUILT, release);
}

static bool
is_folder(const struct drift_item *item)
{
	return item->path[strlen(item->path) - 1] == '/';
}

/* A folder that was seen, and is new, or has another mode or owner. */
static bool
has_look(const struct drift_item *item)
{
	return is_folder(item) && (item->kind == DRIFT_MODE ||
	    item->kind == DRIFT_ADDED) && S_ISDIR(item->st.st_mode);
}

/* A folder that is missing is told by its files. */
static bool
is_kept(const struct drift_item *item)
{
	return item->kind != DRIFT_STALE && item->kind != DRIFT_LINKED &&
	    (!is_folder(item) || item->kind == DRIFT_ADDED || has_look(item));
}

static int
by_folder_and_name(const void *a, const void *b)
{
	const struct made *x = a, *y = b;
	int order = manifest_order(x->folder, y->folder);

	if (order != 0)
		return order;
	return strcmp(x->name == NULL ? "" : x->name,
	    y->name == NULL ? "" : y->name);
}

static void
take_rows(struct building *building, const struct drift *drift)
{
	building->rows = xcalloc(2 * drift->n + 1, sizeof(*building->rows));
	for (size_t i = 0; i < drift->n; i++) {
		const struct drift_item *item = &drift->items[i];
		struct made *row = &building->rows[building->n];
		const char *base = path_base(item->path);

		if (!is_kept(item))
			continue;
		row->item = item;
		row->name = *base == '\0' ? NULL : base;
		row->folder = base == item->path ||
		    strcmp(item->path, "./") == 0 ? xstrdup("") :
		    xstrndup(item->path, (size_t)(base - item->path - 1));
		building->n++;
		/* A folder in the place of a file is both. */
		if (row->name != NULL && S_ISDIR(item->st.st_mode)) {
			row[1].item = item;
			row[1].folder = xstrdup(item->path);
			building->n++;
		}
	}
	if (building->n > 1)
		qsort(building->rows, building->n, sizeof(*building->rows),
		    by_folder_and_name);
}

/* A file that we may not read is known by its look. */
static const struct err *
add_row(const struct building *building, struct manifest_draft *draft,
    const struct made *row)
{
	const struct drift_item *item = row->item;
	struct manifest_entry entry = { .name = row->name };
	const struct err *err = NULL;

	if (item->kind == DRIFT_REMOVED || (item->entry != -1 &&
	    !S_ISREG(item->st.st_mode) && !S_ISLNK(item->st.st_mode)))
		entry.flags = MANIFEST_GONE;
	else if (item->entry == -1)
		entry.flags = MANIFEST_ADDED;
	else
		entry.flags = MANIFEST_CONVERTED;
	manifest_entry_stat(&entry, &item->st);
	entry.ctime_ns = 0;
	entry.mode = S_ISLNK(item->st.st_mode) ? MANIFEST_SYMLINK :
	    (item->st.st_mode & 0100) != 0 ? 0100755 : 0100644;
	if (entry.flags == MANIFEST_CONVERTED)
		err = content_of(entry.content, building->dirfd, item->path);
	if (err != NULL && err->sys_errno != EACCES)
		return err;
	manifest_add(draft, &entry);
	return NULL;
}

/* True when "path" is the folder, or lies in it. */
static bool
is_within(const char *path, const char *folder, size_t len)
{
	return strncmp(path, folder, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0');
}

/* With those above it that are not there from the one before. */
static void
add_folder(struct manifest_draft *draft, const struct made *row,
    const char *before)
{
	const char *folder = row->folder;
	size_t len = 0;

	do {
		unsigned char look[20] = { 0 };

		len += strcspn(folder + len, "/");
		if (folder[len] == '\0' && has_look(row->item))
			manifest_put_look(look, &row->item->st);
		if (!is_within(before, folder, len)) {
			char *above = xstrndup(folder, len);

			manifest_add_folder(draft, above, look);
			free(above);
		}
	} while (folder[len] != '\0' && len++ > 0);
}

/* Of the release itself, which is the first. */
static void
add_root(struct manifest_draft *draft, const struct building *building)
{
	unsigned char look[20] = { 0 };

	if (building->n > 0 && *building->rows[0].folder == '\0' &&
	    has_look(building->rows[0].item))
		manifest_put_look(look, &building->rows[0].item->st);
	manifest_add_folder(draft, "", look);
}

static const struct err *
write_rows(const struct building *building, struct manifest_draft *draft)
{
	const struct err *err = NULL;
	const char *folder = "";

	add_root(draft, building);
	for (size_t i = 0; i < building->n && err == NULL; i++) {
		const struct made *row = &building->rows[i];

		if (strcmp(row->folder, folder) != 0)
			add_folder(draft, row, folder);
		folder = row->folder;
		if (row->name != NULL)
			err = add_row(building, draft, row);
	}
	return err;
}

static const struct err *
write_built(struct store *store, const struct building *building,
    const char *release)
{
	char *built = layout_built(release);
	struct manifest_draft *draft;
	const struct err *err;
	char commit[41];

	manifest_commit(building->manifest, commit);
	err = manifest_begin(&draft, store->manifest_fd, built);
	if (err == NULL)
		err = write_rows(building, draft);
	if (err == NULL)
		err = manifest_finish(draft, commit, 0);
	else
		manifest_abandon(draft);
	free(built);
	return err;
}

static const struct err *
forget_built(struct store *store, const char *release)
{
	char *built = layout_built(release);
	const struct err *err = NULL;

	if (unlinkat(store->manifest_fd, built, 0) == -1 && errno != ENOENT)
		err = err_system("remove .slipway/manifest/%s", built);
	free(built);
	return err;
}

/* The file is another release's as well, and has other bytes or modes now. */
static bool
is_through(const struct manifest *manifest, const struct drift_item *item)
{
	struct manifest_entry row;

	if ((item->kind != DRIFT_MODIFIED && item->kind != DRIFT_MODE) ||
	    item->entry == -1 || !S_ISREG(item->st.st_mode) ||
	    item->st.st_nlink < 2)
		return false;
	manifest_entry(manifest, (size_t)item->folder, (size_t)item->entry,
	    &row);
	return row.inode == (uint64_t)item->st.st_ino;
}

/* What is there, against the manifest of the commit. */
static const struct err *
look(struct store *store, const char *release, int dirfd,
    struct manifest **manifest, struct drift *drift, struct vec *through)
{
	struct vec shared = VEC_INIT;
	struct drift_spec spec = { .dirfd = dirfd, .added = true,
	    .whole = true, .threads = store->threads, .shared = &shared };
	const struct err *err;

	err = manifest_open(manifest, store->manifest_fd, release);
	if (err == NULL)
		err = layout_read_shared(store, release, *manifest, &shared,
		    &spec.any_shared);
	spec.manifest = *manifest;
	if (err == NULL)
		err = drift_find(drift, &spec);
	for (size_t i = 0; i < drift->n && err == NULL; i++) {
		if (is_through(*manifest, &drift->items[i]))
			vec_push(through, drift->items[i].path);
	}
	vec_release(&shared);
	return err;
}

static const struct err *
keep_built(struct store *store, const char *release, int dirfd,
    struct vec *through)
{
	struct building building = { .dirfd = dirfd };
	struct manifest *manifest = NULL;
	struct drift drift = DRIFT_INIT;
	const struct err *err;

	/* What a command has made of a link is no link any more. */
	err = layout_prune_shared(store, release, dirfd);
	if (err == NULL)
		err = look(store, release, dirfd, &manifest, &drift, through);
	building.manifest = manifest;
	if (err == NULL)
		take_rows(&building, &drift);
	if (err == NULL)
		err = building.n > 0 ? write_built(store, &building,
		    release) : forget_built(store, release);
	for (size_t i = 0; i < building.n; i++)
		free(building.rows[i].folder);
	free(building.rows);
	drift_release(&drift);
	manifest_close(manifest);
	return err;
}

const struct err *
store_through(struct store *store, const char *release, struct vec *through)
{
	struct manifest *manifest = NULL;
	struct drift drift = DRIFT_INIT;
	const struct err *err;
	int fd;

	err = store_open_release(store, release, &fd);
	if (err == NULL)
		err = look(store, release, fd, &manifest, &drift, through);
	drift_release(&drift);
	manifest_close(manifest);
	file_close(&fd);
	return err;
}

const struct err *
store_seal(struct store *store, const char *release, bool changed,
    struct vec *through)
{
	const struct err *err;
	int fd;

	err = store_open_release(store, release, &fd);
	if (err == NULL)
		err = changed ? keep_built(store, release, fd, through) :
		    forget_built(store, release);
	if (err == NULL)
		err = file_sync_all(fd);
	file_close(&fd);
	return err;
}
