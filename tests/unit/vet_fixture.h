/*
 * vet_fixture - trees of every kind in a fresh repository, written as bytes
 * that git's own commands would not make.
 *
 *	vet_begin();
 *	commit_text(commit, "100644 f =text\n");
 *	is_fit(&vet, commit, NULL, "a file");
 *	...
 *	return vet_end();
 */
#ifndef VET_FIXTURE_H
#define VET_FIXTURE_H

#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "release/vet.h"
#include "repo.h"
#include "tap.h"

static struct repo *repo;
static git_odb *odb;

static const char *const shared_paths[] = { "uploads/", "conf/local.php" };
static struct vec shared = VEC_INIT, carry = VEC_INIT;
static struct vet_rules rules = {
	.shared = &shared, .carry = &carry, .path_max = 3000,
};

static inline git_oid
write_object(const char *bytes, size_t len, git_object_t type)
{
	git_oid oid;

	if (git_odb_write(&oid, odb, bytes, len, type) != 0)
		skip_all("an object cannot be written");
	return oid;
}

/*
 * A tree is a text of one entry a line, "MODE NAME WHAT", as it is to stand
 * in the tree. WHAT is "=" and the text of a blob, or "{" and lines up to one
 * that is "}".
 */
static inline git_oid write_tree(const char **text);

static inline void
write_entry(struct str *tree, const char **text)
{
	const char *line = *text, *what;
	size_t len = strcspn(line, "\n");
	git_oid oid;

	what = memmem(line, len, " =", 2);
	if (what == NULL)
		what = memrchr(line, ' ', len);
	str_add_bytes(tree, line, (size_t)(what - line));
	str_addch(tree, '\0');
	*text += len + 1;
	if (what[1] == '{')
		oid = write_tree(text);
	else
		oid = write_object(what + 2, len - (size_t)(what + 2 - line),
		    GIT_OBJECT_BLOB);
	str_add_bytes(tree, oid.id, GIT_OID_RAWSZ);
}

static inline git_oid
write_tree(const char **text)
{
	struct str tree = STR_INIT;
	git_oid oid;

	while (**text != '\0' && **text != '}')
		write_entry(&tree, text);
	if (**text == '}')
		*text += strlen("}\n");
	oid = write_object(tree.s, tree.len, GIT_OBJECT_TREE);
	str_release(&tree);
	return oid;
}

/* A commit of a tree, its name through "commit". */
static inline void
write_commit(char *commit, const git_oid *tree)
{
	char hex[GIT_OID_HEXSZ + 1], *text;
	git_oid oid;

	git_oid_tostr(hex, sizeof(hex), tree);
	text = xasprintf("tree %s\nauthor A <a@b> 0 +0000\n"
	    "committer A <a@b> 0 +0000\n\nx\n", hex);
	oid = write_object(text, strlen(text), GIT_OBJECT_COMMIT);
	git_oid_tostr(commit, REPO_OID_SIZE, &oid);
	free(text);
}

static inline void
commit_text(char *commit, const char *text)
{
	git_oid tree = write_tree(&text);

	write_commit(commit, &tree);
}

static inline void
is_fit(struct vet *vet, const char *commit, const char *want,
    const char *what)
{
	struct str reasons = STR_INIT;

	if (!is_ok(vet_commit(vet, commit), "%s is looked at", what))
		return;
	vec_join(&vet->reasons, "\n", &reasons);
	if (want == NULL)
		is_str(reasons.s, "", "%s is fit", what);
	else if (!ok(strstr(reasons.s, want) != NULL, "%s is not fit", what))
		diag("%s", reasons.s);
	str_release(&reasons);
}

static inline void
vet_begin(void)
{
	char *path = xasprintf("%s/hub.git", tap_folder());
	char *command = xasprintf("git init -q --bare '%s'", path);

	if (system(command) != 0 || repo_open(&repo, path, false) != NULL ||
	    git_repository_odb(&odb, repo_handle(repo)) != 0)
		skip_all("there is no repository");
	for (size_t i = 0; i < 2; i++)
		vec_push(&shared, shared_paths[i]);
	vec_push(&carry, "v/m/");
	free(command);
	free(path);
}

static inline int
vet_end(void)
{
	git_odb_free(odb);
	repo_close(repo);
	vec_release(&shared);
	vec_release(&carry);
	return tap_done();
}

#endif
