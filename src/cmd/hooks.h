/*
 * hooks - the links in a repository's hooks folder.
 *
 * Each hook is a symlink to the installed program, so that a newer Slipway
 * reaches every repository the moment it is installed. A hook that was
 * there before is renamed to NAME.before-slipway and run by ours.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "journal/hub.h"
#include "str.h"
#include "vec.h"

/*
 * The folder that git looks in for the hooks of a repository, given:
 * core.hooksPath, or REPO/hooks.
 */
const struct err *hooks_dir(char **dir, const char *repo);

/*
 * Where that folder really is, given, when that is not in the repository:
 * others may use it, too. A link may lead there. NULL: it is this one's own.
 */
char *hooks_shared(const char *dir, const char *repo);

/* Is the proc-receive hook, which git leaves refs to, somebody else's? */
bool hooks_answer_is_foreign(const char *dir);

/* More hooks than this there are not. */
#define HOOKS_MAX 4

/* What was put in, and what was there before. */
struct hooks_put {
	struct {
		const char *name;
		char *target;	/* of a link of Slipway's; NULL: none was */
		bool aside;	/* one that is run, too, has another name */
	} v[HOOKS_MAX];
	size_t n;
};

/*
 * Put the links in; what was done is pushed onto "done", and noted in "put".
 * After a failure all is as it was.
 */
const struct err *hooks_install(const char *dir, struct vec *done,
    struct hooks_put *put);

/* Bring back what was there before. */
void hooks_take_back(const char *dir, struct hooks_put *put);
void hooks_put_release(struct hooks_put *put);

/* Take them out again and restore what was there before. */
const struct err *hooks_remove(const char *dir, struct vec *done);

enum hook_state {
	HOOK_OURS,		/* a link to the program of this Slipway */
	HOOK_MISSING,
	HOOK_FOREIGN,		/* an init would have ours run it */
	HOOK_STAYS,		/* foreign, and an init would refuse */
	HOOK_DANGLING,		/* ours, and the program is gone */
	HOOK_IDLE,		/* ours, and not executable */
	HOOK_ELSEWHERE		/* of another installation */
};

enum hook_state hooks_state(const char *dir, const char *name);

/*
 * Append what is wrong when pushes to this repository run other hooks than
 * Slipway's, or none, and what to do; nothing when all is well, nor for
 * somebody else than its owner, whom git may show other hooks.
 */
void hooks_add_fault(struct str *out, const struct hub *hub);

/* The names of our hooks, from 0; NULL behind the last one. */
const char *hooks_name(size_t i);

#endif
