/*
 * lock - one holder at a time, released by the kernel.
 *
 * The lock is flock(2) on a small file that is never unlinked, so a
 * holder that dies for any reason leaves nothing to clean up, and two
 * holders can never lock two different inodes of one name. The file's
 * text (pid and purpose of the last holder) is for people only.
 *
 *	err = lock_take(&lock, path, "deploy 41", timeout_ms);
 *	...
 *	lock_release(lock);
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct lock;

/*
 * Take the lock, creating the file when it is missing, for this user
 * alone (who can open it can hold it). Waits up to
 * "timeout_ms": 0 does not wait, -1 waits for ever. ERR_BUSY when somebody
 * else holds it at the end; "*lock" is NULL on any failure.
 */
const struct err *lock_take(struct lock **lock, const char *path,
    const char *purpose, int64_t timeout_ms);

/* NULL is allowed. */
void lock_release(struct lock *lock);

/*
 * True when somebody holds the lock at this instant. A missing file is
 * held by nobody. This looks without holding the lock itself; where the
 * kernel does not list all locks (no /proc, a container), it does hold it,
 * shared, for an instant.
 */
bool lock_is_held(const char *path);

#endif
