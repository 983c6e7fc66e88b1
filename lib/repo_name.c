/*
 * Names come from people and from pushes, so git_revparse_single() is kept
 * away from them: its language also searches messages, reflogs and dates.
 */
#include "repo.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "alloc.h"

/* libgit2 finds nothing by fewer digits. */
#define ABBREVIATION_MIN GIT_OID_MINPREFIXLEN

/*
 * Peel to a commit: the empty string through "commit" when there is none
 * at the end, and the name of what is there instead through "kind".
 */
static const struct err *
peel(struct repo *repo, const git_oid *id, char commit[REPO_OID_SIZE],
    const char **kind)
{
	git_object *object = NULL, *peeled = NULL;
	const struct err *err = NULL;
	int code;

	commit[0] = '\0';
	*kind = "";
	code = git_object_lookup(&object, repo_handle(repo), id,
	    GIT_OBJECT_ANY);
	if (code != 0)
		goto done;
	*kind = git_object_type2string(git_object_type(object));
	code = git_object_peel(&peeled, object, GIT_OBJECT_COMMIT);
	if (code == 0)
		git_oid_tostr(commit, REPO_OID_SIZE, git_object_id(peeled));
	else if (code == GIT_EPEEL || code == GIT_EINVALIDSPEC)
		code = 0;
done:
	if (code != 0)
		err = repo_error(code, "read object %s", git_oid_tostr_s(id));
	git_object_free(peeled);
	git_object_free(object);
	return err;
}

const struct err *
repo_peel(struct repo *repo, const char *oid, char commit[REPO_OID_SIZE],
    bool *is_commit)
{
	const struct err *err;
	const char *kind;
	git_oid id;
	int code;

	*is_commit = false;
	commit[0] = '\0';
	code = git_oid_fromstr(&id, oid);
	if (code != 0)
		return repo_error(code, "object name %s", oid);
	err = peel(repo, &id, commit, &kind);
	if (err == NULL)
		*is_commit = commit[0] != '\0';
	return err;
}

/* The same for a "name" that was promised to be a commit. */
static const struct err *
peel_named(struct repo *repo, const char *name, const git_oid *id,
    char commit[REPO_OID_SIZE])
{
	const struct err *err;
	const char *kind;

	err = peel(repo, id, commit, &kind);
	if (err != NULL)
		return err_add(err, "%s", name);
	if (commit[0] != '\0')
		return NULL;
	if (strcmp(kind, "tag") == 0)
		return err_new(ERR_NOT_FOUND,
		    "%s is a tag of something that is no commit", name);
	return err_new(ERR_NOT_FOUND, "%s is a %s, not a commit", name, kind);
}

