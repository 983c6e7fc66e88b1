/*
 * leaving - what a deploy that goes back leaves behind.
 *
 * Commits that are live, and that the new commit does not contain, leave.
 * What their deploys had done to data stays: a deploy undoes nothing, and
 * only a rollback does. The plan and the deploy both tell of it.
 */
#ifndef LEAVING_H
#define LEAVING_H

#include <stdbool.h>
#include <stdint.h>

#include "deploy/commits.h"
#include "deploy/work.h"
#include "str.h"

/* A step that is not undone: one that can be, or a migration. */
struct leaving_step {
	int64_t deploy;
	char *action;
	bool has_undo;
};

/* What a deploy of a commit that leaves had dumped before it. */
struct leaving_backup {
	int64_t deploy;
	char *path;
};

struct leaving {
	struct commits commits;
	struct leaving_step *steps;	/* newest first */
	size_t n_steps;
	struct leaving_backup *backups;	/* likewise */
	size_t n_backups;
	char *release;		/* a rollback to it has the same commit and
				 * undoes what can be; NULL: there is none */
};

#define LEAVING_INIT { .commits = COMMITS_INIT }

/*
 * Find out, by the commits of "work" and what was live before it. Nothing
 * when nothing was, or when what was is gone from the repository.
 */
const struct err *leaving_find(struct leaving *leaving, struct work *work);
void leaving_release(struct leaving *leaving);

/* "2 commits leave". */
void leaving_add_count(struct str *out, const struct leaving *leaving);

/*
 * "updb of deploy 3, dump of deploy 2 (it has no undo)"; nothing when all is
 * as the commit has it.
 */
void leaving_add_steps(struct str *out, const struct leaving *leaving);

/* "/srv/git/shop.git/slipway/backup/3 (before deploy 3)", likewise. */
void leaving_add_backups(struct str *out, const struct leaving *leaving);

#endif
