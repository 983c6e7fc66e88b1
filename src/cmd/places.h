/*
 * places - the folders and files that init makes, and takes back when it
 * fails.
 *
 * Before anything is made, every path that will be is noted: of those that
 * are missing, the topmost missing folder.
 *
 *	places_expect(&places, "/srv/new/shop");	notes /srv/new
 *	...
 *	if (err != NULL)
 *		places_remove(&places);
 *
 * A file that is changed is saved as it was, and put back:
 *
 *	err = saved_read(&saved, "/srv/git/shop.git/config");
 *	...
 *	if (err != NULL)
 *		saved_restore(&saved);
 *	saved_release(&saved);
 */
#ifndef PLACES_H
#define PLACES_H

#include <sys/types.h>

#include "err.h"
#include "plan/config.h"
#include "str.h"
#include "vec.h"

/* Note what is missing of an absolute path. */
void places_expect(struct vec *places, const char *path);

/* The same for all that places_make_root() makes. */
void places_expect_root(struct vec *places, const char *root);

/* Remove what was noted; what resists stays, silently. */
void places_remove(const struct vec *places);

struct saved {
	char *path;		/* NULL: it was not there */
	struct str text;
	mode_t mode;
};

#define SAVED_INIT { .text = STR_INIT }

const struct err *saved_read(struct saved *saved, const char *path);

/* Silently, as for what is removed. */
void saved_restore(const struct saved *saved);
void saved_release(struct saved *saved);

/*
 * Make the root of an environment and claim it for the repository; a new
 * one is pushed onto "done". What cannot become a root, or is another's or
 * in another's, is an error, and so is a "current" there that no deploy has
 * made.
 */
const struct err *places_make_root(const char *repo,
    const struct environment *env, struct vec *done);

#endif
