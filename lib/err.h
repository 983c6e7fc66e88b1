/*
 * err - what went wrong, in words, and how the program should exit.
 *
 * A function that can fail returns "const struct err *": NULL is success.
 * An error is never freed: it lives in a small ring of the calling thread,
 * and stays readable until ERR_RING further errors were made there, which
 * is many more than any chain of callers keeps; a loop has err_keep().
 *
 * The function that fails describes the act ("open"), the one that knows
 * the noun adds it once ("/srv/x"), main() prints it once:
 *
 *	err = file_read(&text, path, limit_bytes);
 *	if (err != NULL)
 *		return err_add(err, "config %s", path);
 */
#ifndef ERR_H
#define ERR_H

#include <stdbool.h>
#include <stddef.h>

enum err_code {
	ERR_SYSTEM,		/* a system call failed, errno kept */
	ERR_FAILED,		/* anything without a code of its own */
	ERR_USAGE,		/* the command line is wrong */
	ERR_CONFIG,		/* slipway.ini is wrong */
	ERR_REFUSED,		/* policy says no */
	ERR_BUSY,		/* somebody else holds it */
	ERR_ROLLED_BACK,	/* the deploy failed, the old release is live */
	ERR_BROKEN,		/* the deploy failed and needs a hand */
	ERR_NOT_FOUND,		/* no such thing */
	ERR_CORRUPT,		/* stored data contradict themselves */
	ERR_PROTOCOL,		/* the peer said something impossible */
	ERR_GIT,		/* libgit2 or a git command failed */
	ERR_JOURNAL,		/* SQLite failed */
	ERR_TIMEOUT,		/* a deadline passed */
	ERR_INTERRUPTED,	/* cut off half-way, to be picked up again */
	ERR_CANCELLED,		/* somebody wanted it to stop */
	ERR_COUNT
};

struct err {
	enum err_code code;
	int sys_errno;		/* 0 when no system call is to blame */
	const char *text;	/* one line without a final newline */
};

/* How many errors of one thread stay readable. */
#define ERR_RING 16

/* The longest text that an error keeps, in bytes; more is cut with "...". */
#define ERR_TEXT_MAX 4096

/* Where the errors of one thread are. */
struct err_ring {
	unsigned int next;
	struct err_slot {
		struct err err;
		char text[ERR_TEXT_MAX];
	} slots[ERR_RING];
};

/*
 * The first thread has one from the start. Any other gives itself one,
 * emptied by this, before it does anything that can fail, and has it for as
 * long as it or somebody who was given its errors is at work.
 */
void err_use_ring(struct err_ring *ring);

/* An error with this text; a NULL format means the default of the code. */
const struct err *err_new(enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ERR_SYSTEM: the text, a colon, and strerror of the current errno. */
const struct err *err_system(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* The same error with "TEXT: " in front. */
const struct err *err_add(const struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same text under another code (for a policy that a fault becomes). */
const struct err *err_recode(const struct err *err, enum err_code code);

/* The exit status that the manual promises for this error; NULL is 0. */
int err_exit_status(const struct err *err);

/* The short name of a code, as the agent protocol spells it. */
const char *err_code_name(enum err_code code);

/* The code of that name; ERR_FAILED for a name that nobody knows. */
enum err_code err_code_by_name(const char *name);

/*
 * Keep the first error of a sequence of clean-ups: "*first" when it is set
 * already, else "next".
 */
const struct err *err_first(const struct err *first, const struct err *next);

/*
 * The first error of a sequence so long that the ring may have gone round
 * before its end:
 *
 *	struct err_kept kept = ERR_KEPT_INIT;
 *
 *	for (...)
 *		err_keep(&kept, act());
 *	return err_kept(&kept);
 */
struct err_kept {
	bool is;
	struct err err;
	char text[ERR_TEXT_MAX];
};

#define ERR_KEPT_INIT { .is = false }

/* Keep a copy of this error, unless one is kept already or it is NULL. */
void err_keep(struct err_kept *kept, const struct err *err);

/* The one that was kept, as a new error; NULL when there was none. */
const struct err *err_kept(const struct err_kept *kept);

/* Print "PROGRAM: TEXT" to standard error, control characters escaped. */
void err_print(const char *program, const struct err *err);

#endif
