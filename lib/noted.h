/*
 * noted - a command is written down before it runs, so that what is left
 * of it can be found when its caller was killed.
 *
 * Numbers come round again, and a program may change its name, its
 * environment and its session; so what is noted is what the kernel keeps:
 *
 *	BOOT NAMESPACE SESSION SINCE PIPE NUMBER
 *
 * Those of this boot and PID namespace that were started SINCE then belong
 * to the command for certain when they are in its group and session, or
 * hold the pipe that its output went to. Besides, it and all that descend
 * from it inherit a descriptor with a lock on a byte of the note that is
 * its own (SINCE, in nanoseconds): whoever has that is found by nobody, but
 * is known to be there.
 *
 *	err = noted_write(&noted, fd, pipe);
 *	...				spawn with noted.note_at, .held_fd
 *	err = noted_clear(fd);
 *
 * and by who finds a note that was never cleared:
 *
 *	err = noted_end(fd, patience_ms, &n, &left);
 */
#ifndef NOTED_H
#define NOTED_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

struct noted {
	int held_fd;		/* for the child to inherit; -1: none */
	size_t note_at;		/* where it writes "NUMBER\n" */
};

/* "pipe_fd" is either end of the pipe for its output. */
const struct err *noted_write(struct noted *noted, int note_fd, int pipe_fd);

/* The command has ended, and with it what was noted. */
const struct err *noted_clear(int note_fd);

/*
 * End what belongs to a noted command for certain: TERM, PROC_GRACE_MS,
 * KILL; how many there were through "*n". ERR_FAILED names one that cannot
 * be ended, and the note stays. Whoever else has inherited the lock may be
 * a daemon that was started on purpose: it is waited for, "patience_ms" at
 * the most, and then left alone, and a line about each is pushed onto
 * "left". "note_fd" is open for reading and writing.
 */
struct vec;
const struct err *noted_end(int note_fd, int64_t patience_ms, size_t *n,
    struct vec *left);

#endif
