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
 * In any other environment these do nothing.
 */
#ifndef BRANCH_H
#define BRANCH_H

#include "deploy/work.h"

/* What the branch of an environment is; all zeros: it is not there. */
const struct err *branch_value(struct repo *repo,
    const struct environment *env, char oid[REPO_OID_SIZE]);

/*
 * Keep what the branch is in "ref_old". What was pushed may take it there
 * only from what the pusher saw, or from what the new commit contains; a
 * request for the branch as it was, kept in "ref_old" until now, only from
 * there: ERR_REFUSED says what moved it meanwhile, or which other ref makes
 * it impossible.
 */
const struct err *branch_begin(struct work *work);

/*
 * Move it to the commit. ERR_REFUSED when it is not what it was; a
 * rollback, which is not taken back, moves it all the same, and tells.
 */
const struct err *branch_forward(struct work *work);

/* Move it back, if it was moved. */
const struct err *branch_back(struct work *work);

#endif
