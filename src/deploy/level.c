#include "deploy/level.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/notes.h"
#include "deploy/queue.h"
#include "journal/deploy.h"
#include "repo.h"

/* What is at hand while the refs of one environment are looked at. */
struct level {
	const struct hub *hub;
	const struct environment *env;
	struct repo *repo;
	struct deploy live;	/* number 0: nothing is */
	struct vec *lines;	/* NULL: put them right */
};

static const struct err *
look_at_ref(struct level *level, const char *ref, const char *now)
{
	struct repo_move move = {
		.ref = ref,
		.old = now,
		.new = level->live.commit,
		.why = "resume",
	};

	if (level->lines == NULL)
		return repo_move_ref(level->repo, &move);
	if (repo_is_zero(now))
		vec_pushf(level->lines, "%s is not there, and %.7s is live",
		    ref, level->live.commit);
	else
		vec_pushf(level->lines, "%s is at %.7s, and %.7s is live",
		    ref, now, level->live.commit);
	return NULL;
}

/* On the hidden refs of what is live, and of what came last. */
static const struct err *
free_kept(struct level *level)
{
	struct deploy newest;
	const struct err *err;

	err = queue_free_kept(level->repo, &level->live);
	if (err != NULL)
		return err;
	err = deploy_get_newest(level->hub->journal, level->env->name,
	    &newest);
	if (err == NULL && newest.number != level->live.number)
		err = queue_free_kept(level->repo, &newest);
	deploy_release(&newest);
	return err;
}

static const struct err *
look_at_live(struct level *level)
{
	char *ref = xasprintf("refs/live/%s", level->env->name);
	char now[REPO_OID_SIZE];
	const struct err *err = NULL;

	/* One that is right may have been left locked all the same. */
	if (level->lines == NULL)
		err = free_kept(level);
	if (level->lines == NULL && err == NULL)
		err = repo_free_lock(level->repo, ref);
	if (err == NULL)
		err = repo_ref_value(level->repo, ref, now);
	if (err == NULL && strcmp(now, level->live.commit) != 0)
		err = look_at_ref(level, ref, now);
	free(ref);
	return err;
}

struct search {
	const struct deploy *live;
	bool found;
};

/* A rollback is live when it has flipped, whatever failed after that. */
static bool
may_have_stayed(const struct deploy *live, const char *now)
{
	return strcmp(live->kind, "rollback") == 0 && live->error != NULL &&
	    live->ref_old != NULL && strcmp(live->ref_old, now) == 0;
}

/* What could not be moved back is one of the things that break a deploy. */
static const struct err *
has_left_it(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct search *search = ctx;

	(void)journal;
	search->found |= deploy->number > search->live->number &&
	    deploy->state == DEPLOY_BROKEN && deploy->ref_old != NULL &&
	    strcmp(deploy->ref_old, search->live->commit) == 0;
	return NULL;
}

static const struct err *
look_at_branch(struct level *level)
{
	struct search search = { .live = &level->live };
	struct deploy_filter filter = { .environment = level->env->name };
	char *ref = xasprintf("refs/heads/%s", level->env->branch);
	char now[REPO_OID_SIZE];
	const struct err *err;

	err = repo_ref_value(level->repo, ref, now);
	if (err != NULL || strcmp(now, level->live.commit) == 0)
		goto done;
	search.found = may_have_stayed(&level->live, now);
	filter.commit = now;
	if (!search.found)
		err = deploy_each(level->hub->journal, &filter, has_left_it,
		    &search);
	if (err == NULL && search.found)
		err = look_at_ref(level, ref, now);
done:
	free(ref);
	return err;
}

/* Whoever died while they were written may have held their ref. */
static const struct err *
write_notes(struct level *level)
{
	const struct err *err = repo_free_lock(level->repo, NOTES_REF);

	return err != NULL ? err : notes_write(level->hub, level->env,
	    level->repo, &level->live);
}

static const struct err *
look(struct level *level)
{
	const struct err *err;

	err = deploy_get_live(level->hub->journal, level->env->name,
	    &level->live);
	if (err == NULL && level->live.number != 0)
		err = repo_open(&level->repo, level->hub->path, false);
	if (err == NULL && level->live.number != 0)
		err = look_at_live(level);
	if (err == NULL && level->live.number != 0 &&
	    level->env->set.transactional)
		err = look_at_branch(level);
	if (err == NULL && level->live.number != 0 && level->lines == NULL)
		err = write_notes(level);
	repo_close(level->repo);
	return err;
}

/* Since the look began, nothing has gone live, and nothing is about to. */
static const struct err *
is_at_rest(const struct level *level, bool *is)
{
	struct journal *journal = level->hub->journal;
	struct deploy live = DEPLOY_INIT, begun = DEPLOY_INIT;
	const struct err *err;

	err = deploy_get_unfinished(journal, level->env->name, &begun);
	if (err == NULL)
		err = deploy_get_live(journal, level->env->name, &live);
	*is = begun.number == 0 && live.number == level->live.number;
	deploy_release(&begun);
	deploy_release(&live);
	return err;
}

const struct err *
level_find(const struct hub *hub, const struct environment *env,
    struct vec *lines)
{
	struct vec seen = VEC_INIT;
	struct level level = { .hub = hub, .env = env, .lines = &seen };
	const struct err *err;
	bool at_rest = false;

	err = look(&level);
	if (err == NULL)
		err = is_at_rest(&level, &at_rest);
	for (size_t i = 0; err == NULL && at_rest && i < seen.n; i++)
		vec_push(lines, seen.v[i]);
	deploy_release(&level.live);
	vec_release(&seen);
	return err;
}

const struct err *
level_refs(const struct hub *hub, const struct environment *env)
{
	struct level level = { .hub = hub, .env = env };
	const struct err *err = look(&level);

	deploy_release(&level.live);
	return err;
}
