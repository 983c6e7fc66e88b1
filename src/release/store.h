/*
 * store - the releases of one environment on one host.
 *
 *	/srv/shop/
 *	  current -> releases/20261120101500
 *	  releases/20261120101500/
 *	  releases/20261120101500.partial/   while it is being written
 *	  shared/
 *	  .slipway/lock                      held by the agent
 *	  .slipway/owner                     "REPOSITORY ENVIRONMENT"
 *	  .slipway/running                   note of the command that runs
 *	  .slipway/manifest/20261120101500   see manifest.h
 *	  .slipway/manifest/20261120101500.built
 *	  .slipway/manifest/20261120101500.shared
 *	  .slipway/record/20261120101500/    what "record" commands printed
 *	  .slipway/failed/20261120101500/    kept for inspection
 *	  .slipway/spare/20261114093000/     to be made the next release of
 *	  .slipway/spare/20261114093000.manifest
 *	  .slipway/edited/20261120101500/    what was in the place of links
 *	  .slipway/trash/                    on its way out
 *	  .slipway/trial/                    see trial.h
 *
 * A folder without ".partial" in releases/ has all of its commit: it got its
 * name by rename(2) after the last file was written and the manifest was in
 * place. What is carried over and built comes then.
 * A removal is a rename into trash/ first, so that it is never half there
 * under its own name.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "str.h"
#include "vec.h"

struct store;
struct repo;

/* How a release was made: see checkout.h. */
enum store_way {
	STORE_FRESH,
	STORE_LINK,
	STORE_RECYCLE
};

/* Whether releases share what they have in common: "store" in the config. */
enum store_kind {
	STORE_AUTO,		/* reflinks where there are any, else links */
	STORE_LINKS,
	STORE_COPIES,		/* every release has its own files */
	STORE_REFLINKS		/* its own, which share their blocks */
};

struct store_made {
	enum store_way way;
	int64_t files;		/* regular files and symlinks in it */
	int64_t folders;
	int64_t written;	/* files that were written for it */
	int64_t repaired;	/* what somebody had changed */
};

/* What is to be made. */
struct store_spec {
	const char *release;
	struct repo *repo;
	const char *commit;
	bool export;
	enum store_kind kind;
};

/* True for "20261120101500": 14 digits. */
bool store_is_release(const char *name);

/* Whether a root, that need not be there, has the folder of a release. */
bool store_has(const char *root, const char *release);

/* Open the root, creating the folders above when they are missing. */
const struct err *store_open(struct store **store, const char *root);

/* The same to look at it alone: nothing is created. ERR_NOT_FOUND. */
const struct err *store_look(struct store **store, const char *root);
void store_close(struct store *store);

/* How many threads work on it; 0 is one for each processor. */
void store_set_threads(struct store *store, int threads);

/*
 * Removals stand back for everybody else from now on, or do not: nobody waits
 * for what becomes of an old release.
 */
void store_set_idle(struct store *store, bool idle);

/* The word for a way, and the kind that a word means (false: none). */
const char *store_way_name(enum store_way way);
bool store_kind_by_name(enum store_kind *kind, const char *name);

/*
 * Take the root for an environment of a repository, whose absolute path is
 * "repo". ERR_CONFIG when it is another one's, which is named.
 */
const struct err *store_claim(struct store *store, const char *repo,
    const char *environment);

/* The same error, where nothing is to be taken. */
const struct err *store_check_owner(const struct store *store,
    const char *repo, const char *environment);

/*
 * ERR_CONFIG when "root", which need not be there yet, lies in the root of
 * another repository or environment, which would clean up in it.
 */
const struct err *store_check_above(const char *root, const char *repo,
    const char *environment);

/* Both, by path: what every deploy there would end with. */
const struct err *store_check_root(const char *root, const char *repo,
    const char *environment);

/*
 * The same, and where the root is nobody's yet, a look below: the root of
 * another environment in it would be one's to clean up. That takes so many
 * levels and names at the most, and what is beyond is not found.
 */
#define STORE_BELOW_DEPTH 4
#define STORE_BELOW_NAMES 100000

const struct err *store_check_around(const char *root, const char *repo,
    const char *environment);

/*
 * The file in which the command that runs is noted, lent: see note_fd in
 * proc.h.
 */
const struct err *store_running(struct store *store, int *fd);

/* Path of the lock file, lent. */
const char *store_lock_path(const struct store *store);

/*
 * What the release of a commit will need below the root, at the least (what
 * filters make of files is not known before), and what is free there now.
 */
struct store_room {
	int64_t need_bytes;	/* blocks, folders, manifest and a reserve */
	int64_t need_inodes;
	int64_t free_bytes;
	int64_t free_inodes;	/* INT64_MAX: without limit */
};

const struct err *store_room(struct store *store,
    const struct store_spec *spec, struct store_room *room);

/*
 * Write the release of a commit: as git checkout would, or as git archive
 * would with "export". A folder of that name that is there already is
 * ERR_FAILED; a partial one is removed first.
 */
const struct err *store_make(struct store *store,
    const struct store_spec *spec, struct store_made *made);

/*
 * Bring over what is no part of the commit, from the live release: each path
 * of "paths" that it has and the new one has not, pushed onto "carried".
 */
const struct err *store_carry(struct store *store, const char *release,
    const struct vec *paths, struct vec *carried);

