/*
 * drift_unit - one folder that is looked at, for the files called drift*.c
 * alone.
 *
 *	drift.c			which folders there are, and the threads
 *	drift_unit.c		the entries of one folder
 *	drift_names.c		what there is besides them
 *	drift_links.c		what should be links to shared/
 */
#ifndef DRIFT_UNIT_H
#define DRIFT_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "err.h"
#include "release/drift.h"
#include "release/manifest.h"

/* What getdents64(2) gets at a time. */
#define UNIT_NAMES_BYTES (32 * 1024)

/* What one thread has found, and what it works with. */
struct looker {
	struct drift found;
	char *names;		/* of getdents64 */
	struct children {	/* names of the subfolders, in order */
		const char **v;
		size_t n;
		size_t size;
	} children, built;
};

/* One folder, open; its look in either manifest. */
struct unit {
	const struct drift_spec *spec;
	struct looker *looker;
	const char *path;
	int64_t folder;
	int64_t built;
	struct manifest_folder of;
	struct manifest_folder of_built;
	int fd;
	uint32_t mode;		/* of the entry at hand */
	bool is_built;		/* and whose it is */
};

/* The path of a name in the unit's folder, given; NULL is the folder. */
char *unit_path(const struct unit *unit, const char *name);

/* Note an item, lent until the next one; "st" may be NULL. */
struct drift_item *unit_tell(struct unit *unit, enum drift_kind kind,
    const char *name, int64_t entry, const struct stat *st);

/* True for a link to shared/ that was put there when it was made. */
bool unit_is_shared(const struct unit *unit, const char *name);
bool links_is_shared(const struct drift_spec *spec, int dirfd,
    const char *name, const char *path);

/*
 * True for a path that should be such a link, whatever is there; and for one
 * that is one of those, or lies below.
 */
bool unit_is_link(const struct unit *unit, const char *name);
bool unit_lies_in_link(const struct unit *unit);

/* Compare the folder and its entries. */
const struct err *unit_check(struct unit *unit);

/* Tell of a name that is there, and should not be, unless it may be. */
const struct err *unit_tell_added(struct unit *unit, const char *name);

/* Tell of all that is in a folder that stands in the place of a file. */
const struct err *unit_tell_inside(struct unit *unit, const char *name);

/* Look for what is there, and neither manifest has it. */
const struct err *unit_check_names(struct unit *unit);

#endif
