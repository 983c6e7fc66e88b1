/*
 * A release gets its name by rename(2) when it is complete. What it is made
 * from may turn out to be of no use in the middle of it: a spare that
 * somebody has put a mount into, say. Then the next way is tried, and the
 * last one, which writes everything, tells what is wrong.
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
#include "release/base.h"
#include "release/checkout.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "repo.h"

/* Everything about the one that is being made. */
struct making {
	struct store *store;
	const struct store_spec *spec;
	char *partial;
	struct store_made *made;
};

static const struct err *
new_folder(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0755) == -1)
		return err_system("create %s", name);
	return NULL;
}

/* Its folder: a new one, or the spare. */
static const struct err *
begin(struct making *making, const struct base *base, int *fd)
{
	struct store *store = making->store;
	const struct err *err = NULL;

	*fd = -1;
	if (base->way != STORE_RECYCLE)
		err = new_folder(store->releases_fd, making->partial);
	else if (renameat(store->spare_fd, base->release,
	    store->releases_fd, making->partial) == -1)
		err = err_system("move the spare %s", base->release);
	if (err != NULL)
		return err;
	*fd = openat(store->releases_fd, making->partial,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1)
		return err_system("open %s", making->partial);
	return fchmod(*fd, 0755) == -1 ? err_system("set the mode of %s",
	    making->partial) : NULL;
}

/*
 * What of the base is not as its commit has it, and nobody's edit: commands
 * and shared/ make it so. Of a spare that is forgotten; there, what was done
 * to it while it was a release was told then, or concerns nobody.
 */
struct known {
	struct manifest *built;
	struct vec shared;
	int64_t retired_ns;
};

static void
know_spare(struct known *known, const struct store *store,
    const char *release)
{
	char *path = layout_spare_manifest(release);
	struct stat st;

	/* It was renamed when the release was set aside. */
	if (fstatat(store->spare_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		known->retired_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 +
		    st.st_ctim.tv_nsec;
	free(path);
}

static const struct err *
know(struct known *known, struct store *store, const struct base *base)
{
	char *built = layout_built(base->release);
	const struct err *err = NULL;
	bool any;

	memset(known, 0, sizeof(*known));
	if (base->way == STORE_RECYCLE)
		know_spare(known, store, base->release);
	if (base->way == STORE_LINK)
		err = layout_read_shared(store, base->release,
		    base->manifest, &known->shared, &any);
	if (err == NULL && base->way == STORE_LINK &&
	    file_exists(store->manifest_fd, built))
		err = manifest_open(&known->built, store->manifest_fd, built);
	/* It is for a count alone. */
	if (err != NULL && err->code == ERR_CORRUPT)
		err = NULL;
	free(built);
	return err;
}

static void
forget(struct known *known)
{
	manifest_close(known->built);
	vec_release(&known->shared);
}

static const struct err *
fill(struct making *making, const struct base *base,
    const struct known *known, int dirfd, int from_fd)
{
	const struct store_spec *spec = making->spec;
	struct checkout checkout = { .repo = spec->repo,
	    .commit = spec->commit, .export = spec->export, .dirfd = dirfd,
	    .base = base->manifest, .from_fd = from_fd,
	    .built = known->built, .shared = &known->shared,
	    .retired_ns = known->retired_ns,
	    .clones = base->clones, .alone = base->alone,
	    .links_max = base->links_max,
	    .threads = making->store->threads };
	struct manifest_draft *draft;
	const struct err *err;
	unsigned int flags;

	err = manifest_begin(&draft, making->store->manifest_fd,
	    spec->release);
	if (err == NULL)
		err = checkout_write(&checkout, draft, making->made, &flags);
	if (err == NULL)
		return manifest_finish(draft, spec->commit, flags |
		    MANIFEST_SHARED);
	manifest_abandon(draft);
	return err;
}

static const struct err *
try(struct making *making, const struct base *base)
{
	struct store *store = making->store;
	struct known known;
	const struct err *err;
	int fd = -1, from_fd = -1;

	memset(making->made, 0, sizeof(*making->made));
	making->made->way = base->way;
	err = know(&known, store, base);
	if (err == NULL)
		err = begin(making, base, &fd);
	if (err == NULL && base->way == STORE_LINK)
		err = store_open_release(store, base->release, &from_fd);
	if (err == NULL)
		err = fill(making, base, &known, fd, from_fd);
	forget(&known);
	file_close(&from_fd);
	file_close(&fd);
	if (err == NULL && renameat(store->releases_fd, making->partial,
	    store->releases_fd, making->spec->release) == -1)
		err = err_system("rename %s", making->partial);
	return err;
}

/* The release that the spare was is no more, whatever became of it. */
static void
forget_spare(struct store *store, const char *release)
{
	char *path = layout_spare_manifest(release);

	unlinkat(store->spare_fd, path, 0);
	free(path);
}

static void
clear(struct making *making)
{
	struct store *store = making->store;

	layout_discard(store, store->releases_fd, making->partial);
	if (!file_exists(store->releases_fd, making->spec->release))
		unlinkat(store->manifest_fd, making->spec->release, 0);
}

/* What is wrong with the commit, or the disk, is so in every way. */
static bool
is_worth_another(const struct base *base, const struct err *err)
{
	return base->way != STORE_FRESH && err->code != ERR_REFUSED &&
	    err->code != ERR_GIT && err->sys_errno != ENOSPC &&
	    err->sys_errno != EDQUOT;
}

static const struct err *
try_all(struct making *making)
{
	unsigned int among = BASE_SPARE | BASE_LIVE;
	const struct err *err = NULL;
	bool again = true;

	while (again) {
		struct base base;

		err = base_choose(&base, making->store, making->spec, among);
		if (err != NULL)
			return err;
		err = try(making, &base);
		again = err != NULL && is_worth_another(&base, err);
		among &= ~(base.way == STORE_RECYCLE ? BASE_SPARE :
		    (unsigned int)BASE_LIVE);
		if (base.way == STORE_RECYCLE)
			forget_spare(making->store, base.release);
		base_release(&base);
		if (err != NULL)
			clear(making);
	}
	return err;
}

const struct err *
store_make(struct store *store, const struct store_spec *spec,
    struct store_made *made)
{
	struct making making = { .store = store, .spec = spec, .made = made };
	const struct err *err;

	memset(made, 0, sizeof(*made));
	err = layout_check(spec->release);
	if (err != NULL)
		return err;
	if (file_exists(store->releases_fd, spec->release))
		return err_new(ERR_FAILED, "release %s is there already",
		    spec->release);
	making.partial = xasprintf("%s.partial", spec->release);
	err = layout_discard(store, store->releases_fd, making.partial);
	if (err == NULL)
		err = try_all(&making);
	free(making.partial);
	return err == NULL ? NULL : err_add(err, "release %s",
	    spec->release);
}
