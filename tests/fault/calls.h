/*
 * calls - the system calls by name, and which of them change a disk.
 *
 * Names come from a table of those that deploying makes; any other is
 * "sys_123". What writes through a descriptor changes a disk only when
 * that is a file's: calls_path() tells.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct call {
	long number;
	const char *name;
	char kind;	/* '-' is not seen from outside, 'e' is, 'p' changes
			 * the path that is an argument, 'o' is an open that
			 * may create, 'f' changes a descriptor's file */
	int argument;	/* which one is the path or descriptor */
	int count;	/* which one says how many bytes, -1: none */
};

/* The entries one after the other; NULL behind the last. */
const struct call *calls_at(size_t i);

/* The entry of a number; one without a name for what is not known. */
const struct call *calls_find(long number);

/*
 * Whether a call that is about to be made changes a disk. The path that it
 * is about goes into "path" when it does and that is cheap, else "".
 */
bool calls_changes(const struct call *call, pid_t pid,
    const uint64_t arguments[6], char *path, size_t size);

/*
 * Whether anybody else may notice that the call was made. Between two calls
 * that nobody does, it makes no difference where a process dies.
 */
bool calls_shows(const struct call *call, pid_t pid,
    const uint64_t arguments[6]);

/*
 * Whether a kernel lets it fail, and its caller can do something about that:
 * no close leaves the file open, a lock of SQLite's that is refused is busy
 * and waited for, and nobody runs out of disk or memory by waiting.
 */
bool calls_fails(const struct call *call);

#endif
