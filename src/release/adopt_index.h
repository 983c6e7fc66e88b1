/*
 * adopt_index - the index of a commit of edits.
 *
 *	err = plumbing_index(&git);
 *	if (err == NULL)
 *		err = adopt_index(&git, found, &left_out);
 *	... git write-tree ...
 */
#ifndef ADOPT_INDEX_H
#define ADOPT_INDEX_H

#include "err.h"
#include "release/plumbing.h"
#include "vec.h"

struct drift;
struct drift_item;

/* True, as far as can be told without git, for what no commit can hold. */
bool adopt_is_left_out(int dirfd, const struct drift_item *item);

/* True for a mode of which a commit can hold a part, and not all. */
bool adopt_is_part(const struct drift_item *item);

/*
 * Put what was found into the private index, which has the commit that was
 * deployed. What it does not have then is pushed onto "left_out", in the
 * order of "found". What cannot be converted is stored as it is.
 */
const struct err *adopt_index(struct plumbing *git,
    const struct drift *found, struct vec *left_out);

#endif
