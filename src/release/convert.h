/*
 * convert - what attributes and settings do to files on their way out.
 *
 * git itself is asked, and git itself writes the files that it would
 * change: eol, ident, working-tree-encoding and filter drivers then are
 * what "git checkout" makes of them, in this version of git. libgit2 knows
 * neither drivers nor encodings, and reads attribute files its own way.
 *
 * Most commits ask for nothing of the kind. That is told from the words in
 * the attribute files, and then no git is started.
 */
#ifndef CONVERT_H
#define CONVERT_H

#include <stdbool.h>

#include "err.h"
#include "release/listing.h"
#include "release/plumbing.h"

struct repo;

/*
 * "*plain": nothing in the listing, the repository's settings or the files
 * of the machine asks for a change of any file.
 */
const struct err *convert_asks(const struct listing *listing,
    struct repo *repo, struct plumbing *git, bool export, bool *plain);

/* Whether there are attribute files outside of any commit for git to read. */
const struct err *convert_asks_outside(bool *ask, struct repo *repo,
    const struct plumbing *git);

/*
 * Set LISTING_CONVERT and LISTING_FILTER, and with "export"
 * LISTING_IGNORED and LISTING_SUBST.
 */
const struct err *convert_mark(struct listing *listing, struct repo *repo,
    struct plumbing *git, bool export);

/*
 * Have git write the entries that are wanted and marked to be converted,
 * into the work tree, which must not have them yet. The folders above them
 * are marked LISTING_BY_GIT.
 */
const struct err *convert_write(struct listing *listing,
    struct plumbing *git);

/*
 * Replace $Format:...$ as git archive does. The result, given, through
 * "out".
 */
const struct err *convert_subst(struct plumbing *git, const char *bytes,
    size_t len, struct str *out);

/* True for the text that Git LFS keeps in the place of a file. */
bool convert_is_pointer(const char *bytes, size_t len);

#endif
