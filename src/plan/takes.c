#include "plan/takes.h"

#include <fnmatch.h>
#include <string.h>

#define HEADS "refs/heads/"
#define TAGS "refs/tags/"

bool
takes_is_pattern(const char *text)
{
	return strchr(text, '*') != NULL;
}

static bool
matches(const struct vec *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (fnmatch(names->v[i], name, 0) == 0)
			return true;
	}
	return false;
}

bool
takes_several(const struct environment *env)
{
	return env->branch == NULL || env->tags.n > 0;
}

bool
takes_branch(const struct environment *env, const char *branch)
{
	return matches(&env->branches, branch);
}

bool
takes_ref(const struct environment *env, const char *ref)
{
	if (str_starts_with(ref, HEADS))
		return takes_branch(env, ref + strlen(HEADS));
	return str_starts_with(ref, TAGS) &&
	    matches(&env->tags, ref + strlen(TAGS));
}

bool
takes_any(const struct config *config, const char *ref)
{
	for (size_t i = 0; i < config->n_environments; i++) {
		if (takes_ref(&config->environments[i], ref))
			return true;
	}
	return false;
}

void
takes_add(struct str *out, const struct environment *env)
{
	vec_join(&env->branches, ", ", out);
	if (env->tags.n == 0)
		return;
	str_add(out, env->branches.n == 0 ? "tags " : ", tags ");
	vec_join(&env->tags, ", ", out);
}

void
takes_add_ref(struct str *out, const char *ref)
{
	if (str_starts_with(ref, HEADS))
		str_addf(out, "branch %s", ref + strlen(HEADS));
	else if (str_starts_with(ref, TAGS))
		str_addf(out, "tag %s", ref + strlen(TAGS));
	else
		str_add(out, ref);
}
