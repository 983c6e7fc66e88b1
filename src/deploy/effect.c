#include "deploy/effect.h"

#include <string.h>

#include "plan/plan.h"

static void
forget_deploy(struct effect *effect)
{
	deploy_release(&effect->deploy);
	directives_release(&effect->asked);
}

const struct err *
effect_open(struct effect *effect, int64_t number)
{
	struct journal *journal = effect->work->hub->journal;
	const struct err *err;

	forget_deploy(effect);
	err = deploy_get(journal, number, &effect->deploy);
	/* What is missing with a commit is, with any that it contains. */
	effect->compared = err == NULL && commits_index_has(&effect->missing,
	    effect->deploy.commit);
	return err != NULL ? err : deploy_directives(journal, number, true,
	    &effect->asked);
}

void
effect_release(struct effect *effect)
{
	forget_deploy(effect);
	commits_index_release(&effect->missing);
}

static const struct action *
action_of(const struct effect *effect, const struct step *step)
{
	return config_action(effect->work->hub->config, step->action);
}

void
effect_commits(const struct effect *effect, const struct step *step,
    struct vec *oids)
{
	const struct action *action = action_of(effect, step);

	for (size_t i = 0; action != NULL && action->directive != NULL &&
	    i < effect->asked.n; i++) {
		const struct directive *d = &effect->asked.v[i];

		if (strcmp(d->name, action->directive) == 0)
			vec_push_new(oids, d->commit[0] != '\0' ? d->commit :
			    effect->deploy.commit);
	}
	if (oids->n == 0 || action->when == WHEN_ALWAYS)
		vec_push_new(oids, effect->deploy.commit);
}

/* Does it run when paths change, and are they the same in both commits? */
static const struct err *
has_same_paths(const struct effect *effect, const struct step *step,
    bool *is)
{
	const struct action *action = action_of(effect, step);
	struct vec changed = VEC_INIT;
	const struct err *err;

	*is = false;
	if (action == NULL || action->when != WHEN_CHANGED)
		return NULL;
	err = repo_changed_paths(effect->work->repo, effect->deploy.commit,
	    effect->work->deploy.commit, &changed);
	*is = err == NULL && !plan_has_changed(action, &changed);
	vec_release(&changed);
	return err != NULL && err->code == ERR_NOT_FOUND ? NULL : err;
}

/* What only the deployed commit has: all that it asked for is in there. */
static const struct err *
compare(struct effect *effect)
{
	struct repo *repo = effect->work->repo;
	const char *tip = effect->work->deploy.commit;
	struct commits missing = COMMITS_INIT;
	const struct err *err;
	bool has_all;

	if (effect->compared)
		return NULL;
	err = repo_is_ancestor(repo, effect->deploy.commit, tip, &has_all);
	if (err == NULL && !has_all)
		err = commits_find(&missing, repo, effect->deploy.commit,
		    tip);
	if (err == NULL)
		commits_index(&effect->missing, &missing);
	effect->compared = err == NULL;
	commits_release(&missing);
	return err;
}

static const struct err *
are_in(struct effect *effect, const struct vec *oids, bool *are)
{
	const struct err *err = compare(effect);

	*are = true;
	for (size_t i = 0; err == NULL && *are && i < oids->n; i++)
		*are = !commits_index_has(&effect->missing, oids->v[i]);
	return err;
}

/* The same, one by one, where the deployed commit is gone. */
static const struct err *
are_in_each(struct effect *effect, const struct vec *oids, bool *are)
{
	const struct err *err = NULL;

	*are = true;
	for (size_t i = 0; err == NULL && *are && i < oids->n; i++)
		err = repo_is_ancestor(effect->work->repo, oids->v[i],
		    effect->work->deploy.commit, are);
	return err;
}

const struct err *
effect_is_in(struct effect *effect, const struct step *step, bool *is)
{
	struct vec oids = VEC_INIT;
	const struct err *err;

	effect_commits(effect, step, &oids);
	err = are_in(effect, &oids, is);
	if (err != NULL && err->code == ERR_NOT_FOUND)
		err = are_in_each(effect, &oids, is);
	if (err == NULL && !*is)
		err = has_same_paths(effect, step, is);
	vec_release(&oids);
	if (err != NULL && (err->code == ERR_GIT ||
	    err->code == ERR_NOT_FOUND)) {
		*is = true;
		err = NULL;
	}
	return err;
}
