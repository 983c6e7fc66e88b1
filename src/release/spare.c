/*
 * The last release that cleanup took out of releases/ is kept, so that the
 * next one can be made of it: then nothing has to be linked or deleted but
 * what has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "release/layout.h"
#include "release/store.h"

const struct err *
store_drop_spare(struct store *store)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, store->spare_fd, ".");
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		err = layout_discard(store, store->spare_fd, names.v[i]);
		if (err == NULL && store_is_release(names.v[i]))
			err = layout_forget(store, names.v[i]);
	}
	vec_release(&names);
	return err;
}

/* Its manifest stays: that is what makes it of use. */
const struct err *
store_retire(struct store *store, const char *release)
{
	const struct err *err;
	struct stat st;

	if (fstatat(store->manifest_fd, release, &st, AT_SYMLINK_NOFOLLOW)
	    == -1 || !S_ISREG(st.st_mode))
		return store_remove(store, release);
	err = layout_check(release);
	if (err == NULL)
		err = layout_check_not_live(store, release, "retire");
	if (err == NULL)
		err = store_drop_spare(store);
	if (err == NULL && renameat(store->releases_fd, release,
	    store->spare_fd, release) == -1 && errno != ENOENT)
		err = err_system("move %s to .slipway/spare", release);
	return err == NULL ? layout_forget_made(store, release) : err;
}
