/*
 * room - what a file system still takes.
 *
 * The figures are those for ordinary users: what is kept back for root is
 * not counted. They are of this instant, and others write, too.
 */
#ifndef ROOM_H
#define ROOM_H

#include <stdint.h>

#include "err.h"
#include "str.h"

struct room {
	int64_t free_bytes;
	int64_t free_inodes;	/* INT64_MAX where there is no limit */
	int64_t block_bytes;	/* what a file's size is rounded up to */
};

/* The file system of an open file or folder. */
const struct err *room_look(struct room *room, int fd);

/* What a file of that size takes. */
int64_t room_rounded(const struct room *room, int64_t size_bytes);

/* "812 MB and 21912 inodes". */
void room_add(struct str *out, int64_t bytes, int64_t inodes);

#endif