/* The folder of a release, opened; -1 and ERR_NOT_FOUND without it. */
const struct err *store_open_release(struct store *store,
    const char *release, int *dirfd);

/*
 * Which shared paths ("name", or "name/" for a folder) shared/ lacks and
 * store_link_shared() will not put there; pushed onto "missing".
 */
const struct err *store_missing_shared(struct store *store,
    struct repo *repo, const char *commit, const struct vec *shared,
    struct vec *missing);

/*
 * Put links to shared/ into a release. A folder that the release ships and
 * shared/ lacks is copied there first (pushed onto "seeded"), and one that
 * neither has is made (onto "made"), durably; what the release ships in the
 * place of a link is removed. These paths are kept with
 * the release: no other link to shared/ is ever taken for one of them.
 */
const struct err *store_link_shared(struct store *store,
    const char *release, const struct vec *shared, struct vec *seeded,
    struct vec *made);

/*
 * Executables deploy/before_PHASE and deploy/after_PHASE: their names
 * without the folder, pushed onto "hooks". What is called before_ or after_
 * something and cannot run is told in words, pushed onto "odd".
 */
const struct err *store_hooks(struct store *store, const char *release,
    struct vec *hooks, struct vec *odd);

/* True for a name of such a hook that can run: there is a release then. */
bool store_hook_runs(const char *name);

/*
 * Make everything of the release durable. With "changed", when commands
 * have run in it, what they made of it is kept: from now on that is what
 * the release is compared with. It may be sealed again. Files that they
 * wrote into instead of replacing them, and that other releases have too,
 * are pushed onto "through".
 */
const struct err *store_seal(struct store *store, const char *release,
    bool changed, struct vec *through);

/* The same files of a release that is not going to be sealed. */
const struct err *store_through(struct store *store, const char *release,
    struct vec *through);

/* The release that is live, appended; nothing when none is. */
const struct err *store_current(struct store *store, struct str *release);

/*
 * Make a release live at one stroke, durably; "" takes "current" away
 * (a first deploy that failed after the flip).
 */
const struct err *store_flip(struct store *store, const char *release);

/*
 * What of a release is not as it was when it was sealed, as people are told
 * of it: see drift.h. "deep" compares every file by content, "added" looks
 * for what was added anywhere but in places that match "writable".
 */
struct drift;
const struct err *store_drift(struct store *store, const char *release,
    bool deep, bool added, const struct vec *writable, struct drift *drift);

/*
 * Put right what drift has found, and somebody has kept since: what the
 * commit has is put back, each at one stroke, and what was added goes, with
 * the folders that have nothing in them then. Of a folder mode and owner are
 * put right. What only commands made is left as it is, and what does not look
 * any more as it was found, or is out of reach, stays and is no error. Links
 * to shared/ are passed over: see store_relink(). "repo" holds the commit.
 */
const struct err *store_put_right(struct store *store, const char *release,
    struct repo *repo, const struct drift *found);

/*
 * The live release gets files of its own of the commit in these places, where
 * another release has the same one; these are pushed onto "mended". Unless
 * "saved" is NULL, what is in one before, and is not what the commit has, is
 * copied into .slipway/edited/LIVE/, and where it is is pushed onto it.
 */
const struct err *store_part(struct store *store, const char *live,
    const char *release, struct repo *repo, const struct vec *paths,
    struct vec *mended, struct vec *saved);

/*
 * Put links to shared/ back in these places. What is in one is moved into
 * .slipway/edited/RELEASE/, because it may be what nobody is to see, and
 * where it is now, below the root, is pushed onto "saved".
 */
const struct err *store_relink(struct store *store, const char *release,
    const struct vec *paths, struct vec *saved);

/* Move what is in such places of a release that is going to be removed. */
const struct err *store_save_replaced(struct store *store,
    const char *release, struct vec *saved);

/* Is that entry of .slipway/trash on its way out, and nobody's desk? */
bool store_is_trash(const char *name);

/* Names in releases/, sorted: whole ones and partial ones. */
const struct err *store_list(struct store *store, struct vec *releases,
    struct vec *partial);

/*
 * Releases in which a process has its working directory, or its root, pushed
 * as "20261120101500 4711 gunicorn". Files that it has open do not count.
 */
const struct err *store_busy(struct store *store,
    const struct vec *releases, struct vec *busy);

/* Remove a release and all that belongs to it. Never the live one. */
const struct err *store_remove(struct store *store, const char *release);

/*
 * The same for a release that nobody needs any more, whose folder becomes
 * the spare instead: the next release is made of it. There is one spare;
 * the one there was goes.
 */
const struct err *store_retire(struct store *store, const char *release);

/* Free what the spare takes. */
const struct err *store_drop_spare(struct store *store);

/*
 * Move a failed release aside and keep the newest "keep_count" of those.
 * A release that is not there is no error.
 */
const struct err *store_fail(struct store *store, const char *release,
    int64_t keep_count);

/*
 * Remove partial releases and what was left in the trash. What belongs to
 * another user and cannot be removed is no error: a line for it in "stays".
 */
const struct err *store_sweep(struct store *store, struct vec *swept,
    struct vec *stays);

/* The path of a record file of a release, given; its folder is made. */
const struct err *store_record_path(struct store *store,
    const char *release, const char *name, char **path);

/* Absolute path of the root. */
const char *store_root(const struct store *store);

#endif
