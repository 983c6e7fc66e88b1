#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/drift.h"
#include "release/pass.h"

bool
pass_recycles(const struct checkout *checkout)
{
	return checkout->base != NULL && checkout->from_fd == -1;
}

/* Commands may have made it so; the folder has the same path in both. */
static bool
is_built(const struct manifest *built, const char *path)
{
	char *dir = path_dir(path);
	int64_t folder;
	bool is;

	folder = manifest_find_folder(built, strcmp(dir, ".") == 0 ? "" :
	    dir);
	is = folder != -1 && manifest_find_entry(built, (size_t)folder,
	    path_base(path)) != -1;
	free(dir);
	return is;
}

static bool
is_shared(const struct vec *shared, const char *path)
{
	for (size_t i = 0; i < shared->n; i++) {
		size_t len = strlen(shared->v[i]);

		if (strncmp(path, shared->v[i], len) == 0 &&
		    (path[len] == '\0' || path[len] == '/'))
			return true;
	}
	return false;
}

/*
 * A repair, or a link from elsewhere, is no change of what is in a file. What
 * a spare shares with releases was changed in one of them, as far as is known.
 */
static bool
is_somebodys(const struct checkout *checkout, const struct drift_item *item)
{
	struct manifest_entry now;

	if (item->kind == DRIFT_STALE || item->kind == DRIFT_LINKED)
		return false;
	if (pass_recycles(checkout)) {
		manifest_entry_stat(&now, &item->st);
		return item->st.st_nlink == 1 &&
		    now.mtime_ns > checkout->retired_ns;
	}
	return (checkout->built == NULL ||
	    !is_built(checkout->built, item->path)) &&
	    (checkout->shared == NULL ||
	    !is_shared(checkout->shared, item->path));
}

static int
by_place(const void *a, const void *b)
{
	const struct drift_item *x = a, *y = b;

	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return 0;
}

/* The look of a file that is what it should be. */
static void
take_look(const struct checkout *checkout, struct listing_entry *entry,
    const struct manifest_entry *row, const struct stat *st)
{
	entry->row = *row;
	manifest_entry_stat(&entry->row, st);
	if (!checkout->alone)
		entry->row.ctime_ns = 0;
}

static void
add_repair(struct pass *pass, const struct drift_item *item)
{
	const struct manifest *base = pass->checkout->base;
	struct manifest_folder folder;
	struct manifest_entry row;
	struct repair *repair;

	pass->repairs = xreallocarray(pass->repairs, pass->n_repairs + 1,
	    sizeof(*pass->repairs));
	repair = &pass->repairs[pass->n_repairs++];
	memset(repair, 0, sizeof(*repair));
	manifest_folder(base, (size_t)item->folder, &folder);
	manifest_entry(base, (size_t)item->folder, (size_t)item->entry, &row);
	repair->base = (size_t)item->folder;
	repair->folder.path = xstrdup(folder.path);
	repair->folder.base = -1;
	repair->entry.path = xstrdup(item->path);
	repair->entry.name = (size_t)(path_base(item->path) - item->path);
	memcpy(repair->entry.oid.id, row.content, sizeof(row.content));
	repair->entry.mode = row.mode;
	repair->entry.base = item->entry;
	repair->is_written = item->kind != DRIFT_STALE;
	if (!repair->is_written)
		take_look(pass->checkout, &repair->entry, &row, &item->st);
}

/*
 * The file of the listing that is this entry of its folder's base. Both
 * stand in one order, so that "*at" goes on from item to item.
 */
static void
take_entry(struct pass *pass, size_t folder, size_t *at,
    const struct drift_item *item)
{
	struct listing *listing = &pass->listing;
	struct listing_entry *entry;
	struct manifest_entry row;

	while (*at < listing->n && listing->entries[*at].parent ==
	    (int64_t)folder && listing->entries[*at].mode != LISTING_FOLDER
	    && listing->entries[*at].base < item->entry)
		(*at)++;
	if (*at == listing->n)
		return;
	entry = &listing->entries[*at];
	if (entry->parent != (int64_t)folder || entry->base != item->entry ||
	    entry->mode == LISTING_FOLDER ||
	    (entry->flags & LISTING_KEPT) == 0)
		return;
	manifest_entry(pass->checkout->base, (size_t)item->folder,
	    (size_t)item->entry, &row);
	if (item->kind == DRIFT_STALE) {
		entry->flags |= LISTING_LOOKED;
		take_look(pass->checkout, entry, &row, &item->st);
	} else {
		entry->flags &= ~(unsigned int)LISTING_KEPT;
		pass->made->repaired += is_somebodys(pass->checkout, item);
	}
}

