/*
 * First the tree is listed and checked, against the manifest of the old
 * release where there is one. What that vouches for is linked (or is there),
 * and compared with its manifest; then git writes what only it can write,
 * and several threads write everything else from the object database.
 *
 * What was touched in a folder that is the same in both commits, and so is
 * not looked into, is a "repair": an entry of its own beside the listing.
 */
#include "checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "crew.h"
#include "file.h"
#include "path.h"
#include "release/convert.h"
#include "release/drift.h"
#include "release/linker.h"
#include "release/listing.h"
#include "release/plumbing.h"
#include "release/writer.h"

/* Files that a thread takes at a time. */
#define PIECE 32

/* One file to be written. */
struct job {
	const struct listing_entry *folder;
	struct listing_entry *entry;
	bool later;		/* by the first thread, with git */
};

/* A file in a folder that is the same; "folder" stands for that. */
struct repair {
	size_t base;		/* the folder in the base */
	struct listing_entry folder;
	struct listing_entry entry;
	bool is_written;	/* no, when only its look is new */
};

struct work {
	const struct checkout *checkout;
	struct listing listing;
	struct plumbing git;
	bool plain;
	struct repair *repairs;
	size_t n_repairs;
	struct job *jobs;
	size_t n_jobs;
	size_t size;
	struct writer writers[CREW_MAX];
	bool open[CREW_MAX];
	struct store_made *made;
};

static bool
recycles(const struct checkout *checkout)
{
	return checkout->base != NULL && checkout->from_fd == -1;
}

/* True when nothing but changed trees can make a difference. */
static bool
trusts_base(const struct checkout *checkout)
{
	unsigned int flags;

	if (checkout->base == NULL || checkout->clones)
		return false;
	flags = manifest_flags(checkout->base);
	return (flags & MANIFEST_PLAIN) != 0 &&
	    ((flags & MANIFEST_EXPORT) != 0) == checkout->export &&
	    ((flags & MANIFEST_ALONE) != 0) == checkout->alone;
}

static void
choose(struct work *work, const struct vec *only)
{
	for (size_t i = 0; i < work->listing.n; i++) {
		struct listing_entry *entry = &work->listing.entries[i];

		if (entry->mode != LISTING_FOLDER &&
		    !vec_has(only, entry->path))
			entry->flags |= LISTING_IGNORED;
	}
}

/* A listing that leaves folders out serves as long as nothing converts. */
static const struct err *
list(struct work *work)
{
	const struct checkout *checkout = work->checkout;
	bool whole = !trusts_base(checkout);
	const struct err *err;

	for (;;) {
		err = listing_read(&work->listing, checkout->repo,
		    checkout->commit, checkout->base, whole);
		if (err == NULL)
			err = convert_asks(&work->listing, checkout->repo,
			    &work->git, checkout->export, &work->plain);
		if (err != NULL || work->plain || whole)
			break;
		listing_release(&work->listing);
		whole = true;
	}
	if (err == NULL && !work->plain)
		err = convert_mark(&work->listing, checkout->repo,
		    &work->git, checkout->export);
	if (err != NULL)
		return err;
	if (checkout->only != NULL)
		choose(work, checkout->only);
	listing_settle(&work->listing, checkout->export &&
	    checkout->only == NULL);
	return NULL;
}

