#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "crew.h"
#include "file.h"
#include "nearest.h"
#include "path.h"
#include "plan/phase.h"
#include "release/layout.h"

#define RELEASE_DIGITS 14
#define LIVE_PREFIX "releases/"

bool
store_is_release(const char *name)
{
	return strlen(name) == RELEASE_DIGITS &&
	    strspn(name, "0123456789") == RELEASE_DIGITS;
}

bool
store_has(const char *root, const char *release)
{
	char *path = xasprintf("%s/releases/%s", root, release);
	bool has = file_exists(AT_FDCWD, path);

	free(path);
	return has;
}

const struct err *
layout_check(const char *release)
{
	if (store_is_release(release))
		return NULL;
	return err_new(ERR_USAGE, "\"%s\" is not the name of a release",
	    release);
}

const char *
store_way_name(enum store_way way)
{
	static const char *const names[] = {
		[STORE_FRESH] = "fresh",
		[STORE_LINK] = "link",
		[STORE_RECYCLE] = "recycle",
	};

	return names[way];
}

bool
store_kind_by_name(enum store_kind *kind, const char *name)
{
	static const char *const names[] = {
		[STORE_AUTO] = "auto",
		[STORE_LINKS] = "link",
		[STORE_COPIES] = "copy",
		[STORE_REFLINKS] = "reflink",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		*kind = (enum store_kind)i;
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

void
store_set_threads(struct store *store, int threads)
{
	store->threads = crew_size(threads);
}

void
store_set_idle(struct store *store, bool idle)
{
	store->idle = idle;
}

static const struct err *
open_folder(const struct store *store, const char *name, bool make, int *fd)
{
	char *path = *name == '\0' ? xstrdup(store->root) :
	    path_join(store->root, name);
	const struct err *err = NULL;

	if (make)
		err = file_mkdirs(path, 0755);
	if (err == NULL) {
		*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*fd == -1 && errno == ENOENT)
			err = err_new(ERR_NOT_FOUND, "%s is not there:"
			    " nothing was deployed yet, or a file system is"
			    " not mounted", path);
		else if (*fd == -1)
			err = err_system("open %s", path);
	}
	free(path);
	return err;
}

static const struct err *
open_store(struct store **store, const char *root, bool make)
{
	struct store *opened = xcalloc(1, sizeof(*opened));
	const struct {
		const char *name;
		int *fd;
	} folders[] = {
		{ "", &opened->root_fd },
		{ "releases", &opened->releases_fd },
		{ "shared", &opened->shared_fd },
		{ ".slipway/manifest", &opened->manifest_fd },
		{ ".slipway/record", &opened->record_fd },
		{ ".slipway/failed", &opened->failed_fd },
		{ ".slipway/trash", &opened->trash_fd },
		{ ".slipway/spare", &opened->spare_fd },
	};
	const size_t n = sizeof(folders) / sizeof(*folders);
	const struct err *err = NULL;

	*store = NULL;
	for (size_t i = 0; i < n; i++)
		*folders[i].fd = -1;
	if (*root != '/')
		err = err_new(ERR_CONFIG, "root %s: not an absolute path",
		    root);
	opened->running_fd = -1;
	opened->threads = crew_size(0);
	opened->root = xstrdup(root);
	opened->lock_path = path_join(root, ".slipway/lock");
	for (size_t i = 0; i < n && err == NULL; i++) {
		err = open_folder(opened, folders[i].name, make,
		    folders[i].fd);
		/* One that an older version made has not all of them. */
		if (err != NULL && !make && err->code == ERR_NOT_FOUND &&
		    opened->manifest_fd != -1)
			err = NULL;
	}
	if (err != NULL)
		store_close(opened);
	else
		*store = opened;
	return err;
}

const struct err *
store_open(struct store **store, const char *root)
{
	return open_store(store, root, true);
}

const struct err *
store_look(struct store **store, const char *root)
{
	return open_store(store, root, false);
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	file_close(&store->root_fd);
	file_close(&store->releases_fd);
	file_close(&store->shared_fd);
	file_close(&store->manifest_fd);
	file_close(&store->record_fd);
	file_close(&store->failed_fd);
	file_close(&store->trash_fd);
	file_close(&store->spare_fd);
	file_close(&store->running_fd);
	free(store->lock_path);
	free(store->root);
	free(store);
}

const char *
store_lock_path(const struct store *store)
{
	return store->lock_path;
}

const struct err *
store_running(struct store *store, int *fd)
{
	if (store->running_fd == -1)
		store->running_fd = openat(store->root_fd,
		    ".slipway/running", O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
	*fd = store->running_fd;
	return *fd == -1 ? err_system("open %s/.slipway/running",
	    store->root) : NULL;
}

const char *
store_root(const struct store *store)
{
	return store->root;
}

const struct err *
store_open_release(struct store *store, const char *release, int *dirfd)
{
	const struct err *err;

	*dirfd = -1;
	err = layout_check(release);
	if (err != NULL)
		return err;
	*dirfd = openat(store->releases_fd, release, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (*dirfd != -1)
		return NULL;
	return errno == ENOENT ?
	    err_new(ERR_NOT_FOUND, "there is no release %s in %s/releases:"
	    " was it removed by hand, or is a file system not mounted?",
	    release, store->root) :
	    err_system("open release %s", release);
}

/* The phase that a hook's name ends with, lent; NULL: it is no hook's. */
static const char *
hook_phase(const char *name)
{
	if (str_starts_with(name, "before_"))
		return name + strlen("before_");
	return str_starts_with(name, "after_") ? name + strlen("after_") :
	    NULL;
}

static void
add_misnamed(const char *name, const char *wanted, struct vec *odd)
{
	const char *phases[PHASE_COUNT], *near;

	for (int i = 0; i < PHASE_COUNT; i++)
		phases[i] = phase_name((enum phase)i);
	near = nearest_word(wanted, phases, PHASE_COUNT);
	if (near == NULL)
		vec_pushf(odd, "deploy/%s names no phase", name);
	else
		vec_pushf(odd, "deploy/%s names no phase (did you mean"
		    " %.*s%s?)", name, (int)(wanted - name), name, near);
}

/* Who would run it reads it from a release that is not there yet. */
static bool
comes_too_early(const char *name, enum phase phase)
{
	return phase == PHASE_FETCH ||
	    (phase == PHASE_CHECKOUT && str_starts_with(name, "before_"));
}

bool
store_hook_runs(const char *name)
{
	const char *wanted = hook_phase(name);
	enum phase phase;

	return wanted != NULL && phase_by_name(&phase, wanted) &&
	    !comes_too_early(name, phase);
}

static void
add_hook(int dirfd, const char *name, struct vec *hooks, struct vec *odd)
{
	const char *wanted = hook_phase(name);
	enum phase phase;
	struct stat st;

	if (wanted == NULL ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (!phase_by_name(&phase, wanted))
		add_misnamed(name, wanted, odd);
	else if (comes_too_early(name, phase))
		vec_pushf(odd, "deploy/%s comes before there is a release and"
		    " does not run; the first that can is"
		    " deploy/after_checkout", name);
	else if (!S_ISREG(st.st_mode))
		vec_pushf(odd, "deploy/%s is not a regular file and does not"
		    " run", name);
	else if ((st.st_mode & 0111) == 0)
		vec_pushf(odd, "deploy/%s is not executable: git update-index"
		    " --chmod=+x deploy/%s", name, name);
	else
		vec_push(hooks, name);
}

const struct err *
store_hooks(struct store *store, const char *release, struct vec *hooks,
    struct vec *odd)
{
	struct vec names = VEC_INIT;
	int release_fd, dirfd = -1;
	const struct err *err;

	err = store_open_release(store, release, &release_fd);
	if (err != NULL)
		return err;
	err = file_open_beneath(&dirfd, release_fd, "deploy",
	    O_RDONLY | O_DIRECTORY, 0);
	if (err != NULL && (err->sys_errno == ENOENT ||
	    err->sys_errno == ENOTDIR || err->sys_errno == ELOOP)) {
		err = NULL;
		goto done;
	}
	if (err == NULL)
		err = file_list(&names, dirfd, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++)
		add_hook(dirfd, names.v[i], hooks, odd);
done:
	vec_release(&names);
	file_close(&dirfd);
	file_close(&release_fd);
	return err;
}

static const struct err *
not_a_link(const struct store *store)
{
	struct str word = STR_INIT;
	const struct err *err;

	str_add_word(&word, store->root);
	err = err_new(ERR_FAILED, "%s/current is not a symlink: move it away"
	    " (mv %s/current %s/current.old) and deploy again", store->root,
	    word.s, word.s);
	str_release(&word);
	return err;
}

const struct err *
store_current(struct store *store, struct str *release)
{
	struct str target = STR_INIT;
	const struct err *err;
	const char *name;

	err = file_readlink(&target, store->root_fd, "current");
	if (err != NULL) {
		str_release(&target);
		if (err->sys_errno == ENOENT)
			return NULL;
		return err->sys_errno == EINVAL ? not_a_link(store) : err;
	}
	name = path_base(target.s);
	if (store_is_release(name) && (size_t)(name - target.s) ==
	    strlen(LIVE_PREFIX) && str_starts_with(target.s, LIVE_PREFIX))
		str_add(release, name);
	else
		err = err_new(ERR_FAILED, "%s/current points to %s, which is"
		    " no release of this folder: point it to releases/NAME"
		    " or remove it", store->root, target.s);
	str_release(&target);
	return err;
}

static const struct err *
take_current_away(struct store *store)
{
	if (unlinkat(store->root_fd, "current", 0) == -1 && errno != ENOENT)
		return err_system("remove %s/current", store->root);
	return file_sync_dir(store->root_fd, ".");
}

/* A root that cannot be written is as it should be, when it is that. */
static const struct err *
point_current(struct store *store, const char *target)
{
	struct str now = STR_INIT;
	const struct err *err;

	err = file_readlink(&now, store->root_fd, "current");
	if (err == NULL && strcmp(now.s, target) == 0)
		err = file_sync_dir(store->root_fd, ".");
	else
		err = file_symlink(store->root_fd, "current", target);
	str_release(&now);
	return err == NULL ? NULL : err_add(err, "%s", store->root);
}

const struct err *
store_flip(struct store *store, const char *release)
{
	const struct err *err;
	struct stat st;
	char *target;
	int fd;

	if (fstatat(store->root_fd, "current", &st, AT_SYMLINK_NOFOLLOW) == 0
	    && !S_ISLNK(st.st_mode))
		return not_a_link(store);
	if (*release == '\0')
		return take_current_away(store);
	err = store_open_release(store, release, &fd);
	if (err != NULL)
		return err;
	file_close(&fd);
	target = xasprintf("%s%s", LIVE_PREFIX, release);
	err = point_current(store, target);
	free(target);
	return err;
}

const struct err *
store_list(struct store *store, struct vec *releases, struct vec *partial)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, store->releases_fd, ".");
	for (size_t i = 0; i < names.n; i++) {
		if (store_is_release(names.v[i]))
			vec_push(releases, names.v[i]);
		else if (str_ends_with(names.v[i], ".partial"))
			vec_push(partial, names.v[i]);
	}
	vec_release(&names);
	return err;
}

const struct err *
store_record_path(struct store *store, const char *release,
    const char *name, char **path)
{
	const struct err *err;

	*path = NULL;
	err = layout_check(release);
	if (err != NULL)
		return err;
	if (!path_is_component(name, strlen(name)))
		return err_new(ERR_USAGE, "\"%s\" is not the name of a"
		    " record", name);
	if (mkdirat(store->record_fd, release, 0755) == -1 &&
	    errno != EEXIST)
		return err_system("create .slipway/record/%s", release);
	*path = xasprintf("%s/.slipway/record/%s/%s", store->root, release,
	    name);
	return NULL;
}
