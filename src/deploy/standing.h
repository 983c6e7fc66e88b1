/*
 * standing - what stays live where a push leads to no deploy, in words.
 *
 * The journal has what should be live, and "current" what visitors get:
 * "stays live" is said of what is both.
 *
 *	err = standing_find(&standing, hub, env);
 *	...
 *	standing_add(&line, &standing);
 *	standing_release(&standing);
 */
#ifndef STANDING_H
#define STANDING_H

#include <stdbool.h>

#include "err.h"
#include "journal/deploy.h"
#include "journal/hub.h"
#include "journal/push.h"
#include "str.h"

struct standing {
	const struct hub *hub;
	const struct environment *env;
	struct deploy live;	/* number 0: nothing is */
	struct str astray;	/* why visitors do not get it; empty: they do */
};

/* It is to be released after an error, too. */
const struct err *standing_find(struct standing *standing,
    const struct hub *hub, const struct environment *env);
void standing_release(struct standing *standing);

/*
 * Is this very commit live, with nothing on its way that would change it? A
 * push that is older than "push" may have yet to ask for something.
 */
const struct err *standing_has(const struct standing *standing,
    const struct push *push, const char *commit, bool *has);

/* Append "release 20261126101400 stays live", or what is the case. */
void standing_add(struct str *out, const struct standing *standing);

#endif