/* A name that no ref may have is a ref that is not there. */
static const struct err *
find_ref(struct repo *repo, const char *ref, git_oid *id, bool *found)
{
	int code = git_reference_name_to_id(id, repo_handle(repo), ref);

	*found = code == 0;
	if (code == 0 || code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
		return NULL;
	return repo_error(code, "read %s", ref);
}

const struct err *
repo_ref(struct repo *repo, const char *ref, char oid[REPO_OID_SIZE])
{
	const struct err *err;
	git_oid id;
	bool found;

	oid[0] = '\0';
	err = find_ref(repo, ref, &id, &found);
	if (err != NULL)
		return err;
	if (!found)
		return err_new(ERR_NOT_FOUND, "there is no ref %s", ref);
	return peel_named(repo, ref, &id, oid);
}

const struct err *
repo_ref_alias(struct repo *repo, const char *ref, char **target)
{
	git_reference *found = NULL, *direct = NULL;
	int code;

	*target = NULL;
	code = git_reference_lookup(&found, repo_handle(repo), ref);
	if (code == 0 && git_reference_type(found) == GIT_REFERENCE_SYMBOLIC)
		code = git_reference_resolve(&direct, found);
	if (code == 0 && direct != NULL)
		*target = xstrdup(git_reference_name(direct));
	git_reference_free(direct);
	git_reference_free(found);
	if (code == 0 || code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
		return NULL;
	return repo_error(code, "read %s", ref);
}

const struct err *
repo_ref_value(struct repo *repo, const char *ref, char oid[REPO_OID_SIZE])
{
	const struct err *err;
	git_oid id;
	bool found;

	memcpy(oid, REPO_ZERO_OID, REPO_OID_SIZE);
	err = find_ref(repo, ref, &id, &found);
	if (err == NULL && found)
		git_oid_tostr(oid, REPO_OID_SIZE, &id);
	return err;
}

static bool
is_abbreviation(const char *name)
{
	size_t len = strlen(name);

	return len >= ABBREVIATION_MIN && len < REPO_OID_SIZE &&
	    strspn(name, "0123456789abcdefABCDEF") == len;
}

static const struct err *
find_abbreviation(struct repo *repo, const char *name, git_oid *id,
    bool *found)
{
	git_object *object = NULL;
	size_t len = strlen(name);
	int code;

	*found = false;
	code = git_oid_fromstrn(id, name, len);
	if (code == 0)
		code = git_object_lookup_prefix(&object, repo_handle(repo),
		    id, len, GIT_OBJECT_ANY);
	if (code == GIT_EAMBIGUOUS)
		return err_new(ERR_USAGE, "%s is ambiguous: several objects "
		    "start with it; give more digits", name);
	if (code != 0 && code != GIT_ENOTFOUND)
		return repo_error(code, "find object %s", name);
	if (code == 0) {
		git_oid_cpy(id, git_object_id(object));
		*found = true;
	}
	git_object_free(object);
	return NULL;
}

/*
 * A full ref and HEAD mean nothing else, so that nobody who may push
 * branches can take their place with one called "HEAD" or "refs/heads/x".
 */
static void
push_refs(struct vec *refs, const char *name)
{
	if (strcmp(name, "HEAD") == 0 || str_starts_with(name, "refs/")) {
		vec_push(refs, name);
		return;
	}
	vec_pushf(refs, "refs/heads/%s", name);
	vec_pushf(refs, "refs/tags/%s", name);
}

static const struct err *
not_found(const char *name, const struct vec *refs)
{
	struct str tried = STR_INIT;
	const struct err *err;

	if (strcmp(name, "HEAD") == 0)
		return err_new(ERR_NOT_FOUND, "HEAD is a branch that is not"
		    " there: nothing was pushed to it");
	vec_join(refs, ", ", &tried);
	if (is_abbreviation(name))
		str_add(&tried, ", an abbreviated object name");
	err = err_new(ERR_NOT_FOUND, "nothing here is called '%s' (tried %s)",
	    name, tried.s);
	str_release(&tried);
	return err;
}

/* A full object name means that object and no branch that looks like it. */
static const struct err *
resolve_base(struct repo *repo, const char *name, char oid[REPO_OID_SIZE])
{
	struct vec refs = VEC_INIT;
	const struct err *err = NULL;
	bool found = false;
	git_oid id;

	if (repo_is_oid(name)) {
		git_oid_fromstr(&id, name);
		return peel_named(repo, name, &id, oid);
	}
	push_refs(&refs, name);
	for (size_t i = 0; i < refs.n && err == NULL && !found; i++)
		err = find_ref(repo, refs.v[i], &id, &found);
	if (err == NULL && !found && is_abbreviation(name))
		err = find_abbreviation(repo, name, &id, &found);
	if (err == NULL && !found)
		err = not_found(name, &refs);
	if (err == NULL)
		err = peel_named(repo, name, &id, oid);
	vec_release(&refs);
	return err;
}

/* Replace a commit by its first parent. */
static const struct err *
climb(struct repo *repo, const char *name, char oid[REPO_OID_SIZE])
{
	git_commit *commit = NULL;
	const struct err *err = NULL;
	git_oid id;
	int code;

	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_commit_lookup(&commit, repo_handle(repo), &id);
	if (code != 0)
		err = repo_error(code, "%s: read commit %s", name, oid);
	else if (git_commit_parentcount(commit) == 0)
		err = err_new(ERR_NOT_FOUND,
		    "%s goes back beyond the first commit, %s", name, oid);
	else
		git_oid_tostr(oid, REPO_OID_SIZE,
		    git_commit_parent_id(commit, 0));
	git_commit_free(commit);
	return err;
}

/*
 * How far "~", "~N" or "^" goes back, through "steps"; what follows it.
 * NULL for anything else. A number that does not fit goes as far as one
 * can count, which is beyond every history.
 */
static const char *
parse_step(const char *p, unsigned long *steps)
{
	char *end;

	*steps = 1;
	if (*p == '^')
		return p + 1;
	if (*p != '~')
		return NULL;
	p++;
	if (!isdigit((unsigned char)*p))
		return p;
	*steps = strtoul(p, &end, 10);
	return end;
}

static const struct err *
follow_suffix(struct repo *repo, const char *name, const char *suffix,
    char oid[REPO_OID_SIZE])
{
	const struct err *err = NULL;
	const char *p = suffix;

	while (err == NULL && *p != '\0') {
		unsigned long steps;

		p = parse_step(p, &steps);
		if (p == NULL)
			return err_new(ERR_USAGE, "'%s': only ~, ~N and ^ "
			    "may follow a name", name);
		while (err == NULL && steps-- > 0)
			err = climb(repo, name, oid);
	}
	return err;
}

const struct err *
repo_resolve(struct repo *repo, const char *name, char oid[REPO_OID_SIZE])
{
	size_t len = strcspn(name, "~^");
	char *base = xstrndup(name, len);
	const struct err *err;

	oid[0] = '\0';
	err = resolve_base(repo, base, oid);
	if (err == NULL)
		err = follow_suffix(repo, name, name + len, oid);
	if (err != NULL)
		oid[0] = '\0';
	free(base);
	return err;
}

const struct err *
repo_refs(struct repo *repo, const char *prefix, struct vec *names)
{
	git_reference_iterator *all = NULL;
	char *glob = xasprintf("%s*", prefix);
	const char *ref;
	int code;

	code = git_reference_iterator_glob_new(&all, repo_handle(repo), glob);
	while (code == 0) {
		code = git_reference_next_name(&ref, all);
		if (code == 0)
			vec_push(names, ref + strlen(prefix));
	}
	git_reference_iterator_free(all);
	free(glob);
	if (code != GIT_ITEROVER)
		return repo_error(code, "list %s", prefix);
	return NULL;
}
