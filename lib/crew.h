/*
 * crew - several threads for one list of work.
 *
 * The list is cut into pieces, which the threads take in order as they
 * become free. The first error ends it: what has been begun is finished,
 * and nothing more is taken. With one thread, or a list of one piece,
 * everything happens in the caller's own thread.
 *
 *	err = crew_run(crew_size(0), n, 32, write_some, ctx);
 */
#ifndef CREW_H
#define CREW_H

#include <stddef.h>

#include "err.h"

/* More threads than this are not of use to a disk. */
#define CREW_MAX 16

/*
 * Do the items from "from" to before "to". "worker" counts the threads from
 * 0, so that each can have something of its own.
 */
typedef const struct err *(*crew_cb)(size_t from, size_t to, int worker,
    void *ctx);

/* "wanted" threads, or with 0 as many as this process has processors. */
int crew_size(int wanted);

/* "n" items in pieces of "piece". An error of a thread becomes ours. */
const struct err *crew_run(int threads, size_t n, size_t piece, crew_cb cb,
    void *ctx);

typedef const struct err *(*crew_idle_cb)(void *ctx);

/*
 * Call back in a thread that stands back for everybody: it, and a crew of
 * its own, get processors and disks that nobody else wants. Waits for it.
 */
const struct err *crew_idle(crew_idle_cb cb, void *ctx);

#endif
