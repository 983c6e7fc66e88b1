/*
 * What the commits that would go live ask for. Those that landed before
 * cannot be mended by this pusher, and are let through by "strict".
 */
#include <stdlib.h>
#include <string.h>

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

/* Where it stands tells how it is taken out. */
static void
add_remedy(struct str *out, const struct directive *directive,
    const char *tip)
{
	if (directive->commit[0] == '\0')
		str_addf(out, "; push without -o %s%s%s", directive->name,
		    directive->argument[0] == '\0' ? "" : ":",
		    directive->argument);
	else if (strcmp(directive->commit, tip) == 0)
		str_add(out, "; mend the message (git commit --amend) and"
		    " push again");
	else
		str_addf(out, "; mend the message (git rebase -i %.7s^, then"
		    " reword it) and push again", directive->commit);
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
		add_remedy(&text, unknown[i].directive, candidate->commit);
		vec_pushf(&gate->reasons, "%s: %s", env->name, text.s);
		str_release(&text);
	}
	free(unknown);
	directives_release(&list);
	return err;
}
