/*
 * outlet - text on its way to a reader that may take none of it.
 */
#ifndef OUTLET_H
#define OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

/* More than that should wait elsewhere. */
#define OUTLET_MAX 65536

struct outlet {
	int fd;
	struct str text;	/* what is written of it is cut off in time */
	size_t written;		/* bytes of "text" */
	int64_t moved_ms;	/* monotonic: of the last write, or the end */
	bool gone;		/* the reader is */
};

/* Bytes that the reader has not taken yet. */
size_t outlet_waits(const struct outlet *outlet);
bool outlet_is_full(const struct outlet *outlet);

/*
 * Write what is taken at once of a descriptor that poll(2) calls writable:
 * at most PIPE_BUF bytes, so that this never blocks.
 */
void outlet_write(struct outlet *outlet);

#endif
