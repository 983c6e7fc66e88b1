/*
 * Edits that are kept elsewhere are undone, and nothing else: an edit that
 * somebody made since is not gone over. Every item is looked at again before
 * anything moves, which changes the ctime of a file; after that it is looked
 * at when it has left its place, and comes back when it is another.
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
#include "release/content.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/repair.h"

/* What of the release is taken out of its place, in the trash. */
#define ASIDE ".aside"

struct undoing {
	struct repairing repairing;
	char *aside;
	const struct drift *found;
	bool *still;		/* that item is as it was found */
};

static bool
is_folder(const struct drift_item *item)
{
	return item->path[strlen(item->path) - 1] == '/';
}

/* By all that a rename leaves as it is. */
static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_mode == b->st_mode && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Folders lose only what is looked at itself, and go when they are empty. */
static bool
is_still(int dirfd, const struct drift_item *item)
{
	struct stat st;
	bool is;
	int fd;

	if (is_folder(item) || S_ISDIR(item->st.st_mode))
		return true;
	if (file_open_parent(&fd, dirfd, item->path) != NULL)
		return item->kind == DRIFT_REMOVED;
	if (fstatat(fd, path_base(item->path), &st, AT_SYMLINK_NOFOLLOW) ==
	    -1)
		is = item->kind == DRIFT_REMOVED;
	else
		is = is_same(&st, &item->st) &&
		    st.st_ctim.tv_sec == item->st.st_ctim.tv_sec &&
		    st.st_ctim.tv_nsec == item->st.st_ctim.tv_nsec;
	file_close(&fd);
	return is;
}

/* A file system that knows no flags gets no more than a look before. */
static int
move(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	int result = renameat2(from_fd, from, to_fd, to, flags);

	if (result == -1 && (errno == EINVAL || errno == ENOSYS)) {
		if (flags == RENAME_NOREPLACE && file_exists(to_fd, to)) {
			errno = EEXIST;
			return -1;
		}
		result = renameat(from_fd, from, to_fd, to);
	}
	return result;
}

static const struct err *
take_away(struct undoing *undoing, int fd, const struct drift_item *item,
    bool *done)
{
	int trash_fd = undoing->repairing.store->trash_fd;
	const char *name = path_base(item->path);
	struct stat now;

	*done = false;
	if (renameat(fd, name, trash_fd, undoing->aside) == -1)
		return errno == ENOENT || errno == EXDEV ? NULL :
		    err_system("remove %s", item->path);
	*done = fstatat(trash_fd, undoing->aside, &now, AT_SYMLINK_NOFOLLOW)
	    == 0 && is_same(&now, &item->st);
	if (*done)
		return file_remove_tree(trash_fd, undoing->aside);
	return move(trash_fd, undoing->aside, fd, name, RENAME_NOREPLACE) ==
	    -1 ? err_system("put back %s", item->path) : NULL;
}

/* The folder is in that of "fd"; one that has something in it stays. */
static bool
remove_empty(struct repairing *repairing, int fd, const char *path)
{
	const char *name = path_base(path);

	return unlinkat(fd, name, AT_REMOVEDIR) == 0 || (errno == EACCES &&
	    repair_open_up(repairing, path) &&
	    unlinkat(fd, name, AT_REMOVEDIR) == 0);
}

/* Folders above that were added, and have nothing in them any more. */
static void
prune_above(struct repairing *repairing, const char *path)
{
	char *dir = path_dir(path);
	bool gone = true;

	while (gone && strcmp(dir, ".") != 0 &&
	    !repair_has_folder(repairing, dir)) {
		char *above = path_dir(dir);
		int fd;

		gone = file_open_parent(&fd, repairing->dirfd, dir) == NULL
		    && remove_empty(repairing, fd, dir);
		file_close(&fd);
		free(dir);
		dir = above;
	}
	free(dir);
}

static const struct err *
undo_added(struct undoing *undoing, const struct drift_item *item)
{
	char *path = xstrndup(item->path, strlen(item->path) -
	    (is_folder(item) ? 1 : 0));
	const struct err *err = NULL;
	bool done = false;
	int fd;

	/* With its folder, or something else is in the place of that. */
	if (file_open_parent(&fd, undoing->repairing.dirfd, path) == NULL) {
		if (is_folder(item))
			done = remove_empty(&undoing->repairing, fd, path);
		else
			err = take_away(undoing, fd, item, &done);
	}
	file_close(&fd);
	if (done)
		prune_above(&undoing->repairing, path);
	free(path);
	return err;
}

