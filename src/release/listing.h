/*
 * listing - what a commit's tree holds, checked, before a byte is written.
 *
 * Entries stand in the order of a walk: a folder, then what is in it. So
 * a writer needs one open descriptor for each level and no path lookups.
 *
 *	err = listing_read(&listing, repo, commit);
 *	...			mark entries as ignored
 *	listing_settle(&listing);
 *	...
 *	listing_release(&listing);
 *
 * A tree is outsiders' data; what listing_read() accepts is safe to create.
 */
#ifndef LISTING_H
#define LISTING_H

#include <git2/oid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct repo;

/* What git's attributes say about an entry. */
#define LISTING_IGNORED 1	/* export-ignore */
#define LISTING_SUBST 2		/* export-subst */
#define LISTING_CONVERT 4	/* git has to write it */
#define LISTING_FILTER 8	/* a filter driver is named for it */
#define LISTING_WANTED 16	/* it is to be written; see settle */
#define LISTING_BY_GIT 32	/* a folder that git makes on its way */

#define LISTING_FOLDER 0040000
#define LISTING_FILE 0100644
#define LISTING_PROGRAM 0100755
#define LISTING_SYMLINK 0120000

struct listing_entry {
	char *path;
	size_t name;		/* offset of the last component in path */
	git_oid oid;
	uint32_t mode;		/* one of the four */
	int depth;		/* 0 in the root */
	int64_t parent;		/* index of its folder, -1 in the root */
	unsigned int flags;
};

struct listing {
	char tree[41];
	struct listing_entry *entries;
	size_t n;
	size_t size;
};

#define LISTING_INIT { "", NULL, 0, 0 }

const struct err *listing_read(struct listing *listing, struct repo *repo,
    const char *commit);
void listing_release(struct listing *listing);

/*
 * Decide what is written: files and symlinks that neither are ignored nor
 * lie in an ignored folder, and the folders that hold at least one. With
 * "export" also folders that hold none, if they are not ignored
 * themselves, as git archive has them.
 */
void listing_settle(struct listing *listing, bool export);

/* True for an entry called ".gitattributes". */
bool listing_is_attributes(const struct listing_entry *entry);

#endif
