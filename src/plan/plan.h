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

struct plan_item {
	const struct action *action;	/* lent from the config */
	enum when why;
	char *argument;			/* for $SLIPWAY_ARGUMENT */
	bool *hosts;			/* [n_hosts]: where it runs */
};

/* A directive that names no action here. */
struct plan_unknown {
	const struct directive *directive;	/* lent */
	const char *nearest;			/* lent, or NULL */
	size_t alike;				/* commits with this name, 1
						 * for an option alone; 0: it
						 * was counted before */
	const char *counted;			/* the last of them, lent */
};

struct plan {
	const struct environment *env;	/* lent */
	const struct host **hosts;	/* pointers lent */
	size_t n_hosts;
	struct plan_item *items;	/* by phase, then as in the config */
	size_t n_items;
	struct plan_unknown *unknown;
	size_t n_unknown;
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

/* The directives of the list that no action of "env" takes. */
void plan_find_unknown(struct plan_unknown **unknown, size_t *n,
    const struct config *config, const struct environment *env,
    const struct directives *directives);

/*
 * Words in capitals whose lower case an action takes are unknown, too, and
 * that is what is nearest to them.
 */
void plan_add_capitals(struct plan *plan, const struct config *config,
    const struct directives *capitals);

/* "-udpb- (7 commits, the last 1a2b3c4): no action takes it" of all alike. */
void plan_alike_text(struct str *out, const struct plan_unknown *unknown);

/* "-udpb- (1a2b3c4): no action takes it; did you mean -updb-?" */
void plan_unknown_text(struct str *out, const struct plan_unknown *unknown);

#endif
