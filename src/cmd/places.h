/*
 * places - the folders and files that init makes, and takes back when it
 * fails.
 *
 * Before something is made, what is missing of its path is noted, and what
 * was noted is removed again: the last first, and a folder only when nothing
 * is in it, since others may make things there meanwhile.
 *
 *	places_expect(&places, "/srv/new/shop");
 *	...					/srv/new and /srv/new/shop
 *	if (err != NULL)
 *		places_remove(&places);
 */
#ifndef PLACES_H
#define PLACES_H

#include "err.h"
#include "plan/config.h"
#include "vec.h"

/* Note what is missing of an absolute path. */
void places_expect(struct vec *places, const char *path);

/* Note what is there now, of a folder that was just made and filled. */
void places_add_tree(struct vec *places, const char *path);

/* Remove what was noted; what resists stays, silently. */
void places_remove(const struct vec *places);

/*
 * Make the root of an environment and claim it for the repository; a new
 * one is pushed onto "done". What cannot become a root, or is another's or
 * in another's, is an error, and so is a "current" there that no deploy has
 * made. What was made is noted.
 */
const struct err *places_make_root(const char *repo,
    const struct environment *env, struct vec *places, struct vec *done);

#endif
