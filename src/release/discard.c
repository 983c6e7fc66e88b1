/*
 * The ways out of a store. A folder leaves its place by rename(2), and is
 * taken apart in the trash, where the next sweep finishes what a crash
 * interrupted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "crew.h"
#include "file.h"
#include "release/layout.h"
#include "release/store.h"
#include "release/trial.h"

const struct err *
layout_check_not_live(struct store *store, const char *release,
    const char *act)
{
	struct str live = STR_INIT;
	const struct err *err;

	err = store_current(store, &live);
	if (err == NULL && strcmp(live.s, release) == 0)
		err = err_new(ERR_REFUSED, "cannot %s %s: it is live", act,
		    release);
	str_release(&live);
	return err;
}

/* Whether it can be now; "errno" stays. */
static bool
make_writable(int dirfd, const char *name, const struct stat *st)
{
	int saved_errno = errno;
	bool made = S_ISDIR(st->st_mode) && (st->st_mode & S_IWUSR) == 0 &&
	    fchmodat(dirfd, name, (st->st_mode & 07777) | S_IWUSR,
	    AT_SYMLINK_NOFOLLOW) == 0;

	errno = saved_errno;
	return made;
}

const struct err *
layout_move(int from_fd, const char *from, int to_fd, const char *to,
    const char *act)
{
	struct stat st;

	if (renameat(from_fd, from, to_fd, to) == 0)
		return NULL;
	if (errno != EACCES ||
	    fstatat(from_fd, from, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_system("%s", act);
	if (make_writable(from_fd, from, &st) &&
	    renameat(from_fd, from, to_fd, to) == 0)
		return NULL;
	if (st.st_uid == geteuid())
		return err_system("%s", act);
	return err_system("%s: its folder belongs to uid %lu, give it back"
	    " with chown, or remove it, as root", act,
	    (unsigned long)st.st_uid);
}

/* A name that nothing in the trash has, given: what is there may resist. */
static char *
trash_name(const struct store *store, const char *name)
{
	char *free_name = xstrdup(name);

	for (int i = 1; file_exists(store->trash_fd, free_name); i++) {
		free(free_name);
		free_name = xasprintf("%s.%d", name, i);
	}
	return free_name;
}

/* What several threads remove at once: folders in the one on top. */
struct removal {
	int fd;
	struct vec folders;
};

static const struct err *
remove_some(size_t from, size_t to, int worker, void *ctx)
{
	struct removal *removal = ctx;
	const struct err *err = NULL;

	(void)worker;
	for (size_t i = from; i < to; i++)
		err = err_first(err, file_remove_tree(removal->fd,
		    removal->folders.v[i]));
	return err;
}

/* What is left is removed, and told of, by the one who comes after. */
static void
remove_folders(const struct store *store, int dirfd, const char *name)
{
	struct removal removal = { .folders = VEC_INIT };
	struct vec names = VEC_INIT;
	struct stat st;

	if (file_open_folder(&removal.fd, dirfd, name) != NULL)
		return;
	if (file_list(&names, removal.fd, ".") != NULL)
		vec_clear(&names);
	for (size_t i = 0; i < names.n; i++) {
		if (fstatat(removal.fd, names.v[i], &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			vec_push(&removal.folders, names.v[i]);
	}
	crew_run(store->threads, removal.folders.n, 1, remove_some,
	    &removal);
	vec_release(&names);
	vec_release(&removal.folders);
	file_close(&removal.fd);
}

/* One piece of the trash. */
struct piece {
	const struct store *store;
	const char *name;
};

static const struct err *
remove_piece(void *ctx)
{
	const struct piece *piece = ctx;

	remove_folders(piece->store, piece->store->trash_fd, piece->name);
	return file_remove_tree(piece->store->trash_fd, piece->name);
}

static const struct err *
remove_trash(const struct store *store, const char *name)
{
	struct piece piece = { store, name };

	return store->idle ? crew_idle(remove_piece, &piece) :
	    remove_piece(&piece);
}

const struct err *
layout_discard(struct store *store, int dirfd, const char *name)
{
	const struct err *err;
	char *to, *act;

	if (file_is_gone(dirfd, name))
		return NULL;
	to = trash_name(store, name);
	act = xasprintf("move %s to the trash", name);
	err = layout_move(dirfd, name, store->trash_fd, to, act);
	/* It has left its place; what stays in the trash is swept. */
	if (err == NULL)
		remove_trash(store, to);
	free(act);
	free(to);
	return err;
}

static const struct err *
remove_manifest(struct store *store, const char *name)
{
	if (unlinkat(store->manifest_fd, name, 0) == -1 && errno != ENOENT)
		return err_system("remove .slipway/manifest/%s", name);
	return NULL;
}

const struct err *
layout_forget(struct store *store, const char *release)
{
	const struct err *err;
	char *built = layout_built(release);
	char *shared = layout_shared(release);

	err = layout_discard(store, store->record_fd, release);
	err = err_first(err, remove_manifest(store, built));
	err = err_first(err, remove_manifest(store, shared));
	free(built);
	free(shared);
	return err_first(err, remove_manifest(store, release));
}

const struct err *
store_remove(struct store *store, const char *release)
{
	const struct err *err;

	err = layout_check(release);
	if (err == NULL)
		err = layout_check_not_live(store, release, "remove");
	if (err == NULL)
		err = layout_discard(store, store->releases_fd, release);
	if (err == NULL)
		err = layout_forget(store, release);
	return err;
}

/* Names are instants, so their order is the order of age. */
static const struct err *
prune_failed(struct store *store, int64_t keep_count)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, store->failed_fd, ".");
	for (size_t i = 0; err == NULL &&
	    (int64_t)(names.n - i) > keep_count && i < names.n; i++)
		err = layout_discard(store, store->failed_fd, names.v[i]);
	vec_release(&names);
	return err;
}

/* One that is gone was set aside already; one that nobody can see was not. */
static const struct err *
move_failed(struct store *store, const char *release)
{
	const struct err *err;
	struct stat st;
	char *act;

	if (fstatat(store->releases_fd, release, &st, AT_SYMLINK_NOFOLLOW) ==
	    -1)
		return errno == ENOENT ? NULL :
		    err_system("set %s aside", release);
	act = xasprintf("set %s aside", release);
	err = layout_discard(store, store->failed_fd, release);
	if (err == NULL)
		err = layout_move(store->releases_fd, release,
		    store->failed_fd, release, act);
	free(act);
	return err;
}

const struct err *
store_fail(struct store *store, const char *release, int64_t keep_count)
{
	const struct err *err;

	err = layout_check(release);
	if (err == NULL)
		err = layout_check_not_live(store, release, "set aside");
	if (err == NULL)
		err = move_failed(store, release);
	if (err == NULL)
		err = layout_forget(store, release);
	if (err == NULL)
		err = prune_failed(store, keep_count);
	return err;
}

bool
store_is_trash(const char *name)
{
	return !str_starts_with(name, LAYOUT_ADOPT);
}

/* True when a release stands between the two. */
static bool
is_of_release(const char *name, const char *prefix, const char *suffix)
{
	size_t around = strlen(prefix) + strlen(suffix);
	char *between;
	bool is;

	if (!str_starts_with(name, prefix) || !str_ends_with(name, suffix) ||
	    strlen(name) < around)
		return false;
	between = xstrndup(name + strlen(prefix), strlen(name) - around);
	is = store_is_release(between);
	free(between);
	return is;
}

static bool
is_partial(const char *name)
{
	return is_of_release(name, "", ".partial");
}

/* A folder being seeded. */
static bool
is_seed(const char *name)
{
	return is_of_release(name, ".", ".seed");
}

static bool
is_flip(const char *name)
{
	return file_is_symlink_temp(name, "current");
}

/* Files of others have nearly such names: none of them is touched. */
static const struct err *
sweep_left_over(struct store *store, int dirfd, bool (*is)(const char *name),
    struct vec *swept)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, dirfd, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		if (!is(names.v[i]))
			continue;
		err = layout_discard(store, dirfd, names.v[i]);
		if (err == NULL)
			vec_push(swept, names.v[i]);
	}
	vec_release(&names);
	return err;
}

