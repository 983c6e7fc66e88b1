/*
 * content - the name that git gives to what is in a file.
 *
 * It is the object name of a blob with these bytes: a file whose content
 * has the name that the commit's tree says is what was committed, without a
 * look at the objects. 20 bytes, binary.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stddef.h>

#include "err.h"

#define CONTENT_BYTES 20

void content_of_bytes(unsigned char name[CONTENT_BYTES], const void *bytes,
    size_t len);

/* Of a regular file, read in pieces; the file offset stays. */
const struct err *content_of_fd(unsigned char name[CONTENT_BYTES], int fd);

/*
 * Of a regular file, or of a symlink's target. Nothing else is opened, and
 * nothing waits for a pipe's other end. ERR_SYSTEM keeps errno.
 */
const struct err *content_of(unsigned char name[CONTENT_BYTES], int dirfd,
    const char *path);

#endif
