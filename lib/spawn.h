/*
 * spawn - fork, arrange the child's world, exec, and hear when that fails.
 *
 * The child has all signals at their defaults and none blocked, the three
 * descriptors that it was given, at most one that it is to hold, and no
 * other, and exactly the environment that it was given. A pipe that closes
 * on exec brings back the first step that failed, so an error here is the
 * child's own errno.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

struct spawn {
	const char *const *argv;	/* argv[0] is looked up in env's PATH */
	const char *const *env;		/* NULL: an empty environment */
	const char *dir;		/* NULL: the caller's, or dirfd */
	int dirfd;			/* -1: none */
	int fds[3];			/* stdin, stdout, stderr; -1: null */
	int note_fd;			/* the child writes its number there
					 * before it runs; -1: nowhere */
	size_t note_at;			/* so far behind its start */
	int held_fd;			/* the child has it as SPAWN_HELD, and
					 * so has what it starts; -1: none */
	uint64_t memory_bytes;		/* RLIMIT_DATA; 0: no limit */
	int nice;			/* added to the caller's */
	bool tied;			/* killed when the caller dies */
	bool detached;			/* double fork in a new session,
					 * else a child in a new group */
};

#define SPAWN_INIT { .dirfd = -1, .fds = { -1, -1, -1 }, .note_fd = -1, \
    .held_fd = -1 }

/* A number that scripts do not use; missing where a limit is below it. */
#define SPAWN_HELD 187

/*
 * Returns when the program runs. "*pid" is to be given to kin_wait(); with
 * "detached" there is nothing to wait for. ERR_SYSTEM "run NAME: ...".
 */
const struct err *spawn_start(pid_t *pid, const struct spawn *spawn);

#endif
