/*
 * What a push has besides: refs that no environment deploys. With those of a
 * whole repository this takes a while, so it comes last.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/errand.h"
#include "deploy/receive.h"
#include "deploy/tip.h"
#include "plan/takes.h"

/* Somebody in whose config a branch is misspelt. */
static const struct err *
note_missing(const struct hub *hub, struct vec *notes)
{
	const struct config *config = hub->config;
	struct repo *repo = NULL;
	const struct err *err;

	err = repo_open(&repo, hub->path, false);
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];
		struct str text = STR_INIT;

		err = tip_add_missing(&text, hub, repo, env);
		if (err == NULL && text.len > 0)
			vec_pushf(notes, "%s: %s", env->name, text.s);
		str_release(&text);
	}
	repo_close(repo);
	return err;
}

/* Whoever meant it to be deployed, and no verb, is told how. */
static void
note_branch(const struct config *config, const struct push_ref *ref,
    const char *takes, bool is_verb, struct vec *notes)
{
	const char *name = ref->ref + strlen("refs/heads/");
	const char *branch = config->n_environments == 1 ?
	    config->environments[0].branch : "BRANCH";
	const char *verb = repo_is_zero(ref->new) ? "deleted" : "stored";
	struct str way = STR_INIT;

	if (branch != NULL && !is_verb && !repo_is_zero(ref->new)) {
		/* Who pushed it may have no branch of that name. */
		char *move = xasprintf("%.7s:refs/heads/%s", ref->new,
		    branch);

		str_add(&way, "; to have it deployed: git push REMOTE ");
		str_add_word(&way, move);
		free(move);
	}
	vec_pushf(notes, "branch %s is %s; no environment deploys it (%s)%s",
	    name, verb, takes, way.s);
	str_release(&way);
}

/* A ref that no environment takes. */
static void
note_other(const struct hub *hub, const struct push_ref *ref,
    struct vec *notes)
{
	const struct config *config = hub->config;
	const char *verb = repo_is_zero(ref->new) ? "deleted" : "stored";
	char *meant = errand_nearest(config, ref->ref);
	struct str takes = STR_INIT;
	bool tags = false;

	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		tags |= env->tags.n > 0;
		str_addf(&takes, "%s%s deploys ", i == 0 ? "" : ", ",
		    env->name);
		takes_add(&takes, env);
	}
	if (str_starts_with(ref->ref, "refs/heads/"))
		note_branch(config, ref, takes.s, meant != NULL, notes);
	else if (str_starts_with(ref->ref, "refs/tags/"))
		vec_pushf(notes, tags ? "tag %s is %s; no environment"
		    " deploys it (%s)" : "tag %s is %s; tags are not"
		    " deployed", ref->ref + strlen("refs/tags/"), verb,
		    takes.s);
	else
		vec_pushf(notes, "%s is %s; no environment deploys it",
		    ref->ref, verb);
	if (meant != NULL && !repo_is_zero(ref->new))
		vec_pushf(notes, "nothing was deployed; did you mean %s?",
		    meant);
	str_release(&takes);
	free(meant);
}

const struct err *
receive_note_others(const struct hub *hub, const struct push *push,
    struct vec *notes)
{
	bool branches = false;

	for (size_t i = 0; i < push->n_refs; i++) {
		const struct push_ref *ref = &push->refs[i];

		if (errand_is(ref->ref) || takes_any(hub->config, ref->ref))
			continue;
		note_other(hub, ref, notes);
		branches = branches || str_starts_with(ref->ref,
		    "refs/heads/");
	}
	return branches ? note_missing(hub, notes) : NULL;
}
