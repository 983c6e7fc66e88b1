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
	const struct manifest *base;
	bool whole;
};

static struct listing_entry *
add(struct listing *listing)
{
	struct listing_entry *entry;

	if (listing->n == listing->size) {
		listing->size = listing->size == 0 ? 256 : listing->size * 2;
		listing->entries = xreallocarray(listing->entries,
		    listing->size, sizeof(*listing->entries));
	}
	entry = &listing->entries[listing->n++];
	memset(entry, 0, sizeof(*entry));
	entry->parent = entry->base = -1;
	return entry;
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

static bool
is_folder(const git_tree_entry *item)
{
	return git_tree_entry_filemode_raw(item) == LISTING_FOLDER;
}

/* Files by name, then folders as git has them. */
static int
by_kind_and_name(const void *a, const void *b)
{
	const git_tree_entry *x = *(const git_tree_entry *const *)a;
	const git_tree_entry *y = *(const git_tree_entry *const *)b;

	if (is_folder(x) != is_folder(y))
		return is_folder(x) ? 1 : -1;
	if (is_folder(x))
		return manifest_order(git_tree_entry_name(x),
		    git_tree_entry_name(y));
	return strcmp(git_tree_entry_name(x), git_tree_entry_name(y));
}

/* A file and a folder of one name are neighbours in no order. */
static bool
has_file(const git_tree_entry *const *items, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name,
		    git_tree_entry_name(items[middle]));

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static const struct err *
check_twice(const git_tree_entry *const *items, size_t n_files, size_t n,
    const char *path)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = git_tree_entry_name(items[i]);

		if ((i > 0 && strcmp(git_tree_entry_name(items[i - 1]),
		    name) == 0) || (i >= n_files &&
		    has_file(items, n_files, name)))
			return err_new(ERR_REFUSED, "%s%s%s is there twice",
			    path, *path == '\0' ? "" : "/", name);
	}
	return NULL;
}

static const struct err *walk_folder(struct walk *walk, size_t folder,
    int depth);

static const struct err *
add_item(struct walk *walk, const git_tree_entry *item, size_t folder)
{
	struct listing_entry *entry = add(walk->listing);
	const char *above = walk->listing->entries[folder].path;
	const struct err *err;

	entry->name = *above == '\0' ? 0 : strlen(above) + 1;
	entry->path = xasprintf("%s%s%s", above, *above == '\0' ? "" : "/",
	    git_tree_entry_name(item));
	entry->parent = (int64_t)folder;
	git_oid_cpy(&entry->oid, git_tree_entry_id(item));
	err = check_name(entry->path, entry->name);
	return err == NULL ? check_mode(entry, item) : err;
}

static void
add_gone(struct walk *walk, const char *folder, const char *name,
    const char *slash)
{
	vec_pushf(&walk->listing->gone, "%s%s%s%s", folder,
	    *folder == '\0' ? "" : "/", name, slash);
}

/* Mark the files "from" to "to" that the base's folder has, too. */
static void
match_files(struct walk *walk, size_t folder, size_t from, size_t to)
{
	struct listing_entry *entries = walk->listing->entries;
	size_t base = (size_t)entries[folder].base, i = from;
	struct manifest_folder of;

	manifest_folder(walk->base, base, &of);
	for (size_t k = 0; k < of.n_entries; k++) {
		struct manifest_entry row;
		int order = 1;

		manifest_entry(walk->base, base, k, &row);
		while (i < to && (order = strcmp(entries[i].path +
		    entries[i].name, row.name)) < 0)
			i++;
		if (i == to || order != 0) {
			add_gone(walk, of.path, row.name, "");
			continue;
		}
		entries[i].base = (int64_t)k;
		if (row.flags == 0 && row.mode == entries[i].mode &&
		    memcmp(row.content, entries[i].oid.id, 20) == 0)
			entries[i].flags |= LISTING_KEPT;
	}
}

/*
 * The base's subfolders and ours have one order. "*at" is the next one of
 * the base, "end" behind its last; what comes before "path" is gone.
 */
static int64_t
match_folder(struct walk *walk, size_t *at, size_t end, const char *path)
{
	while (*at < end) {
		struct manifest_folder next;
		size_t found = *at;
		int order;

		manifest_folder(walk->base, *at, &next);
		order = path == NULL ? 1 : manifest_order(path, next.path);
		if (order < 0)
			return -1;
		*at += next.n_folders;
		if (order == 0)
			return (int64_t)found;
		add_gone(walk, "", next.path, "/");
	}
	return -1;
}

