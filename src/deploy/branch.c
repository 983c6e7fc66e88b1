#include "deploy/branch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "journal/push.h"

static char *
ref_of(const struct environment *env)
{
	return xasprintf("refs/heads/%s", env->branch);
}

const struct err *
branch_value(struct repo *repo, const struct environment *env,
    char oid[REPO_OID_SIZE])
{
	char *ref = ref_of(env);
	const struct err *err;

	err = repo_ref_value(repo, ref, oid);
	free(ref);
	return err;
}

/* Words for one whose commit does not contain what is there now. */
static const struct err *
has_moved(const struct work *work, const char *seen, const char *now)
{
	bool pushed = work->deploy.push != 0;
	struct str by = STR_INIT;
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(work->hub->journal, work->env->name, &live);
	if (err == NULL && live.number != 0 && strcmp(live.commit, now) == 0)
		str_addf(&by, " (deploy %" PRId64 ")", live.number);
	if (err == NULL && seen == NULL)
		err = err_new(ERR_REFUSED, "%s is at %.7s%s, and %.7s does"
		    " not contain it; fetch, merge and push again",
		    work->env->branch, now, by.s, work->deploy.commit);
	else if (err == NULL)
		err = err_new(ERR_REFUSED, "%s moved from %.7s to %.7s while"
		    " this %s waited%s; %s", work->env->branch, seen, now,
		    pushed ? "push" : "request", by.s, pushed ?
		    "fetch, merge and push again" :
		    "ask again for what it is now, or by commit");
	deploy_release(&live);
	str_release(&by);
	return err;
}

static const struct err *
check_pushed(const struct work *work, const char *now)
{
	const struct deploy *deploy = &work->deploy;
	const struct err *err = NULL;
	char *seen = NULL;
	bool may;

	may = repo_is_zero(now) || strcmp(now, deploy->commit) == 0;
	if (!may && deploy->ref != NULL)
		err = push_get_old(work->hub->journal, deploy->push,
		    deploy->ref, &seen);
	may = may || (seen != NULL && strcmp(seen, now) == 0);
	if (err == NULL && !may)
		err = repo_is_ancestor(work->repo, now, deploy->commit, &may);
	if (err == NULL && !may)
		err = has_moved(work, seen, now);
	free(seen);
	return err;
}

/* Where it is not there, other refs may be in its way. */
static const struct err *
check_room(const struct work *work, const char *now)
{
	char *ref = ref_of(work->env);
	const struct err *err = NULL;

	if (repo_is_zero(now))
		err = repo_check_new_ref(work->repo, ref);
	free(ref);
	return err;
}

const struct err *
branch_begin(struct work *work)
{
	struct deploy *deploy = &work->deploy;
	bool is_rollback = strcmp(deploy->kind, "rollback") == 0;
	char *seen = deploy->ref_old, now[REPO_OID_SIZE];
	const struct err *err;

	deploy->ref_old = NULL;
	if (!work->env->set.transactional) {
		free(seen);
		return NULL;
	}
	err = branch_value(work->repo, work->env, now);
	if (err == NULL && deploy->push != 0 && !is_rollback)
		err = check_pushed(work, now);
	else if (err == NULL && seen != NULL && strcmp(seen, now) != 0)
		err = has_moved(work, seen, now);
	if (err == NULL)
		err = check_room(work, now);
	if (err == NULL)
		deploy->ref_old = xstrdup(now);
	free(seen);
	return err;
}

static const struct err *
move(struct work *work, const char *old, const char *new)
{
	struct repo_move change = { .old = old, .new = new };
	char *ref = ref_of(work->env);
	char *why = xasprintf("%s %" PRId64 "%s", work->deploy.kind,
	    work->deploy.number, strcmp(new, work->deploy.commit) == 0 ? "" :
	    " taken back");
	const struct err *err;

	change.ref = ref;
	change.why = why;
	err = repo_move_ref(work->repo, &change);
	free(why);
	free(ref);
	return err;
}

const struct err *
branch_forward(struct work *work)
{
	const struct deploy *deploy = &work->deploy;
	char now[REPO_OID_SIZE];
	const struct err *err;

	if (deploy->ref_old == NULL)
		return NULL;
	err = move(work, deploy->ref_old, deploy->commit);
	if (err == NULL || err->code != ERR_REFUSED ||
	    strcmp(deploy->kind, "rollback") != 0)
		return err;
	work_warn(work, "%s; it follows what is live", err->text);
	err = branch_value(work->repo, work->env, now);
	return err == NULL ? move(work, now, deploy->commit) : err;
}

const struct err *
branch_back(struct work *work)
{
	const struct deploy *deploy = &work->deploy;
	char now[REPO_OID_SIZE];
	const struct err *err;

	if (deploy->ref_old == NULL ||
	    strcmp(deploy->ref_old, deploy->commit) == 0)
		return NULL;
	err = branch_value(work->repo, work->env, now);
	if (err != NULL || strcmp(now, deploy->commit) != 0)
		return err;
	return move(work, deploy->commit, deploy->ref_old);
}
