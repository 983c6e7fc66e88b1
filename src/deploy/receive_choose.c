/*
 * One release is live at a time: of several refs of a push that one
 * environment deploys, the one whose commit contains the others' is.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/origin.h"
#include "deploy/receive.h"
#include "plan/takes.h"

struct choice {
	const struct push_ref **refs;
	struct vec commits;
	size_t n;
};

static const struct err *
gather(struct choice *choice, const struct hub *hub, const struct push *push,
    const struct environment *env)
{
	const struct err *err = NULL;

	choice->refs = xcalloc(push->n_refs + 1, sizeof(*choice->refs));
	for (size_t i = 0; err == NULL && i < push->n_refs; i++) {
		const struct push_ref *ref = &push->refs[i];
		char commit[REPO_OID_SIZE];

		if (!takes_ref(env, ref->ref) || repo_is_zero(ref->new) ||
		    ref->skip)
			continue;
		err = receive_commit(hub, ref, commit);
		vec_push(&choice->commits, commit);
		choice->refs[choice->n++] = ref;
	}
	return err;
}

static const struct err *
choose(const struct choice *choice, const struct hub *hub,
    const struct environment *env, size_t *at)
{
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = origin_newest(repo, env,
		    (const char *const *)choice->commits.v, choice->n, at);
	repo_close(repo);
	return err;
}

const struct err *
receive_choose(const struct hub *hub, const struct push *push,
    const struct environment *env, const struct push_ref **chosen, size_t *n)
{
	struct choice choice = { NULL, VEC_INIT, 0 };
	const struct err *err;
	size_t at = 0;

	*chosen = NULL;
	err = gather(&choice, hub, push, env);
	if (err == NULL && choice.n > 1)
		err = choose(&choice, hub, env, &at);
	if (err == NULL && choice.n > 0)
		*chosen = choice.refs[at];
	*n = choice.n;
	vec_release(&choice.commits);
	free(choice.refs);
	return err;
}
