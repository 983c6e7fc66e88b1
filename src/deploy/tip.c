#include "deploy/tip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/receive.h"
#include "journal/deploy.h"
#include "journal/push.h"
#include "nearest.h"

/* What is at hand while one environment is looked at. */
struct tip {
	const struct hub *hub;
	const struct environment *env;
	const char *where;	/* " -C DIR", or "" */
	struct repo *repo;
	char *ref;
	char oid[REPO_OID_SIZE];
	struct deploy live;	/* number 0: nothing is */
	int64_t own;		/* the newest deploy of this commit; 0: none */
	struct deploy last;	/* the same, or what took its place */
	bool skipped;		/* as its newest push asked for, and */
	bool says_so;		/* its own message, too */
};

static void
add_yet(struct str *out, const char *branch, const struct vec *names)
{
	const char *near;

	if (names->n == 0)
		return;
	near = nearest_word(branch, (const char *const *)names->v, names->n);
	str_addf(out, "there is no branch %s yet", branch);
	if (near != NULL)
		str_addf(out, " (nearest: %s)", near);
}

const struct err *
tip_add_missing(struct str *out, const struct hub *hub, struct repo *repo,
    const struct environment *env)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	bool had = false;
	char *ref;

	if (env->branch == NULL)
		return NULL;
	ref = xasprintf("refs/heads/%s", env->branch);
	err = repo_refs(repo, "refs/heads/", &names);
	if (err == NULL && !vec_has(&names, env->branch)) {
		err = push_has_landed(hub->journal, ref, &had);
		if (err == NULL && had)
			str_addf(out, "there is no branch %s any more",
			    env->branch);
		else if (err == NULL)
			add_yet(out, env->branch, &names);
	}
	vec_release(&names);
	free(ref);
	return err;
}

static const struct err *
keep_newest(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	int64_t *number = ctx;

	(void)journal;
	*number = deploy->number;
	return NULL;
}

/* The newest deploy of the commit, or the one that took its place. */
static const struct err *
find_last(struct tip *tip)
{
	struct journal *journal = tip->hub->journal;
	struct deploy_filter filter = {
		.environment = tip->env->name,
		.commit = tip->oid,
		.limit = 1,
	};
	const struct err *err;
	int64_t number;

	err = deploy_each(journal, &filter, keep_newest, &tip->own);
	number = tip->own;
	while (err == NULL && number != 0) {
		deploy_release(&tip->last);
		err = deploy_get(journal, number, &tip->last);
		number = tip->last.superseded_by;
	}
	return err;
}

/* Without it, an option of the push was the one to ask for it. */
static const struct err *
read_message(struct tip *tip)
{
	struct directives list = DIRECTIVES_INIT;
	struct repo_commit commit = { 0 };
	const struct err *err;

	err = repo_commit_read(tip->repo, tip->oid, &commit);
	if (err == NULL)
		err = directives_scan(&list, commit.message, tip->oid);
	tip->says_so = directives_has(&list, DIRECTIVE_SKIP);
	repo_commit_release(&commit);
	directives_release(&list);
	return err;
}

/* A push whose hooks are at work, or were killed, is told elsewhere. */
static const struct err *
look(struct tip *tip, bool *differs)
{
	struct journal *journal = tip->hub->journal;
	const struct err *err;
	bool pending;

	*differs = false;
	err = deploy_get_live(journal, tip->env->name, &tip->live);
	if (err != NULL || (tip->live.number != 0 &&
	    strcmp(tip->live.commit, tip->oid) == 0))
		return err;
	err = receive_is_pending(tip->hub, &pending);
	if (err == NULL)
		err = find_last(tip);
	if (err == NULL)
		err = push_was_skipped(journal, tip->ref, tip->oid,
		    &tip->skipped);
	if (err == NULL && tip->skipped)
		err = read_message(tip);
	*differs = err == NULL && !pending &&
	    (tip->last.number == 0 || deploy_is_over(tip->last.state));
	return err;
}

static void
add_command(struct str *out, const struct tip *tip)
{
	char *which = config_which(tip->hub->config, tip->env->name);

	str_addf(out, "; slipway deploy%s%s", tip->where, which);
	free(which);
}

static void
add_transactional(struct str *out, const struct tip *tip)
{
	const char *branch = tip->env->branch;

	if (tip->live.number == 0)
		str_add(out, ", but nothing is live");
	else
		str_addf(out, ", but %.7s is live", tip->live.commit);
	add_command(out, tip);
	str_addf(out, " makes %s live", branch);
	if (tip->live.number != 0)
		str_addf(out, "; git push -f %s %.7s:%s takes it back",
		    tip->env->name, tip->live.commit, branch);
}

/* Why this commit is not live, as its newest deploy tells. */
static void
add_why(struct str *out, const struct tip *tip)
{
	const struct deploy *last = &tip->last;
	bool own = strcmp(last->commit, tip->oid) == 0;

	str_addf(out, " (deploy %" PRId64 ", ", own ? last->number :
	    tip->own);
	if (!own)
		str_addf(out, "superseded by deploy %" PRId64 " of %.7s, ",
		    last->number, last->commit);
	if (deploy_was_cancelled(last))
		str_addf(out, "%s)", last->error);
	else
		str_addf(out, "%s)", deploy_state_name(last->state));
	if (own && deploy_outcome(last) != NULL) {
		str_addf(out, "; slipway retry %" PRId64 "%s, or push what"
		    " mends it", last->number, tip->where);
	} else {
		add_command(out, tip);
		str_add(out, " makes it live");
	}
}

static void
add_difference(struct str *out, const struct tip *tip)
{
	str_addf(out, "%s is at %.7s", tip->env->branch, tip->oid);
	if (tip->env->set.transactional) {
		add_transactional(out, tip);
	} else if (tip->last.number != 0) {
		add_why(out, tip);
	} else {
		str_add(out, !tip->skipped ? ", for which no deploy was asked"
		    : tip->says_so ? ", which says -skip-" :
		    ", which was pushed with the option skip");
		add_command(out, tip);
		str_add(out, " makes it live");
	}
}

const struct err *
tip_add(struct str *out, const struct hub *hub,
    const struct environment *env, const char *where)
{
	struct tip tip = { .hub = hub, .env = env, .where = where };
	const struct err *err;
	bool differs = false;

	/* Of several, none is the one that has to be live. */
	if (env->branch == NULL)
		return NULL;
	tip.ref = xasprintf("refs/heads/%s", env->branch);
	err = repo_open(&tip.repo, hub->path, false);
	if (err == NULL)
		err = repo_ref_value(tip.repo, tip.ref, tip.oid);
	if (err == NULL && repo_is_zero(tip.oid))
		err = tip_add_missing(out, hub, tip.repo, env);
	else if (err == NULL)
		err = look(&tip, &differs);
	if (err == NULL && differs)
		add_difference(out, &tip);
	deploy_release(&tip.live);
	deploy_release(&tip.last);
	repo_close(tip.repo);
	free(tip.ref);
	return err;
}
