#include "deploy/effect.h"

#include <string.h>

#include "plan/plan.h"

const struct err *
effect_open(struct effect *effect, struct work *work, int64_t number)
{
	const struct err *err;

	*effect = (struct effect){
		.work = work,
		.deploy = DEPLOY_INIT,
		.asked = DIRECTIVES_INIT,
	};
	err = deploy_get(work->hub->journal, number, &effect->deploy);
	return err != NULL ? err : deploy_directives(work->hub->journal,
	    number, true, &effect->asked);
}

void
effect_release(struct effect *effect)
{
	deploy_release(&effect->deploy);
	directives_release(&effect->asked);
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

static const struct err *
are_in(const struct effect *effect, const struct vec *oids, bool *are)
{
	const struct err *err = NULL;

	*are = true;
	for (size_t i = 0; err == NULL && *are && i < oids->n; i++)
		err = repo_is_ancestor(effect->work->repo, oids->v[i],
		    effect->work->deploy.commit, are);
	return err;
}

const struct err *
effect_is_in(const struct effect *effect, const struct step *step, bool *is)
{
	struct vec oids = VEC_INIT;
	const struct err *err;

	effect_commits(effect, step, &oids);
	err = are_in(effect, &oids, is);
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
