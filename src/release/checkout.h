/*
 * checkout - make a folder what a commit's tree says.
 *
 * The result is byte for byte what "git checkout" would write into a work
 * tree (umask 022): modes 0644 and 0755, symlinks, eol, ident and
 * working-tree-encoding attributes, filter drivers of the repository's git
 * configuration; or, with "export", what "git archive" would
 * (export-ignore, export-subst).
 *
 * There are three ways, equal in result:
 *
 *	fresh		everything is written from the objects
 *	link		what a release that is there vouches for is linked
 *			from it, or cloned (see store.h), the rest is written
 *	recycle		the folder is a release that nobody needs any more:
 *			what the commit does not have goes, what it has
 *			otherwise is written
 *
 * After a link, and before a recycle, every file is compared with the
 * manifest of the old release; what somebody touched is written afresh.
 * Files are replaced, never written in place, since other releases may
 * share the inode.
 *
 * libgit2's own checkout is not used: on a bare repository it ignores
 * .gitattributes, fails on submodules and honours setuid modes of a tree.
 * Trees and blobs are read through it, by several threads. Files that an
 * attribute or a setting changes on their way out (eol, ident, encodings,
 * filter drivers) are written by git itself (see convert.h), and so are
 * blobs too large to hold in memory.
 *
 * A tree is outsiders' data: a component that is not safe to create, a
 * mode that is none of the five git writes, a path that is there twice, a
 * submodule, or an LFS pointer that nothing resolves is an error with the
 * path and what to do; files are created with O_EXCL, never through a
 * symlink.
 */
#ifndef CHECKOUT_H
#define CHECKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "release/manifest.h"
#include "release/store.h"

struct repo;

/* Blobs above this go from git into the file in pieces. */
#define CHECKOUT_BIG_BYTES (16 * 1024 * 1024)

/* Folders deeper than this are refused. */
#define CHECKOUT_DEPTH_MAX 256

struct checkout {
	struct repo *repo;
	const char *commit;
	bool export;
	int dirfd;			/* empty, but to recycle it */
	const struct manifest *base;	/* of the old release; NULL: fresh */
	const struct manifest *built;	/* of it, likewise; NULL: nothing */
	const struct vec *shared;	/* its links to shared/; NULL: none */
	int64_t retired_ns;		/* since when it was a spare */
	int from_fd;			/* where that is; -1: in dirfd */
	bool clones;			/* reflinks from there, no links */
	bool alone;			/* no inode is shared with anybody */
	nlink_t links_max;		/* see drift.h */
	int threads;
	const struct vec *only;		/* these files alone; NULL: all */
};

/*
 * Make it, and write what was made into "draft" (NULL: nowhere). The counts
 * of "made" are set, and "*flags" of the manifest. What was in "dirfd" is in
 * no order after an error.
 */
const struct err *checkout_write(const struct checkout *checkout,
    struct manifest_draft *draft, struct store_made *made,
    unsigned int *flags);

#endif
