/*
 * A release compared with its manifest, and with what commands had made of
 * it when it was sealed. Entries are sorted, so the folder of one is mostly
 * the folder of the one before, and stays open.
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
	struct manifest *built;	/* NULL: as the commit has it */
	int release_fd;
	char *folder;		/* the one looked at last, NULL: none */
	int folder_fd;		/* -1: it is not there, or a symlink */
	bool is_shared;		/* it is at or under a link to shared/ */
	struct manifest_draft *draft;	/* what has changed, as it is now */
	struct vec *changed;	/* its paths, without a draft */
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

/* Stat what an entry may be; false when that is not there. */
static const struct err *
look(struct check *check, const struct manifest_entry *entry,
    const char *name, struct stat *st, bool *found)
{
	*found = false;
	if (check->folder_fd == -1)
		return NULL;
	if (fstatat(check->folder_fd, name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? NULL :
		    err_system("stat %s", entry->path);
	*found = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);
	return NULL;
}

/* For a file that we may not read: a command has taken it for others. */
static bool
is_touched(const struct manifest_entry *entry, const struct stat *st)
{
	struct manifest_entry now;

	manifest_entry_stat(&now, st);
	return now.size_bytes != entry->size_bytes ||
	    now.mtime_ns != entry->mtime_ns || now.inode != entry->inode;
}

static const struct err *
is_changed(struct check *check, const struct manifest *manifest,
    const struct manifest_entry *entry, const char *name, bool *changed)
{
	enum manifest_state state;
	unsigned char digest[8];
	const struct err *err;
	struct stat st;
	bool found;

	*changed = true;
	err = look(check, entry, name, &st, &found);
	if (err == NULL && (entry->flags & MANIFEST_GONE) != 0)
		*changed = found;
	if (err != NULL || !found || (entry->flags & MANIFEST_GONE) != 0)
		return err;
	state = manifest_compare(manifest, entry, &st);
	if (state == MANIFEST_SAME)
		*changed = false;
	if (state == MANIFEST_SAME || state == MANIFEST_OTHER)
		return NULL;
	/* Only the executable bit of a mode belongs to the commit. */
	if (state == MANIFEST_MODE && (st.st_mode & 0100) !=
	    (entry->mode & 0100))
		return NULL;
	err = digest_now(check, entry, name, digest);
	if (err != NULL && err->sys_errno == EACCES)
		*changed = is_touched(entry, &st);
	else if (err == NULL)
		*changed = memcmp(digest, entry->digest, 8) != 0;
	return err != NULL && err->sys_errno == EACCES ? NULL : err;
}

/* Add what is there now to the draft. */
static const struct err *
keep(struct check *check, const struct manifest_entry *entry,
    const char *name)
{
	struct manifest_entry now = *entry;
	const struct err *err;
	struct stat st;
	bool found;

	err = look(check, entry, name, &st, &found);
	if (err != NULL)
		return err;
	memset(now.digest, 0, sizeof(now.digest));
	now.flags = found ? MANIFEST_CONVERTED : MANIFEST_GONE;
	if (found) {
		manifest_entry_stat(&now, &st);
		now.mode = S_ISLNK(st.st_mode) ? 0120000 :
		    (st.st_mode & 0100) != 0 ? 0100755 : 0100644;
		err = digest_now(check, &now, name, now.digest);
	}
	if (err != NULL && err->sys_errno != EACCES)
		return err;
	manifest_draft_add(check->draft, &now);
	return NULL;
}

/* Compare with what was built, where that is not the commit's. */
static const struct err *
is_changed_since(struct check *check, const struct manifest_entry *entry,
    const char *name, bool *changed)
{
	struct manifest_entry built;
	int64_t at = -1;

	if (check->built != NULL)
		at = manifest_find(check->built, entry->path);
	if (at == -1)
		return is_changed(check, check->manifest, entry, name,
		    changed);
	manifest_get(check->built, (size_t)at, &built);
	return is_changed(check, check->built, &built, name, changed);
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
	err = is_changed_since(check, entry, name, &changed);
	if (err != NULL || !changed)
		return err;
	if (check->folder_fd != -1 &&
	    is_shared_link(check->folder_fd, name, entry->path))
		return NULL;
	check->count++;
	if (check->draft != NULL)
		return keep(check, entry, name);
	if (check->changed->n < check->limit)
		vec_push(check->changed, entry->path);
	return NULL;
}

static const struct err *
check_open(struct check *check, struct store *store, const char *release)
{
	const struct err *err;

	check->release_fd = check->folder_fd = -1;
	err = store_open_release(store, release, &check->release_fd);
	if (err == NULL)
		err = manifest_open(&check->manifest, store->manifest_fd,
		    release);
	return err;
}

static const struct err *
check_all(struct check *check)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < manifest_size(check->manifest);
	    i++) {
		struct manifest_entry entry;

		manifest_get(check->manifest, i, &entry);
		err = check_entry(check, &entry);
	}
	return err;
}

static void
check_close(struct check *check)
{
	manifest_close(check->manifest);
	manifest_close(check->built);
	manifest_draft_free(check->draft);
	free(check->folder);
	file_close(&check->folder_fd);
	file_close(&check->release_fd);
}

char *
layout_built(const char *release)
{
	return xasprintf("%s" LAYOUT_BUILT, release);
}

const struct err *
store_verify(struct store *store, const char *release, struct vec *changed,
    size_t limit, int64_t *count)
{
	struct check check = { .changed = changed, .limit = limit };
	char *built = layout_built(release);
	const struct err *err;

	err = check_open(&check, store, release);
	if (err == NULL && file_exists(store->manifest_fd, built))
		err = manifest_open(&check.built, store->manifest_fd, built);
	if (err == NULL)
		err = check_all(&check);
	*count = check.count;
	check_close(&check);
	free(built);
	return err;
}

/* Write what has changed beside the manifest, or nothing for nothing. */
static const struct err *
write_built(struct store *store, const struct check *check,
    const char *release)
{
	char *built = layout_built(release);
	const struct err *err = NULL;
	char commit[41], tree[41];

	manifest_oids(check->manifest, commit, tree);
	if (check->count > 0)
		err = manifest_draft_write(check->draft, store->manifest_fd,
		    built, commit, tree);
	else if (unlinkat(store->manifest_fd, built, 0) == -1 &&
	    errno != ENOENT)
		err = err_system("remove .slipway/manifest/%s", built);
	free(built);
	return err;
}

const struct err *
store_seal(struct store *store, const char *release, bool changed)
{
	struct check check = { .draft = manifest_draft_new() };
	const struct err *err;

	err = check_open(&check, store, release);
	if (err == NULL && changed)
		err = check_all(&check);
	if (err == NULL)
		err = write_built(store, &check, release);
	if (err == NULL)
		err = file_sync_all(check.release_fd);
	check_close(&check);
	return err;
}