static const struct err *
walk_folders(struct walk *walk, const git_tree_entry *const *items,
    size_t n, size_t folder, int depth)
{
	int64_t base = walk->listing->entries[folder].base;
	struct manifest_folder of = { 0 };
	size_t at = 0, end = 0;
	const struct err *err = NULL;

	if (base != -1) {
		manifest_folder(walk->base, (size_t)base, &of);
		at = (size_t)base + 1;
		end = (size_t)base + of.n_folders;
	}
	for (size_t i = 0; i < n && err == NULL; i++) {
		size_t added = walk->listing->n;
		struct listing_entry *entry;

		err = add_item(walk, items[i], folder);
		if (err != NULL)
			break;
		entry = &walk->listing->entries[added];
		entry->base = match_folder(walk, &at, end, entry->path);
		err = walk_folder(walk, added, depth + 1);
	}
	match_folder(walk, &at, end, NULL);
	return err;
}

static const struct err *
walk_items(struct walk *walk, const git_tree *tree, size_t folder, int depth)
{
	size_t n = git_tree_entrycount(tree), n_files = 0;
	const git_tree_entry **items = xcalloc(n + 1, sizeof(*items));
	size_t from = walk->listing->n;
	const struct err *err;

	for (size_t i = 0; i < n; i++) {
		items[i] = git_tree_entry_byindex(tree, i);
		n_files += !is_folder(items[i]);
	}
	qsort(items, n, sizeof(*items), by_kind_and_name);
	err = check_twice(items, n_files, n,
	    walk->listing->entries[folder].path);
	for (size_t i = 0; i < n_files && err == NULL; i++)
		err = add_item(walk, items[i], folder);
	if (err == NULL && walk->listing->entries[folder].base != -1)
		match_files(walk, folder, from, walk->listing->n);
	if (err == NULL)
		err = walk_folders(walk, items + n_files, n - n_files, folder,
		    depth);
	free(items);
	return err;
}

/* True when the base has the folder as it is, and nobody wants to look. */
static bool
is_same(const struct walk *walk, const struct listing_entry *entry)
{
	struct manifest_folder folder;

	if (walk->whole || entry->base == -1)
		return false;
	manifest_folder(walk->base, (size_t)entry->base, &folder);
	return memcmp(folder.tree, entry->oid.id, 20) == 0;
}

static const struct err *
walk_folder(struct walk *walk, size_t folder, int depth)
{
	struct listing_entry *entry = &walk->listing->entries[folder];
	const struct err *err;
	git_tree *tree;
	int code;

	if (depth >= CHECKOUT_DEPTH_MAX)
		return err_new(ERR_REFUSED, "%.64s...: more than %d folders"
		    " inside each other", entry->path, CHECKOUT_DEPTH_MAX);
	if (is_same(walk, entry)) {
		entry->flags |= LISTING_SAME;
		return NULL;
	}
	code = git_tree_lookup(&tree, walk->git, &entry->oid);
	if (code != 0)
		return repo_error(code, "read tree %s", entry->path);
	err = walk_items(walk, tree, folder, depth);
	git_tree_free(tree);
	return err;
}

/* The first entry is the release itself. */
static const struct err *
add_root(struct walk *walk, const char *commit)
{
	struct listing_entry *root = add(walk->listing);
	git_commit *object;
	git_oid oid;
	int code;

	root->path = xstrdup("");
	root->mode = LISTING_FOLDER;
	root->base = walk->base == NULL ? -1 : 0;
	code = git_oid_fromstr(&oid, commit);
	if (code == 0)
		code = git_commit_lookup(&object, walk->git, &oid);
	if (code != 0)
		return repo_error(code, "read commit %s", commit);
	git_oid_cpy(&root->oid, git_commit_tree_id(object));
	git_commit_free(object);
	return NULL;
}

const struct err *
listing_read(struct listing *listing, struct repo *repo, const char *commit,
    const struct manifest *base, bool whole)
{
	struct walk walk = { listing, repo_handle(repo), base, whole };
	const struct err *err;

	err = add_root(&walk, commit);
	if (err == NULL)
		err = walk_folder(&walk, 0, 0);
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
	vec_release(&listing->gone);
	memset(listing, 0, sizeof(*listing));
}

/*
 * git archive writes the folders above a file when it comes to that, and
 * only then asks whether the file is ignored.
 */
void
listing_settle(struct listing *listing, bool export)
{
	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];
		bool is_file = entry->mode != LISTING_FOLDER;
		bool counts = is_file || i == 0 ||
		    (entry->flags & LISTING_SAME) != 0;

		if (entry->parent != -1 && listing->entries[entry->parent]
		    .flags & LISTING_IGNORED) {
			entry->flags |= LISTING_IGNORED;
			continue;
		}
		if (!counts || (entry->flags & LISTING_IGNORED &&
		    !(export && is_file)))
			continue;
		if ((entry->flags & LISTING_IGNORED) == 0)
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
