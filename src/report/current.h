/*
 * current - what is wrong with the symlink that visitors come through.
 *
 * The journal says which release is live, and "current" has to point there.
 * Where it does not, one line says so, and behind a ';' what to do.
 *
 *	current_look(&fault, &target, root, &live, which);
 *	if (fault.len > 0)
 *		...
 */
#ifndef CURRENT_H
#define CURRENT_H

#include "journal/deploy.h"
#include "str.h"

/*
 * Append what is wrong to "fault", and where the symlink points to "target".
 * Number 0 of "live" is an environment in which nothing is; "which" is that
 * of config_which(), behind " -C DIR" where that is needed.
 */
void current_look(struct str *fault, struct str *target, const char *root,
    const struct deploy *live, const char *which);

#endif