/*
 * Both are in the order of the base's folders: an item belongs to the last
 * folder of the listing that begins before it, if it is still within that.
 */
static void
take_items(struct pass *pass, struct drift *drift)
{
	struct listing *listing = &pass->listing;
	size_t k = 0;

	if (drift->n > 1)
		qsort(drift->items, drift->n, sizeof(*drift->items),
		    by_place);
	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];
		struct manifest_folder folder;
		size_t n = 1, at = i + 1;

		if (entry->mode != LISTING_FOLDER || entry->base == -1)
			continue;
		manifest_folder(pass->checkout->base, (size_t)entry->base,
		    &folder);
		if (entry->flags & LISTING_SAME)
			n = folder.n_folders;
		while (k < drift->n && drift->items[k].folder < entry->base)
			k++;
		for (; k < drift->n && drift->items[k].folder <
		    entry->base + (int64_t)n; k++) {
			const struct drift_item *item = &drift->items[k];

			if (item->entry == -1)
				continue;
			if (entry->flags & LISTING_SAME) {
				add_repair(pass, item);
				pass->made->repaired +=
				    is_somebodys(pass->checkout, item);
			} else {
				take_entry(pass, i, &at, item);
			}
		}
	}
}

/* The index that git needs is there by now. */
static const struct err *
remove_added(struct pass *pass, const struct drift *drift)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < drift->n && err == NULL; i++) {
		const struct drift_item *item = &drift->items[i];

		if (item->kind != DRIFT_ADDED || (pass->git.has_index &&
		    strcmp(item->path, ".git/") == 0))
			continue;
		err = file_remove_beneath(pass->checkout->dirfd, item->path);
		pass->made->repaired += is_somebodys(pass->checkout, item);
	}
	return err;
}

/* What the old release has and the commit has not. */
static const struct err *
remove_gone(struct pass *pass)
{
	const struct vec *gone = &pass->listing.gone;
	int dirfd = pass->checkout->dirfd;
	const struct err *err = NULL;

	for (size_t i = 0; i < gone->n && err == NULL; i++)
		err = file_remove_beneath(dirfd, gone->v[i]);
	for (size_t i = 1; i < pass->listing.n && err == NULL; i++) {
		const struct listing_entry *entry = &pass->listing.entries[i];

		if ((entry->flags & LISTING_WANTED) == 0 && entry->base != -1)
			err = file_remove_beneath(dirfd, entry->path);
	}
	return err;
}

const struct err *
pass_settle_folder(int dirfd, const char *path)
{
	const struct err *err;
	struct stat st;
	int fd;

	if (*path != '\0' && mkdirat(dirfd, path, 0777) == -1 &&
	    errno != EEXIST)
		return err_system("create %s", path);
	err = file_open_folder(&fd, dirfd, path);
	if (err != NULL)
		return err;
	if (fstat(fd, &st) == -1)
		err = err_system("stat %s", path);
	else if ((st.st_mode & 07777 & ~S_ISGID) != 0755 &&
	    fchmod(fd, 0755 | (st.st_mode & S_ISGID)) == -1)
		err = err_system("set the mode of %s", path);
	file_close(&fd);
	return err;
}

/* Folders whose look has to change, parents before what is in them. */
static const struct err *
repair_folders(struct pass *pass, const struct drift *drift)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < drift->n && err == NULL; i++) {
		const struct drift_item *item = &drift->items[i];
		struct manifest_folder folder;

		if (item->entry != -1 || item->folder == -1)
			continue;
		manifest_folder(pass->checkout->base, (size_t)item->folder,
		    &folder);
		if (item->st.st_ino != 0 && item->st.st_uid != geteuid())
			return err_new(ERR_FAILED, "%s belongs to user %u",
			    folder.path, (unsigned int)item->st.st_uid);
		err = pass_settle_folder(pass->checkout->dirfd, folder.path);
	}
	return err;
}

const struct err *
pass_compare(struct pass *pass)
{
	const struct checkout *checkout = pass->checkout;
	struct drift_spec spec = { .dirfd = checkout->dirfd,
	    .manifest = checkout->base, .threads = checkout->threads,
	    .added = pass_recycles(checkout),
	    .links_max = checkout->links_max };
	const struct err *err;
	struct drift drift;

	err = drift_find(&drift, &spec);
	if (err == NULL) {
		take_items(pass, &drift);
		if (pass_recycles(checkout)) {
			/* A file may stand in the place of a folder. */
			err = remove_added(pass, &drift);
			if (err == NULL)
				err = repair_folders(pass, &drift);
			if (err == NULL)
				err = remove_gone(pass);
		}
	}
	drift_release(&drift);
	return err;
}
