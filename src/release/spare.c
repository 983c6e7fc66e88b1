/*
 * The last release that cleanup took out of releases/ is kept, so that the
 * next one can be made of it: then nothing has to be linked or deleted but
 * what has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "release/layout.h"
#include "release/store.h"

char *
layout_spare_manifest(const char *release)
{
	return xasprintf("%s" LAYOUT_SPARE, release);
}

const struct err *
store_drop_spare(struct store *store)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, store->spare_fd, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++)
		err = layout_discard(store, store->spare_fd, names.v[i]);
	vec_release(&names);
	return err;
}

/* Without its manifest a spare is of no use, and the next one's to drop. */
static const struct err *
set_aside(struct store *store, const char *release)
{
	char *manifest = layout_spare_manifest(release);
	char *act = xasprintf("move %s to .slipway/spare", release);
	const struct err *err;

	err = layout_move(store->releases_fd, release, store->spare_fd,
	    release, act);
	if (err == NULL)
		err = layout_move(store->manifest_fd, release,
		    store->spare_fd, manifest, act);
	free(manifest);
	free(act);
	return err;
}

const struct err *
store_retire(struct store *store, const char *release)
{
	const struct err *err;

	err = layout_check(release);
	if (err == NULL)
		err = layout_check_not_live(store, release, "retire");
	if (err == NULL && (!file_exists(store->releases_fd, release) ||
	    !file_exists(store->manifest_fd, release)))
		return store_remove(store, release);
	if (err == NULL)
		err = store_drop_spare(store);
	if (err == NULL)
		err = set_aside(store, release);
	return err == NULL ? layout_forget(store, release) : err;
}
