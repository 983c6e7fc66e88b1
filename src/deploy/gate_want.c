/*
 * What the commits that would go live ask for. Those that landed before
 * cannot be mended by this pusher, and are let through by "strict".
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/gate_part.h"
#include "journal/deploy.h"
#include "plan/unknown.h"
#include "repo.h"

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

/* "39fbad5^", or for the first commit of all "--root". */
static void
add_base(struct str *out, struct repo *repo, const char *oid)
{
	char *name = xasprintf("%s^", oid), parent[REPO_OID_SIZE];

	if (repo_resolve(repo, name, parent) == NULL)
		str_addf(out, "%.7s^", oid);
	else
		str_add(out, "--root");
	free(name);
}

/* Where it stands tells how it is taken out. */
static void
add_remedy(struct str *out, struct repo *repo,
    const struct unknown_word *word, const char *tip)
{
	const struct directive *directive = word->directive;

	if (directive->commit[0] == '\0') {
		str_addf(out, "; push without -o %s%s%s", directive->name,
		    directive->argument[0] == '\0' ? "" : ":",
		    directive->argument);
	} else if (strcmp(word->oldest, tip) == 0) {
		str_add(out, "; mend the message (git commit --amend) and"
		    " push again");
	} else {
		str_addf(out, "; mend the message%s (git rebase -i ",
		    word->alike > 1 ? "s" : "");
		add_base(out, repo, word->oldest);
		str_add(out, ", then reword) and push again");
	}
}

const struct err *
gate_check_want(struct gate *gate, const struct candidate *candidate)
{
	const struct environment *env = candidate->env;
	struct directives list = DIRECTIVES_INIT;
	struct unknown unknown = UNKNOWN_INIT;
	struct str text = STR_INIT;
	const struct err *err;

	if (!env->set.strict)
		return NULL;
	err = gate_collect(gate, candidate, &list);
	if (err == NULL)
		unknown_find(&unknown, gate->hub->config, env, &list);
	for (size_t i = 0; i < unknown.n; i++) {
		str_clear(&text);
		unknown_text(&text, &unknown.v[i]);
		add_remedy(&text, gate->repo, &unknown.v[i], candidate->commit);
		vec_pushf(&gate->reasons, "%s: %s", env->name, text.s);
	}
	str_clear(&text);
	unknown_add_rest(&text, &unknown);
	if (text.len > 0)
		vec_pushf(&gate->reasons, "%s: %s", env->name, text.s);
	str_release(&text);
	unknown_release(&unknown);
	directives_release(&list);
	return err;
}
