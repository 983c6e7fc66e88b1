/*
 * traces - what deploys have left that a new journal does not know.
 *
 * Logs, dumps and refs bear the numbers of deploys. A journal that is made
 * anew, because the old one was lost, goes on above them: what viewers find
 * under the number of a deploy is its own.
 *
 *	err = traces_highest(&number, hub);
 *	if (err == NULL)
 *		err = deploy_number_above(hub->journal, number);
 */
#ifndef TRACES_H
#define TRACES_H

#include <stdint.h>

#include "err.h"
#include "journal/hub.h"

/* The highest number that anything bears; 0: none does. */
const struct err *traces_highest(int64_t *number, const struct hub *hub);

#endif
