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

/*
 * Append that it has not, and what can have been changed: the journal has
 * that release as live. Nothing, and false, when it is there, or NULL.
 */
bool missing_add_live(struct str *out, const char *root,
    const char *release);

#endif
