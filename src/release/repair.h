/*
 * repair - a release that is being put right, for kept.c alone, which
 * goes over what is kept elsewhere, and nothing else.
 *
 *	err = repair_begin(&repairing, store, release, repo);
 *	if (err == NULL)
 *		err = repair_make(&repairing, &paths);
 *	... temp_fd has what the commit has of the paths ...
 *	... repair_way(&repairing, "src/lib"), and put back what is in it ...
 *	err = repair_settle(&repairing);
 *	repair_end(&repairing);
 */
#ifndef REPAIR_H
#define REPAIR_H

#include <stdbool.h>

#include "err.h"
#include "release/manifest.h"
#include "release/store.h"
#include "vec.h"

struct repairing {
	struct store *store;	/* lent */
	struct repo *repo;	/* lent */
	struct manifest *manifest;
	struct manifest *built;	/* NULL: commands made nothing */
	int dirfd;		/* the release */
	char *temp;		/* a folder in the trash, */
	int temp_fd;		/* opened */
	struct vec made;	/* folders that get their look in the end */
};

const struct err *repair_begin(struct repairing *repairing,
    struct store *store, const char *release, struct repo *repo);

/*
 * Owner and mode of the folders among the paths are put right at once, as far
 * as this user may.
 */
const struct err *repair_make(struct repairing *repairing,
    const struct vec *paths);

/*
 * Make the folders down to "dir" that are missing. Owner and mode that they
 * had they get when all is in them, with "settle", which waits for the disk.
 */
const struct err *repair_way(struct repairing *repairing, const char *dir);

/* Whether the commit, or a command, made this folder of the release. */
bool repair_has_folder(const struct repairing *repairing, const char *dir);

/*
 * After an EACCES: this user's own rights to the folder that "path" is in, or
 * the lowest above it that there is, until "settle". False when it is somebody
 * else's, or has them.
 */
bool repair_open_up(struct repairing *repairing, const char *path);
const struct err *repair_settle(struct repairing *repairing);
void repair_end(struct repairing *repairing);

#endif
