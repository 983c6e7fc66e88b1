/*
 * ending - the last line of a deploy's event log.
 *
 * Everything that a summary tells stands in this one line: what became of
 * the deploy, and what is live now.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>

#include "deploy/leaving.h"
#include "journal/deploy.h"
#include "journal/event.h"
#include "plan/config.h"
#include "str.h"

struct ending {
	struct deploy live;	/* as deploy_get_live() gives it */
	struct str moved;	/* how the branch moved, unless forward */
	struct str astray;	/* where "current" points instead, or "" */
	struct str stays;	/* of work_add_staying() */
	int64_t page_up;	/* by this deploy, maybe an older; 0: not */
	struct leaving leaving;	/* where what is live was left behind */
	bool no_back;		/* what was before is unknown, or gone */
	bool no_again;		/* a retry would be refused */
};

#define ENDING_INIT { .live = DEPLOY_INIT, .moved = STR_INIT, \
    .astray = STR_INIT, .stays = STR_INIT, .leaving = LEAVING_INIT }

void ending_release(struct ending *ending);

void ending_add(struct event_log *log, const struct environment *env,
    const struct deploy *deploy, const struct ending *ending);

#endif
