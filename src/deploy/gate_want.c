/*
 * What the commits that would go live ask for. Those that landed before
 * cannot be mended by this pusher, and are let through by "strict".
 */
#include <stdlib.h>

#include "alloc.h"
#include "deploy/gate_part.h"
#include "journal/deploy.h"
#include "plan/plan.h"

static const struct err *
scan(const struct repo_commit *commit, void *ctx)
{
	return directives_scan(ctx, commit->message, commit->oid);
}

const struct err *
gate_collect(struct gate *gate, const struct candidate *candidate,
    struct directives *list)
{
	const char *hidden[2] = { candidate->ref->old };
	const struct err *err;
	struct deploy live;

	err = deploy_get_live(gate->hub->journal, candidate->env->name,
	    &live);
	hidden[1] = live.commit;
	if (err == NULL)
		err = repo_walk(gate->repo, candidate->commit, hidden,
		    live.number == 0 ? 1 : 2, scan, list);
	for (size_t i = 0; i < gate->options.n; i++)
		directives_add(list, gate->options.v[i].name,
		    gate->options.v[i].argument, "", "option");
	deploy_release(&live);
	return err;
}

const struct err *
gate_check_want(struct gate *gate, const struct candidate *candidate)
{
	const struct environment *env = candidate->env;
	struct directives list = DIRECTIVES_INIT;
	struct plan_unknown *unknown = NULL;
	const struct err *err;
	size_t n = 0;

	if (!env->set.strict)
		return NULL;
	err = gate_collect(gate, candidate, &list);
	if (err == NULL)
		plan_find_unknown(&unknown, &n, gate->hub->config, env,
		    &list);
	for (size_t i = 0; i < n; i++) {
		struct str text = STR_INIT;

		plan_unknown_text(&text, &unknown[i]);
		vec_pushf(&gate->reasons, "%s: %s", env->name, text.s);
		str_release(&text);
	}
	free(unknown);
	directives_release(&list);
	return err;
}
