/*
 * Files that outlive releases. Nothing here follows a symlink of the
 * release: with "sites/default -> /etc" in the tree and
 * sites/default/files shared, /etc stays as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/store.h"
#include "repo.h"

/* A list of paths, which a config has to hold. */
#define LIST_BYTES_MAX (16 * 1024 * 1024)

/* One path of the list, taken apart. */
struct item {
	char *path;		/* without the final slash */
	char *parent;		/* "" in the root */
	const char *name;	/* lent from path */
	bool is_folder;
};

struct linking {
	struct store *store;
	const char *release;
	int release_fd;
	int parent_fd;		/* the folder that gets the link */
	struct vec *seeded;
	struct vec *made;
};

void
layout_shared_target(struct str *out, const char *path)
{
	size_t up = path_depth(path) + 1;

	for (size_t i = 0; i < up; i++)
		str_add(out, "../");
	str_addf(out, "shared/%s", path);
}

bool
layout_is_shared_link(int dirfd, const char *name, const char *path)
{
	struct str want = STR_INIT, present = STR_INIT;
	bool is;

	layout_shared_target(&want, path);
	is = file_readlink(&present, dirfd, name) == NULL &&
	    strcmp(want.s, present.s) == 0;
	str_release(&want);
	str_release(&present);
	return is;
}

static const struct err *
item_read(struct item *item, const char *text)
{
	size_t len = strlen(text);

	memset(item, 0, sizeof(*item));
	if (!path_is_beneath(text))
		return err_new(ERR_CONFIG, "shared path \"%s\" does not stay"
		    " in its folder", text);
	item->is_folder = text[len - 1] == '/';
	item->path = xstrndup(text, len - (item->is_folder ? 1 : 0));
	item->name = path_base(item->path);
	item->parent = item->name == item->path ? xstrdup("") :
	    xstrndup(item->path, (size_t)(item->name - item->path - 1));
	return NULL;
}

static void
item_release(struct item *item)
{
	free(item->path);
	free(item->parent);
}

/*
 * What shared/ has. Symlinks are followed there, because an administrator
 * may keep uploads on another disk.
 */
static const struct err *
look(struct store *store, const struct item *item, bool *there)
{
	struct stat st;

	*there = false;
	if (fstatat(store->shared_fd, item->path, &st, 0) == -1)
		return errno == ENOENT || errno == ENOTDIR ? NULL :
		    err_system("look at shared/%s", item->path);
	if (item->is_folder && !S_ISDIR(st.st_mode))
		return err_new(ERR_CONFIG, "%s/shared/%s is not a folder, but"
		    " the config shares \"%s/\": write it without the slash,"
		    " or make it a folder", store->root, item->path,
		    item->path);
	if (!item->is_folder && S_ISDIR(st.st_mode))
		return err_new(ERR_CONFIG, "%s/shared/%s is a folder, but the"
		    " config shares \"%s\": write \"%s/\"", store->root,
		    item->path, item->path, item->path);
	*there = true;
	return NULL;
}

/*
 * A folder is made, or copied from the commit; but not where a symlink leads
 * nowhere, since the disk with the uploads may not be mounted.
 */
static bool
can_supply(const struct store *store, const struct item *item,
    enum repo_kind kind)
{
	struct stat st;

	return item->is_folder && (kind == REPO_FOLDER || kind ==
	    REPO_ABSENT) && fstatat(store->shared_fd, item->path, &st,
	    AT_SYMLINK_NOFOLLOW) == -1;
}

static const struct err *
check_missing(struct store *store, struct repo *repo, const char *commit,
    const char *text, struct vec *missing)
{
	enum repo_kind kind = REPO_ABSENT;
	const struct err *err;
	struct item item;
	bool there;

	err = item_read(&item, text);
	if (err == NULL)
		err = look(store, &item, &there);
	if (err == NULL && !there && item.is_folder)
		err = repo_path_kind(repo, commit, item.path, &kind);
	if (err == NULL && !there && !can_supply(store, &item, kind))
		vec_push(missing, text);
	item_release(&item);
	return err;
}

