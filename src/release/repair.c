/*
 * A release that somebody has put a hand to, told of and put right. What is
 * put back is made in the trash and renamed into its place, so that nobody
 * sees half a file, and a crash leaves nothing but what the next sweep takes.
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
#include "release/checkout.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/repair.h"

const struct err *
layout_manifests(struct store *store, const char *release,
    struct manifest **manifest, struct manifest **built)
{
	char *name = layout_built(release);
	const struct err *err;

	*built = NULL;
	err = manifest_open(manifest, store->manifest_fd, release);
	if (err == NULL && file_exists(store->manifest_fd, name))
		err = manifest_open(built, store->manifest_fd, name);
	free(name);
	return err;
}

static bool
is_folder(const struct drift_item *item)
{
	return item->path[strlen(item->path) - 1] == '/';
}

/*
 * Folders are told of when nothing tells of them: an added one that has
 * nothing in it, and one whose mode is another.
 */
static bool
is_told(const struct drift *drift, size_t i)
{
	const struct drift_item *item = &drift->items[i];

	if (item->kind == DRIFT_STALE || item->kind == DRIFT_LINKED)
		return false;
	if (!is_folder(item) || item->kind == DRIFT_MODE)
		return true;
	return item->kind == DRIFT_ADDED && (i + 1 == drift->n ||
	    !str_starts_with(drift->items[i + 1].path, item->path));
}

static void
leave_told(struct drift *drift)
{
	size_t n = 0;

	for (size_t i = 0; i < drift->n; i++) {
		struct drift_item item = drift->items[i];

		if (is_told(drift, i)) {
			/* What is compared next has not moved yet. */
			drift->items[i].path = drift->items[n].path;
			drift->items[n++] = item;
		}
	}
	for (size_t i = n; i < drift->n; i++)
		free(drift->items[i].path);
	drift->n = n;
}

const struct err *
store_drift(struct store *store, const char *release, bool deep, bool added,
    const struct vec *writable, struct drift *drift)
{
	struct vec shared = VEC_INIT;
	struct drift_spec spec = { .dirfd = -1, .writable = writable,
	    .threads = store->threads, .deep = deep, .added = added,
	    .whole = true, .shared = &shared, .links = true };
	struct manifest *manifest = NULL, *built = NULL;
	const struct err *err;

	memset(drift, 0, sizeof(*drift));
	err = store_open_release(store, release, &spec.dirfd);
	if (err == NULL)
		err = layout_manifests(store, release, &manifest, &built);
	if (err == NULL)
		err = layout_read_shared(store, release, manifest, &shared,
		    &spec.any_shared);
	spec.manifest = manifest;
	spec.built = built;
	if (err == NULL)
		err = drift_find(drift, &spec);
	if (err == NULL)
		leave_told(drift);
	else
		drift_release(drift);
	manifest_close(manifest);
	manifest_close(built);
	vec_release(&shared);
	file_close(&spec.dirfd);
	return err;
}

static bool
is_missing(const struct repairing *repairing, const char *dir)
{
	const struct err *err;
	int fd;

	err = file_open_beneath(&fd, repairing->dirfd, dir,
	    O_PATH | O_DIRECTORY, 0);
	file_close(&fd);
	return err != NULL && (err->sys_errno == ENOENT ||
	    err->sys_errno == ENOTDIR || err->sys_errno == ELOOP);
}

/* From the top. */
static void
note_missing(struct repairing *repairing, const char *dir)
{
	char *above;

	if (!is_missing(repairing, dir))
		return;
	above = path_dir(dir);
	if (strcmp(above, ".") != 0)
		note_missing(repairing, above);
	vec_push(&repairing->made, dir);
	free(above);
}

/* False when nothing is known but what is so of all folders. */
static bool
find_look(const struct repairing *repairing, const char *path,
    const struct stat *st, mode_t *mode, uid_t *uid)
{
	const struct manifest *built = repairing->built;
	struct manifest_folder made = { .path = path };
	int64_t i;

	i = built == NULL ? -1 : manifest_find_folder(built, path);
	if (i != -1)
		manifest_folder(built, (size_t)i, &made);
	return manifest_folder_look(repairing->manifest, &made, st, mode,
	    uid);
}

/* One that may be private is nobody else's until it is settled. */
const struct err *
repair_way(struct repairing *repairing, const char *dir)
{
	const struct err *err = NULL;
	size_t i = repairing->made.n;

	if (strcmp(dir, ".") == 0)
		return NULL;
	note_missing(repairing, dir);
	for (; i < repairing->made.n && err == NULL; i++) {
		const char *path = repairing->made.v[i];
		struct stat st = { 0 };
		mode_t mode;
		uid_t uid;

		err = file_mkdirs_beneath(repairing->dirfd, path,
		    find_look(repairing, path, &st, &mode, &uid) ? 0700 :
		    0755);
	}
	return err;
}

/* Whoever has taken his own rights to a folder can give them back. */
static bool
open_up(int dirfd, const char *path)
{
	bool is_top = path[0] == '\0' || strcmp(path, ".") == 0;
	char at[32];
	struct stat st;
	bool done = false;
	int fd = -1;

	if (!is_top && file_open_beneath(&fd, dirfd, path,
	    O_PATH | O_DIRECTORY, 0) != NULL)
		return false;
	/* Nothing else opens such a descriptor. */
	snprintf(at, sizeof(at), "/proc/self/fd/%d", is_top ? dirfd : fd);
	if (fstat(is_top ? dirfd : fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 0700) != 0700)
		done = chmod(at, (st.st_mode & 07777) | 0700) == 0;
	file_close(&fd);
	return done;
}

