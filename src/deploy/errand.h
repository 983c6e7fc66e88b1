/*
 * errand - a word to the server that is pushed as a ref.
 *
 *	git push production main:refs/deploy/now      deploy it once more
 *	git push production main:refs/deploy/plan     say what that would do
 *	git push production :refs/deploy/rollback     the release before
 *	git push production :refs/deploy/cancel       stop what is under way
 *
 * Where there are several environments, refs/deploy/ENVIRONMENT/now. No
 * such ref ever exists: proc-receive answers for them, so that git sends
 * each of them, as often as it is asked for.
 */
#ifndef ERRAND_H
#define ERRAND_H

#include <stdbool.h>

#include "err.h"
#include "journal/hub.h"
#include "plan/config.h"

#define ERRAND_PREFIX "refs/deploy/"

enum errand_kind {
	ERRAND_NOW,
	ERRAND_PLAN,
	ERRAND_ROLLBACK,
	ERRAND_CANCEL
};

struct errand {
	enum errand_kind kind;
	const struct environment *env;	/* lent */
};

bool errand_is(const char *ref);

/*
 * What a ref below refs/deploy/ asks for, with a commit or as a deletion
 * ("deletes"). ERR_REFUSED says what to push instead.
 */
const struct err *errand_parse(struct errand *errand,
    const struct config *config, const char *ref, bool deletes);

/*
 * Append what deploys a commit: "slipway deploy 1a2b3c4 -C DIR -e ENV"; or,
 * in the answer to a push, "git push REMOTE 1a2b3c4:refs/deploy/now", for
 * which nobody needs a login. Where the branch moves with its deploys, and
 * would be moved to what does not contain it, it is forced.
 */
void errand_add_deploy(struct str *out, const struct hub *hub,
    const struct environment *env, const char *commit);

/*
 * The errand that a stored ref was most likely meant to be, given, as
 * refs/deploy/now for the branch deploy/now: NULL when none is near.
 */
char *errand_nearest(const struct config *config, const char *ref);

#endif
