/*
 * What a dead receive-pack left. Its push is in the journal, as "received";
 * the refs, and the pushes that came later, tell what became of it.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/errand.h"
#include "deploy/identity.h"
#include "deploy/receive.h"
#include "journal/deploy.h"
#include "repo.h"

/* More pushes do not come in the seconds that a power cut may take back. */
#define PUSHES_LEFT 8

/* A ref of a push, and the deploys that it asked for. */
struct served {
	const struct hub *hub;
	const struct push_ref *ref;
	struct repo *repo;
	bool is;		/* by a deploy that answers for it */
	bool landed;
};

/* A push may have several words; a tag that is gone may be any of them. */
static bool
is_of(const struct served *served, const struct deploy *deploy,
    enum errand_kind kind)
{
	char commit[REPO_OID_SIZE];
	bool is_commit;

	if (kind != ERRAND_NOW)
		return strcmp(deploy->kind, "rollback") == 0;
	return strcmp(deploy->kind, "deploy") == 0 &&
	    (repo_peel(served->repo, served->ref->new, commit, &is_commit)
	    != NULL || strcmp(commit, deploy->commit) == 0);
}

/* Does this deploy answer for what was pushed, as proc-receive would? */
static bool
answers_for(const struct served *served, const struct deploy *deploy)
{
	const struct config *config = served->hub->config;
	const struct push_ref *ref = served->ref;
	const struct environment *env;
	struct errand errand;

	env = config_environment(config, deploy->environment);
	if (deploy->ref != NULL)
		return env != NULL && env->set.transactional &&
		    strcmp(deploy->ref, ref->ref) == 0;
	return errand_is(ref->ref) && errand_parse(&errand, config,
	    ref->ref, repo_is_zero(ref->new)) == NULL &&
	    errand.env == env && is_of(served, deploy, errand.kind);
}

static const struct err *
look_at_served(struct journal *journal, const struct deploy *deploy,
    void *ctx)
{
	struct served *served = ctx;
	const struct err *err;
	struct deploy last;

	if (!answers_for(served, deploy))
		return NULL;
	served->is = true;
	err = deploy_get_last(journal, deploy->number, &last);
	if (err == NULL)
		served->landed = deploy_outcome(&last) == NULL;
	if (err == NULL && served->landed && last.number != deploy->number)
		err = repo_is_ancestor(served->repo, deploy->commit,
		    last.commit, &served->landed);
	deploy_release(&last);
	return err;
}

/* Somebody may have put it there who wanted no deploy. */
static const struct err *
is_where_pushed(struct repo *repo, const struct push_ref *ref, bool *is)
{
	char now[REPO_OID_SIZE];
	const struct err *err;

	err = repo_ref_value(repo, ref->ref, now);
	*is = err == NULL && strcmp(now, ref->new) == 0;
	if (!*is || repo_is_zero(ref->new))
		return err;
	return repo_was_pushed(repo, ref->ref, ref->old, ref->new, is);
}

/*
 * What its deploy came to tells of a ref that was left to us. Any other one
 * has moved if git has put it where the push wanted it, and so has one that
 * a later push found so; unless somebody pushed the same again, as people do
 * when a push dies: then that one tells. Where it was there before, nothing
 * tells that this push was not turned away.
 */
static const struct err *
has_moved(const struct hub *hub, struct repo *repo, int64_t push,
    const struct push_ref *ref, bool *moved)
{
	struct deploy_filter filter = { .push = push };
	struct served served = { .hub = hub, .ref = ref, .repo = repo };
	const struct err *err;
	bool found = false, again = false, there = false;

	err = deploy_each(hub->journal, &filter, look_at_served, &served);
	*moved = served.landed;
	if (err != NULL || served.is || strcmp(ref->old, ref->new) == 0)
		return err;
	err = is_where_pushed(repo, ref, &there);
	if (err == NULL)
		err = push_ask_later(hub->journal, push, ref, &found, &again);
	*moved = err == NULL && !again && (found || there);
	return err;
}

static const struct err *
keep_moved(const struct hub *hub, struct repo *repo,
    const struct push *offered, struct push *landed)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < offered->n_refs; i++) {
		const struct push_ref *ref = &offered->refs[i];
		bool moved;

		err = has_moved(hub, repo, offered->id, ref, &moved);
		if (err != NULL || !moved)
			continue;
		push_add_ref(landed, ref->old, ref->new, ref->ref);
		err = push_get_ref(hub->journal, offered->id,
		    &landed->refs[landed->n_refs - 1]);
	}
	return err;
}

/* What a runner has still to say of a push. */
struct pending {
	const struct config *config;
	bool is;
};

/* Only those that proc-receive had to answer for. */
static const struct err *
look_at_deploy(struct journal *journal, const struct deploy *deploy,
    void *ctx)
{
	struct pending *pending = ctx;
	const struct environment *env =
	    config_environment(pending->config, deploy->environment);
	const struct err *err;
	struct deploy last;

	if (env == NULL || (deploy->ref != NULL && !env->set.transactional))
		return NULL;
	err = deploy_get_last(journal, deploy->number, &last);
	pending->is |= err == NULL && !deploy_is_over(last.state);
	deploy_release(&last);
	return err;
}

/* Is it lost, or does somebody still work on it? */
static const struct err *
look(const struct hub *hub, int64_t id, struct push *offered, bool *lost)
{
	struct pending pending = { .config = hub->config };
	struct deploy_filter filter = { .push = id };
	const struct err *err;

	*lost = false;
	err = push_get(hub->journal, id, offered, lost);
	if (err == NULL && *lost && identity_lives(offered->receiver))
		*lost = false;
	if (err == NULL && *lost)
		err = deploy_each(hub->journal, &filter, look_at_deploy,
		    &pending);
	*lost = *lost && !pending.is;
	return err;
}