const struct err *
store_missing_shared(struct store *store, struct repo *repo,
    const char *commit, const struct vec *shared, struct vec *missing)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < shared->n && err == NULL; i++)
		err = check_missing(store, repo, commit, shared->v[i],
		    missing);
	return err;
}

/*
 * Open the folder that gets the link, making what is missing of it. A
 * component of the path that is a symlink or a file ends it.
 */
static const struct err *
open_parent(struct linking *linking, const struct item *item)
{
	const struct err *err = NULL;

	if (item->parent[0] == '\0') {
		linking->parent_fd = openat(linking->release_fd, ".",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return linking->parent_fd == -1 ? err_system("open") : NULL;
	}
	err = file_mkdirs_beneath(linking->release_fd, item->parent, 0755);
	if (err == NULL)
		err = file_open_beneath(&linking->parent_fd,
		    linking->release_fd, item->parent,
		    O_RDONLY | O_DIRECTORY, 0);
	if (err != NULL && (err->sys_errno == ELOOP ||
	    err->sys_errno == ENOTDIR || err->sys_errno == EEXIST))
		return err_new(ERR_REFUSED, "a part of %s is a symlink or a"
		    " file in the release, and nothing is written through"
		    " it: take it out of the repository, or do not share"
		    " what is beneath it", item->parent);
	return err;
}

/* The copy gets its name when it is whole. */
static const struct err *
seed(struct linking *linking, const struct item *item)
{
	char *temp = xasprintf(".%s.seed", linking->release);
	int shared_fd = linking->store->shared_fd;
	const struct err *err;

	err = file_remove_tree(shared_fd, temp);
	if (err == NULL && item->parent[0] != '\0')
		err = file_mkdirs_beneath(shared_fd, item->parent, 0755);
	if (err == NULL)
		err = file_copy_tree(linking->parent_fd, item->name,
		    shared_fd, temp);
	if (err == NULL)
		err = file_sync_all(shared_fd);
	if (err == NULL && renameat(shared_fd, temp, shared_fd,
	    item->path) == -1)
		err = err_system("rename shared/%s", temp);
	if (err == NULL)
		err = file_sync_dir(shared_fd, item->parent[0] == '\0' ?
		    "." : item->parent);
	if (err == NULL)
		vec_push(linking->seeded, item->path);
	free(temp);
	return err;
}

/* An empty one is whole as soon as it is there. */
static const struct err *
make_folder(struct linking *linking, const struct item *item)
{
	int shared_fd = linking->store->shared_fd;
	const struct err *err;

	err = file_mkdirs_beneath(shared_fd, item->path, 0755);
	if (err == NULL)
		err = file_sync_all(shared_fd);
	if (err == NULL)
		vec_push(linking->made, item->path);
	return err;
}

/* What shared/ lacks of it. What a file should hold nobody knows here. */
static const struct err *
supply(struct linking *linking, const struct item *item)
{
	struct stat st;
	bool ships;

	ships = fstatat(linking->parent_fd, item->name, &st,
	    AT_SYMLINK_NOFOLLOW) == 0;
	if (item->is_folder && !ships)
		return make_folder(linking, item);
	if (item->is_folder && S_ISDIR(st.st_mode))
		return seed(linking, item);
	return err_new(ERR_NOT_FOUND, "%s/shared/%s is missing: create it",
	    linking->store->root, item->path);
}

/* Put the link there, unless it is there from an interrupted attempt. */
static const struct err *
put_link(struct linking *linking, const struct item *item)
{
	struct str target = STR_INIT, present = STR_INIT;
	const struct err *err = NULL;

	layout_shared_target(&target, item->path);
	if (file_readlink(&present, linking->parent_fd, item->name) == NULL
	    && strcmp(present.s, target.s) == 0)
		goto done;
	err = file_remove_tree(linking->parent_fd, item->name);
	if (err == NULL && symlinkat(target.s, linking->parent_fd,
	    item->name) == -1)
		err = err_system("symlink");
done:
	str_release(&target);
	str_release(&present);
	return err;
}

static const struct err *
link_item(struct linking *linking, const char *text)
{
	const struct err *err;
	struct item item;
	bool there;

	linking->parent_fd = -1;
	err = item_read(&item, text);
	if (err == NULL)
		err = look(linking->store, &item, &there);
	if (err == NULL)
		err = open_parent(linking, &item);
	if (err == NULL && !there)
		err = supply(linking, &item);
	if (err == NULL)
		err = put_link(linking, &item);
	file_close(&linking->parent_fd);
	item_release(&item);
	return err == NULL ? NULL : err_add(err, "shared path %s", text);
}

char *
layout_shared(const char *release)
{
	return xasprintf("%s" LAYOUT_SHARED, release);
}

/* Links that look like ours, and are not in it, are somebody else's. */
static const struct err *
record(struct store *store, const char *release, const struct vec *paths)
{
	char *name = layout_shared(release);
	struct str text = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < paths->n; i++)
		str_addf(&text, "%s\n", paths->v[i]);
	err = file_replace(store->manifest_fd, name, text.s, text.len, 0644);
	str_release(&text);
	free(name);
	return err;
}

