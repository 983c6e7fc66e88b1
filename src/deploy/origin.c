#include "deploy/origin.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

const struct err *
origin_commit(struct repo *repo, const char *ref, const char *oid,
    char commit[REPO_OID_SIZE])
{
	const struct err *err;
	bool is_commit;

	err = repo_peel(repo, oid, commit, &is_commit);
	if (err != NULL)
		return err;
	if (!str_starts_with(ref, "refs/heads/"))
		return is_commit ? NULL : err_new(ERR_REFUSED, "%s does not"
		    " point at a commit", ref);
	if (!is_commit)
		return err_new(ERR_REFUSED, "a branch points at a commit;"
		    " %.7s is none", oid);
	return strcmp(commit, oid) == 0 ? NULL : err_new(ERR_REFUSED, "a"
	    " branch points at a commit; %.7s is a tag of %.7s: push that to"
	    " %s", oid, commit, ref);
}

static const struct err *
branch_now(struct repo *repo, const char *branch, char oid[REPO_OID_SIZE])
{
	char *ref = xasprintf("refs/heads/%s", branch);
	const struct err *err;

	err = repo_ref_value(repo, ref, oid);
	free(ref);
	return err;
}

const struct err *
origin_check(struct repo *repo, const struct environment *env,
    const char *ref, const char *commit, const char *tip)
{
	const char *branch = env->set.only_from;
	char now[REPO_OID_SIZE];
	const struct err *err = NULL;
	bool is = false;

	if (branch == NULL)
		return NULL;
	if (tip == NULL)
		err = branch_now(repo, branch, now);
	else
		memcpy(now, tip, REPO_OID_SIZE);
	if (err == NULL && repo_is_zero(now))
		return err_new(ERR_REFUSED, "%s: only commits of the branch"
		    " %s are deployed (only_from), and there is no such"
		    " branch yet; push it first", env->name, branch);
	if (err == NULL)
		err = repo_is_ancestor(repo, commit, now, &is);
	if (err != NULL || is)
		return err;
	return err_new(ERR_REFUSED, "%s: %s is at %.7s, which the branch %s"
	    " does not have, and only its commits are deployed (only_from);"
	    " merge it there and push that", env->name, ref, commit, branch);
}

const struct err *
origin_newest(struct repo *repo, const struct environment *env,
    const char *const *commits, size_t n, size_t *newest)
{
	const struct err *err = repo_newest(repo, commits, n, newest);

	if (err != NULL || *newest < n)
		return err;
	return err_new(ERR_REFUSED, "%s: of the %zu refs of this push that it"
	    " deploys none contains all others, so which is to be live? Push"
	    " them one by one, that one last", env->name, n);
}
