/*
 * edits - what somebody did to a live release by hand.
 *
 * They are not lost: before a deploy goes over them, or they are put right,
 * they become a commit on a branch of the hub, drift/ENVIRONMENT/DATE
 * (UTC), whose parent is the commit that was deployed. Somebody can merge
 * it. What no commit can hold stays where it is when the release is put
 * right, and so does what somebody changes meanwhile.
 *
 *	err = edits_find(&edits, hub, env, &query);
 *	...
 *	edits_release(&edits);
 */
#ifndef EDITS_H
#define EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "journal/hub.h"
#include "plan/config.h"
#include "str.h"
#include "vec.h"

struct repo;
struct work;

struct edit {
	char *host;
	char *release;
	char *change;		/* modified, added, removed or mode */
	char *path;
	char *mode;		/* "600 instead of 644", else NULL */
	int64_t since_at;	/* of the last change of its inode, 0: gone */
	int64_t uid;		/* who owns it now, -1: gone */
	bool built;		/* only commands made what it was */
	bool left_out;		/* no commit can hold it */
	bool shared;		/* in the place of a link to shared/ */
	bool part;		/* a commit can hold a part of its mode */
};

struct edits {
	struct edit *v;
	size_t n;
	int64_t count;		/* of all; a host names 10,000 at the most */
	int64_t left_out;	/* that no commit can hold */
	int64_t stay;		/* that a repair could not put right */
	struct vec stays;	/* "modified a.js" for each of these */
	struct vec roots;	/* "run on web1: sudo chown ..." for what of
				 * these only root can put right */
	struct vec saved;	/* where that is, below the root, which was in
				 * the place of links to shared/ */
	struct vec branches;	/* that they are on now */
	struct vec commits;	/* what these are, in the same order */
	struct vec parents;	/* the commits that were deployed */
};

void edits_release(struct edits *edits);

/* What is asked for. */
struct edits_query {
	const char *host;	/* one of the environment; NULL: all */
	bool deep;		/* compare every file by content */
	bool adopt;		/* make a commit of what is found, */
	bool branch;		/* with a branch, */
	bool repair;		/* and put the release right then */
	const char *but;	/* where this is live, nothing is; NULL: - */
	const char *release;	/* this one instead of the live one, and
				 * nothing that was added to it; NULL: - */
};

/*
 * Look at the live release of an environment. Looking alone disturbs
 * nobody; ERR_BUSY when something is to be repaired while the environment
 * is being deployed. ERR_NOT_FOUND when nothing is live.
 */
const struct err *edits_find(struct edits *edits, const struct hub *hub,
    const struct environment *env, const struct edits_query *query);

/* The same through the agents of a deploy, which hold the locks. */
const struct err *edits_look(struct edits *edits, struct work *work,
    const struct edits_query *query);

/*
 * For a deploy or a rollback that is going to take the place of what is
 * live: edits are told of and adopted. When they cannot be, a deploy fails
 * (ERR_FAILED) and a rollback tells. With "drift = refuse" those that could
 * be put right are ERR_REFUSED for a deploy.
 */
const struct err *edits_check(struct work *work, bool may_refuse);

/*
 * The same for a deploy whose hosts were asked for room, and have told how many
 * edits there are: see prepare_ahead(). They are looked at when there are any.
 */
const struct err *edits_check_counted(struct work *work);

/*
 * Once more before the flip, when commands have taken so long that there may
 * be others, or when this process has not looked.
 */
const struct err *edits_check_again(struct work *work, bool may_refuse);

/*
 * An edited release does not go live unseen: one that a rollback is going to
 * make live is put right, and what was edited in it is kept before; it is
 * told. ERR_FAILED when something cannot be put right, or not be kept: nothing
 * was touched then. What was added stays.
 */
const struct err *edits_mend(struct work *work, const char *release);

/* Whether a release was edited, be it live or not. */
const struct err *edits_any(struct work *work, const char *release,
    bool *any);

/* "the live release was edited by hand: a.css modified, and 2 more". */
void edits_add(struct str *out, const struct edits *edits);

/* "a.css modified", "b.py mode (600 instead of 644)". */
void edits_add_one(struct str *out, const struct edit *edit);

/* ERR_REFUSED when a deploy would not go over them: "drift = refuse". */
const struct err *edits_refusal(const struct edits *edits,
    const struct hub *hub, const struct environment *env);

/*
 * Free the refs of such branches from locks of a process that died: nobody
 * comes back to the branch of a day.
 */
const struct err *edits_free_locks(struct repo *repo, const struct hub *hub,
    const struct environment *env);

#endif
