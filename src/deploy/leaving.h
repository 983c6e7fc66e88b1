/*
 * leaving - what a deploy that goes back leaves behind.
 *
 * Commits that are live, and that the new commit does not contain, leave.
 * What deploys had done to data for them stays: a deploy undoes nothing, and
 * only a rollback does. The plan and the deploy both tell of it, and as long
 * as it is so, later ones and the status do.
 */
#ifndef LEAVING_H
#define LEAVING_H

#include <stdbool.h>
#include <stdint.h>

#include "deploy/commits.h"
#include "deploy/work.h"
#include "json.h"
#include "str.h"

/* A step that is not undone: one that can be, or a migration. */
struct leaving_step {
	int64_t deploy;
	char *action;
	bool has_undo;
};

/* What a deploy with such a step had dumped before it. */
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
	char *command;		/* that does it; NULL likewise */
};

#define LEAVING_INIT { .commits = COMMITS_INIT }

/*
 * Find out, by the commits of "work" and what was live before it. Nothing
 * when nothing was; no commits when what was is gone from the repository.
 * What had not been undone before is found, too: one that no kept release
 * could undo, until its action has run again.
 */
const struct err *leaving_find(struct leaving *leaving, struct work *work);

/* The same where commits leave, and else nothing. */
const struct err *leaving_find_now(struct leaving *leaving,
    struct work *work);

/* What is not undone under the commit that is live: no commits leave. */
const struct err *leaving_find_live(struct leaving *leaving,
    const struct hub *hub, const struct environment *env);
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

/* The keys "not_undone" and "undone_by" of an object. */
void leaving_add_json(struct json *json, const struct leaving *leaving);

#endif
