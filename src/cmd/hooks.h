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
#include "vec.h"

/*
 * The folder that git looks in for the hooks of a repository, given:
 * core.hooksPath, or REPO/hooks.
 */
const struct err *hooks_dir(char **dir, const char *repo);

/* Is the proc-receive hook, which git leaves refs to, somebody else's? */
bool hooks_answer_is_foreign(const char *dir);

/*
 * Put the links in; what was done is pushed onto "done", and the names of
 * those that were put in onto "put". After a failure none of them is left.
 */
const struct err *hooks_install(const char *dir, struct vec *done,
    struct vec *put);

/* Take those out again that were put in, as if they had not been. */
void hooks_take_back(const char *dir, const struct vec *put);

/* Take them out again and restore what was there before. */
const struct err *hooks_remove(const char *dir, struct vec *done);

enum hook_state {
	HOOK_OURS,		/* a link to the program of this Slipway */
	HOOK_MISSING,
	HOOK_FOREIGN,
	HOOK_DANGLING,		/* ours, and the program is gone */
	HOOK_IDLE,		/* ours, and not executable */
	HOOK_ELSEWHERE		/* of another installation */
};

enum hook_state hooks_state(const char *dir, const char *name);

/* The names of our hooks, from 0; NULL behind the last one. */
const char *hooks_name(size_t i);

#endif
