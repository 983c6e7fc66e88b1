/*
 * missing - a release that the journal has, and the root has not.
 *
 * Somebody has removed it, a file system is not mounted, or "root" was
 * changed in slipway.ini.
 */
#ifndef MISSING_H
#define MISSING_H

#include <stdbool.h>

#include "str.h"

/* True when the root has no folder of that release; false for NULL. */
bool missing_is(const char *root, const char *release);

/*
 * Append that it has not, and what can have been changed: the journal has
 * that release as live. Nothing, and false, when it is there.
 */
bool missing_add_live(struct str *out, const char *root,
    const char *release);

#endif
