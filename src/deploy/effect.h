/*
 * effect - what a deploy did to data, and which commits have it.
 *
 * A step belongs to the commits that asked for it, whichever commit was the
 * tip of what was deployed. What an option asked for, or always runs, belongs
 * to the deployed commit; and what runs when paths have changed, to every
 * commit in which they are as in that one, too.
 *
 *	struct effect effect = EFFECT_INIT(work);
 *
 *	err = effect_open(&effect, number);	as often as one likes
 *	...
 *	err = effect_is_in(&effect, step, &is);
 *	effect_release(&effect);
 */
#ifndef EFFECT_H
#define EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "deploy/commits.h"
#include "deploy/work.h"
#include "journal/step.h"
#include "vec.h"

struct effect {
	struct work *work;		/* lent: its commit is compared */
	struct deploy deploy;		/* whose steps are looked at */
	struct directives asked;
	bool compared;			/* "missing" is of this deploy */
	struct commits_index missing;	/* of its history, in that of "work" */
};

#define EFFECT_INIT(w) { .work = (w), .deploy = DEPLOY_INIT, \
	.asked = DIRECTIVES_INIT, .missing = COMMITS_INDEX_INIT }

/*
 * Turn to a deploy. Its history is walked through once, however many of its
 * commits are asked for, and not again for a deploy that this one contains.
 */
const struct err *effect_open(struct effect *effect, int64_t number);
void effect_release(struct effect *effect);

/* The commits that a step belongs to, pushed onto "oids". */
void effect_commits(const struct effect *effect, const struct step *step,
    struct vec *oids);

/*
 * Does the commit of "work" have what the step did? A commit that is gone
 * from the repository is in no other; a history that cannot be walked
 * through tells nothing, and counts as true.
 */
const struct err *effect_is_in(struct effect *effect,
    const struct step *step, bool *is);

#endif