const struct err *
layout_list_shared(struct store *store, const char *release, struct vec *shared)
{
	char *name = layout_shared(release);
	struct str text = STR_INIT;
	const struct err *err;

	err = file_read_at(&text, store->manifest_fd, name, LIST_BYTES_MAX);
	if (err == NULL)
		vec_split(shared, text.s, "\n");
	str_release(&text);
	free(name);
	return err;
}

const struct err *
layout_read_shared(struct store *store, const char *release,
    const struct manifest *manifest, struct vec *shared, bool *any)
{
	const struct err *err = layout_list_shared(store, release, shared);
	bool is_none = err != NULL && err->sys_errno == ENOENT;

	*any = is_none && (manifest_flags(manifest) & MANIFEST_SHARED) == 0;
	return is_none ? NULL : err;
}

const struct err *
layout_prune_shared(struct store *store, const char *release, int dirfd)
{
	struct vec shared = VEC_INIT, left = VEC_INIT;
	struct drift_spec spec = { .dirfd = dirfd, .shared = &shared,
	    .links = true };
	struct drift drift = DRIFT_INIT;
	const struct err *err;

	err = layout_list_shared(store, release, &shared);
	if (err != NULL)
		return err->sys_errno == ENOENT ? NULL : err;
	err = drift_links(&drift, &spec);
	for (size_t i = 0; i < shared.n; i++) {
		size_t k = 0;

		while (k < drift.n && strcmp(drift.items[k].path,
		    shared.v[i]) != 0)
			k++;
		if (k == drift.n)
			vec_push(&left, shared.v[i]);
	}
	if (err == NULL && left.n < shared.n)
		err = record(store, release, &left);
	drift_release(&drift);
	vec_release(&shared);
	vec_release(&left);
	return err;
}

const struct err *
store_link_shared(struct store *store, const char *release,
    const struct vec *shared, struct vec *seeded, struct vec *made)
{
	struct linking linking = { .store = store, .release = release,
	    .seeded = seeded, .made = made };
	struct vec paths = VEC_INIT;
	const struct err *err;

	err = store_open_release(store, release, &linking.release_fd);
	for (size_t i = 0; i < shared->n && err == NULL; i++) {
		err = link_item(&linking, shared->v[i]);
		if (err == NULL)
			vec_pushf(&paths, "%.*s", (int)(strlen(shared->v[i])
			    - str_ends_with(shared->v[i], "/")),
			    shared->v[i]);
	}
	if (err == NULL)
		err = record(store, release, &paths);
	vec_release(&paths);
	file_close(&linking.release_fd);
	return err;
}
