/*
 * adopt - a commit of what somebody changed in a release by hand.
 *
 * git adds the files as it would in a work tree, so that attributes and
 * filters are undone as they were done. A file of which that leaves nothing
 * that was edited, or that cannot be converted, is stored as it is. What has
 * gone since it was found is gone. The release is only read.
 */
#ifndef ADOPT_H
#define ADOPT_H

#include "err.h"
#include "vec.h"

struct drift;
struct repo;
struct store;

/*
 * The commit that was deployed is its "parent"; its name in "commit", empty
 * when it would have nothing that its parent has not. Paths that are gone are
 * removed in it. What no commit can hold (a pipe, an empty folder, what lies
 * in a .git, a file that this user may not read, an owner, a mode but for
 * whether it can be executed) is pushed onto "left_out", in the order of
 * "found", as is all else that is not in the commit, because git wants no
 * such path; its line of the message, which begins with "title", says so.
 */
const struct err *adopt_edits(struct store *store, const char *release,
    struct repo *repo, const struct drift *found, const char *title,
    struct vec *left_out, char commit[41], char parent[41]);

#endif
