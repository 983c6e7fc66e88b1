/*
 * astray - where "current" points when that is not what is live.
 *
 * A deploy that failed tells what visitors get. The journal has what that
 * should be; somebody may have turned the symlink, and then no deploy came
 * to its flip.
 */
#ifndef ASTRAY_H
#define ASTRAY_H

#include "deploy/work.h"
#include "str.h"

/*
 * Append what is wrong with it on some host; nothing where it points to the
 * release "live", or is not there when that is NULL. Of a host that was lost
 * nothing is known, and nothing said.
 */
void astray_find(struct work *work, const char *live, struct str *astray);

/* The same for whoever has no hosts at hand: looks at this one alone. */
void astray_look(const struct environment *env, const char *live,
    struct str *astray);

#endif
