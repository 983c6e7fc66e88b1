/*
 * vet - is what a commit holds fit to be a release?
 *
 * A tree is outsiders' data. It is read as the bytes that it is, since what
 * libgit2 makes of it is not what was pushed in every case, and what passes
 * here is safe for checkout.h to write:
 *
 *	modes		folders, 100644 (100664), 100755 and symlinks
 *	names		path_is_component(), no control characters
 *	order		git's own, each name once, also as file and folder
 *	depth, length	what a path of this system can have
 *	objects		of the kind that the entry says
 *	symlinks	a target that a symlink can have, and "links"
 *	own paths	no symlink or file where something of ours is to be
 *	sizes		files, bytes, bytes of one file
 *
 * Nothing is written, and no file is read but attributes, the targets of
 * symlinks and what is small enough to be a Git LFS pointer.
 *
 * Only what differs from a tree that was found fit under the same rules is
 * looked at, when the caller knows one. What a change of one path can mean
 * to others (symlinks that lead through it, attributes) has everything
 * looked at again.
 *
 *	struct vet vet = { .repo = repo, .rules = &rules, .known = known };
 *
 *	err = vet_commit(&vet, commit);
 *	if (err == NULL && vet.reasons.n == 0)
 *		... vet.known is what was found fit now ...
 *	vet_release(&vet);
 */
#ifndef VET_H
#define VET_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "repo.h"
#include "vec.h"

/* More reasons than this are not told, nor looked for. */
#define VET_REASONS_MAX 10

/* The most files and folders that a commit may have under any rules. */
#define VET_FILES_MAX 2000000

enum vet_links {
	VET_INSIDE,		/* none leads out of the release */
	VET_ANY,
	VET_NONE		/* there are none */
};

struct vet_rules {
	enum vet_links links;
	const struct vec *shared;	/* paths, as in slipway.ini */
	const struct vec *carry;
	size_t path_max;		/* bytes of a path in the release */
	int64_t max_files;		/* 0: no limit, as for all three */
	int64_t max_bytes;
	int64_t max_file_bytes;
};

/* A tree that was found fit, and what is in it. */
struct vet_known {
	char tree[REPO_OID_SIZE];	/* "": none is known */
	int64_t files;
	int64_t bytes;
};

struct vet {
	struct repo *repo;
	const struct vet_rules *rules;
	struct vet_known known;
	struct vec reasons;	/* each with path and remedy; none: it is fit */
	struct vec pointers;	/* paths of what may be Git LFS pointers: a
				 * checkout of them tells if they can be had */
};

/*
 * Look at a commit. An error is one of reading the repository; what is wrong
 * with the commit is in "reasons", what is known after it in "known".
 */
const struct err *vet_commit(struct vet *vet, const char *commit);

void vet_release(struct vet *vet);

#endif
