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

/* What is as it was pushed needs no look into the journal. */
static const struct err *
has_landed(const struct work *work, bool *has)
{
	const struct deploy *deploy = &work->deploy;
	char now[REPO_OID_SIZE];
	const struct err *err;

	err = repo_ref_value(work->repo, deploy->ref, now);
	*has = err == NULL && strcmp(now, deploy->commit) == 0;
	return err != NULL || *has ? err : push_get_landed(
	    work->hub->journal, deploy->push, deploy->ref, has);
}

/*
 * What was asked for, and how git was answered, was so by slipway.ini as it
 * was then.
 */
static const struct err *
check_config(const struct work *work)
{
	const struct deploy *deploy = &work->deploy;
	const struct environment *env = work->env;
	const struct err *err = NULL;
	bool landed = true;
	char *ref;

	if (deploy->push == 0 || deploy->ref == NULL)
		return NULL;
	if (!env->set.transactional) {
		err = has_landed(work, &landed);
		return err != NULL || landed ? err : err_new(ERR_REFUSED,
		    "while this push waited, slipway.ini was changed: %s is"
		    " not transactional any more; push again", env->name);
	}
	ref = ref_of(env);
	if (strcmp(ref, deploy->ref) != 0)
		err = err_new(ERR_REFUSED, "while this push waited,"
		    " slipway.ini was changed: the branch of %s is %s, and"
		    " moves with its deploys; push to it", env->name,
		    env->branch);
	free(ref);
	return err;
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

/* What a request by hand can do instead. */
static void
add_ways_out(struct str *out, const struct hub *hub,
    const struct asked *asked)
{
	if (asked->seen != NULL) {
		str_add(out, "ask again for what it is now");
	} else {
		str_add(out, "merge it and push; or slipway rollback");
		hub_add_which(out, hub, asked->env->name);
		str_add(out, " goes back to an earlier release");
	}
	str_addf(out, "; to do it all the same: %s", asked->force);
}

/* Words for one whose commit does not contain what is there now. */
static const struct err *
has_moved(const struct hub *hub, const struct asked *asked, const char *now)
{
	const char *branch = asked->env->branch, *seen = asked->seen;
	struct str text = STR_INIT;
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(hub->journal, asked->env->name, &live);
	if (err != NULL)
		return err;
	str_addf(&text, "%s ", branch);
	if (seen == NULL)
		str_addf(&text, "is at %.7s", now);
	else
		str_addf(&text, "moved from %.7s to %.7s while this %s waited",
		    seen, now, asked->force == NULL ? "push" : "request");
	if (live.number != 0 && strcmp(live.commit, now) == 0)
		str_addf(&text, " (deploy %" PRId64 ")", live.number);
	if (seen == NULL)
		str_addf(&text, ", and %.7s does not contain it",
		    asked->commit);
	str_add(&text, "; ");
	if (asked->force != NULL)
		add_ways_out(&text, hub, asked);
	else
		str_addf(&text, "fetch, merge and push again%s",
		    asked->by_word ? "; force works on the branch only" : "");
	err = err_new(ERR_REFUSED, "%s", text.s);
	str_release(&text);
	deploy_release(&live);
	return err;
}

/*
 * What asks for the branch as it was ("seen" is its own commit) asks for
 * nothing else; anything else may also go where nothing is left behind.
 */
static const struct err *
check(const struct hub *hub, struct repo *repo, const struct asked *asked,
    const char *now)
{
	const char *seen = asked->seen;
	bool as_it_was, may;
	const struct err *err = NULL;

	may = repo_is_zero(now) || strcmp(now, asked->commit) == 0 ||
	    (seen != NULL && strcmp(seen, now) == 0);
	as_it_was = asked->force != NULL && seen != NULL &&
	    strcmp(seen, asked->commit) == 0;
	if (!may && !as_it_was)
		err = repo_is_ancestor(repo, now, asked->commit, &may);
	return err != NULL || may ? err : has_moved(hub, asked, now);
}

static const struct err *
check_pushed(const struct work *work, const char *now)
{
	const struct deploy *deploy = &work->deploy;
	struct asked asked = {
		.env = work->env,
		.commit = deploy->commit,
		.by_word = deploy->ref == NULL,
	};
	const struct err *err = NULL;
	char *seen = NULL;

	if (deploy->ref != NULL)
		err = push_get_old(work->hub->journal, deploy->push,
		    deploy->ref, &seen);
	asked.seen = seen;
	if (err == NULL)
		err = check(work->hub, work->repo, &asked, now);
	free(seen);
	return err;
}

static const struct err *
check_by_hand(const struct work *work, const char *seen, const char *now)
{
	struct asked asked = {
		.env = work->env,
		.commit = work->deploy.commit,
		.seen = seen,
	};
	struct str force = STR_INIT;
	const struct err *err;

	str_addf(&force, "slipway deploy --force %.7s", work->deploy.commit);
	hub_add_which(&force, work->hub, work->env->name);
	asked.force = force.s;
	err = check(work->hub, work->repo, &asked, now);
	str_release(&force);
	return err;
}

const struct err *
branch_check(const struct hub *hub, const struct asked *asked,
    char **forced_from)
{
	char now[REPO_OID_SIZE];
	struct repo *repo;
	const struct err *err;

	if (!asked->env->set.transactional)
		return NULL;
	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = branch_value(repo, asked->env, now);
	if (err == NULL)
		err = check(hub, repo, asked, now);
	if (err != NULL && err->code == ERR_REFUSED && forced_from != NULL) {
		*forced_from = xstrdup(now);
		err = NULL;
	}
	repo_close(repo);
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
	const struct err *err = check_config(work);

	deploy->ref_old = NULL;
	if (err != NULL || !work->env->set.transactional) {
		free(seen);
		return err;
	}
	err = branch_value(work->repo, work->env, now);
	if (err == NULL && !is_rollback)
		err = deploy->push != 0 ? check_pushed(work, now) :
		    check_by_hand(work, seen, now);
	if (err == NULL)
		err = check_room(work, now);
	if (err == NULL)
		deploy->ref_old = xstrdup(now);
	free(seen);
	return err;
}

/*
 * A push that was begun goes on with the branch that it began with. The ref
 * of what was asked for by hand is only how its commit was named.
 */
static char *
ref_moved(const struct work *work)
{
	const struct deploy *deploy = &work->deploy;

	return deploy->push != 0 && deploy->ref != NULL ?
	    xstrdup(deploy->ref) : ref_of(work->env);
}

static const struct err *
move(struct work *work, const char *old, const char *new)
{
	struct repo_move change = { .old = old, .new = new };
	char *ref = ref_moved(work);
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
	char now[REPO_OID_SIZE], *ref;
	const struct err *err;

	if (deploy->ref_old == NULL ||
	    strcmp(deploy->ref_old, deploy->commit) == 0)
		return NULL;
	ref = ref_moved(work);
	err = repo_ref_value(work->repo, ref, now);
	free(ref);
	if (err != NULL || strcmp(now, deploy->commit) != 0)
		return err;
	return move(work, deploy->commit, deploy->ref_old);
}

void
branch_tell(struct repo *repo, const struct environment *env,
    const struct deploy *deploy, struct str *out)
{
	const char *from = deploy->ref_old, *to = deploy->commit;
	bool forward = true, back = false;

	if (from == NULL || repo_is_zero(from) || *to == '\0')
		return;
	/* What it was may be gone from the repository. */
	if (repo_is_ancestor(repo, from, to, &forward) != NULL)
		forward = false;
	if (forward)
		return;
	if (repo_is_ancestor(repo, to, from, &back) != NULL)
		back = false;
	str_addf(out, "%s moved %sfrom %.7s to %.7s", env->branch,
	    back ? "back " : "", from, to);
	if (!back)
		str_add(out, ", which does not contain it");
}

bool
branch_may_retry(const struct work *work)
{
	char now[REPO_OID_SIZE];
	bool may = false;

	if (!work->env->set.transactional)
		return true;
	if (branch_value(work->repo, work->env, now) != NULL)
		return true;
	return repo_is_zero(now) || repo_is_ancestor(work->repo, now,
	    work->deploy.commit, &may) != NULL || may;
}
