/*
 * pass - one checkout on its way, for the files called checkout*.c alone.
 *
 *	checkout.c		what is to be done, and the writing
 *	checkout_compare.c	what is there, compared with its manifest
 *	checkout_note.c		what came of it, for the new manifest
 */
#ifndef PASS_H
#define PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "crew.h"
#include "err.h"
#include "release/checkout.h"
#include "release/listing.h"
#include "release/plumbing.h"
#include "release/writer.h"

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

struct pass {
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

/* True when the folder is the old release itself. */
bool pass_recycles(const struct checkout *checkout);

/* There, a real folder, and of the one mode that folders have. */
const struct err *pass_settle_folder(int dirfd, const char *path);

/*
 * Compare with the manifest of the old release, and take what is not as it
 * says for what has to be written. In a release that is recycled, what does
 * not belong into it is removed.
 */
const struct err *pass_compare(struct pass *pass);

/* Write the rows of the new manifest. */
void pass_note(struct pass *pass, struct manifest_draft *draft);

#endif