static const struct err *
fill(const struct hub *hub, const struct push *offered, struct push *landed)
{
	const struct err *err;
	struct repo *repo;

	*landed = (struct push)PUSH_INIT;
	landed->id = offered->id;
	landed->at = offered->at;
	landed->pusher = xstrdup(offered->pusher);
	vec_copy(&landed->options, &offered->options);
	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = keep_moved(hub, repo, offered, landed);
	repo_close(repo);
	return err;
}

const struct err *
receive_next_lost(const struct hub *hub, int64_t *id, struct push *landed)
{
	const struct err *err;
	bool lost = false;

	*landed = (struct push)PUSH_INIT;
	do {
		struct push offered = PUSH_INIT;

		err = push_next_open(hub->journal, *id, id);
		if (err == NULL && *id != 0)
			err = look(hub, *id, &offered, &lost);
		if (err == NULL && lost)
			err = fill(hub, &offered, landed);
		push_release(&offered);
	} while (err == NULL && *id != 0 && !lost);
	return err;
}

const struct err *
receive_is_pending(const struct hub *hub, bool *is)
{
	const struct err *err;
	int64_t id = 0;

	*is = false;
	do {
		struct push offered = PUSH_INIT, landed = PUSH_INIT;
		bool lost = false;

		err = push_next_open(hub->journal, id, &id);
		if (err == NULL && id != 0)
			err = look(hub, id, &offered, &lost);
		if (err == NULL && lost)
			err = fill(hub, &offered, &landed);
		*is = err == NULL && id != 0 && (!lost || landed.n_refs > 0);
		push_release(&offered);
		push_release(&landed);
	} while (err == NULL && id != 0 && !*is);
	return err;
}

/* Does a receive-pack live that has still to move this ref? NULL: any. */
static const struct err *
lives_one(const struct hub *hub, const char *ref, bool *lives)
{
	struct vec receivers = VEC_INIT;
	const struct err *err;

	*lives = false;
	err = push_receivers(hub->journal, ref, &receivers);
	for (size_t i = 0; i < receivers.n && !*lives; i++)
		*lives = identity_lives(receivers.v[i]);
	vec_release(&receivers);
	return err;
}

/* Only a git that deletes a ref, or packs them, rewrites what is packed. */
static const struct err *
free_packed(const struct hub *hub, struct repo *repo,
    const struct push *push)
{
	bool deletes = false, lives = false;
	const struct err *err = NULL;

	for (size_t i = 0; i < push->n_refs; i++)
		deletes |= repo_is_zero(push->refs[i].new);
	if (deletes)
		err = lives_one(hub, NULL, &lives);
	return err != NULL || !deletes || lives ? err :
	    repo_free_packed(repo);
}

/*
 * A git that lives may hold a lock for as long as its hooks take. It takes
 * none before its push is in the journal, nor when that has landed. "ref"
 * NULL: HEAD, which goes with any.
 */
static const struct err *
free_ref(const struct hub *hub, struct repo *repo, const char *ref)
{
	bool lives;
	const struct err *err = lives_one(hub, ref, &lives);

	return err != NULL || lives ? err :
	    repo_free_lock_of_git(repo, ref == NULL ? "HEAD" : ref);
}

const struct err *
receive_free_refs(const struct hub *hub, const struct push *push)
{
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = free_ref(hub, repo, NULL);
	for (size_t i = 0; err == NULL && i < push->n_refs; i++)
		err = free_ref(hub, repo, push->refs[i].ref);
	if (err == NULL)
		err = free_packed(hub, repo, push);
	repo_close(repo);
	return err;
}

static const struct err *
free_refs(const struct hub *hub, int64_t id)
{
	struct push push = PUSH_INIT;
	const struct err *err;
	bool open;

	err = push_get(hub->journal, id, &push, &open);
	if (err == NULL)
		err = receive_free_refs(hub, &push);
	push_release(&push);
	return err;
}

const struct err *
receive_free_left(const struct hub *hub)
{
	const struct err *err;
	int64_t newest;

	err = push_newest(hub->journal, &newest);
	for (int64_t i = 0; err == NULL && i < PUSHES_LEFT && i < newest; i++)
		err = free_refs(hub, newest - i);
	return err;
}

const struct err *
receive_settle(struct hub *hub)
{
	struct err_kept first = ERR_KEPT_INIT;
	const struct err *err;
	int64_t id = 0, before;

	do {
		struct vec notes = VEC_INIT;
		struct push landed;

		before = id;
		err = receive_next_lost(hub, &id, &landed);
		if (err == NULL && id != 0)
			err = free_refs(hub, id);
		if (err == NULL && landed.n_refs > 0)
			err = receive_request(hub, &landed, &notes);
		else if (err == NULL && id != 0)
			err = push_unland(hub->journal, id, "no ref moved:"
			    " git turned it away, or its connection died");
		push_release(&landed);
		vec_release(&notes);
		err_keep(&first, err);
	} while (id > before && (err == NULL || err->code != ERR_BUSY));
	err = err_kept(&first);
	return err == NULL ? NULL :
	    err_add(err, "finish what lost pushes left");
}

const struct err *
receive_settle_before(struct hub *hub, const struct err **untold)
{
	const struct err *err = receive_settle(hub);

	*untold = NULL;
	if (err == NULL)
		return NULL;
	if (err->code == ERR_BUSY)
		return err_new(err->code, "%s; nothing was asked for, try"
		    " again", err->text);
	*untold = err_new(err->code, "%s; if that is mended, what was pushed"
	    " then goes live over what is asked for now", err->text);
	return NULL;
}
