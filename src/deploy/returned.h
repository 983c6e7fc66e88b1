/*
 * returned - what was removed and has come back.
 *
 * What leaves releases/, and the trash, is not synced, as a push would wait
 * for it, and the journal has it as removed, or failed: where the power is
 * cut in the next seconds, or somebody brings a folder back, it is there
 * again.
 */
#ifndef RETURNED_H
#define RETURNED_H

#include "err.h"
#include "journal/hub.h"
#include "vec.h"

/* By the root on this machine. */
struct returned {
	struct vec removed;
	struct vec failed;
	struct vec trash;
};

#define RETURNED_INIT { VEC_INIT, VEC_INIT, VEC_INIT }

const struct err *returned_find(const struct hub *hub,
    const struct environment *env, struct returned *returned);
void returned_release(struct returned *returned);

/*
 * Remove it once more, but for what a process uses, and set the failed ones
 * aside. The caller holds the environment's lock, and no deploy is on its
 * way. The releases that went are pushed onto "removed", and a line for each
 * thing that stays onto "stays".
 */
const struct err *returned_settle(const struct hub *hub,
    const struct environment *env, struct vec *removed, struct vec *stays);

#endif
