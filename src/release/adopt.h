/*
 * adopt - a commit of what somebody changed in a release by hand.
 *
 * git adds the files as it would in a work tree, so that attributes and
 * filters are undone as they were done. The release is only read.
 */
#ifndef ADOPT_H
#define ADOPT_H

#include "err.h"
#include "vec.h"

struct repo;
struct store;

/* What is to be in the commit, and what its message has. */
struct adoption {
	struct vec paths;
	char *title;
	struct vec lines;	/* for each of the first paths */
};

#define ADOPTION_INIT { VEC_INIT, NULL, VEC_INIT }

void adoption_release(struct adoption *adoption);

/*
 * The commit that was deployed is its "parent"; its name in "commit". Paths
 * that are gone are removed in it. What no commit can hold (a pipe, an empty
 * folder, what lies in a .git, a file that this user may not read) is pushed
 * onto "left_out", and its line says so.
 */
const struct err *adopt_edits(struct store *store, const char *release,
    struct repo *repo, const struct adoption *adoption,
    struct vec *left_out, char commit[41], char parent[41]);

#endif
