/*
 * level - the refs that have to say what the journal says.
 *
 * refs/live/ENVIRONMENT is set when the deploy is live already: a deploy
 * that could not set it has told so, and stays live. In a transactional
 * environment a deploy that is broken may have been unable to move the branch
 * back, and a rollback that failed to move it at all. Nobody comes back to
 * these by himself, since the deploy is over. Nor to the notes, which are
 * written when it has ended: level_refs() does, where level_find() does not
 * ask.
 *
 * A branch that a deploy has not left there is somebody's own doing, and
 * stays where it is: see tip.h for what is said of it.
 */
#ifndef LEVEL_H
#define LEVEL_H

#include "err.h"
#include "journal/hub.h"
#include "vec.h"

/*
 * A line for each such ref of an environment, pushed onto "lines". None
 * while a deploy is on its way to its end.
 */
const struct err *level_find(const struct hub *hub,
    const struct environment *env, struct vec *lines);

/* Put them right. The caller holds the environment's lock. */
const struct err *level_refs(const struct hub *hub,
    const struct environment *env);

#endif
