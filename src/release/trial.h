/*
 * trial - a commit checked out to be looked at, and thrown away.
 *
 *	/srv/shop/.slipway/trial/4711.0/
 *	  tree/			what the commit holds
 *	  running		what is noted of the command in it: see noted.h
 *
 * It is made by the code that makes releases, always afresh, so that a
 * command can do in it what it likes. Who made it holds flock(2) on its
 * folder: one that nobody holds is what a killed process left, and goes
 * with the next sweep, together with what still runs in it.
 *
 *	err = trial_open(&trial, store, &spec);
 *	... trial_path(trial), trial_fd(trial) ...
 *	err = trial_close(trial);
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "err.h"
#include "release/store.h"
#include "vec.h"

struct trial;

struct trial_spec {
	struct repo *repo;
	const char *commit;
	const struct vec *only;	/* these files alone; NULL: all */
};

/*
 * ERR_REFUSED when the commit is no release; nothing is left behind, and
 * what others had left is gone.
 */
const struct err *trial_open(struct trial **trial, struct store *store,
    const struct trial_spec *spec);

/* The folder with the files: its absolute path, and opened. Both lent. */
const char *trial_path(const struct trial *trial);
int trial_fd(const struct trial *trial);

/* For note_fd of proc.h, lent. */
int trial_running(const struct trial *trial);

/* Remove it. NULL is allowed. */
const struct err *trial_close(struct trial *trial);

/* Remove what nobody holds; their names are pushed onto "swept". */
const struct err *trial_sweep(struct store *store, struct vec *swept);

#endif