/* What attributes change is never taken from an old release. */
static void
settle_kept(struct work *work)
{
	for (size_t i = 0; i < work->listing.n; i++) {
		struct listing_entry *entry = &work->listing.entries[i];

		if (entry->flags & (LISTING_CONVERT | LISTING_SUBST) ||
		    (entry->flags & LISTING_WANTED) == 0)
			entry->flags &= ~(unsigned int)LISTING_KEPT;
	}
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
add_repair(struct work *work, const struct drift_item *item)
{
	const struct manifest *base = work->checkout->base;
	struct manifest_folder folder;
	struct manifest_entry row;
	struct repair *repair;

	work->repairs = xreallocarray(work->repairs, work->n_repairs + 1,
	    sizeof(*work->repairs));
	repair = &work->repairs[work->n_repairs++];
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
		take_look(work->checkout, &repair->entry, &row, &item->st);
}

/* The file of the listing that is this entry of its folder's base. */
static void
take_entry(struct work *work, size_t folder, const struct drift_item *item)
{
	struct listing *listing = &work->listing;

	for (size_t i = folder + 1; i < listing->n &&
	    listing->entries[i].parent == (int64_t)folder &&
	    listing->entries[i].mode != LISTING_FOLDER; i++) {
		struct listing_entry *entry = &listing->entries[i];
		struct manifest_entry row;

		if (entry->base != item->entry ||
		    (entry->flags & LISTING_KEPT) == 0)
			continue;
		manifest_entry(work->checkout->base, (size_t)item->folder,
		    (size_t)item->entry, &row);
		if (item->kind == DRIFT_STALE) {
			entry->flags |= LISTING_LOOKED;
			take_look(work->checkout, entry, &row, &item->st);
		} else {
			entry->flags &= ~(unsigned int)LISTING_KEPT;
			work->made->repaired++;
		}
	}
}

/*
 * Both are in the order of the base's folders: an item belongs to the last
 * folder of the listing that begins before it, if it is still within that.
 */
static void
take_items(struct work *work, struct drift *drift)
{
	struct listing *listing = &work->listing;
	size_t k = 0;

	if (drift->n > 1)
		qsort(drift->items, drift->n, sizeof(*drift->items),
		    by_place);
	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];
		struct manifest_folder folder;
		size_t n = 1;

		if (entry->mode != LISTING_FOLDER || entry->base == -1)
			continue;
		manifest_folder(work->checkout->base, (size_t)entry->base,
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
				add_repair(work, item);
				work->made->repaired +=
				    item->kind != DRIFT_STALE;
			} else {
				take_entry(work, i, item);
			}
		}
	}
}

/* By its folder, which may be no symlink, and neither any above it. */
static const struct err *
remove_path(int dirfd, const char *path)
{
	char *copy = xstrndup(path, strlen(path) -
	    (path[strlen(path) - 1] == '/'));
	const struct err *err;
	int fd;

	err = file_open_parent(&fd, dirfd, copy);
	if (err == NULL)
		err = file_remove_tree(fd, path_base(copy));
	else if (err->sys_errno == ENOENT)
		err = NULL;
	file_close(&fd);
	free(copy);
	return err;
}

/* What the old release has and the commit has not, and what was added. */
static const struct err *
remove_rest(struct work *work, const struct drift *drift)
{
	const struct vec *gone = &work->listing.gone;
	int dirfd = work->checkout->dirfd;
	const struct err *err = NULL;

	for (size_t i = 0; i < drift->n && err == NULL; i++) {
		if (drift->items[i].kind == DRIFT_ADDED) {
			err = remove_path(dirfd, drift->items[i].path);
			work->made->repaired++;
		}
	}
	for (size_t i = 0; i < gone->n && err == NULL; i++)
		err = remove_path(dirfd, gone->v[i]);
	for (size_t i = 1; i < work->listing.n && err == NULL; i++) {
		const struct listing_entry *entry = &work->listing.entries[i];

		if ((entry->flags & LISTING_WANTED) == 0 && entry->base != -1)
			err = remove_path(dirfd, entry->path);
	}
	return err;
}

/* There, a real folder, and of the one mode that folders have. */
static const struct err *
settle_folder(int dirfd, const char *path)
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
repair_folders(struct work *work, const struct drift *drift)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < drift->n && err == NULL; i++) {
		const struct drift_item *item = &drift->items[i];
		struct manifest_folder folder;

		if (item->entry != -1 || item->folder == -1)
			continue;
		manifest_folder(work->checkout->base, (size_t)item->folder,
		    &folder);
		if (item->st.st_ino != 0 && item->st.st_uid != geteuid())
			return err_new(ERR_FAILED, "%s belongs to user %u",
			    folder.path, (unsigned int)item->st.st_uid);
		err = settle_folder(work->checkout->dirfd, folder.path);
	}
	return err;
}

/*
 * Compare with the manifest of the old release, and take what is not as it
 * says for what has to be written.
 */
static const struct err *
compare(struct work *work)
{
	const struct checkout *checkout = work->checkout;
	struct drift_spec spec = { .dirfd = checkout->dirfd,
	    .manifest = checkout->base, .threads = checkout->threads,
	    .added = recycles(checkout), .strict = true,
	    .links_max = checkout->links_max };
	const struct err *err;
	struct drift drift;

	err = drift_find(&drift, &spec);
	if (err == NULL) {
		take_items(work, &drift);
		if (recycles(checkout)) {
			/* Folders first: a file may stand in its place. */
			err = remove_rest(work, &drift);
			if (err == NULL)
				err = repair_folders(work, &drift);
		}
	}
	drift_release(&drift);
	return err;
}

