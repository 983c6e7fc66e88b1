/*
 * answer - what becomes of the refs that git leaves to us.
 *
 * A branch of a transactional environment asks for a deploy, and the
 * runner moves it when that is live; a ref below refs/deploy/ is an errand.
 * Whatever else git hands over is given back, for git to move itself.
 *
 *	err = answer_ask(&hub, &offer, argv[0], &notes);
 *	... show each offer.refs[i].deploy to its end ...
 *	answer_give(&hub, &offer, &notes);
 *
 * What git leaves undone for such refs is done here: the update hook,
 * receive.denyNonFastForwards as receive-pack would read it (see setting.h),
 * and that a branch points at a commit. In an atomic push a ref of ours has
 * to be alone: two deploys cannot be one, and git moves what else there is
 * too late.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "deploy/offer.h"
#include "err.h"
#include "journal/hub.h"
#include "vec.h"

/*
 * Refuse, give back, or ask for a deploy; errands that need none are run.
 * "hook" is the path of the hook that runs: "update" is looked for beside
 * it. Words for the pusher are pushed onto "notes".
 */
const struct err *answer_ask(struct hub *hub, struct offer *offer,
    const char *hook, struct vec *notes);

/*
 * Answer for what the deploys came to. A push of which nothing landed is
 * marked as "unlanded"; one of which that is not known stays open.
 */
void answer_give(struct hub *hub, struct offer *offer, struct vec *notes);

#endif
