/*
 * unknown - directives that no action takes, once each.
 *
 * A message may have a great many of them, and so may the commits of one
 * push; the first few names are kept, and the others counted. The time is
 * linear in their number.
 *
 *	unknown_find(&unknown, config, env, &directives);
 *	for (size_t i = 0; i < unknown.n; i++)
 *		unknown_text(&out, &unknown.v[i]);
 *	unknown_add_rest(&out, &unknown);
 *	unknown_release(&unknown);
 */
#ifndef UNKNOWN_H
#define UNKNOWN_H

#include <stddef.h>

#include "plan/config.h"
#include "plan/directive.h"
#include "str.h"

/* So many names are kept. */
#define UNKNOWN_MAX 20

struct unknown_word {
	const struct directive *directive;	/* lent: the newest with its
						 * name, an option only where
						 * no commit has it */
	const char *nearest;			/* lent, or NULL */
	size_t alike;				/* commits with this name, 1
						 * for an option alone */
	const char *oldest;			/* the last of them, lent */
	const char *elsewhere;			/* an environment of which an
						 * action takes it, lent, or
						 * NULL; then nothing is near */
};

struct unknown {
	struct unknown_word *v;
	size_t n;
	struct directives names;		/* of all of them */
};

#define UNKNOWN_INIT { NULL, 0, DIRECTIVES_INIT }

/* Add those of the list that no action of "env" takes. */
void unknown_find(struct unknown *unknown, const struct config *config,
    const struct environment *env, const struct directives *directives);

/*
 * Words in capitals whose lower case an action takes are unknown, too, and
 * that is what is nearest to them.
 */
void unknown_find_capitals(struct unknown *unknown,
    const struct config *config, const struct environment *env,
    const struct directives *capitals);

void unknown_release(struct unknown *unknown);

/*
 * "-udpb- (7 commits, the last 1a2b3c4): no action takes it; did you mean
 * -updb-?"
 */
void unknown_text(struct str *out, const struct unknown_word *word);

/* "and 12 more that no action takes" for those not kept; else nothing. */
void unknown_add_rest(struct str *out, const struct unknown *unknown);

#endif
