/*
 * drift - what of a release is not as its manifest says.
 *
 * The folders of the manifest are looked at by several threads, each file
 * by its stat data; what differs by these is compared by content before it
 * is called changed. Nothing is written, and nothing is opened through a
 * symlink.
 *
 * Capabilities and ACLs are in none of these data: they are looked for where
 * the ctime is not the one that was recorded, and, where none was, in files
 * that can be executed; with "deep", in all.
 *
 *	struct drift_spec spec = { .dirfd = fd, .manifest = manifest, ... };
 *
 *	err = drift_find(&drift, &spec);
 *	for (size_t i = 0; i < drift.n; i++)
 *		... drift.items[i] ...
 *	drift_release(&drift);
 */
#ifndef DRIFT_H
#define DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "err.h"
#include "release/manifest.h"
#include "str.h"
#include "vec.h"

enum drift_kind {
	DRIFT_MODIFIED,		/* other bytes, or another kind of file */
	DRIFT_MODE,		/* another mode or owner, or a capability or
				 * an ACL, the same bytes */
	DRIFT_REMOVED,
	DRIFT_ADDED,
	DRIFT_LINKED,		/* has more links than it should */
	DRIFT_STALE		/* the same, with stat data of its own */
};

struct drift_item {
	enum drift_kind kind;
	char *path;		/* a folder's ends with a slash */
	int64_t folder;		/* of the manifest; -1: not one of its */
	int64_t entry;		/* of that folder; -1: the folder itself, or
				 * what it has not */
	uint32_t mode;		/* that it should have, 0: none */
	uid_t owner;		/* and whose it should be */
	bool is_built;		/* it should be what a command made of it */
	bool is_shared;		/* it should be a link to shared/ */
	const char *right;	/* "a file capability" that it should not
				 * have, lent for ever; NULL: none */
	struct stat st;		/* as it is now, zeros when it is not */
};

/* Sorted by path. */
struct drift {
	struct drift_item *items;
	size_t n;
	size_t size;
};

#define DRIFT_INIT { NULL, 0, 0 }

struct drift_spec {
	int dirfd;			/* the release */
	const struct manifest *manifest;
	const struct manifest *built;	/* NULL: as the commit has it */
	const struct vec *writable;	/* patterns of what may be added */
	int threads;
	bool deep;			/* compare every file by content */
	bool added;			/* look for what was added */
	bool whole;			/* and list what is in added folders */
	const struct vec *shared;	/* paths that are links to shared/ */
	bool any_shared;		/* nobody knows which: any may be */
	bool links;			/* tell of those that are not there */
	nlink_t links_max;		/* 0: any number of them */
};

/*
 * What lies behind such a link is no drift. With "links", nor is what lies in
 * its place, but for the link itself, which is removed or modified then.
 */
const struct err *drift_find(struct drift *drift,
    const struct drift_spec *spec);

/* The links alone, added. */
const struct err *drift_links(struct drift *drift,
    const struct drift_spec *spec);
/* A new item, zeroed, at the end. */
struct drift_item *drift_add(struct drift *drift);
void drift_release(struct drift *drift);
void drift_item_release(struct drift_item *item);

/* "modified", "mode", "removed" or "added", as people read it. */
const char *drift_kind_name(enum drift_kind kind);

/*
 * What of one with another mode is not as it should be, appended: "600
 * instead of 644, owner 33 instead of 0".
 */
void drift_add_mode(struct str *out, const struct drift_item *item);

/*
 * True for a path in a folder of somebody else's, in which this user may
 * change nothing, or, when it is sticky, not this.
 */
bool drift_is_out_of_reach(int dirfd, const char *path);

/*
 * True when a path, or a folder above it, matches one of the patterns: see
 * fnmatch(3), '*' matches '/' too; a slash at the end of one means nothing.
 */
bool drift_is_writable(const struct vec *patterns, const char *path);

#endif
