/*
 * packing - "git gc --auto", when nobody waits for it.
 *
 * git runs it at the end of a push, while whoever pushed waits, and while
 * what he pushed is deployed: "slipway init" sets receive.autogc to off,
 * and it comes last here, as a process of its own at the lowest priority.
 * That it cannot be started is no error of a push or a deploy.
 */
#ifndef PACKING_H
#define PACKING_H

#include <stdint.h>

#include "journal/hub.h"

/* The last deed of a runner. It is started, and not waited for. */
void packing_start(const struct hub *hub);

/* And of the hooks, after a push (0: any) that no runner was asked for. */
void packing_start_after(const struct hub *hub, int64_t push);

#endif