/* Where nothing is to be any more; what has come since stays. */
static const struct err *
fill(struct repairing *repairing, int fd,
    const struct drift_item *item)
{
	const char *name = path_base(item->path);

	if (S_ISDIR(item->st.st_mode) &&
	    !remove_empty(repairing, fd, item->path) && errno != ENOENT)
		return NULL;
	if (move(repairing->temp_fd, item->path, fd, name,
	    RENAME_NOREPLACE) == -1 && errno != EEXIST)
		return err_system("put back %s", item->path);
	return NULL;
}

static const struct err *
replace(int temp_fd, int fd, const struct drift_item *item)
{
	const char *name = path_base(item->path);
	struct stat was;

	if (move(temp_fd, item->path, fd, name, RENAME_EXCHANGE) == -1)
		return errno == ENOENT ? NULL :
		    err_system("put back %s", item->path);
	if (fstatat(temp_fd, item->path, &was, AT_SYMLINK_NOFOLLOW) == -1 ||
	    is_same(&was, &item->st))
		return NULL;
	return move(temp_fd, item->path, fd, name, RENAME_EXCHANGE) == -1 ?
	    err_system("put back the edited %s", item->path) : NULL;
}

/* What stands in the place of a folder above has been kept, and is gone. */
static const struct err *
undo_changed(struct undoing *undoing, const struct drift_item *item)
{
	struct repairing *repairing = &undoing->repairing;
	char *dir = path_dir(item->path);
	const struct err *err = NULL;
	struct stat st;
	int fd = -1;

	if (fstatat(repairing->temp_fd, item->path, &st, AT_SYMLINK_NOFOLLOW)
	    == -1 || S_ISDIR(st.st_mode))
		goto done;
	err = repair_way(repairing, dir);
	if (err == NULL)
		err = file_open_parent(&fd, repairing->dirfd, item->path);
	if (err != NULL && (err->sys_errno == ENOTDIR ||
	    err->sys_errno == ELOOP || err->sys_errno == EEXIST)) {
		err = NULL;
		goto done;
	}
	if (err == NULL)
		err = item->kind == DRIFT_REMOVED ||
		    S_ISDIR(item->st.st_mode) ?
		    fill(repairing, fd, item) :
		    replace(repairing->temp_fd, fd, item);
done:
	file_close(&fd);
	free(dir);
	return err;
}

static const struct err *
try_one(struct undoing *undoing, const struct drift_item *item)
{
	return item->kind == DRIFT_ADDED ? undo_added(undoing, item) :
	    undo_changed(undoing, item);
}

/* What this user may not change stays. */
static const struct err *
undo_one(struct undoing *undoing, const struct drift_item *item)
{
	const struct err *err = try_one(undoing, item);

	if (err != NULL && err->sys_errno == EACCES &&
	    repair_open_up(&undoing->repairing, item->path))
		err = try_one(undoing, item);
	if (err != NULL && (err->sys_errno == EACCES ||
	    err->sys_errno == EPERM) &&
	    drift_is_out_of_reach(undoing->repairing.dirfd, item->path))
		return NULL;
	return err;
}

static const struct err *
undo(struct undoing *undoing)
{
	const struct drift *found = undoing->found;
	struct err_kept first = ERR_KEPT_INIT;
	const struct err *err = NULL;

	for (size_t i = 0; i < found->n && err == NULL; i++) {
		if (undoing->still[i] && found->items[i].kind == DRIFT_ADDED)
			err = undo_one(undoing, &found->items[i]);
	}
	for (size_t i = 0; i < found->n && err == NULL; i++) {
		if (undoing->still[i] && found->items[i].kind != DRIFT_ADDED
		    && !is_folder(&found->items[i]))
			err = undo_one(undoing, &found->items[i]);
	}
	err_keep(&first, err);
	/* Nothing that was opened up is left so. */
	err_keep(&first, repair_settle(&undoing->repairing));
	return err_kept(&first);
}

/* What only commands had made nobody can make anew. */
static void
look_again(struct undoing *undoing, struct vec *paths)
{
	const struct drift *found = undoing->found;

	for (size_t i = 0; i < found->n; i++) {
		const struct drift_item *item = &found->items[i];

		undoing->still[i] = !item->is_built && !item->is_shared &&
		    is_still(undoing->repairing.dirfd, item);
		if (undoing->still[i] && item->kind != DRIFT_ADDED)
			vec_push(paths, item->path);
	}
}

