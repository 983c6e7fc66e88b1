/*
 * ending - the last line of a deploy's event log.
 *
 * Everything that a summary tells stands in this one line: what became of
 * the deploy, and what is live now.
 */
#ifndef ENDING_H
#define ENDING_H

#include "journal/deploy.h"
#include "journal/event.h"

/* "live" is what deploy_get_live() gives; its number may be 0. */
void ending_add(struct event_log *log, const struct deploy *deploy,
    const struct deploy *live);

#endif
