/*
 * base - what a new release can be made from, for the files of this room.
 *
 *	fresh		nothing
 *	link		the live release
 *	recycle		the spare: a release that cleanup has taken out of
 *			releases/ and kept for this
 *
 * It is chosen by what is there: a spare with a whole manifest in which no
 * process works, else a live release with a whole manifest, unless every
 * release is to have its own files and the file system has no reflinks. A
 * spare that is so far from the commit that writing what it lacks takes
 * longer than linking what the live release has is passed over.
 */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "release/manifest.h"
#include "release/store.h"

struct base {
	enum store_way way;
	struct manifest *manifest;	/* NULL: fresh */
	char *release;			/* "" for fresh */
	bool clones;			/* reflinks instead of links */
	bool alone;			/* no inode is shared */
	nlink_t links_max;		/* of one of its files; 0: any */
};

/* What may be chosen. */
#define BASE_SPARE 1
#define BASE_LIVE 2
#define BASE_BUSY 4		/* a spare in which somebody works, too */

const struct err *base_choose(struct base *base, struct store *store,
    const struct store_spec *spec, unsigned int among);
void base_release(struct base *base);

#endif
