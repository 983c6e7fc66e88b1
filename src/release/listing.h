/*
 * listing - what a commit's tree holds, checked, before a byte is written.
 *
 * Entries stand in the order of a manifest: a folder, the files in it, and
 * then its subfolders, each with what is in it.
 *
 *	err = listing_read(&listing, repo, commit, base);
 *	...			mark entries as ignored
 *	listing_settle(&listing);
 *	...
 *	listing_release(&listing);
 *
 * With the manifest of a release that is there already ("base"), a folder
 * whose tree is the same is one entry and not looked into, and a file whose
 * bytes that release has is marked. What the release has and the commit has
 * not is listed, too.
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
#include "release/manifest.h"
#include "vec.h"

struct repo;

/* What git's attributes say about an entry. */
#define LISTING_IGNORED 1	/* export-ignore */
#define LISTING_SUBST 2		/* export-subst */
#define LISTING_CONVERT 4	/* git has to write it */
#define LISTING_FILTER 8	/* a filter driver is named for it */
#define LISTING_WANTED 16	/* it is to be written; see settle */
#define LISTING_BY_GIT 32	/* a folder that git makes on its way */
#define LISTING_SAME 64		/* a folder that the base has, with all that
				 * is beneath it */
#define LISTING_KEPT 128	/* a file that the base has */
#define LISTING_LOOKED 256	/* one whose row is here all the same */

#define LISTING_FOLDER 0040000
#define LISTING_FILE 0100644
#define LISTING_PROGRAM 0100755
#define LISTING_SYMLINK 0120000

struct listing_entry {
	char *path;		/* "" is the release itself */
	size_t name;		/* offset of the last component in path */
	git_oid oid;
	uint32_t mode;		/* one of the four */
	unsigned int flags;
	int64_t parent;		/* index of its folder, -1 of the first */
	int64_t base;		/* of a folder: which one of the base; of a
				 * file: which entry of that folder. -1 */
	struct manifest_entry row;	/* what was written, for checkout.c */
};

struct listing {
	struct listing_entry *entries;	/* the first is the release itself */
	size_t n;
	size_t size;
	struct vec gone;	/* paths of the base, folders with a slash */
};

#define LISTING_INIT { NULL, 0, 0, VEC_INIT }

/* "whole": folders that the base has are looked into all the same. */
const struct err *listing_read(struct listing *listing, struct repo *repo,
    const char *commit, const struct manifest *base, bool whole);
void listing_release(struct listing *listing);

/*
 * Decide what is written: files and symlinks that neither are ignored nor
 * lie in an ignored folder, and the folders that hold at least one. With
 * "export" also folders that hold an ignored file and are not ignored
 * themselves, as git archive has them. The release itself always is.
 */
void listing_settle(struct listing *listing, bool export);

/* True for a file called .gitattributes. */
bool listing_is_attributes(const struct listing_entry *entry);

#endif
