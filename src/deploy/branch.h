/*
 * branch - in a transactional environment the branch is what is live.
 *
 * Nobody else moves it: git leaves it to the proc-receive hook, which only
 * asks. The runner moves it under the environment's lock, at the instant
 * that the deploy becomes live, from the value that it had when the deploy
 * began ("ref_old" of the row, 40 zeros for none). A crash between this
 * and the journal's word is made good by whoever picks the deploy up: the
 * branch is moved again, or back.
 *
 *	begin()        branch_begin()     may it move? ref_old
 *	activate()     branch_forward()   ref_old -> commit
 *	take_back()    branch_back()      commit -> ref_old
 *
 * In any other environment these move nothing.
 */
#ifndef BRANCH_H
#define BRANCH_H

#include "deploy/work.h"

/* What the branch of an environment is; all zeros: it is not there. */
const struct err *branch_value(struct repo *repo,
    const struct environment *env, char oid[REPO_OID_SIZE]);

/* One that wants the branch of an environment to move to its commit. */
struct asked {
	const struct environment *env;
	const char *commit;
	const char *seen;	/* may move from here to anywhere, or NULL */
	const char *force;	/* what to type to do it all the same; NULL:
				 * it was pushed */
	bool by_word;		/* pushed, to refs/deploy/now */
};

/*
 * May it move there now, as far as the commits go? It may when the commit
 * contains what the branch is: ERR_REFUSED says what the branch is, who
 * moved it, and what to do. With "forced_from" it may anyway: what the
 * branch is, and was not contained, is given there ("ref_old" of a forced
 * request).
 */
const struct err *branch_check(const struct hub *hub,
    const struct asked *asked, char **forced_from);

/*
 * Keep what the branch is in "ref_old". The deploy may take it there only
 * from what the new commit contains, or from what the pusher saw; a request
 * by hand that had a "ref_old" until now also from there, and when that was
 * its own commit (the branch as it was), from nowhere else. ERR_REFUSED
 * says what moved it meanwhile, which other ref makes it impossible, or that
 * slipway.ini has another branch, or mode, than when the push was answered.
 */
const struct err *branch_begin(struct work *work);

/*
 * Move it to the commit. ERR_REFUSED when it is not what it was; a
 * rollback, which is not taken back, moves it all the same, and tells.
 */
const struct err *branch_forward(struct work *work);

/* Move it back, if it was moved. */
const struct err *branch_back(struct work *work);

/*
 * Append "main moved back from 1a2b3c4 to 5d6e7f8" when the deploy, which
 * is live, took it elsewhere than forward.
 */
void branch_tell(struct repo *repo, const struct environment *env,
    const struct deploy *deploy, struct str *out);

/* False when a retry would be refused, by what the branch is now. */
bool branch_may_retry(const struct work *work);

#endif
