#include "release/base.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "release/layout.h"
#include "release/listing.h"

/* Files whose blocks can be shared, tried with a file of one byte. */
static bool
has_reflinks(const struct store *store)
{
	int from = openat(store->releases_fd, ".",
	    O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int to = openat(store->releases_fd, ".",
	    O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool has = from != -1 && to != -1 && write(from, "x", 1) == 1 &&
	    ioctl(to, FICLONE, from) == 0;

	file_close(&from);
	file_close(&to);
	return has;
}

/*
 * Every release, failed one, spare and piece of rubbish may have a link to
 * a file, once. What has more is also somebody else's.
 */
static const struct err *
count_links(const struct store *store, nlink_t *max)
{
	const int folders[] = { store->releases_fd, store->failed_fd,
	    store->spare_fd, store->trash_fd };
	const struct err *err = NULL;

	*max = 1;
	for (size_t i = 0; i < 4 && err == NULL; i++) {
		struct vec names = VEC_INIT;

		/* See open_store(): who only looks may find none. */
		if (folders[i] != -1)
			err = file_list(&names, folders[i], ".");
		*max += names.n;
		vec_release(&names);
	}
	return err;
}

static const struct err *
is_idle(struct store *store, const char *release, bool *idle)
{
	struct vec names = VEC_INIT, busy = VEC_INIT;
	const struct err *err;

	vec_push(&names, release);
	err = layout_busy(store->spare_fd, &names, &busy);
	*idle = err == NULL && busy.n == 0;
	vec_release(&names);
	vec_release(&busy);
	return err;
}

/* A manifest that is not there, or not whole, vouches for nothing. */
static const struct err *
try_manifest(struct base *base, int dirfd, const char *path,
    const char *release, enum store_way way)
{
	const struct err *err;

	err = manifest_open(&base->manifest, dirfd, path);
	if (err != NULL && (err->code == ERR_NOT_FOUND ||
	    err->code == ERR_CORRUPT))
		return NULL;
	if (err != NULL)
		return err;
	base->way = way;
	free(base->release);
	base->release = xstrdup(release);
	return NULL;
}

static const struct err *
try_spare(struct base *base, struct store *store, bool busy)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	if (store->spare_fd == -1)
		return NULL;
	err = file_list(&names, store->spare_fd, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		char *path = layout_spare_manifest(names.v[i]);
		bool is = base->manifest == NULL &&
		    store_is_release(names.v[i]);

		if (is && !busy)
			err = is_idle(store, names.v[i], &is);
		if (err == NULL && is)
			err = try_manifest(base, store->spare_fd, path,
			    names.v[i], STORE_RECYCLE);
		free(path);
	}
	vec_release(&names);
	return err;
}

static const struct err *
try_live(struct base *base, struct store *store)
{
	struct str live = STR_INIT;
	const struct err *err;

	err = store_current(store, &live);
	if (err == NULL && live.len > 0 &&
	    file_exists(store->releases_fd, live.s))
		err = try_manifest(base, store->manifest_fd, live.s, live.s,
		    STORE_LINK);
	str_release(&live);
	return err;
}

/* How many files of the commit a release lacks; 0 when nobody can tell. */
static size_t
count_lacking(const struct manifest *manifest, const struct store_spec *spec)
{
	struct listing listing = LISTING_INIT;
	size_t n = 0;

	if (listing_read(&listing, spec->repo, spec->commit, manifest, false)
	    != NULL)
		return 0;
	for (size_t i = 0; i < listing.n; i++)
		n += listing.entries[i].mode != LISTING_FOLDER &&
		    (listing.entries[i].flags & LISTING_KEPT) == 0;
	listing_release(&listing);
	return n;
}

/*
 * A link that is made, and one that is removed, take about a quarter of the
 * time of a file that is written, and there is one for each file.
 */
static const struct err *
prefer_live(struct base *base, struct store *store,
    const struct store_spec *spec)
{
	size_t worth = manifest_n_entries(base->manifest) / 4;
	size_t lacking = count_lacking(base->manifest, spec);
	struct base live = { .release = NULL };
	const struct err *err;

	if (lacking <= worth)
		return NULL;
	err = try_live(&live, store);
	if (err == NULL && live.manifest != NULL &&
	    lacking > worth + count_lacking(live.manifest, spec)) {
		manifest_close(base->manifest);
		free(base->release);
		base->manifest = live.manifest;
		base->release = live.release;
		base->way = live.way;
	} else {
		base_release(&live);
	}
	return err;
}

const struct err *
base_choose(struct base *base, struct store *store,
    const struct store_spec *spec, unsigned int among)
{
	enum store_kind kind = spec->kind;
	const struct err *err = NULL;
	bool reflinks = false, links;

	memset(base, 0, sizeof(*base));
	base->way = STORE_FRESH;
	base->release = xstrdup("");
	if (kind == STORE_AUTO || kind == STORE_REFLINKS)
		reflinks = has_reflinks(store);
	base->alone = kind == STORE_COPIES || kind == STORE_REFLINKS ||
	    reflinks;
	base->links_max = 1;
	if (!base->alone)
		err = count_links(store, &base->links_max);
	if (err == NULL && among & BASE_SPARE)
		err = try_spare(base, store, (among & BASE_BUSY) != 0);
	links = (among & BASE_LIVE) != 0 && (!base->alone || reflinks);
	if (err == NULL && links)
		err = base->manifest == NULL ? try_live(base, store) :
		    prefer_live(base, store, spec);
	base->clones = reflinks && base->way == STORE_LINK;
	if (err != NULL)
		base_release(base);
	return err;
}

void
base_release(struct base *base)
{
	manifest_close(base->manifest);
	free(base->release);
	memset(base, 0, sizeof(*base));
}
