/*
 * Several tags of one push may be deployed by one environment; git moves
 * them in the order of their names, which is none to deploy them in.
 */
#include "deploy/gate_part.h"
#include "deploy/origin.h"

static const struct err *
check(struct gate *gate, const struct environment *env)
{
	struct vec commits = VEC_INIT;
	const struct err *err = NULL;
	size_t newest;

	for (size_t i = 0; i < gate->n; i++) {
		const struct candidate *candidate = &gate->candidates[i];

		if (candidate->env == env && !candidate->by_word &&
		    !candidate->ref->skip)
			vec_push(&commits, candidate->commit);
	}
	if (commits.n > 1)
		err = origin_newest(gate->repo, env,
		    (const char *const *)commits.v, commits.n, &newest);
	vec_release(&commits);
	if (err == NULL || err->code != ERR_REFUSED)
		return err;
	vec_push(&gate->reasons, err->text);
	return NULL;
}

const struct err *
gate_check_newest(struct gate *gate)
{
	const struct config *config = gate->hub->config;
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < config->n_environments; i++)
		err = check(gate, &config->environments[i]);
	return err;
}
