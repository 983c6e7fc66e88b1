/*
 * vet_part - one look at a commit on its way, for the files called vet*.c
 * alone.
 *
 *	vet.c		the walk over the trees, beside the known one
 *	vet_file.c	one file or symlink
 *	vet_link.c	where symlinks lead
 *	vet_own.c	what stands where something of ours is to be
 */
#ifndef VET_PART_H
#define VET_PART_H

#include <git2/oid.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "release/rawtree.h"
#include "release/vet.h"
#include "str.h"

/* The head of an object; where one is found is told by its name. */
struct head {
	git_oid oid;
	int64_t size_bytes;
	bool is_blob;
	bool is_known;
};

#define VETTING_HEADS 1024

/* What is remembered of symlinks, of which a small tree can have millions. */
#define VETTING_LINK_BYTES_MAX ((size_t)128 * 1024 * 1024)

struct vetting {
	struct vet *vet;
	git_odb *odb;
	git_oid root;		/* the tree of the commit */
	struct str path;	/* of what is looked at */
	struct vec links;	/* paths of symlinks that were seen, and */
	struct vec targets;	/* where each says that it leads */
	int64_t files;		/* more than the known tree has, */
	int64_t bytes;		/* may be less than 0 */
	int64_t seen;		/* files and folders that were looked at */
	int64_t taken;		/* files, whatever the known tree has */
	int64_t attribute_bytes; /* of attribute files that were read */
	size_t link_bytes;	/* that "links" and "targets" fill */
	bool relinked;		/* a symlink came, went or changed */
	bool attributed;	/* so did an attribute file */
	bool filters;		/* one of them speaks of filters */
	bool for_pointers;	/* this walk looks for those alone */
	struct head heads[VETTING_HEADS];
	struct rawtree_cache trees;
};

/* Add a reason about the path that is looked at. */
void vetting_complain(struct vetting *vetting, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same about another one. */
void vetting_complain_of(struct vetting *vetting, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* True when no more reasons are wanted. */
bool vetting_is_over(const struct vetting *vetting);

/* Look at a file or a symlink that the known tree does not have so. */
const struct err *vetting_take_file(struct vetting *vetting,
    const struct rawtree_item *item);

/* The known tree had this one, and the commit has not. */
const struct err *vetting_drop_file(struct vetting *vetting,
    const struct rawtree_item *item);

/* An attribute file of a folder on the way, changed or not. */
const struct err *vetting_look_at_attributes(struct vetting *vetting,
    const struct rawtree_item *item);

/* Whether each symlink that was seen stays inside. */
const struct err *vetting_check_links(struct vetting *vetting);

/* Whether ours can be put where the config wants it. */
const struct err *vetting_check_own(struct vetting *vetting,
    const char *commit);

#endif