bool
repair_has_folder(const struct repairing *repairing, const char *dir)
{
	return manifest_find_folder(repairing->manifest, dir) != -1 ||
	    (repairing->built != NULL &&
	    manifest_find_folder(repairing->built, dir) != -1);
}

bool
repair_open_up(struct repairing *repairing, const char *path)
{
	char *dir = path_dir(path);
	bool done;

	while (strcmp(dir, ".") != 0 && is_missing(repairing, dir)) {
		char *above = path_dir(dir);

		free(dir);
		dir = above;
	}
	done = open_up(repairing->dirfd, dir);
	/* What somebody has added is none of ours, and opens no further. */
	if (strcmp(dir, ".") == 0)
		dir[0] = '\0';
	if (done && repair_has_folder(repairing, dir))
		vec_push(&repairing->made, dir);
	free(dir);
	return done;
}

/* What root alone may set stays as it is. */
static const struct err *
set_look(int fd, const char *path, const struct stat *st, mode_t mode,
    uid_t uid)
{
	if (st->st_uid != uid && fchown(fd, uid, (gid_t)-1) == -1 &&
	    errno != EPERM)
		return err_system("set the owner of %s", path);
	if (((st->st_mode ^ mode) & 07777) != 0 &&
	    fchmod(fd, mode & 07777) == -1 && errno != EPERM)
		return err_system("set the mode of %s", path);
	return NULL;
}

/* Owner and mode of a folder, if there is one and not something else. */
static const struct err *
mend_folder(const struct repairing *repairing, const char *path)
{
	const struct err *err;
	struct stat st;
	mode_t mode;
	uid_t uid;
	int fd;

	err = file_open_folder(&fd, repairing->dirfd, path);
	if (err != NULL && err->sys_errno == EACCES &&
	    open_up(repairing->dirfd, path))
		err = file_open_folder(&fd, repairing->dirfd, path);
	if (err != NULL)
		return err->sys_errno == ENOENT || err->sys_errno == ENOTDIR
		    || err->sys_errno == ELOOP || err->sys_errno == EACCES ?
		    NULL : err;
	if (fstat(fd, &st) == -1) {
		err = err_system("stat %s", path);
	} else {
		find_look(repairing, path, &st, &mode, &uid);
		err = set_look(fd, path, &st, mode, uid);
	}
	file_close(&fd);
	return err;
}

/* A folder may close what is below it. */
const struct err *
repair_settle(struct repairing *repairing)
{
	struct err_kept first = ERR_KEPT_INIT;

	vec_sort(&repairing->made);
	for (size_t i = repairing->made.n; i > 0; i--)
		err_keep(&first, mend_folder(repairing,
		    repairing->made.v[i - 1]));
	err_keep(&first, file_sync_all(repairing->dirfd));
	return err_kept(&first);
}

/* Folders among the paths that the commit has. */
static const struct err *
mend_folders(const struct repairing *repairing, const struct vec *paths)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < paths->n && err == NULL; i++) {
		size_t len = strlen(paths->v[i]);
		char *path;

		if (len == 0 || paths->v[i][len - 1] != '/')
			continue;
		path = strcmp(paths->v[i], "./") == 0 ? xstrdup("") :
		    xstrndup(paths->v[i], len - 1);
		if (manifest_find_folder(repairing->manifest, path) != -1)
			err = mend_folder(repairing, path);
		free(path);
	}
	return err;
}

const struct err *
repair_begin(struct repairing *repairing, struct store *store,
    const char *release, struct repo *repo)
{
	const struct err *err;
	char *temp;

	memset(repairing, 0, sizeof(*repairing));
	repairing->store = store;
	repairing->repo = repo;
	repairing->dirfd = repairing->temp_fd = -1;
	err = store_open_release(store, release, &repairing->dirfd);
	if (err == NULL)
		err = layout_manifests(store, release, &repairing->manifest,
		    &repairing->built);
	if (err != NULL)
		return err;
	temp = repairing->temp = xasprintf("repair.%s", release);
	err = file_remove_tree(store->trash_fd, temp);
	if (err == NULL && mkdirat(store->trash_fd, temp, 0700) == -1)
		err = err_system("create .slipway/trash/%s", temp);
	if (err == NULL) {
		repairing->temp_fd = openat(store->trash_fd, temp,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (repairing->temp_fd == -1)
			err = err_system("open .slipway/trash/%s", temp);
	}
	return err;
}

const struct err *
repair_make(struct repairing *repairing, const struct vec *paths)
{
	const struct manifest *manifest = repairing->manifest;
	struct store_made made = { .files = 0 };
	struct checkout checkout = { .repo = repairing->repo,
	    .dirfd = repairing->temp_fd, .from_fd = -1, .only = paths,
	    .threads = repairing->store->threads };
	const struct err *err;
	unsigned int flags;
	char commit[41];

	manifest_commit(manifest, commit);
	checkout.commit = commit;
	checkout.export = (manifest_flags(manifest) & MANIFEST_EXPORT) != 0;
	err = mend_folders(repairing, paths);
	return err == NULL ? checkout_write(&checkout, NULL, &made, &flags) :
	    err;
}

void
repair_end(struct repairing *repairing)
{
	if (repairing->temp != NULL)
		file_remove_tree(repairing->store->trash_fd,
		    repairing->temp);
	manifest_close(repairing->manifest);
	manifest_close(repairing->built);
	file_close(&repairing->dirfd);
	file_close(&repairing->temp_fd);
	vec_release(&repairing->made);
	free(repairing->temp);
}
