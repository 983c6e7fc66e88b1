/*
 * A release compared with its manifest. Entries are sorted, so the folder
 * of one is mostly the folder of the one before, and stays open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/store.h"

struct check {
	struct manifest *manifest;
	int release_fd;
	char *folder;		/* the one looked at last, NULL: none */
	int folder_fd;		/* -1: it is not there, or a symlink */
	bool is_shared;		/* it is at or under a link to shared/ */
	struct vec *changed;
	size_t limit;
	int64_t count;
};

static bool
is_shared_link(int dirfd, const char *name, const char *path)
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

/* Step into one component of the folder; false when that is the end. */
static const struct err *
step_into(struct check *check, const char *path, const char *name,
    bool *more)
{
	int next = openat(check->folder_fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct err *err = NULL;

	*more = next != -1;
	if (next == -1) {
		if (errno == ENOTDIR || errno == ELOOP)
			check->is_shared = is_shared_link(check->folder_fd,
			    name, path);
		else if (errno != ENOENT)
			err = err_system("open %s", path);
	}
	file_close(&check->folder_fd);
	check->folder_fd = next;
	return err;
}

static const struct err *
enter(struct check *check, const char *folder)
{
	const struct err *err = NULL;
	size_t at = 0;
	bool more = true;

	if (check->folder != NULL && strcmp(check->folder, folder) == 0)
		return NULL;
	file_close(&check->folder_fd);
	free(check->folder);
	check->folder = xstrdup(folder);
	check->is_shared = false;
	check->folder_fd = openat(check->release_fd, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (check->folder_fd == -1)
		return err_system("open the release");
	while (err == NULL && more && folder[at] != '\0') {
		size_t len = strcspn(folder + at, "/");
		char *name = xstrndup(folder + at, len);
		char *path = xstrndup(folder, at + len);

		err = step_into(check, path, name, &more);
		at += len + (folder[at + len] == '/' ? 1 : 0);
		free(name);
		free(path);
	}
	return err;
}

/* The digest of what is there now; a file that vanishes has changed. */
static const struct err *
digest_now(struct check *check, const struct manifest_entry *entry,
    const char *name, unsigned char digest[8])
{
	struct str target = STR_INIT;
	const struct err *err;
	int fd;

	if (entry->mode == 0120000) {
		err = file_readlink(&target, check->folder_fd, name);
		manifest_digest(digest, target.s, target.len);
		str_release(&target);
		return err;
	}
	fd = openat(check->folder_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return err_system("open %s", entry->path);
	err = manifest_digest_fd(digest, fd);
	file_close(&fd);
	return err;
}

static const struct err *
is_changed(struct check *check, const struct manifest_entry *entry,
    const char *name, bool *changed)
{
	enum manifest_state state;
	unsigned char digest[8];
	const struct err *err;
	struct stat st;

	*changed = true;
	if (check->folder_fd == -1)
		return NULL;
	if (fstatat(check->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? NULL :
		    err_system("stat %s", entry->path);
	state = manifest_compare(check->manifest, entry, &st);
	if (state == MANIFEST_SAME)
		*changed = false;
	if (state == MANIFEST_SAME || state == MANIFEST_OTHER)
		return NULL;
	/* Only the executable bit of a mode belongs to the commit. */
	if (state == MANIFEST_MODE && (st.st_mode & 0100) !=
	    (entry->mode & 0100))
		return NULL;
	err = digest_now(check, entry, name, digest);
	if (err == NULL)
		*changed = memcmp(digest, entry->digest, 8) != 0;
	return err;
}

static const struct err *
check_entry(struct check *check, const struct manifest_entry *entry)
{
	const char *name = path_base(entry->path);
	const struct err *err;
	bool changed;
	char *folder;

	folder = xstrndup(entry->path, name == entry->path ? 0 :
	    (size_t)(name - entry->path - 1));
	err = enter(check, folder);
	free(folder);
	if (err != NULL || check->is_shared)
		return err;
	err = is_changed(check, entry, name, &changed);
	if (err != NULL || !changed)
		return err;
	if (check->folder_fd != -1 &&
	    is_shared_link(check->folder_fd, name, entry->path))
		return NULL;
	if (check->changed->n < check->limit)
		vec_push(check->changed, entry->path);
	check->count++;
	return NULL;
}

const struct err *
store_verify(struct store *store, const char *release, struct vec *changed,
    size_t limit, int64_t *count)
{
	struct check check = { .release_fd = -1, .folder_fd = -1,
	    .changed = changed, .limit = limit };
	const struct err *err;

	*count = 0;
	err = store_open_release(store, release, &check.release_fd);
	if (err == NULL)
		err = manifest_open(&check.manifest, store->manifest_fd,
		    release);
	for (size_t i = 0; err == NULL && i < manifest_size(check.manifest);
	    i++) {
		struct manifest_entry entry;

		manifest_get(check.manifest, i, &entry);
		err = check_entry(&check, &entry);
	}
	*count = check.count;
	manifest_close(check.manifest);
	free(check.folder);
	file_close(&check.folder_fd);
	file_close(&check.release_fd);
	return err;
}
