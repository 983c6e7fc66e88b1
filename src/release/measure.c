/*
 * What a release will take, told from the commit's tree and from what it
 * will be made of. The sizes come from the heads of the objects: about a
 * microsecond each in a pack.
 */
#include <git2.h>
#include <string.h>

#include "release/base.h"
#include "release/convert.h"
#include "release/layout.h"
#include "release/listing.h"
#include "release/plumbing.h"
#include "release/store.h"
#include "repo.h"
#include "room.h"

/* Kept for what is written beside the release: locks, records, links. */
#define RESERVE_BYTES (1024 * 1024)
#define RESERVE_INODES 16

/* What a name takes in its folder, besides its own length, in bytes. */
#define NAME_BYTES 24

/* What an entry takes in a manifest, besides its name, in bytes. */
#define ROW_BYTES 61

struct measure {
	struct base base;
	struct listing listing;
	git_odb *odb;
	struct room room;
	int64_t bytes;
	int64_t inodes;
};

/* A blob that cannot be read is told of by the checkout. */
static int64_t
size_of(const struct measure *measure, const struct listing_entry *entry)
{
	git_object_t type;
	size_t len = 0;

	git_odb_read_header(&len, &type, measure->odb, &entry->oid);
	return (int64_t)len;
}

/* Folders that are linked are made; those of a spare are there. */
static void
add_same(struct measure *measure, const struct listing_entry *entry)
{
	struct manifest_folder folder;

	if (measure->base.way != STORE_LINK)
		return;
	manifest_folder(measure->base.manifest, (size_t)entry->base, &folder);
	measure->bytes += (int64_t)folder.n_folders *
	    room_rounded(&measure->room, 1);
	measure->inodes += (int64_t)folder.n_folders;
}

static void
add_entry(struct measure *measure, const struct listing_entry *entry,
    int64_t *names)
{
	bool is_folder = entry->mode == LISTING_FOLDER;
	int64_t size_bytes = 1;

	*names += NAME_BYTES + (int64_t)strlen(entry->path + entry->name);
	if (entry->flags & LISTING_KEPT || (is_folder && entry->base != -1 &&
	    measure->base.way == STORE_RECYCLE))
		return;
	if (!is_folder && entry->mode != LISTING_SYMLINK)
		size_bytes = size_of(measure, entry);
	measure->bytes += room_rounded(&measure->room, size_bytes);
	measure->inodes++;
}

static void
add_up(struct measure *measure)
{
	int64_t names = 0, rows = 0;

	measure->bytes = RESERVE_BYTES;
	measure->inodes = RESERVE_INODES;
	if (measure->base.manifest != NULL)
		rows = (int64_t)manifest_n_entries(measure->base.manifest);
	for (size_t i = 0; i < measure->listing.n; i++) {
		const struct listing_entry *entry =
		    &measure->listing.entries[i];

		if ((entry->flags & LISTING_WANTED) == 0)
			continue;
		if (entry->flags & LISTING_SAME)
			add_same(measure, entry);
		else
			add_entry(measure, entry, &names);
		rows++;
	}
	measure->bytes += room_rounded(&measure->room, names) +
	    room_rounded(&measure->room, rows * ROW_BYTES + names);
}

static bool
is_short(const struct measure *measure)
{
	return measure->bytes > measure->room.free_bytes ||
	    measure->inodes > measure->room.free_inodes;
}

/*
 * What "export" leaves out is asked of git, and only when it matters.
 */
static const struct err *
add_up_exported(struct measure *measure, struct store *store,
    const struct store_spec *spec)
{
	struct plumbing git;
	const struct err *err;

	listing_release(&measure->listing);
	err = listing_read(&measure->listing, spec->repo, spec->commit,
	    measure->base.manifest, true);
	if (err != NULL)
		return err;
	plumbing_init(&git, spec->repo, spec->commit, store->releases_fd,
	    NULL);
	err = convert_mark(&measure->listing, spec->repo, &git, true);
	err = err_first(err, plumbing_release(&git));
	if (err != NULL)
		return err;
	listing_settle(&measure->listing, true);
	add_up(measure);
	return NULL;
}

static const struct err *
prepare(struct measure *measure, struct store *store,
    const struct store_spec *spec)
{
	const struct err *err;
	int code;

	err = room_look(&measure->room, store->root_fd);
	if (err != NULL)
		return err_add(err, "%s", store->root);
	code = git_repository_odb(&measure->odb, repo_handle(spec->repo));
	if (code != 0)
		return repo_error(code, "open the objects");
	err = base_choose(&measure->base, store, spec,
	    BASE_SPARE | BASE_LIVE | BASE_BUSY);
	/* Blocks that are shared take no room; it is better to be wrong. */
	if (err == NULL && measure->base.clones) {
		base_release(&measure->base);
		measure->base.way = STORE_FRESH;
	}
	return err;
}

const struct err *
store_room(struct store *store, const struct store_spec *spec,
    struct store_room *room)
{
	struct measure measure = { .listing = LISTING_INIT };
	const struct err *err;

	err = prepare(&measure, store, spec);
	/* What is wrong with a tree is told by the checkout. */
	if (err == NULL && listing_read(&measure.listing, spec->repo,
	    spec->commit, measure.base.manifest, false) == NULL) {
		listing_settle(&measure.listing, false);
		add_up(&measure);
		if (spec->export && is_short(&measure))
			err = add_up_exported(&measure, store, spec);
	}
	room->need_bytes = measure.bytes;
	room->need_inodes = measure.inodes;
	room->free_bytes = measure.room.free_bytes;
	room->free_inodes = measure.room.free_inodes;
	listing_release(&measure.listing);
	git_odb_free(measure.odb);
	base_release(&measure.base);
	return err;
}
