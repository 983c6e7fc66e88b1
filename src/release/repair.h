/*
 * repair - a release that is being put right, for the files repair.c and
 * kept.c alone.
 *
 *	repair.c		over whatever is there: nobody is to keep it
 *	kept.c			over what is kept elsewhere, and nothing else
 *
 *	err = repair_begin(&repairing, store, release, repo);
 *	if (err == NULL)
 *		err = repair_make(&repairing, &paths);
 *	... temp_fd has what the commit has of the paths ...
 *	repair_end(&repairing);
 */
#ifndef REPAIR_H
#define REPAIR_H

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
};

const struct err *repair_begin(struct repairing *repairing,
    struct store *store, const char *release, struct repo *repo);

/* Owner and mode of the folders among the paths are put right at once. */
const struct err *repair_make(struct repairing *repairing,
    const struct vec *paths);
void repair_end(struct repairing *repairing);

#endif
