/*
 * missing - what should be in the root, and is not.
 *
 * Somebody has removed it, a file system is not mounted, "root" was changed in
 * slipway.ini, or nobody has put it there yet.
 */
#ifndef MISSING_H
#define MISSING_H

#include <stdbool.h>

#include "err.h"
#include "journal/hub.h"
#include "str.h"
#include "vec.h"

/*
 * Append that it has not, and what can have been changed: the journal has
 * that release as live. Nothing, and false, when it is there, or NULL.
 */
bool missing_add_live(struct str *out, const char *root,
    const char *release);

/* ERR_NOT_FOUND: nothing is live, or a host has lost its "current". */
const struct err *missing_current(const struct hub *hub,
    const struct environment *env, const char *host);

/*
 * ERR_FAILED with what is to be linked, is not in shared/, and can be made by
 * nobody but people. "host" NULL: it need not be told.
 */
const struct err *missing_shared(const char *root, const char *host,
    const struct vec *paths);

#endif
