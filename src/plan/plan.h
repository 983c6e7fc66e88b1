/*
 * plan - what a deploy will do: the actions, in their order, and why.
 *
 * A pure function of the config, the directives and the changed paths; the
 * deploy runs exactly what the plan says.
 *
 * An action is planned when it is meant for the environment and
 *	- its directive was asked for, or
 *	- "when = always" (also without directive and when), or
 *	- "when = changed GLOB..." and a changed path matches a glob
 *	  (fnmatch(3), '*' matches '/' too); in a first deploy every path
 *	  has changed.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "plan/config.h"
#include "plan/directive.h"
#include "plan/unknown.h"

struct plan_item {
	const struct action *action;	/* lent from the config */
	enum when why;
	char *argument;			/* for $SLIPWAY_ARGUMENT */
	bool *hosts;			/* [n_hosts]: where it runs */
};

struct plan {
	const struct environment *env;	/* lent */
	const struct host **hosts;	/* pointers lent */
	size_t n_hosts;
	struct plan_item *items;	/* by phase, then as in the config */
	size_t n_items;
	struct unknown unknown;		/* directives that no action takes */
	struct vec directives;		/* known ones, in config order */
};

/*
 * Make the plan. "changed" NULL: every path has changed. ERR_CONFIG when
 * an action that is to run has a role that no host of the environment has.
 */
const struct err *plan_make(struct plan *plan, const struct config *config,
    const struct environment *env, const struct directives *directives,
    const struct vec *changed);
void plan_release(struct plan *plan);

/* Does one of its globs match a changed path? "changed" as above. */
bool plan_has_changed(const struct action *action, const struct vec *changed);

#endif
