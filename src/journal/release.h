/*
 * release - what the journal knows of a release folder.
 *
 *	building -> ready -> live -> retired -> removed
 *	                \-> failed ----------/
 *
 * Cleanup and rollback judge by these rows, never by a folder's mtime.
 */
#ifndef RELEASE_H
#define RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"
#include "repo.h"
#include "vec.h"

struct release {
	int64_t id;
	char *environment;
	char *name;
	int64_t deploy;		/* the deploy that made it */
	char *commit;
	char *state;
	int64_t created_at;
	int64_t live_at;	/* the last time it became live, 0: never */
};

void release_release(struct release *release);

/*
 * The next free name: the time as a stamp, or one second after the newest
 * name ever given when the clock is not ahead of it. An environment may have
 * had another name, and its releases are still in the root: no two have one.
 */
const struct err *release_new_name(struct journal *journal, char name[15]);

/* ERR_NOT_FOUND names the release. */
const struct err *release_get(struct journal *journal,
    const char *environment, const char *name, struct release *release);

/*
 * "retired", "removed", ..., given; NULL for no name, and for a release that
 * this journal does not have.
 */
const struct err *release_get_state(struct journal *journal,
    const char *environment, const char *name, char **state);

/* The environment that has made a release of that name; NULL: none has. */
const struct err *release_whose(struct journal *journal, const char *name,
    char **environment);

/*
 * The commit of a release, by name; "" for no name, and for one that this
 * journal does not have, as one that was lost leaves behind.
 */
const struct err *release_commit(struct journal *journal,
    const char *environment, const char *name, char oid[REPO_OID_SIZE]);

const struct err *release_set_state(struct journal *journal,
    const char *environment, const char *name, const char *state);

/*
 * Names that cleanup may remove: were live once, are not live, are not
 * "spared" (what was live before), are not what a rollback that waits is to
 * go to, and are not among the newest "keep_count" that were live, by the
 * number of the deploy that made them live last, since clocks go back; and
 * those of broken deploys older than all of these. Oldest first.
 */
const struct err *release_disposable(struct journal *journal,
    const char *environment, int64_t keep_count, const char *spared,
    struct vec *names);

/* Names of the newest releases in a state, at most "limit". */
const struct err *release_newest(struct journal *journal,
    const char *environment, const char *state, int64_t limit,
    struct vec *names);

/*
 * The number of the deploy that made the oldest release that still can be
 * gone back to, in any environment; 0 when there is none.
 */
const struct err *release_oldest_deploy(struct journal *journal,
    int64_t *deploy);

/*
 * The release that was live before the one that is live now was first made
 * live: what a rollback without a name goes to. ERR_NOT_FOUND when there
 * is none, or, with the release, when it was removed. To be released after an
 * error, too.
 */
const struct err *release_before_live(struct journal *journal,
    const char *environment, struct release *release);

/*
 * Names of releases that were live, are kept, and were made before a deploy:
 * those that were live last come first. See release_check_target().
 */
const struct err *release_older(struct journal *journal,
    const char *environment, int64_t deploy, struct vec *names);

/*
 * The newest release of a commit that a rollback can go to, made by a deploy
 * older than "below" (0: any): id 0 when there is none.
 */
const struct err *release_way_back(struct journal *journal,
    const char *environment, const char *commit, int64_t below,
    struct release *release);

/*
 * What a rollback goes to, and what is live: the release of that name, or
 * (NULL) the one before. Both are to be released, also after an error:
 * nothing is live, or the target, which is told then, is live, is gone, is
 * newer, or stands on what was undone since.
 */
const struct err *release_get_target(struct journal *journal,
    const char *environment, const char *name, struct release *target,
    struct release *live);

/* May a rollback go there, as release_get_target() judges? */
const struct err *release_check_target(struct journal *journal,
    const struct release *target);

#endif
