#include "plan/plan.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

bool
plan_has_changed(const struct action *action, const struct vec *changed)
{
	if (changed == NULL)
		return true;
	for (size_t i = 0; i < action->globs.n; i++) {
		for (size_t k = 0; k < changed->n; k++) {
			if (fnmatch(action->globs.v[i], changed->v[k],
			    0) == 0)
				return true;
		}
	}
	return false;
}

/* Whether an action is planned, and the strongest reason for it. */
static bool
is_planned(const struct action *action, const struct environment *env,
    const struct directives *directives, const struct vec *changed,
    enum when *why)
{
	if (!config_action_applies(action, env))
		return false;
	if (action->directive != NULL &&
	    directives_has(directives, action->directive)) {
		*why = WHEN_ASKED;
		return true;
	}
	*why = action->when;
	return action->when == WHEN_ALWAYS ||
	    (action->when == WHEN_CHANGED && plan_has_changed(action,
	    changed));
}

/* Where it runs: each host of the role, or the first one. */
static const struct err *
choose_hosts(const struct plan *plan, struct plan_item *item)
{
	const struct action *action = item->action;
	size_t n = 0;

	for (size_t i = 0; i < plan->n_hosts; i++) {
		if (!config_host_has_role(plan->hosts[i], action->role) ||
		    (action->once && n > 0))
			continue;
		item->hosts[i] = true;
		n++;
	}
	if (n == 0)
		return err_new(ERR_CONFIG, "[action %s] (line %d) is for the"
		    " role '%s', which no host of '%s' has; add it to the"
		    " 'roles' of a [host]", action->name, action->line,
		    action->role, plan->env->name);
	return NULL;
}

static const struct err *
add_item(struct plan *plan, const struct action *action, enum when why,
    const struct directives *directives)
{
	struct plan_item *item = &plan->items[plan->n_items++];
	struct str argument = STR_INIT;

	item->action = action;
	item->why = why;
	if (action->directive != NULL)
		directives_argument(directives, action->directive,
		    &argument);
	item->argument = str_detach(&argument);
	item->hosts = xcalloc(plan->n_hosts, sizeof(*item->hosts));
	return choose_hosts(plan, item);
}

static const struct err *
add_phase(struct plan *plan, const struct config *config, enum phase phase,
    const struct directives *directives, const struct vec *changed)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < config->n_actions && err == NULL; i++) {
		const struct action *action = &config->actions[i];
		enum when why;

		if (action->phase == phase && is_planned(action, plan->env,
		    directives, changed, &why))
			err = add_item(plan, action, why, directives);
	}
	return err;
}

static void
add_known(struct plan *plan, const struct config *config,
    const struct directives *directives)
{
	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		if (action->directive != NULL &&
		    config_action_applies(action, plan->env) &&
		    directives_has(directives, action->directive))
			vec_push_new(&plan->directives, action->directive);
	}
}

const struct err *
plan_make(struct plan *plan, const struct config *config,
    const struct environment *env, const struct directives *directives,
    const struct vec *changed)
{
	const struct err *err = NULL;

	memset(plan, 0, sizeof(*plan));
	plan->env = env;
	plan->n_hosts = config_hosts(config, env, &plan->hosts);
	plan->items = xcalloc(config->n_actions + 1, sizeof(*plan->items));
	for (int i = 0; i < PHASE_COUNT && err == NULL; i++)
		err = add_phase(plan, config, (enum phase)i, directives,
		    changed);
	if (err != NULL) {
		plan_release(plan);
		return err;
	}
	add_known(plan, config, directives);
	unknown_find(&plan->unknown, config, env, directives);
	return NULL;
}

void
plan_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_items; i++) {
		free(plan->items[i].argument);
		free(plan->items[i].hosts);
	}
	free(plan->items);
	free(plan->hosts);
	unknown_release(&plan->unknown);
	vec_release(&plan->directives);
	memset(plan, 0, sizeof(*plan));
}
