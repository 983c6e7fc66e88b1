/*
 * gate_part - one push at the gate, for the files called gate*.c alone.
 *
 *	gate.c		the order of things, and the journal
 *	gate_ref.c	may these refs move so?
 *	gate_newest.c	which of several is to be live?
 *	gate_want.c	what do their commits ask for?
 *	gate_tree.c	can they become releases?
 *	gate_run.c	what do the project's own checks say?
 */
#ifndef GATE_PART_H
#define GATE_PART_H

#include <stdbool.h>

#include "deploy/gate.h"
#include "plan/directive.h"
#include "repo.h"

/* A commit that would be deployed to an environment. */
struct candidate {
	const struct environment *env;
	struct push_ref *ref;
	char commit[REPO_OID_SIZE];
	bool by_word;		/* by refs/deploy/now, not by its own ref */
	bool for_plan;		/* by refs/deploy/plan: its tree is read */
};

/* Everything that checks have at hand; reasons gather in "reasons". */
struct gate {
	struct hub *hub;
	struct push *push;
	struct repo *repo;
	struct directives options;
	struct vec *notes;
	struct vec reasons;
	struct candidate *candidates;
	size_t n;
	const struct gate_hooks *hooks;
	gate_say_cb say;
	void *say_ctx;
};

/* Look at every ref, and find the candidates. */
const struct err *gate_check_refs(struct gate *gate);

/* Is this commit one that may be deployed there? */
const struct err *gate_check_origin(struct gate *gate,
    const struct candidate *candidate);

/* Is it clear which of several is to be live? */
const struct err *gate_check_newest(struct gate *gate);

/* What does it ask for, and does anything take that? */
const struct err *gate_check_want(struct gate *gate,
    const struct candidate *candidate);

/* The directives of what would go live with it, options too. */
const struct err *gate_collect(struct gate *gate,
    const struct candidate *candidate, struct directives *list);

/* Can a release be made of it? */
const struct err *gate_check_tree(struct gate *gate,
    const struct candidate *candidate);

/* Run the checks of its environment, if there are any. */
const struct err *gate_run(struct gate *gate,
    const struct candidate *candidate);

#endif
