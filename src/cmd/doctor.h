/*
 * doctor - a set-up is looked at from all sides, and each fault is told
 * with what to do about it.
 *
 * A check looks at one thing, changes nothing, and tells only what is
 * certain. It has the config and the journal where these could be read, and
 * is passed over by itself where it needs what could not be. An error that
 * it returns means that it could not look, and is told as a fault.
 *
 *	doctor_tell(doctor, LEVEL_FAULT, path, "slipway init REPO",
 *	    "the hook is missing");
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "journal/hub.h"
#include "plan/config.h"

enum level {
	LEVEL_NOTE,		/* worth knowing; nothing is wrong */
	LEVEL_WARNING,		/* will do harm one day */
	LEVEL_FAULT,		/* does not work, or is open to others */
	LEVEL_COUNT
};

struct finding {
	enum level level;
	const char *check;	/* lent from the table */
	char *where;
	char *what;
	char *remedy;		/* NULL: there is nothing to be done */
};

struct doctor {
	struct hub *hub;	/* config and journal may be NULL */
	const char *etc;	/* where web servers are configured */
	const char *only;	/* this environment; NULL: all of them */
	const char *check;	/* the one that is at work */
	struct finding *findings;
	size_t n;
};

/* "remedy" NULL: none. */
void doctor_tell(struct doctor *doctor, enum level level, const char *where,
    const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* A command with a word between that is quoted, given: for "remedy". */
char *doctor_command(const char *before, const char *word,
    const char *after);

/* "slipway init REPO", given: for "remedy". */
char *doctor_init_remedy(const struct doctor *doctor);

/*
 * The command that takes a setting of git's back, given, for "remedy". Of
 * its "n" values some may not be the repository's own: "otherwise" is what
 * it is to be there, then.
 */
char *doctor_unset(const struct doctor *doctor, const char *key, size_t n,
    const char *otherwise);

/*
 * A fault that is an error's: what it says to do, behind its ';', is that,
 * and "where" is not said twice.
 */
void doctor_tell_err(struct doctor *doctor, const char *where,
    const struct err *err);

/* The text without "where" in front, lent. */
const char *doctor_without(const char *text, const char *where);

/*
 * "PATH MTIME SIZE" of the libgit2.a that was linked in; "" when it is a
 * shared library. Made by the Makefile.
 */
extern const char doctor_git2[];

typedef const struct err *(*doctor_env_cb)(struct doctor *doctor,
    const struct environment *env);

/* Call for each environment; for none without a config. */
const struct err *doctor_each(struct doctor *doctor, doctor_env_cb cb);

/* The checks, by the files that they are in. */
const struct err *doctor_programs(struct doctor *doctor);
const struct err *doctor_packages(struct doctor *doctor);

const struct err *doctor_config(struct doctor *doctor);

const struct err *doctor_rights(struct doctor *doctor);
const struct err *doctor_disk(struct doctor *doctor);
const struct err *doctor_memory(struct doctor *doctor);

const struct err *doctor_git(struct doctor *doctor);
const struct err *doctor_refs(struct doctor *doctor);
const struct err *doctor_hooks(struct doctor *doctor);
const struct err *doctor_locks(struct doctor *doctor);

const struct err *doctor_journal(struct doctor *doctor);
const struct err *doctor_current(struct doctor *doctor);
const struct err *doctor_work(struct doctor *doctor);
const struct err *doctor_clock(struct doctor *doctor);

const struct err *doctor_nginx(struct doctor *doctor);
const struct err *doctor_apache(struct doctor *doctor);
const struct err *doctor_php(struct doctor *doctor);

#endif
