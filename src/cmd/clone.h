/*
 * clone - a developer's clone, as far as git itself tells of it.
 *
 * Nothing here reads the repository but the git program, in the developer's
 * own environment: whatever kind of clone git can work in (a worktree, a
 * shallow or partial clone, another object format) is one.
 *
 *	err = clone_open(&clone, dir);
 *	err = clone_log(&clone, "origin/main..HEAD", one_commit, ctx);
 *	clone_release(&clone);
 */
#ifndef CLONE_H
#define CLONE_H

#include <stdbool.h>

#include "err.h"
#include "plan/config.h"
#include "str.h"
#include "vec.h"

struct clone {
	const char *dir;	/* lent; NULL: the current folder */
	char *common;		/* the git folder that all worktrees share */
	char *top;		/* of the work tree; NULL: it is bare */
	struct vec env;		/* for git and for commands */
};

#define CLONE_INIT { .env = VEC_INIT }

/* ERR_GIT with git's own words where there is no repository. */
const struct err *clone_open(struct clone *clone, const char *dir);
void clone_release(struct clone *clone);

/*
 * The first line that "git rev-parse" answers to a name, appended; with
 * "short_name" a ref as people call it. "*found" is false when git does not
 * know it.
 */
const struct err *clone_name(const struct clone *clone, const char *name,
    bool short_name, struct str *out, bool *found);

/*
 * The remote branches of that name, as people call them, pushed onto
 * "names": what was fetched or pushed of it; of any name for NULL.
 */
const struct err *clone_tracked(const struct clone *clone,
    const char *branch, struct vec *names);

/* What the remotes are, pushed onto "urls". */
const struct err *clone_remotes(const struct clone *clone,
    struct vec *urls);

/* The whole name of a commit and its message. */
typedef const struct err *(*clone_cb)(const char *commit,
    const char *message, void *ctx);

/*
 * The commits of a range, newest first, as "git log" has them; of a name
 * without a range, that commit alone, or "all" that it reaches. ERR_USAGE
 * when the clone has none of that name.
 */
const struct err *clone_log(const struct clone *clone, const char *range,
    bool all, clone_cb cb, void *ctx);

/* Paths that these commits have changed, pushed onto "paths". */
const struct err *clone_changed(const struct clone *clone,
    const char *range, bool all, struct vec *paths);

/*
 * slipway.ini in the git folder, which no fetch brings: NULL through
 * "*config" when there is none. ERR_CONFIG when somebody else could have
 * written it.
 */
const struct err *clone_config(const struct clone *clone,
    struct config **config);

#endif
