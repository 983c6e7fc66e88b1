/*
 * layout - the folders of a store, for the files of this room alone.
 *
 * Everything is opened once, when the store is; whoever renames the root
 * afterwards renames it under the store's feet without harm.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>

#include "err.h"
#include "str.h"
#include "vec.h"

struct store {
	char *root;
	char *lock_path;
	int root_fd;
	int releases_fd;
	int shared_fd;
	int manifest_fd;
	int record_fd;
	int failed_fd;
	int trash_fd;
	int spare_fd;
	int threads;
	bool idle;		/* what is removed may take its time */
	int running_fd;		/* opened when it is first asked for */
};

/* ERR_USAGE for what is not the name of a release. */
const struct err *layout_check(const char *release);

/* ERR_REFUSED when "release" is the live one; "act" is "remove". */
const struct err *layout_check_not_live(struct store *store,
    const char *release, const char *act);

/*
 * rename(2), also of a folder that a build has taken the permission to write
 * from: that is needed to give it another parent. "act" is what the error
 * says could not be done.
 */
const struct err *layout_move(int from_fd, const char *from, int to_fd,
    const char *to, const char *act);

/*
 * Rename an entry of the folder "dirfd" into the trash and remove it
 * there. What is not there is no error, nor is what cannot be emptied: the
 * next sweep does that, and tells.
 */
const struct err *layout_discard(struct store *store, int dirfd,
    const char *name);

/* What a store keeps about a release, apart from its folder, goes. */
const struct err *layout_forget(struct store *store, const char *release);

/*
 * What the name of a folder in the trash begins with in which somebody is at
 * work, who holds a lock on it.
 */
#define LAYOUT_ADOPT "adopt."

/* The same as store_busy() for folders of "dirfd". */
const struct err *layout_busy(int dirfd, const struct vec *names,
    struct vec *busy);

/* The name of the spare's manifest, beside it; given. */
#define LAYOUT_SPARE ".manifest"
char *layout_spare_manifest(const char *release);

/* What the name of a second manifest ends with; the name, given. */
#define LAYOUT_BUILT ".built"
char *layout_built(const char *release);

/* Its manifest, and the second one: NULL where commands made nothing. */
struct manifest;
const struct err *layout_manifests(struct store *store, const char *release,
    struct manifest **manifest, struct manifest **built);

/* What the name of the list of its links to shared/ ends with. */
#define LAYOUT_SHARED ".shared"
char *layout_shared(const char *release);

/*
 * The paths of a release that are links to shared/, pushed. "*any" is true
 * for a release of a version that recorded none: any of its links may be
 * one.
 */
const struct err *layout_read_shared(struct store *store,
    const char *release, const struct manifest *manifest,
    struct vec *shared, bool *any);

/* The list alone. ENOENT: nobody has recorded one. */
const struct err *layout_list_shared(struct store *store,
    const char *release, struct vec *shared);

/* Strike those from the list that are something else by now. */
const struct err *layout_prune_shared(struct store *store,
    const char *release, int dirfd);

/*
 * Copy a file of a release, whose folder is "dirfd", below
 * .slipway/edited/RELEASE/, and push where onto "saved". Not durable before
 * file_sync_all().
 */
const struct err *layout_save_copy(struct store *store, const char *release,
    int dirfd, const char *path, struct vec *saved);

/* What a link at "path" of a release to its shared file says. */
void layout_shared_target(struct str *out, const char *path);

/* Whether "name" in a folder is the link of that path. */
bool layout_is_shared_link(int dirfd, const char *name, const char *path);

#endif
