/*
 * Which paths differ between two commits. Folders whose trees have the same
 * id are not looked into, so this costs what has changed; libgit2's own diff
 * reads every tree of both. The order of trees is that of whole paths.
 */
#include "repo.h"

#include <string.h>

#include <git2.h>

struct changes {
	git_repository *git;
	struct str path;	/* of the folder, with a slash, or "" */
	struct vec *paths;
};

/* Of a commit; none for NULL. */
static const struct err *
open_tree(git_tree **tree, git_repository *git, const char *oid)
{
	git_commit *commit = NULL;
	git_oid id;
	int code;

	*tree = NULL;
	if (oid == NULL)
		return NULL;
	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_commit_lookup(&commit, git, &id);
	if (code == 0)
		code = git_commit_tree(tree, commit);
	git_commit_free(commit);
	return code == 0 ? NULL : repo_error(code, "read commit %s", oid);
}

static bool
is_folder(const git_tree_entry *entry)
{
	return entry != NULL &&
	    git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

static int compare_trees(struct changes *changes, const git_tree *old,
    const git_tree *new);

/* The same name on both sides, as a folder; either may be NULL. */
static int
compare_folders(struct changes *changes, const git_tree_entry *old,
    const git_tree_entry *new)
{
	const char *name = git_tree_entry_name(old != NULL ? old : new);
	git_tree *old_tree = NULL, *new_tree = NULL;
	size_t len = changes->path.len;
	int code = 0;

	if (old != NULL)
		code = git_tree_lookup(&old_tree, changes->git,
		    git_tree_entry_id(old));
	if (code == 0 && new != NULL)
		code = git_tree_lookup(&new_tree, changes->git,
		    git_tree_entry_id(new));
	str_addf(&changes->path, "%s/", name);
	if (code == 0)
		code = compare_trees(changes, old_tree, new_tree);
	str_truncate(&changes->path, len);
	git_tree_free(old_tree);
	git_tree_free(new_tree);
	return code;
}

/* An entry that is on one side only, or differs; both are of one kind. */
static int
add_entry(struct changes *changes, const git_tree_entry *old,
    const git_tree_entry *new)
{
	const git_tree_entry *entry = old != NULL ? old : new;

	if (is_folder(entry))
		return compare_folders(changes, old, new);
	vec_pushf(changes->paths, "%s%s", changes->path.s,
	    git_tree_entry_name(entry));
	return 0;
}

static bool
is_same(const git_tree_entry *old, const git_tree_entry *new)
{
	return git_oid_equal(git_tree_entry_id(old),
	    git_tree_entry_id(new)) &&
	    git_tree_entry_filemode_raw(old) ==
	    git_tree_entry_filemode_raw(new);
}

/* Both are sorted, with a folder's name as if it had a slash at the end. */
static int
compare_trees(struct changes *changes, const git_tree *old,
    const git_tree *new)
{
	size_t n_old = old == NULL ? 0 : git_tree_entrycount(old);
	size_t n_new = new == NULL ? 0 : git_tree_entrycount(new);
	size_t i = 0, k = 0;
	int code = 0;

	while (code == 0 && (i < n_old || k < n_new)) {
		const git_tree_entry *a = i < n_old ?
		    git_tree_entry_byindex(old, i) : NULL;
		const git_tree_entry *b = k < n_new ?
		    git_tree_entry_byindex(new, k) : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 :
		    git_tree_entry_cmp(a, b);

		i += order <= 0;
		k += order >= 0;
		if (order == 0 && is_same(a, b))
			continue;
		code = add_entry(changes, order <= 0 ? a : NULL,
		    order >= 0 ? b : NULL);
	}
	return code;
}

const struct err *
repo_changed_paths(struct repo *repo, const char *old, const char *new,
    struct vec *paths)
{
	struct changes changes = { .git = repo_handle(repo),
	    .paths = paths };
	git_tree *old_tree = NULL, *new_tree = NULL;
	const struct err *err;
	int code = 0;

	str_init(&changes.path);
	err = open_tree(&old_tree, changes.git, old);
	if (err == NULL)
		err = open_tree(&new_tree, changes.git, new);
	if (err == NULL)
		code = compare_trees(&changes, old_tree, new_tree);
	if (code != 0)
		err = repo_error(code, "compare the trees of %.12s", new);
	git_tree_free(old_tree);
	git_tree_free(new_tree);
	str_release(&changes.path);
	return err;
}
