/*
 * writer - what puts one entry of a commit into a release.
 *
 * Each thread has one of its own. The folder of an entry must be there, and
 * have nothing of its name; it stays open until an entry of another folder
 * comes. What was written is in the entry's "row".
 *
 *	err = writer_open(&writer, checkout, &git, true);
 *	err = writer_put(&writer, folder, entry, &later);
 *	writer_close(&writer);
 */
#ifndef WRITER_H
#define WRITER_H

#include <git2/odb.h>
#include <stdbool.h>

#include "err.h"
#include "release/checkout.h"
#include "release/listing.h"
#include "release/plumbing.h"

struct writer {
	const struct checkout *checkout;
	struct plumbing *git;		/* NULL in threads: see below */
	struct repo *repo;		/* its own, or NULL */
	git_odb *odb;
	char *folder;			/* the one that is open */
	int fd;
	int from_fd;			/* that of the old release, or -1 */
};

/* "own": the repository is opened anew, for a thread. */
const struct err *writer_open(struct writer *writer,
    const struct checkout *checkout, struct plumbing *git, bool own);
void writer_close(struct writer *writer);

/*
 * Without "git", an entry that git has to write is left as it is, with
 * "*later" set: processes are started by one thread only.
 */
const struct err *writer_put(struct writer *writer,
    const struct listing_entry *folder, struct listing_entry *entry,
    bool *later);

/* Remove what stands at an entry's place, if anything does. */
const struct err *writer_clear(struct writer *writer, const char *folder,
    const char *name);

#endif
