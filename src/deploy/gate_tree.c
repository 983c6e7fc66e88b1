/*
 * What a release cannot hold is refused while nothing has happened yet. Git
 * LFS pointers can be told from files, but not whether the server can make
 * files of them: that is tried, with those paths alone.
 */
#include <limits.h>
#include <string.h>

#include "deploy/gate_part.h"
#include "deploy/vetted.h"
#include "release/trial.h"
#include "release/vet.h"

/* What stands before a path while its release is made. */
#define RELEASE_PREFIX "/releases/20261120101500.partial/"

static void
fill_rules(struct vet_rules *rules, const struct environment *env)
{
	const struct settings *set = &env->set;

	*rules = (struct vet_rules){
		.links = strcmp(set->symlinks, "any") == 0 ? VET_ANY :
		    strcmp(set->symlinks, "none") == 0 ? VET_NONE :
		    VET_INSIDE,
		.shared = &set->shared,
		.carry = &set->carry,
		.path_max = PATH_MAX - strlen(RELEASE_PREFIX) -
		    strlen(set->root) - 1,
		.max_files = set->max_files,
		.max_bytes = set->max_bytes,
		.max_file_bytes = set->max_file_bytes,
	};
}

static const struct err *
try_pointers(struct gate *gate, const struct candidate *candidate,
    const struct vec *pointers)
{
	const struct environment *env = candidate->env;
	struct trial_spec spec = { gate->repo, candidate->commit, pointers };
	struct store *store;
	struct trial *trial;
	const struct err *err;

	if (pointers->n == 0)
		return NULL;
	err = store_open(&store, env->set.root);
	if (err != NULL)
		return err;
	err = trial_open(&trial, store, &spec);
	if (err != NULL && (err->code == ERR_REFUSED ||
	    err->code == ERR_GIT)) {
		vec_pushf(&gate->reasons, "%s: %s", env->name, err->text);
		err = NULL;
	}
	err = err_first(err, trial_close(trial));
	store_close(store);
	return err;
}

const struct err *
gate_check_tree(struct gate *gate, const struct candidate *candidate)
{
	const struct environment *env = candidate->env;
	struct vet_rules rules;
	struct vet vet = { .repo = gate->repo, .rules = &rules };
	const struct err *err;
	size_t n = gate->reasons.n;

	fill_rules(&rules, env);
	vetted_read(gate->hub, env, &rules, &vet.known);
	err = vet_commit(&vet, candidate->commit);
	for (size_t i = 0; err == NULL && i < vet.reasons.n; i++)
		vec_pushf(&gate->reasons, "%s: %s", env->name,
		    vet.reasons.v[i]);
	if (err == NULL && vet.reasons.n == 0)
		err = try_pointers(gate, candidate, &vet.pointers);
	if (err == NULL && gate->reasons.n == n)
		vetted_write(gate->hub, env, &rules, &vet.known);
	vet_release(&vet);
	return err;
}
