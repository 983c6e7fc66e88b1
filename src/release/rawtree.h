/*
 * rawtree - a tree object as the bytes that it is.
 *
 * A tree is a row of "MODE NAME NUL OID", the mode in octal digits, the oid
 * in 20 bytes. Whatever stands there is handed out, hostile names and modes
 * included; only what is no such row ends the reading.
 *
 *	err = rawtree_open(&tree, odb, &cache, oid);
 *	while (rawtree_next(&tree, &item))
 *		...
 *	if (tree.is_broken)
 *		... the rest cannot be read ...
 *	rawtree_close(&tree);
 */
#ifndef RAWTREE_H
#define RAWTREE_H

#include <git2/oid.h>
#include <git2/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define RAWTREE_FOLDER 0040000
#define RAWTREE_FILE 0100644
#define RAWTREE_OLD_FILE 0100664	/* as very old gits wrote it */
#define RAWTREE_PROGRAM 0100755
#define RAWTREE_SYMLINK 0120000
#define RAWTREE_SUBMODULE 0160000

struct rawtree {
	git_odb_object *object;
	const char *at;
	const char *end;
	bool is_broken;
};

#define RAWTREE_INIT { NULL, NULL, NULL, false }

/* The name is lent from the tree, and has a NUL behind it. */
struct rawtree_item {
	uint32_t mode;
	const char *name;
	size_t len;
	git_oid oid;
};

/*
 * Small trees that were read, each where its name says. A hostile commit
 * can have one of them a million times.
 */
#define RAWTREE_SLOTS 256

struct rawtree_cache {
	git_odb_object *slots[RAWTREE_SLOTS];
};

void rawtree_cache_release(struct rawtree_cache *cache);

/* An object that is no tree is read as a broken one. */
const struct err *rawtree_open(struct rawtree *tree, git_odb *odb,
    struct rawtree_cache *cache, const git_oid *oid);
void rawtree_close(struct rawtree *tree);

/* False at the end, and where it is broken. */
bool rawtree_next(struct rawtree *tree, struct rawtree_item *item);

/* git's order: a folder's name has a slash behind it. */
int rawtree_order(const struct rawtree_item *a, const struct rawtree_item *b);

#endif
