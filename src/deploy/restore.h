/*
 * restore - "current" is put back where somebody has removed it.
 *
 * The journal knows which release was live, and where that is whole nothing
 * need be deployed. A symlink that points elsewhere is somebody's doing, and
 * stays.
 */
#ifndef RESTORE_H
#define RESTORE_H

#include "err.h"
#include "journal/hub.h"
#include "vec.h"

/*
 * A line, pushed onto "lines", when "current" is gone and can be put back.
 * None while a deploy is on its way to its end.
 */
const struct err *restore_find(const struct hub *hub,
    const struct environment *env, struct vec *lines);

/*
 * Put it back, once it is seen that the release is what was deployed. The
 * caller holds the environment's lock.
 */
const struct err *restore_current(const struct hub *hub,
    const struct environment *env);

#endif
