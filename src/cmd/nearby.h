/*
 * nearby - the repository that somebody means who is in another folder.
 */
#ifndef NEARBY_H
#define NEARBY_H

#include "err.h"
#include "journal/hub.h"

/*
 * hub_open(), for people: where "dir" is in the repository, or a clone that
 * pushes to one on this machine, ERR_USAGE names it.
 */
const struct err *nearby_open(struct hub *hub, const char *dir);

#endif
