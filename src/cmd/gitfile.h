/*
 * gitfile - the git config of a repository, changed at one stroke.
 *
 * What is to be changed is changed in a copy, and the copy is git's own lock
 * of that config: nobody else changes it meanwhile, and of an attempt that
 * fails nothing has to be taken back.
 *
 *	struct gitfile file = GITFILE_INIT;
 *
 *	err = gitfile_open(&file, repo);	before each change
 *	... git config --file file.lock KEY VALUE ...
 *	if (err == NULL)
 *		err = gitfile_commit(&file);
 *	gitfile_release(&file);
 *
 * Signals that end a program wait while it is open: nothing else would
 * remove the lock.
 */
#ifndef GITFILE_H
#define GITFILE_H

#include <signal.h>

#include "err.h"

struct gitfile {
	char *path;		/* without symlinks, as git finds it */
	char *lock;		/* NULL: nothing was changed yet */
	sigset_t before;
};

#define GITFILE_INIT { .lock = NULL }

/* Nothing when it is open. ERR_BUSY when somebody else changes it. */
const struct err *gitfile_open(struct gitfile *file, const char *repo);

/* Put the copy in its place, durably; nothing when it is not open. */
const struct err *gitfile_commit(struct gitfile *file);

/* What was not put in its place is gone. */
void gitfile_release(struct gitfile *file);

#endif