static void
add_job(struct work *work, const struct listing_entry *folder,
    struct listing_entry *entry)
{
	if (work->n_jobs == work->size) {
		work->size = work->size == 0 ? 64 : work->size * 2;
		work->jobs = xreallocarray(work->jobs, work->size,
		    sizeof(*work->jobs));
	}
	work->jobs[work->n_jobs++] = (struct job){ folder, entry, false };
}

static void
add_jobs(struct work *work)
{
	struct listing *listing = &work->listing;
	bool clones = work->checkout->clones;

	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];

		if (entry->mode == LISTING_FOLDER ||
		    (entry->flags & LISTING_WANTED) == 0 ||
		    (entry->flags & LISTING_KEPT && !clones))
			continue;
		add_job(work, &listing->entries[entry->parent], entry);
	}
	for (size_t i = 0; i < work->n_repairs; i++) {
		if (work->repairs[i].is_written)
			add_job(work, &work->repairs[i].folder,
			    &work->repairs[i].entry);
	}
}

static const struct err *
make_folders(struct work *work)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < work->listing.n && err == NULL; i++) {
		const struct listing_entry *entry = &work->listing.entries[i];

		if (entry->mode != LISTING_FOLDER ||
		    (entry->flags & LISTING_WANTED) == 0 ||
		    (entry->flags & LISTING_SAME) != 0)
			continue;
		err = settle_folder(work->checkout->dirfd, entry->path);
	}
	return err;
}

static const struct err *
open_writer(struct work *work, int worker, struct writer **writer)
{
	const struct err *err = NULL;

	*writer = &work->writers[worker];
	if (!work->open[worker])
		err = writer_open(*writer, work->checkout, NULL,
		    worker > 0);
	work->open[worker] = true;
	return err;
}

static const struct err *
clear_job(struct writer *writer, const struct job *job)
{
	return writer_clear(writer, job->folder->path, job->entry->path +
	    job->entry->name);
}

static const struct err *
clear_some(size_t from, size_t to, int worker, void *ctx)
{
	struct work *work = ctx;
	struct writer *writer;
	const struct err *err;

	err = open_writer(work, worker, &writer);
	for (size_t i = from; i < to && err == NULL; i++)
		err = clear_job(writer, &work->jobs[i]);
	return err;
}

static const struct err *
write_some(size_t from, size_t to, int worker, void *ctx)
{
	struct work *work = ctx;
	struct writer *writer;
	const struct err *err;

	err = open_writer(work, worker, &writer);
	for (size_t i = from; i < to && err == NULL; i++)
		err = writer_put(writer, work->jobs[i].folder,
		    work->jobs[i].entry, &work->jobs[i].later);
	return err;
}

/* What needs git to write it, one after the other. */
static const struct err *
write_later(struct work *work)
{
	struct writer *writer = &work->writers[0];
	const struct err *err = NULL;
	bool later;

	writer->git = &work->git;
	for (size_t i = 0; i < work->n_jobs && err == NULL; i++) {
		if (work->jobs[i].later)
			err = writer_put(writer, work->jobs[i].folder,
			    work->jobs[i].entry, &later);
	}
	writer->git = NULL;
	return err;
}

static const struct err *
write_all(struct work *work)
{
	const struct checkout *checkout = work->checkout;
	const struct err *err = NULL;
	struct writer *writer;

	add_jobs(work);
	if (checkout->base != NULL && !checkout->clones)
		err = crew_run(checkout->threads, work->n_jobs, PIECE,
		    clear_some, work);
	if (err == NULL)
		err = make_folders(work);
	if (err == NULL)
		err = convert_write(&work->listing, &work->git);
	if (err == NULL)
		err = crew_run(checkout->threads, work->n_jobs, PIECE,
		    write_some, work);
	if (err == NULL)
		err = open_writer(work, 0, &writer);
	if (err == NULL)
		err = write_later(work);
	for (int i = 0; i < CREW_MAX; i++) {
		if (work->open[i])
			writer_close(&work->writers[i]);
	}
	work->made->written += (int64_t)work->n_jobs;
	return err;
}

