/*
 * git - the few things that init asks the git program for.
 */
#ifndef GIT_H
#define GIT_H

#include <stdbool.h>

#include "cmd/gitfile.h"
#include "err.h"
#include "str.h"
#include "vec.h"

/*
 * A path as git sees it, appended, "~/" being the home folder; nothing
 * when it is not set.
 */
const struct err *git_config_path(struct str *value, const char *repo,
    const char *key);

/*
 * What follows changes the repository's own config, in "file", which is
 * opened when there is something to change.
 *
 * Set a key, unless it is set there or for the whole account; then it is
 * pushed onto "done".
 */
const struct err *git_config_default(const char *repo, struct gitfile *file,
    const char *key, const char *value, struct vec *done);

/*
 * Set what a repository that deploys needs in its own config; what was not
 * so before is pushed onto "done".
 */
const struct err *git_configure(const char *repo, struct gitfile *file,
    struct vec *done);

/*
 * Take back what git_configure() has set and does harm without Slipway; each
 * is pushed onto "done". Other values than its own stay.
 */
const struct err *git_unconfigure(const char *repo, struct gitfile *file,
    struct vec *done);

/*
 * Tell git which refs it is to leave to the proc-receive hook: these, and
 * none of those that it was told before. What other software has written
 * there stays, and so does what is in a file that is included, which is
 * noted in "done".
 */
const struct err *git_leave_refs(const char *repo, struct gitfile *file,
    const struct vec *refs, struct vec *done);

/* " update-ref -d REF", appended: the rest of "git -C REPO". */
void git_add_drop_ref(struct str *out, const char *ref);

/* Make an empty bare repository. */
const struct err *git_init_bare(const char *repo, const char *branch);

/*
 * ERR_USAGE with "advice" unless "path" is a bare repository's own folder;
 * ERR_CONFIG when it is somebody else's.
 */
const struct err *git_check_bare(const char *path, const char *advice);

/* True through "*has" when the repository has that branch. */
const struct err *git_has_branch(const char *repo, const char *branch,
    bool *has);

/*
 * The branch of HEAD, which need not be there, appended; nothing when HEAD
 * is a commit.
 */
const struct err *git_head(struct str *branch, const char *repo);
const struct err *git_set_head(const char *repo, const char *branch);

/* True through "*has" when the repository has any ref at all. */
const struct err *git_has_refs(const char *repo, bool *has);

/*
 * The branch of HEAD, appended, or the one with the newest commit when
 * that is not there; nothing in a repository without branches.
 */
const struct err *git_main_branch(struct str *branch, const char *repo);

/* "git version 2.39.5", appended. */
const struct err *git_version(struct str *version);

/*
 * What git_configure() would set and a deploy needs, as "receive.fsckObjects
 * is true", pushed onto "lacking".
 */
const struct err *git_lacking(const char *repo, struct vec *lacking);

/* "git config OPTION KEY VALUE" in the repository's own config. */
const struct err *git_change(const char *repo, struct gitfile *file,
    const char *option, const char *key, const char *value);

/* Remove a value of a key, which it has there. */
const struct err *git_drop_value(const char *repo, struct gitfile *file,
    const char *key, const char *value);

/* All values of a key in the repository's own config, in their order. */
const struct err *git_own_values(struct vec *values, const char *repo,
    const char *key, bool included);

/* What git_leave_refs() would change, and what it cannot. */
struct git_refs {
	struct vec lacking;	/* git is not told to leave them */
	struct vec extra;	/* init's, and not wanted any more */
	struct vec included;	/* the same, in a file that is included */
};

#define GIT_REFS_INIT { VEC_INIT, VEC_INIT, VEC_INIT }

const struct err *git_left_refs(const char *repo, const struct vec *refs,
    struct git_refs *left);
void git_refs_release(struct git_refs *left);

#endif
