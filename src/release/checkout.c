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

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "file.h"
#include "release/convert.h"
#include "release/linker.h"
#include "release/pass.h"

/* Files that a thread takes at a time. */
#define PIECE 32

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
choose(struct pass *pass, const struct vec *only)
{
	for (size_t i = 0; i < pass->listing.n; i++) {
		struct listing_entry *entry = &pass->listing.entries[i];

		if (entry->mode != LISTING_FOLDER &&
		    !vec_has(only, entry->path))
			entry->flags |= LISTING_IGNORED;
	}
}

/* A listing that leaves folders out serves as long as nothing converts. */
static const struct err *
list(struct pass *pass)
{
	const struct checkout *checkout = pass->checkout;
	bool whole = !trusts_base(checkout);
	const struct err *err;

	for (;;) {
		err = listing_read(&pass->listing, checkout->repo,
		    checkout->commit, checkout->base, whole);
		if (err == NULL)
			err = convert_asks(&pass->listing, checkout->repo,
			    &pass->git, checkout->export, &pass->plain);
		if (err != NULL || pass->plain || whole)
			break;
		listing_release(&pass->listing);
		whole = true;
	}
	if (err == NULL && !pass->plain)
		err = convert_mark(&pass->listing, checkout->repo,
		    &pass->git, checkout->export);
	if (err != NULL)
		return err;
	if (checkout->only != NULL)
		choose(pass, checkout->only);
	listing_settle(&pass->listing, checkout->export &&
	    checkout->only == NULL);
	return NULL;
}

/* What attributes change is never taken from an old release. */
static void
settle_kept(struct pass *pass)
{
	for (size_t i = 0; i < pass->listing.n; i++) {
		struct listing_entry *entry = &pass->listing.entries[i];

		if (entry->flags & (LISTING_CONVERT | LISTING_SUBST) ||
		    (entry->flags & LISTING_WANTED) == 0)
			entry->flags &= ~(unsigned int)LISTING_KEPT;
	}
}

static void
add_job(struct pass *pass, const struct listing_entry *folder,
    struct listing_entry *entry)
{
	if (pass->n_jobs == pass->size) {
		pass->size = pass->size == 0 ? 64 : pass->size * 2;
		pass->jobs = xreallocarray(pass->jobs, pass->size,
		    sizeof(*pass->jobs));
	}
	pass->jobs[pass->n_jobs++] = (struct job){ folder, entry, false };
}

static void
add_jobs(struct pass *pass)
{
	struct listing *listing = &pass->listing;
	bool clones = pass->checkout->clones;

	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];

		if (entry->mode == LISTING_FOLDER ||
		    (entry->flags & LISTING_WANTED) == 0 ||
		    (entry->flags & LISTING_KEPT && !clones))
			continue;
		add_job(pass, &listing->entries[entry->parent], entry);
	}
	for (size_t i = 0; i < pass->n_repairs; i++) {
		if (pass->repairs[i].is_written)
			add_job(pass, &pass->repairs[i].folder,
			    &pass->repairs[i].entry);
	}
}

static const struct err *
make_folders(struct pass *pass)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < pass->listing.n && err == NULL; i++) {
		const struct listing_entry *entry = &pass->listing.entries[i];

		if (entry->mode != LISTING_FOLDER ||
		    (entry->flags & LISTING_WANTED) == 0 ||
		    (entry->flags & LISTING_SAME) != 0)
			continue;
		err = pass_settle_folder(pass->checkout->dirfd, entry->path);
	}
	return err;
}

static const struct err *
open_writer(struct pass *pass, int worker, struct writer **writer)
{
	const struct err *err = NULL;

	*writer = &pass->writers[worker];
	if (!pass->open[worker])
		err = writer_open(*writer, pass->checkout, NULL,
		    worker > 0);
	pass->open[worker] = true;
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
	struct pass *pass = ctx;
	struct writer *writer;
	const struct err *err;

	err = open_writer(pass, worker, &writer);
	for (size_t i = from; i < to && err == NULL; i++)
		err = clear_job(writer, &pass->jobs[i]);
	return err;
}

static const struct err *
write_some(size_t from, size_t to, int worker, void *ctx)
{
	struct pass *pass = ctx;
	struct writer *writer;
	const struct err *err;

	err = open_writer(pass, worker, &writer);
	for (size_t i = from; i < to && err == NULL; i++)
		err = writer_put(writer, pass->jobs[i].folder,
		    pass->jobs[i].entry, &pass->jobs[i].later);
	return err;
}

/* What needs git to write it, one after the other. */
static const struct err *
write_later(struct pass *pass)
{
	struct writer *writer = &pass->writers[0];
	const struct err *err = NULL;
	bool later;

	writer->git = &pass->git;
	for (size_t i = 0; i < pass->n_jobs && err == NULL; i++) {
		if (pass->jobs[i].later)
			err = writer_put(writer, pass->jobs[i].folder,
			    pass->jobs[i].entry, &later);
	}
	writer->git = NULL;
	return err;
}

static const struct err *
write_all(struct pass *pass)
{
	const struct checkout *checkout = pass->checkout;
	const struct err *err = NULL;
	struct writer *writer;

	add_jobs(pass);
	if (checkout->base != NULL && !checkout->clones)
		err = crew_run(checkout->threads, pass->n_jobs, PIECE,
		    clear_some, pass);
	if (err == NULL)
		err = make_folders(pass);
	if (err == NULL)
		err = convert_write(&pass->listing, &pass->git);
	if (err == NULL)
		err = crew_run(checkout->threads, pass->n_jobs, PIECE,
		    write_some, pass);
	if (err == NULL)
		err = open_writer(pass, 0, &writer);
	if (err == NULL)
		err = write_later(pass);
	for (int i = 0; i < CREW_MAX; i++) {
		if (pass->open[i])
			writer_close(&pass->writers[i]);
	}
	pass->made->written += (int64_t)pass->n_jobs;
	return err;
}

static void
release_pass(struct pass *pass)
{
	for (size_t i = 0; i < pass->n_repairs; i++) {
		free(pass->repairs[i].folder.path);
		free(pass->repairs[i].entry.path);
	}
	free(pass->repairs);
	free(pass->jobs);
	listing_release(&pass->listing);
}

const struct err *
checkout_write(const struct checkout *checkout, struct manifest_draft *draft,
    struct store_made *made, unsigned int *flags)
{
	struct pass pass = { .checkout = checkout, .listing = LISTING_INIT,
	    .made = made };
	const struct err *err;

	plumbing_init(&pass.git, checkout->repo, checkout->commit,
	    checkout->dirfd, NULL);
	/* No release has one; git's index is going to be in it. */
	err = pass_recycles(checkout) ?
	    file_remove_tree(checkout->dirfd, ".git") : NULL;
	if (err == NULL)
		err = list(&pass);
	if (err == NULL)
		settle_kept(&pass);
	if (err == NULL && checkout->base != NULL && !pass_recycles(checkout) &&
	    !checkout->clones)
		err = linker_link(checkout, &pass.listing);
	if (err == NULL && checkout->base != NULL && !checkout->clones)
		err = pass_compare(&pass);
	if (err == NULL)
		err = write_all(&pass);
	err = err_first(err, plumbing_release(&pass.git));
	if (err == NULL && draft != NULL)
		pass_note(&pass, draft);
	*flags = (pass.plain ? MANIFEST_PLAIN : 0) |
	    (checkout->export ? MANIFEST_EXPORT : 0) |
	    (checkout->alone ? MANIFEST_ALONE : 0);
	release_pass(&pass);
	return err;
}
