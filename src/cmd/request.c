#include "cmd/request.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/identity.h"
#include "journal/push.h"
#include "plan/takes.h"
#include "plan/unknown.h"
#include "repo.h"

void
request_fill(const struct call *call, struct deploy *request,
    const char *kind)
{
	request->environment = xstrdup(call->env->name);
	request->kind = xstrdup(kind);
	request->pusher = identity_pusher();
}

/* The branch or the tag that REV names, for the journal; or none. */
static void
name_ref(struct repo *repo, const char *rev, struct deploy *request)
{
	static const char *const kinds[] = { "refs/heads/", "refs/tags/", "" };
	size_t n = str_starts_with(rev, "refs/") ? 3 : 2;
	char oid[REPO_OID_SIZE];

	for (size_t i = 0; i < n && request->ref == NULL; i++) {
		char *ref = xasprintf("%s%s", kinds[i], rev);

		if (repo_ref(repo, ref, oid) == NULL &&
		    strcmp(oid, request->commit) == 0)
			request->ref = xstrdup(ref);
		free(ref);
	}
}

static const struct err *
name_commit(struct repo *repo, struct deploy *request)
{
	struct repo_commit commit = { 0 };
	const struct err *err;

	err = repo_commit_read(repo, request->commit, &commit);
	if (err == NULL) {
		request->author = xstrdup(commit.author);
		request->subject = xstrdup(commit.subject);
	}
	repo_commit_release(&commit);
	return err;
}

/*
 * "The branch" is what it is now. Where it moves with each deploy, a push
 * that is under way may move it before this one's turn: then this one must
 * not take it back, see branch_begin().
 */
static void
expect_branch(const struct environment *env, struct deploy *request)
{
	if (env->set.transactional && request->ref != NULL &&
	    takes_ref(env, request->ref))
		request->ref_old = xstrdup(request->commit);
}

/* Where pushes to several refs are deployed, none stands for them all. */
static const struct err *
which_ref(const struct call *call)
{
	char *which = cmd_which(call, call->env->name);
	struct str takes = STR_INIT;
	const struct err *err;

	takes_add(&takes, call->env);
	err = err_new(ERR_USAGE, "%s deploys %s: say which commit, branch or"
	    " tag, as in slipway %s REV%s", call->env->name, takes.s,
	    call->cmd->name, which);
	str_release(&takes);
	free(which);
	return err;
}

static const struct err *
no_branch(const struct call *call)
{
	const char *branch = call->env->branch;
	char *which = cmd_which(call, call->env->name);
	char *ref = xasprintf("refs/heads/%s", branch);
	const struct err *err;
	bool had;

	err = push_has_landed(call->hub.journal, ref, &had);
	if (err == NULL)
		err = had ? err_new(ERR_NOT_FOUND, "branch %s is not there"
		    " any more; push it again, or say which commit, as in"
		    " slipway %s REV%s", branch, call->cmd->name, which) :
		    err_new(ERR_NOT_FOUND, "nothing was pushed to branch %s"
		    " yet", branch);
	free(ref);
	free(which);
	return err;
}

const struct err *
request_commit(const struct call *call, struct deploy *request)
{
	const char *rev = call->words.n > 0 ? call->words.v[0] :
	    call->env->branch;
	char oid[REPO_OID_SIZE];
	const struct err *err;
	struct repo *repo;

	if (rev == NULL)
		return which_ref(call);
	err = repo_open(&repo, call->hub.path, false);
	if (err == NULL) {
		err = repo_resolve(repo, rev, oid);
		if (err != NULL && call->words.n == 0 &&
		    err->code == ERR_NOT_FOUND)
			err = no_branch(call);
	}
	if (err == NULL) {
		request->commit = xstrdup(oid);
		name_ref(repo, rev, request);
		expect_branch(call->env, request);
		err = name_commit(repo, request);
	}
	repo_close(repo);
	return err;
}

/* A directive that nothing takes is a slip of the hand: ask again. */
const struct err *
request_directives(const struct call *call, struct directives *list)
{
	struct unknown unknown = UNKNOWN_INIT;
	struct str text = STR_INIT;
	struct vec words = VEC_INIT;
	const struct err *err = NULL;

	call_values(call, "directive", &words);
	for (size_t i = 0; err == NULL && i < words.n; i++)
		err = directives_add_word(list, words.v[i], "", "cli");
	if (err == NULL && directives_has(list, DIRECTIVE_SKIP))
		err = err_new(ERR_USAGE, "-d %s: a deploy that is asked for"
		    " by hand is not skipped", DIRECTIVE_SKIP);
	if (err == NULL)
		unknown_find(&unknown, call->hub.config, call->env, list);
	if (unknown.n > 0) {
		unknown_text(&text, &unknown.v[0]);
		err = err_new(ERR_USAGE, "%s", text.s);
	}
	unknown_release(&unknown);
	str_release(&text);
	vec_release(&words);
	return err;
}
