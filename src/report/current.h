/*
 * current - what is wrong with the symlink that visitors come through.
 *
 * The journal says which release is live, and "current" has to point there.
 * Where it does not, one line says so, and behind a ';' what to do.
 *
 *	current_look(&fault, &target, &place);
 *	if (fault.len > 0)
 *		...
 */
#ifndef CURRENT_H
#define CURRENT_H

#include "journal/deploy.h"
#include "str.h"

struct current {
	struct journal *journal;
	const char *root;
	const struct deploy *live;	/* number 0: nothing is */
	const char *which;		/* of config_which(), with -C */
	bool several;			/* of takes_several() */
};

/*
 * Append what is wrong to "fault", and where the symlink points to "target".
 */
void current_look(struct str *fault, struct str *target,
    const struct current *current);

/*
 * Append what takes down the maintenance page that a broken deploy has left:
 * what was broken would break again.
 */
void current_add_page(struct str *out, const struct current *current);

#endif
