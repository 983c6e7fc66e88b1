#include "deploy/answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/branch.h"
#include "deploy/cancel.h"
#include "deploy/cert.h"
#include "deploy/chained.h"
#include "deploy/errand.h"
#include "deploy/forecast.h"
#include "deploy/origin.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "deploy/rollback.h"
#include "deploy/setting.h"
#include "journal/push.h"
#include "journal/release.h"
#include "plan/directive.h"
#include "repo.h"

/* Everything that is at hand while a ref is looked at. */
struct asking {
	struct hub *hub;
	struct offer *offer;
	struct push push;	/* as pre-receive wrote it down */
	struct repo *repo;
	struct directives options;
	const char *hook;
	struct vec *notes;
};

/* The environment whose branch moves with its deploys; NULL: none. */
static const struct environment *
follower(const struct config *config, const char *ref)
{
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (env->set.transactional &&
		    str_starts_with(ref, "refs/heads/") &&
		    strcmp(ref + strlen("refs/heads/"), env->branch) == 0)
			return env;
	}
	return NULL;
}

static bool
is_ours(const struct hub *hub, const struct offered *offered)
{
	return errand_is(offered->ref) ||
	    follower(hub->config, offered->ref) != NULL;
}

static const struct err *
check_forced(const struct asking *asking, const struct offered *offered)
{
	const struct err *err;
	bool is = true, denied = false;

	if (repo_is_zero(offered->old))
		return NULL;
	err = repo_is_ancestor(asking->repo, offered->old, offered->new, &is);
	if (err == NULL && !is)
		err = setting_is_on(asking->hub->path,
		    "receive.denyNonFastForwards", &denied);
	if (err == NULL && denied)
		err = err_new(ERR_REFUSED, "non-fast-forward; the server"
		    " takes none (receive.denyNonFastForwards)");
	return err;
}

static const struct push_ref *
pushed(const struct asking *asking, const char *ref)
{
	for (size_t i = 0; i < asking->push.n_refs; i++) {
		if (strcmp(asking->push.refs[i].ref, ref) == 0)
			return &asking->push.refs[i];
	}
	return NULL;
}

static const struct err *
check_branch(const struct asking *asking, const struct offered *offered,
    const struct environment *env)
{
	const struct push_ref *ref = pushed(asking, offered->ref);
	char commit[REPO_OID_SIZE];
	const struct err *err;

	if (repo_is_zero(offered->new))
		return err_new(ERR_REFUSED, "%s is what is live in %s, and is"
		    " not deleted; write 'transactional = no' in slipway.ini"
		    " before, then run slipway init %s", env->branch,
		    env->name, asking->hub->word);
	err = origin_commit(asking->repo, offered->ref, offered->new, commit);
	if (err != NULL)
		return err;
	if (ref != NULL && ref->skip)
		return err_new(ERR_REFUSED, "-skip- is not possible here: %s"
		    " moves when its commit is live; push %s, or to a branch"
		    " that nothing deploys", env->branch,
		    directives_has(&asking->options, DIRECTIVE_SKIP) ?
		    "without -o skip" : "it without that word (git commit"
		    " --amend)");
	err = check_forced(asking, offered);
	return err != NULL ? err : chained_update(asking->hook, offered->ref,
	    offered->old, offered->new);
}

static const struct err *
settle(struct asking *asking)
{
	const struct err *err, *untold;

	err = receive_settle_before(asking->hub, &untold);
	if (untold != NULL)
		vec_pushf(asking->notes, "warning: %s", untold->text);
	return err;
}

static const struct err *
request(struct asking *asking, struct offered *offered,
    const struct environment *env, struct deploy *row)
{
	const struct err *err;

	row->environment = xstrdup(env->name);
	row->push = asking->push.id;
	row->pusher = xstrdup(asking->push.pusher);
	err = settle(asking);
	if (err != NULL)
		return err;
	err = queue_add(asking->hub, row, strcmp(row->kind, "deploy") == 0 ?
	    &asking->options : NULL);
	if (err != NULL)
		return err;
	offered->deploy = row->number;
	offered->environment = xstrdup(env->name);
	/* No branch holds it yet. */
	if (*row->commit != '\0')
		err = queue_keep(asking->repo, row);
	return err_first(err, queue_wake(asking->hub, env->name));
}

