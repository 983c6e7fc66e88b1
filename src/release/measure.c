/*
 * What a release will take, told from the commit's tree alone. The sizes
 * come from the heads of the objects: about a microsecond each in a pack,
 * which is less than checking the live release's manifest would take.
 */
#include <git2.h>
#include <string.h>

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

/* What an entry takes in a manifest, besides its path, in bytes. */
#define ENTRY_BYTES 73

struct measure {
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

static void
add_up(struct measure *measure)
{
	int64_t names = 0, manifest = 0;

	measure->bytes = RESERVE_BYTES;
	measure->inodes = RESERVE_INODES;
	for (size_t i = 0; i < measure->listing.n; i++) {
		const struct listing_entry *entry =
		    &measure->listing.entries[i];
		int64_t size_bytes = 1;

		if ((entry->flags & LISTING_WANTED) == 0)
			continue;
		if (entry->mode != LISTING_FOLDER &&
		    entry->mode != LISTING_SYMLINK)
			size_bytes = size_of(measure, entry);
		measure->bytes += room_rounded(&measure->room, size_bytes);
		measure->inodes++;
		names += NAME_BYTES + (int64_t)strlen(entry->path +
		    entry->name);
		manifest += ENTRY_BYTES + (int64_t)strlen(entry->path);
	}
	measure->bytes += room_rounded(&measure->room, names) +
	    room_rounded(&measure->room, manifest);
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
    struct repo *repo, const char *commit)
{
	struct plumbing git;
	const struct err *err;

	for (size_t i = 0; i < measure->listing.n; i++)
		measure->listing.entries[i].flags = 0;
	plumbing_init(&git, repo, commit, store->releases_fd);
	err = convert_mark(&measure->listing, repo, &git, true);
	err = err_first(err, plumbing_release(&git));
	if (err != NULL)
		return err;
	listing_settle(&measure->listing, true);
	add_up(measure);
	return NULL;
}

static const struct err *
prepare(struct measure *measure, struct store *store, struct repo *repo)
{
	const struct err *err;
	int code;

	err = room_look(&measure->room, store->root_fd);
	if (err != NULL)
		return err_add(err, "%s", store->root);
	code = git_repository_odb(&measure->odb, repo_handle(repo));
	return code == 0 ? NULL : repo_error(code, "open the objects");
}

const struct err *
store_room(struct store *store, struct repo *repo, const char *commit,
    bool export, struct store_room *room)
{
	struct measure measure = { .listing = LISTING_INIT };
	const struct err *err;

	err = prepare(&measure, store, repo);
	/* What is wrong with a tree is told by the checkout. */
	if (err == NULL && listing_read(&measure.listing, repo, commit) ==
	    NULL) {
		listing_settle(&measure.listing, false);
		add_up(&measure);
		if (export && is_short(&measure))
			err = add_up_exported(&measure, store, repo, commit);
	}
	room->need_bytes = measure.bytes;
	room->need_inodes = measure.inodes;
	room->free_bytes = measure.room.free_bytes;
	room->free_inodes = measure.room.free_inodes;
	listing_release(&measure.listing);
	git_odb_free(measure.odb);
	return err;
}