/* The release that a file is about, given; any other name as it is. */
static char *
release_of(const char *name)
{
	static const char *const ends[] = { LAYOUT_BUILT, LAYOUT_SHARED };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (str_ends_with(name, ends[i]))
			len = strlen(name) - strlen(ends[i]);
	}
	return xstrndup(name, len);
}

/* A crash between the manifest and the rename leaves a manifest alone. */
static const struct err *
sweep_manifests(struct store *store)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, store->manifest_fd, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		char *release = release_of(names.v[i]);

		if (file_is_gone(store->releases_fd, release))
			err = file_remove_tree(store->manifest_fd,
			    names.v[i]);
		free(release);
	}
	vec_release(&names);
	return err;
}

/*
 * True when somebody is at work in it. Whoever has just made it waits for
 * the lock, which stays with "*fd", and makes another one then.
 */
static bool
is_held(const struct store *store, const char *name, int *fd)
{
	*fd = -1;
	if (!str_starts_with(name, LAYOUT_ADOPT))
		return false;
	*fd = openat(store->trash_fd, name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	return *fd != -1 && flock(*fd, LOCK_EX | LOCK_NB) == -1 &&
	    errno == EWOULDBLOCK;
}

/*
 * A web server may have written into a release as another user. Such files
 * are in nobody's way in the trash, and keep nothing from going on.
 */
static const struct err *
sweep_trash(struct store *store, const char *name, struct vec *swept,
    struct vec *stays)
{
	const struct err *err;
	int fd;

	if (is_held(store, name, &fd)) {
		file_close(&fd);
		return NULL;
	}
	err = remove_trash(store, name);
	file_close(&fd);
	if (err == NULL) {
		vec_push(swept, name);
	} else if (err->sys_errno == EPERM || err->sys_errno == EACCES) {
		vec_pushf(stays, "%s/.slipway/trash stays: %s; remove it as"
		    " the user who has made it, or as root", store->root,
		    err->text);
		err = NULL;
	}
	return err;
}

/* The same is true of what a pusher's checks have left. */
static const struct err *
sweep_trials(struct store *store, struct vec *swept, struct vec *stays)
{
	const struct err *err = trial_sweep(store, swept);

	if (err == NULL || (err->sys_errno != EPERM &&
	    err->sys_errno != EACCES))
		return err;
	vec_pushf(stays, "%s/.slipway/trial stays: %s; remove it as the user"
	    " who has made it, or as root", store->root, err->text);
	return NULL;
}

const struct err *
store_sweep(struct store *store, struct vec *swept, struct vec *stays)
{
	struct vec trash = VEC_INIT;
	const struct err *err;

	err = sweep_left_over(store, store->releases_fd, is_partial, swept);
	if (err == NULL)
		err = sweep_left_over(store, store->root_fd, is_flip, swept);
	if (err == NULL)
		err = sweep_left_over(store, store->shared_fd, is_seed,
		    swept);
	if (err == NULL)
		err = sweep_manifests(store);
	if (err == NULL)
		err = sweep_trials(store, swept, stays);
	if (err == NULL)
		err = file_list(&trash, store->trash_fd, ".");
	for (size_t i = 0; i < trash.n && err == NULL; i++)
		err = sweep_trash(store, trash.v[i], swept, stays);
	vec_release(&trash);
	return err;
}