/* "ref" NULL: asked for by commit. */
static const struct err *
request_commit(struct asking *asking, struct offered *offered,
    const struct environment *env, const char *commit, const char *ref)
{
	struct repo_commit tip = { 0 };
	struct deploy row = DEPLOY_INIT;
	const struct err *err;

	err = repo_commit_read(asking->repo, commit, &tip);
	if (err == NULL) {
		row.kind = xstrdup("deploy");
		row.commit = xstrdup(commit);
		row.ref = xstrdup_null(ref);
		/* The word now means once more. */
		row.joins = ref != NULL;
		row.author = xstrdup(tip.author);
		row.subject = xstrdup(tip.subject);
		err = request(asking, offered, env, &row);
	}
	repo_commit_release(&tip);
	deploy_release(&row);
	return err;
}

/* In a transactional environment it moves the branch: ask its guard, too. */
static const struct err *
run_now(struct asking *asking, struct offered *offered,
    const struct environment *env, const char *commit)
{
	const struct err *err = NULL;

	if (directives_has(&asking->options, DIRECTIVE_SKIP))
		return err_new(ERR_REFUSED, "-skip- is not possible here: %s"
		    " is a word to deploy now; push without -o skip",
		    offered->ref);
	if (env->set.transactional) {
		char *ref = xasprintf("refs/heads/%s", env->branch);
		char now[REPO_OID_SIZE];

		err = branch_value(asking->repo, env, now);
		if (err == NULL)
			err = chained_update(asking->hook, ref, now, commit);
		free(ref);
	}
	return err != NULL ? err :
	    request_commit(asking, offered, env, commit, NULL);
}

/* What would be refused is planned, too: it may be meant to be forced. */
static const struct err *
run_plan(struct asking *asking, struct offered *offered,
    const struct environment *env, const char *commit)
{
	struct asked asked = { .env = env, .commit = commit, .by_word = true };
	struct str text = STR_INIT;
	const struct err *err, *refused, *check;

	err = forecast_add(&text, &check, asking->hub, env, commit,
	    &asking->options);
	refused = err_first(branch_check(asking->hub, &asked, NULL), check);
	if (refused != NULL)
		vec_pushf(asking->notes, "%s: this would be refused: %s",
		    env->name, refused->text);
	if (err == NULL)
		vec_split(asking->notes, text.s, "\n");
	if (err == NULL && refused == NULL)
		offered->answer = ANSWER_OK;
	str_release(&text);
	return err_first(err, refused);
}

/* What cannot work is said now, and does not become a deploy. */
static const struct err *
run_rollback(struct asking *asking, struct offered *offered,
    const struct environment *env)
{
	struct release target, live;
	struct deploy row = DEPLOY_INIT;
	const struct err *err;

	err = rollback_target(asking->hub, env, NULL, &target, &live);
	release_release(&target);
	release_release(&live);
	if (err == NULL) {
		row.kind = xstrdup("rollback");
		row.commit = xstrdup("");
		err = request(asking, offered, env, &row);
	}
	deploy_release(&row);
	return err;
}

static const struct err *
run_cancel(struct asking *asking, struct offered *offered,
    const struct environment *env)
{
	const struct err *err;

	err = cancel_request(asking->hub, env, 0, asking->push.pusher,
	    &offered->deploy);
	offered->environment = xstrdup(env->name);
	offered->stops = true;
	return err;
}