const struct err *
store_put_right(struct store *store, const char *release, struct repo *repo,
    const struct drift *found)
{
	struct undoing undoing = { .found = found };
	struct vec paths = VEC_INIT;
	const struct err *err;

	undoing.still = xcalloc(found->n + 1, sizeof(*undoing.still));
	undoing.aside = xasprintf("repair.%s" ASIDE, release);
	err = repair_begin(&undoing.repairing, store, release, repo);
	if (err == NULL)
		err = file_remove_tree(store->trash_fd, undoing.aside);
	if (err == NULL) {
		look_again(&undoing, &paths);
		err = repair_make(&undoing.repairing, &paths);
	}
	if (err == NULL)
		err = undo(&undoing);
	repair_end(&undoing.repairing);
	vec_release(&paths);
	free(undoing.still);
	free(undoing.aside);
	return err == NULL ? NULL : err_add(err, "repair of %s", release);
}

/* What of these paths is one file in both, as if drift had found it. */
static void
find_common(struct drift *common, int live_fd, int dirfd,
    const struct vec *paths)
{
	for (size_t i = 0; i < paths->n; i++) {
		const char *name = path_base(paths->v[i]);
		struct drift_item item = { .kind = DRIFT_MODIFIED,
		    .folder = -1, .entry = -1 };
		struct stat other;
		int fd, other_fd = -1;

		if (file_open_parent(&fd, live_fd, paths->v[i]) == NULL &&
		    file_open_parent(&other_fd, dirfd, paths->v[i]) == NULL
		    && fstatat(fd, name, &item.st, AT_SYMLINK_NOFOLLOW) == 0
		    && fstatat(other_fd, name, &other, AT_SYMLINK_NOFOLLOW)
		    == 0 && item.st.st_dev == other.st_dev &&
		    item.st.st_ino == other.st_ino) {
			item.path = xstrdup(paths->v[i]);
			*drift_add(common) = item;
		}
		file_close(&fd);
		file_close(&other_fd);
	}
}

/* Where nobody can tell, there is. */
static bool
has_other_content(const struct manifest *manifest, int dirfd,
    const char *path)
{
	unsigned char now[CONTENT_BYTES];
	char *dir = path_dir(path);
	struct manifest_entry row;
	int64_t folder, entry = -1;
	bool other = true;
	int fd = -1;

	folder = manifest_find_folder(manifest, strcmp(dir, ".") == 0 ? "" :
	    dir);
	if (folder != -1)
		entry = manifest_find_entry(manifest, (size_t)folder,
		    path_base(path));
	if (entry != -1 && file_open_parent(&fd, dirfd, path) == NULL &&
	    content_of(now, fd, path_base(path)) == NULL) {
		manifest_entry(manifest, (size_t)folder, (size_t)entry,
		    &row);
		other = memcmp(now, row.content, sizeof(now)) != 0;
	}
	file_close(&fd);
	free(dir);
	return other;
}

/* Durably, since what is in their places goes. */
static const struct err *
save_copies(struct store *store, const char *release, int dirfd,
    const struct drift *found, struct vec *saved)
{
	struct manifest *manifest;
	const struct err *err;

	err = manifest_open(&manifest, store->manifest_fd, release);
	for (size_t i = 0; i < found->n && err == NULL; i++) {
		const struct drift_item *item = &found->items[i];

		if (S_ISREG(item->st.st_mode) &&
		    has_other_content(manifest, dirfd, item->path))
			err = layout_save_copy(store, release, dirfd,
			    item->path, saved);
	}
	manifest_close(manifest);
	return err == NULL && saved->n > 0 ? file_sync_all(store->root_fd) :
	    err;
}

const struct err *
store_part(struct store *store, const char *live, const char *release,
    struct repo *repo, const struct vec *paths, struct vec *mended,
    struct vec *saved)
{
	struct drift common = DRIFT_INIT;
	const struct err *err;
	int live_fd, dirfd = -1;

	err = store_open_release(store, live, &live_fd);
	if (err == NULL)
		err = store_open_release(store, release, &dirfd);
	if (err == NULL)
		find_common(&common, live_fd, dirfd, paths);
	if (err == NULL && common.n > 0 && saved != NULL)
		err = save_copies(store, live, live_fd, &common, saved);
	if (err == NULL && common.n > 0)
		err = store_put_right(store, live, repo, &common);
	for (size_t i = 0; i < common.n && err == NULL; i++)
		vec_push(mended, common.items[i].path);
	drift_release(&common);
	file_close(&live_fd);
	file_close(&dirfd);
	return err;
}
