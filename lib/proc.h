/*
 * proc - start a child safely, hear what it says, end it in time.
 *
 * A child gets its own process group, an environment that was built for
 * it, stdin from /dev/null unless told otherwise, and no descriptor but
 * the three, and with a note the one that tells of it. A deadline sends
 * TERM to the group, then KILL after PROC_GRACE_MS, and then KILL to every
 * descendant that left the group: the caller is made a subreaper, so none
 * of them can hide.
 *
 *	struct proc_spec spec = { .argv = argv, .env = env, ... };
 *
 *	err = proc_run(&result, &spec, on_output, ctx);
 *
 * proc_run() ends when the child has ended, not when the last descendant
 * closes the pipe: a daemon that a command leaves behind holds nobody up,
 * and is left alone. What is left in the group of a child that failed, or
 * was killed, is ended: its work is going to be taken back. When the caller
 * is killed, so is the child; noted.h is for what it started.
 */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "str.h"

/* From TERM to KILL. */
#define PROC_GRACE_MS 5000

/*
 * Look at what made "stop_fd" readable, and take it: false when the child
 * is to go on.
 */
typedef bool (*proc_stop_cb)(void *ctx);

struct proc_spec {
	const char *const *argv;	/* argv[0] is looked up in PATH */
	const char *const *env;		/* NULL: an empty environment */
	const char *dir;		/* NULL: the caller's */
	int dirfd;			/* used when dir is NULL; -1: none */
	const void *input;		/* stdin from these bytes; NULL: null */
	size_t input_len;
	int out_fd;			/* stdout to this fd; -1: callback */
	int64_t timeout_ms;		/* 0: no limit */
	uint64_t memory_bytes;		/* RLIMIT_DATA; 0: no limit */
	int nice;			/* added to the caller's; 0: the same */
	int stop_fd;			/* readable or closed: end the child
					 * as a deadline would; -1: none */
	proc_stop_cb stop_cb;		/* asked then, if there is one */
	void *stop_ctx;
	int note_fd;			/* a file that gets what is to be known
					 * of the child before it runs, and is
					 * emptied when it has ended: see
					 * noted.h; -1: none */
};

#define PROC_SPEC_INIT { .dirfd = -1, .out_fd = -1, .stop_fd = -1, \
    .note_fd = -1 }

struct proc_result {
	int exit_status;	/* 0 to 255, -1 when a signal ended it */
	int signal;		/* 0 when it exited */
	bool timed_out;
	bool stopped;		/* by stop_fd */
	int64_t duration_ms;
};

/*
 * Output of the child, stdout and stderr in the order they arrived, in
 * pieces of any size. An error returned here ends the child.
 */
typedef const struct err *(*proc_output_cb)(const char *bytes, size_t len,
    void *ctx);

/*
 * Run to the end. An error means that the child could not be started or
 * watched; how it ended is in "result".
 */
const struct err *proc_run(struct proc_result *result,
    const struct proc_spec *spec, proc_output_cb cb, void *ctx);

/*
 * Run what is asked something: its answer, stdout alone, is appended to
 * "out", and what it says on stderr to "said", without space at the end.
 */
const struct err *proc_ask(struct proc_result *result,
    const struct proc_spec *spec, struct str *out, size_t limit_bytes,
    struct str *said);

/* "exit 1", "killed by signal 9 (Killed)", "timed out after 5 m 00 s". */
void proc_describe(struct str *str, const struct proc_result *result);

/*
 * Start a program that outlives the caller: double fork, its own session,
 * folder "/", stdin and stdout /dev/null, stderr appended to "stderr_path"
 * (NULL: /dev/null), every other descriptor closed. With "hold" its stdin
 * ends when the caller closes "*hold", or ends; -1 on failure.
 */
const struct err *proc_detach(const char *const *argv,
    const char *const *env, const char *stderr_path, int *hold);

/*
 * Start a program with a socket as its stdin and stdout (stderr is the
 * caller's), in its own process group: the other end through "*fd".
 */
const struct err *proc_pair(pid_t *pid, int *fd, const char *const *argv,
    const char *const *env);

/*
 * Push PATH HOME USER LANG TZ as a command should see them: a plain PATH,
 * the account's home and name, LANG=C.UTF-8, the machine's time zone.
 */
struct vec;
void proc_base_env(struct vec *env);

#endif
