#include "release/linker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "crew.h"
#include "file.h"

/* Folders that a thread takes at a time. */
#define PIECE 32

/* A folder of the base, and which entry of the listing it is, or -1. */
struct unit {
	size_t base;
	int64_t entry;
};

struct linker {
	const struct checkout *checkout;
	const struct listing *listing;
	struct unit *units;
	size_t n;
	size_t size;
};

/* Parents come first; all of them lie in a folder that is ours alone. */
static const struct err *
make_folder(struct linker *linker, size_t base, int64_t entry)
{
	struct manifest_folder folder;

	if (linker->n == linker->size) {
		linker->size = linker->size == 0 ? 256 : linker->size * 2;
		linker->units = xreallocarray(linker->units, linker->size,
		    sizeof(*linker->units));
	}
	linker->units[linker->n++] = (struct unit){ base, entry };
	manifest_folder(linker->checkout->base, base, &folder);
	if (*folder.path != '\0' && mkdirat(linker->checkout->dirfd,
	    folder.path, 0755) == -1)
		return err_system("create %s", folder.path);
	return NULL;
}

static const struct err *
make_folders(struct linker *linker)
{
	const struct listing *listing = linker->listing;
	const struct err *err = NULL;

	for (size_t i = 0; i < listing->n && err == NULL; i++) {
		const struct listing_entry *entry = &listing->entries[i];
		struct manifest_folder folder;
		size_t base = (size_t)entry->base;

		if (entry->mode != LISTING_FOLDER || entry->base == -1 ||
		    (entry->flags & LISTING_WANTED) == 0)
			continue;
		if ((entry->flags & LISTING_SAME) == 0) {
			err = make_folder(linker, base, (int64_t)i);
			continue;
		}
		manifest_folder(linker->checkout->base, base, &folder);
		for (size_t k = 0; k < folder.n_folders && err == NULL; k++)
			err = make_folder(linker, base + k, -1);
	}
	return err;
}

static const struct err *
link_file(int from_fd, int to_fd, const char *name)
{
	if (linkat(from_fd, name, to_fd, name, 0) == 0)
		return NULL;
	switch (errno) {
	case ENOENT:
	case EMLINK:
	case EPERM:
	case EACCES:
	case EXDEV:
		return NULL;
	default:
		return err_system("link %s", name);
	}
}

static const struct err *
link_same(const struct linker *linker, size_t base, size_t n, int from_fd,
    int to_fd)
{
	const struct err *err = NULL;

	for (size_t k = 0; k < n && err == NULL; k++) {
		struct manifest_entry row;

		manifest_entry(linker->checkout->base, base, k, &row);
		err = link_file(from_fd, to_fd, row.name);
	}
	return err;
}

/* Files of a folder follow it in the listing, up to its first subfolder. */
static const struct err *
link_kept(const struct linker *linker, int64_t folder, int from_fd,
    int to_fd)
{
	const struct listing *listing = linker->listing;
	const struct err *err = NULL;

	for (size_t i = (size_t)folder + 1; i < listing->n && err == NULL;
	    i++) {
		const struct listing_entry *entry = &listing->entries[i];

		if (entry->parent != folder || entry->mode == LISTING_FOLDER)
			break;
		if (entry->flags & LISTING_KEPT)
			err = link_file(from_fd, to_fd, entry->path +
			    entry->name);
	}
	return err;
}

static const struct err *
link_unit(const struct linker *linker, const struct unit *unit)
{
	struct manifest_folder folder;
	const struct err *err;
	int from = -1, to = -1;

	manifest_folder(linker->checkout->base, unit->base, &folder);
	/* Without the folder there is nothing to link. */
	if (file_open_folder(&from, linker->checkout->from_fd, folder.path) !=
	    NULL)
		return NULL;
	err = file_open_folder(&to, linker->checkout->dirfd, folder.path);
	if (err == NULL)
		err = unit->entry == -1 ? link_same(linker, unit->base,
		    folder.n_entries, from, to) :
		    link_kept(linker, unit->entry, from, to);
	file_close(&from);
	file_close(&to);
	return err == NULL ? NULL : err_add(err, "%s", folder.path);
}

static const struct err *
link_some(size_t from, size_t to, int worker, void *ctx)
{
	struct linker *linker = ctx;
	const struct err *err = NULL;

	(void)worker;
	for (size_t i = from; i < to && err == NULL; i++)
		err = link_unit(linker, &linker->units[i]);
	return err;
}

const struct err *
linker_link(const struct checkout *checkout, const struct listing *listing)
{
	struct linker linker = { .checkout = checkout, .listing = listing };
	const struct err *err;

	err = make_folders(&linker);
	if (err == NULL)
		err = crew_run(checkout->threads, linker.n, PIECE, link_some,
		    &linker);
	free(linker.units);
	return err;
}
