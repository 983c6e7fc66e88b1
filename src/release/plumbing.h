/*
 * plumbing - git's own commands, run for one commit and one work tree.
 *
 * They get an environment that was built for them, no hooks, and a private
 * index: the file .git/index in the work tree, a name that no tree can
 * hold, so it collides with nothing and goes away with an unfinished
 * release. Where the work tree is to stay as it is, the index is a file
 * elsewhere, whose absolute path is given.
 *
 *	plumbing_init(&git, repo, commit, dirfd, NULL);
 *	err = plumbing_index(&git);
 *	if (err == NULL)
 *		err = plumbing_run(&git, args, &input, &out);
 *	...
 *	err = err_first(err, plumbing_release(&git));
 */
#ifndef PLUMBING_H
#define PLUMBING_H

#include <stdbool.h>

#include "err.h"
#include "str.h"
#include "vec.h"

struct repo;

struct plumbing {
	struct vec env;
	const char *commit;	/* lent */
	int dirfd;		/* lent */
	const char *index;	/* lent, NULL: in the work tree */
	bool has_index;
};

void plumbing_init(struct plumbing *git, struct repo *repo,
    const char *commit, int dirfd, const char *index);

/* Removes the private index. */
const struct err *plumbing_release(struct plumbing *git);

/* Fill the private index with the commit; only the first call does. */
const struct err *plumbing_index(struct plumbing *git);

/*
 * Run "git ARGS..." (a list that ends with NULL, and may begin with "-c" and
 * a setting) in the work tree. "input" may be NULL. What it prints on
 * stdout replaces the contents of "out"; the last line on stderr becomes
 * part of the error.
 */
const struct err *plumbing_run(struct plumbing *git,
    const char *const *args, const struct str *input, struct str *out);

/* The same with stdout to a descriptor. */
const struct err *plumbing_run_fd(struct plumbing *git,
    const char *const *args, const struct str *input, int out_fd);

/* A variable of the environment that the commands get, lent; or NULL. */
const char *plumbing_getenv(const struct plumbing *git, const char *name);

#endif
