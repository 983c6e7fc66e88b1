/*
 * Which refs git leaves to the proc-receive hook.
 */
#include "cmd/git.h"

#include <string.h>

/* What init may have written before: nobody else has use for it. */
static bool
is_ours(const char *value)
{
	return str_starts_with(value, "refs/deploy") ||
	    str_starts_with(value, "refs/heads/");
}

/* git takes it as a regular expression. */
const struct err *
git_drop_value(const char *repo, struct gitfile *file, const char *key,
    const char *value)
{
	struct str pattern = STR_INIT;
	const struct err *err;

	str_addch(&pattern, '^');
	for (const char *p = value; *p != '\0'; p++) {
		if (strchr(".[]\\*^$+?(){}|", *p) != NULL)
			str_addch(&pattern, '\\');
		str_addch(&pattern, *p);
	}
	str_addch(&pattern, '$');
	err = git_change(repo, file, "--unset-all", key, pattern.s);
	str_release(&pattern);
	return err;
}

#define LEAVE_REFS "receive.procReceiveRefs"

/* Values of init's that are not wanted, of these, each once. */
static void
add_unwanted(struct vec *unwanted, const struct vec *values,
    const struct vec *refs)
{
	for (size_t i = 0; i < values->n; i++) {
		const char *value = values->v[i];

		if (is_ours(value) && !vec_has(refs, value) &&
		    !vec_has(unwanted, value))
			vec_push(unwanted, value);
	}
}

const struct err *
git_left_refs(const char *repo, const struct vec *refs, struct git_refs *left)
{
	struct vec all = VEC_INIT, own = VEC_INIT, unwanted = VEC_INIT;
	const struct err *err;

	err = git_own_values(&all, repo, LEAVE_REFS, true);
	if (err == NULL)
		err = git_own_values(&own, repo, LEAVE_REFS, false);
	add_unwanted(&left->extra, &own, refs);
	add_unwanted(&unwanted, &all, refs);
	for (size_t i = 0; err == NULL && i < unwanted.n; i++) {
		if (!vec_has(&own, unwanted.v[i]))
			vec_push(&left->included, unwanted.v[i]);
	}
	for (size_t i = 0; err == NULL && i < refs->n; i++) {
		if (!vec_has(&all, refs->v[i]))
			vec_push(&left->lacking, refs->v[i]);
	}
	vec_release(&all);
	vec_release(&own);
	vec_release(&unwanted);
	return err;
}

void
git_refs_release(struct git_refs *left)
{
	vec_release(&left->lacking);
	vec_release(&left->extra);
	vec_release(&left->included);
}

const struct err *
git_leave_refs(const char *repo, struct gitfile *file,
    const struct vec *refs, struct vec *done)
{
	struct git_refs left = GIT_REFS_INIT;
	const struct err *err;

	err = git_left_refs(repo, refs, &left);
	for (size_t i = 0; err == NULL && i < left.extra.n; i++) {
		err = git_drop_value(repo, file, LEAVE_REFS,
		    left.extra.v[i]);
		vec_pushf(done, "removed " LEAVE_REFS " = %s",
		    left.extra.v[i]);
	}
	for (size_t i = 0; err == NULL && i < left.lacking.n; i++) {
		err = git_change(repo, file, "--add", LEAVE_REFS,
		    left.lacking.v[i]);
		vec_pushf(done, "set " LEAVE_REFS " = %s", left.lacking.v[i]);
	}
	for (size_t i = 0; err == NULL && i < left.included.n; i++)
		vec_pushf(done, "note: " LEAVE_REFS " = %s stays, for it is in"
		    " a file that %s/config includes; remove it there",
		    left.included.v[i], repo);
	git_refs_release(&left);
	return err;
}

void
git_add_drop_ref(struct str *out, const char *ref)
{
	str_add(out, " update-ref -d ");
	str_add_word(out, ref);
}
