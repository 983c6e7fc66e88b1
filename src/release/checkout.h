/*
 * checkout - write a commit's tree into an empty folder.
 *
 * The result is byte for byte what "git checkout" would write into a work
 * tree (umask 022): modes 0644 and 0755, symlinks, eol, ident and
 * working-tree-encoding attributes, filter drivers of the repository's git
 * configuration; or, with "export", what "git archive" would
 * (export-ignore, export-subst).
 *
 * libgit2's own checkout is not used: on a bare repository it ignores
 * .gitattributes, fails on submodules and honours setuid modes of a tree.
 * Trees and blobs are read through it. Files that an attribute or a setting
 * changes on their way out (eol, ident, encodings, filter drivers) are
 * written by git itself (see convert.h), and so are blobs too large to hold
 * in memory.
 *
 * A tree is outsiders' data: a component that is not safe to create, a
 * mode that is none of the five git writes, a path that is there twice, a
 * submodule, or an LFS pointer that nothing resolves is an error with the
 * path and what to do; files are created with O_EXCL, never through a
 * symlink.
 */
#ifndef CHECKOUT_H
#define CHECKOUT_H

#include <stdbool.h>

#include "err.h"
#include "release/manifest.h"
#include "release/store.h"

struct repo;

/* Blobs above this go from git into the file in pieces. */
#define CHECKOUT_BIG_BYTES (16 * 1024 * 1024)

/* Folders deeper than this are refused. */
#define CHECKOUT_DEPTH_MAX 256

/*
 * Write the tree of "commit" into "dirfd", and what was written into the
 * manifest under construction.
 */
const struct err *checkout_write(struct repo *repo, const char *commit,
    bool export, int dirfd, struct manifest_draft *draft,
    struct store_count *count);

#endif