/* A folder that is the same, with the rows of its repairs. */
static void
note_repaired(struct work *work, struct manifest_draft *draft, size_t base,
    struct repair **repair, const struct repair *end)
{
	struct manifest_folder folder;

	manifest_folder(work->checkout->base, base, &folder);
	manifest_add_folder(draft, folder.path, folder.tree);
	for (size_t k = 0; k < folder.n_entries; k++) {
		struct manifest_entry row;

		manifest_entry(work->checkout->base, base, k, &row);
		if (*repair < end && (*repair)->base == base &&
		    (*repair)->entry.base == (int64_t)k) {
			const char *name = row.name;

			row = (*repair)->entry.row;
			row.name = name;
			(*repair)++;
		}
		manifest_add(draft, &row);
	}
}

/* All beneath a folder that is the same: as it stands, but for repairs. */
static void
note_same(struct work *work, struct manifest_draft *draft, size_t base,
    struct repair **repair)
{
	const struct manifest *from = work->checkout->base;
	const struct repair *end = work->repairs + work->n_repairs;
	struct manifest_folder folder, last;
	size_t i = base, until;

	manifest_folder(from, base, &folder);
	until = base + folder.n_folders;
	manifest_folder(from, until - 1, &last);
	work->made->files += (int64_t)(last.first + last.n_entries -
	    folder.first);
	work->made->folders += (int64_t)(folder.n_folders - (base == 0));
	while (i < until) {
		size_t next = *repair < end && (*repair)->base < until ?
		    (*repair)->base : until;

		if (next > i)
			manifest_copy(draft, from, i, next - i);
		if (next < until)
			note_repaired(work, draft, next++, repair, end);
		i = next;
	}
}

static void
note_file(struct work *work, struct manifest_draft *draft,
    const struct listing_entry *entry)
{
	const struct listing_entry *folder =
	    &work->listing.entries[entry->parent];
	struct manifest_entry row = entry->row;

	if ((entry->flags & (LISTING_KEPT | LISTING_LOOKED)) == LISTING_KEPT
	    && !work->checkout->clones) {
		manifest_entry(work->checkout->base, (size_t)folder->base,
		    (size_t)entry->base, &row);
		if (!work->checkout->alone)
			row.ctime_ns = 0;
	}
	row.name = entry->path + entry->name;
	manifest_add(draft, &row);
	work->made->files++;
}

static void
note_all(struct work *work, struct manifest_draft *draft)
{
	struct repair *repair = work->repairs;

	for (size_t i = 0; i < work->listing.n; i++) {
		const struct listing_entry *entry = &work->listing.entries[i];

		if ((entry->flags & LISTING_WANTED) == 0)
			continue;
		if (entry->flags & LISTING_SAME) {
			note_same(work, draft, (size_t)entry->base, &repair);
		} else if (entry->mode == LISTING_FOLDER) {
			manifest_add_folder(draft, entry->path,
			    entry->oid.id);
			work->made->folders += i > 0;
		} else {
			note_file(work, draft, entry);
		}
	}
}

static void
release_work(struct work *work)
{
	for (size_t i = 0; i < work->n_repairs; i++) {
		free(work->repairs[i].folder.path);
		free(work->repairs[i].entry.path);
	}
	free(work->repairs);
	free(work->jobs);
	listing_release(&work->listing);
}

const struct err *
checkout_write(const struct checkout *checkout, struct manifest_draft *draft,
    struct store_made *made, unsigned int *flags)
{
	struct work work = { .checkout = checkout, .listing = LISTING_INIT,
	    .made = made };
	const struct err *err;

	plumbing_init(&work.git, checkout->repo, checkout->commit,
	    checkout->dirfd, NULL);
	err = list(&work);
	if (err == NULL)
		settle_kept(&work);
	if (err == NULL && checkout->base != NULL && !recycles(checkout) &&
	    !checkout->clones)
		err = linker_link(checkout, &work.listing);
	if (err == NULL && checkout->base != NULL && !checkout->clones)
		err = compare(&work);
	if (err == NULL)
		err = write_all(&work);
	err = err_first(err, plumbing_release(&work.git));
	if (err == NULL && draft != NULL)
		note_all(&work, draft);
	*flags = (work.plain ? MANIFEST_PLAIN : 0) |
	    (checkout->export ? MANIFEST_EXPORT : 0) |
	    (checkout->alone ? MANIFEST_ALONE : 0);
	release_work(&work);
	return err;
}
