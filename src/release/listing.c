#include "listing.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "path.h"
#include "release/checkout.h"
#include "repo.h"

struct walk {
	struct listing *listing;
	git_repository *git;
};

static struct listing_entry *
add(struct listing *listing)
{
	if (listing->n == listing->size) {
		listing->size = listing->size == 0 ? 256 : listing->size * 2;
		listing->entries = xreallocarray(listing->entries,
		    listing->size, sizeof(*listing->entries));
	}
	memset(&listing->entries[listing->n], 0, sizeof(*listing->entries));
	return &listing->entries[listing->n++];
}

static const struct err *
check_name(const char *path, size_t name)
{
	struct str shown = STR_INIT;
	const struct err *err = NULL;

	if (!path_is_component(path + name, strlen(path + name))) {
		str_add_visible(&shown, path, strlen(path));
		err = err_new(ERR_REFUSED, "%s: \"%s\" is not a name that a"
		    " release can hold; rename it in the repository",
		    shown.s, shown.s + (shown.len > name ? name : 0));
		str_release(&shown);
	}
	return err;
}

static const struct err *
check_mode(struct listing_entry *entry, const git_tree_entry *item)
{
	unsigned int mode = (unsigned int)git_tree_entry_filemode_raw(item);
	char hex[8];

	switch (mode) {
	case 0100664:
		/* Very old gits wrote it, and every git reads it as 0644. */
		entry->mode = LISTING_FILE;
		return NULL;
	case LISTING_FOLDER:
	case LISTING_FILE:
	case LISTING_PROGRAM:
	case LISTING_SYMLINK:
		entry->mode = mode;
		return NULL;
	case 0160000:
		git_oid_tostr(hex, sizeof(hex), &entry->oid);
		return err_new(ERR_REFUSED, "%s is a submodule (commit %s):"
		    " a release cannot hold it; commit its files themselves"
		    " or fetch them with an action", entry->path, hex);
	default:
		return err_new(ERR_REFUSED, "%s has mode %o in the tree;"
		    " git writes only 100644, 100755 and 120000",
		    entry->path, mode);
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * Trees are sorted as if folders ended with a slash, so two entries of one
 * name need not be neighbours.
 */
static const struct err *
check_twice(const git_tree *tree, const char *prefix)
{
	size_t n = git_tree_entrycount(tree);
	const char **names = xcalloc(n + 1, sizeof(*names));
	const struct err *err = NULL;
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		names[i] = git_tree_entry_name(
		    git_tree_entry_byindex(tree, i));
		if (i > 0 && strcmp(names[i - 1], names[i]) >= 0)
			sorted = false;
	}
	if (!sorted)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; i < n && !sorted && err == NULL; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			err = err_new(ERR_REFUSED, "%s%s%s is there twice",
			    prefix, *prefix == '\0' ? "" : "/", names[i]);
	}
	free(names);
	return err;
}

static const struct err *walk_tree(struct walk *walk, const git_oid *oid,
    int64_t parent, int depth);

static const struct err *
walk_entry(struct walk *walk, const git_tree_entry *item, int64_t parent,
    int depth)
{
	const char *name = git_tree_entry_name(item);
	struct listing_entry *entry = add(walk->listing);
	const char *above = parent == -1 ? "" :
	    walk->listing->entries[parent].path;
	const struct err *err;
	git_oid oid;

	entry->name = *above == '\0' ? 0 : strlen(above) + 1;
	entry->path = xasprintf("%s%s%s", above, *above == '\0' ? "" : "/",
	    name);
	entry->depth = depth;
	entry->parent = parent;
	git_oid_cpy(&entry->oid, git_tree_entry_id(item));
	err = check_name(entry->path, entry->name);
	if (err == NULL)
		err = check_mode(entry, item);
	if (err != NULL || entry->mode != LISTING_FOLDER)
		return err;
	if (depth + 1 >= CHECKOUT_DEPTH_MAX)
		return err_new(ERR_REFUSED, "%.64s...: more than %d folders"
		    " inside each other", entry->path, CHECKOUT_DEPTH_MAX);
	git_oid_cpy(&oid, &entry->oid);
	return walk_tree(walk, &oid, (int64_t)walk->listing->n - 1,
	    depth + 1);
}

static const struct err *
walk_tree(struct walk *walk, const git_oid *oid, int64_t parent, int depth)
{
	const char *prefix = parent == -1 ? "" :
	    walk->listing->entries[parent].path;
	const struct err *err;
	git_tree *tree;
	int code;

	code = git_tree_lookup(&tree, walk->git, oid);
	if (code != 0)
		return repo_error(code, "read tree %s", prefix);
	err = check_twice(tree, prefix);
	for (size_t i = 0; err == NULL && i < git_tree_entrycount(tree); i++)
		err = walk_entry(walk, git_tree_entry_byindex(tree, i),
		    parent, depth);
	git_tree_free(tree);
	return err;
}

const struct err *
listing_read(struct listing *listing, struct repo *repo, const char *commit)
{
	struct walk walk = { listing, repo_handle(repo) };
	const struct err *err;
	git_commit *object;
	git_oid oid;
	int code;

	code = git_oid_fromstr(&oid, commit);
	if (code == 0)
		code = git_commit_lookup(&object, walk.git, &oid);
	if (code != 0)
		return repo_error(code, "read commit %s", commit);
	git_oid_cpy(&oid, git_commit_tree_id(object));
	git_oid_tostr(listing->tree, sizeof(listing->tree), &oid);
	git_commit_free(object);
	err = walk_tree(&walk, &oid, -1, 0);
	if (err != NULL)
		listing_release(listing);
	return err;
}

void
listing_release(struct listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		free(listing->entries[i].path);
	free(listing->entries);
	memset(listing, 0, sizeof(*listing));
}

void
listing_settle(struct listing *listing, bool export)
{
	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];

		if (entry->parent != -1 && listing->entries[entry->parent]
		    .flags & LISTING_IGNORED)
			entry->flags |= LISTING_IGNORED;
		if (entry->flags & LISTING_IGNORED ||
		    (entry->mode == LISTING_FOLDER && !export))
			continue;
		entry->flags |= LISTING_WANTED;
		for (int64_t up = entry->parent; up != -1 &&
		    !(listing->entries[up].flags & LISTING_WANTED);
		    up = listing->entries[up].parent)
			listing->entries[up].flags |= LISTING_WANTED;
	}
}

bool
listing_is_attributes(const struct listing_entry *entry)
{
	return strcmp(entry->path + entry->name, ".gitattributes") == 0;
}