static const struct err *
run_errand(struct asking *asking, struct offered *offered)
{
	bool deletes = repo_is_zero(offered->new), is_commit = true;
	char commit[REPO_OID_SIZE];
	struct errand errand;
	const struct err *err;

	err = errand_parse(&errand, asking->hub->config, offered->ref,
	    deletes);
	if (err == NULL && !deletes)
		err = repo_peel(asking->repo, offered->new, commit,
		    &is_commit);
	if (err == NULL && !is_commit)
		err = err_new(ERR_REFUSED, "%.7s is no commit", offered->new);
	if (err == NULL)
		err = chained_update(asking->hook, offered->ref,
		    offered->old, offered->new);
	if (err != NULL)
		return err;
	switch (errand.kind) {
	case ERRAND_NOW:
		return run_now(asking, offered, errand.env, commit);
	case ERRAND_PLAN:
		return run_plan(asking, offered, errand.env, commit);
	case ERRAND_ROLLBACK:
		return run_rollback(asking, offered, errand.env);
	case ERRAND_CANCEL:
		break;
	}
	return run_cancel(asking, offered, errand.env);
}

static void
ask_one(struct asking *asking, struct offered *offered)
{
	const struct environment *env;
	const struct err *err;

	env = follower(asking->hub->config, offered->ref);
	if (!is_ours(asking->hub, offered)) {
		offered->answer = ANSWER_NOT_OURS;
		return;
	}
	if (env == NULL) {
		err = run_errand(asking, offered);
	} else {
		err = check_branch(asking, offered, env);
		if (err == NULL)
			err = request_commit(asking, offered, env,
			    offered->new, offered->ref);
	}
	/* One that is journaled is done, whoever has to start it. */
	if (err == NULL || offered->deploy != 0)
		return;
	offer_refuse(offered, "%s", err->text);
	if (strlen(err->text) > OFFER_REASON_MAX)
		vec_push(asking->notes, err->text);
}

/*
 * git moves the other refs of an atomic push when ours is live. Were it to
 * turn one of them away then, which may have moved meanwhile, it would call
 * ours rejected, too.
 */
static const char *
not_atomic(const struct asking *asking)
{
	const struct offer *offer = asking->offer;
	size_t ours = 0;

	for (size_t i = 0; offer->atomic && i < offer->n; i++)
		ours += is_ours(asking->hub, &offer->refs[i]);
	if (ours > 1)
		return "two deploys cannot be one: push without --atomic";
	if (ours == 1 && asking->push.n_refs > 1)
		return "git may refuse the others when this is live: push"
		    " without --atomic";
	return NULL;
}

static const struct err *
find_push(struct asking *asking)
{
	struct push *push = &asking->push;
	const struct err *err;
	int64_t id;
	bool open;

	err = receive_find(asking->hub, &id);
	if (err == NULL && id == 0)
		err = err_new(ERR_REFUSED, "the pre-receive hook did not run;"
		    " on the server: slipway init %s", asking->hub->word);
	if (err == NULL)
		err = push_get(asking->hub->journal, id, push, &open);
	for (size_t i = 0; err == NULL && i < push->n_refs; i++)
		err = push_get_ref(asking->hub->journal, id, &push->refs[i]);
	for (size_t i = 0; i < asking->offer->options.n; i++) {
		/* What is no directive was told by the gate. */
		if (directives_add_word(&asking->options,
		    asking->offer->options.v[i], "", "option") != NULL)
			continue;
	}
	return err;
}

const struct err *
answer_ask(struct hub *hub, struct offer *offer, const char *hook,
    struct vec *notes)
{
	struct asking asking = {
		.hub = hub,
		.offer = offer,
		.push = PUSH_INIT,
		.options = DIRECTIVES_INIT,
		.hook = hook,
		.notes = notes,
	};
	const char *refusal;
	const struct err *err;

	err = find_push(&asking);
	if (err == NULL)
		cert_keep(hub, asking.push.id, notes);
	if (err == NULL)
		err = repo_open(&asking.repo, hub->path, false);
	if (err == NULL) {
		refusal = not_atomic(&asking);
		for (size_t i = 0; i < offer->n; i++) {
			if (refusal != NULL)
				offer_refuse(&offer->refs[i], "%s", refusal);
			else
				ask_one(&asking, &offer->refs[i]);
		}
	}
	repo_close(asking.repo);
	push_release(&asking.push);
	directives_release(&asking.options);
	return err;
}
