/*
 * What may follow what is one table; a change that the table does not have
 * is a fault of the program, and is refused before it is written.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "journal/chain.h"
#include "journal/deploy.h"

#define BIT(state) (1u << (state))

static const unsigned int followers[DEPLOY_STATES] = {
	[DEPLOY_QUEUED]	    = BIT(DEPLOY_PREPARING) |
	    BIT(DEPLOY_SUPERSEDED) | BIT(DEPLOY_CANCELLED),
	[DEPLOY_PREPARING]  = BIT(DEPLOY_PREPARED) | BIT(DEPLOY_FAILED) |
	    BIT(DEPLOY_CANCELLED),
	[DEPLOY_PREPARED]   = BIT(DEPLOY_ACTIVATING) | BIT(DEPLOY_FAILED) |
	    BIT(DEPLOY_CANCELLED),
	[DEPLOY_ACTIVATING] = BIT(DEPLOY_LIVE) | BIT(DEPLOY_ROLLED_BACK) |
	    BIT(DEPLOY_BROKEN),
	[DEPLOY_LIVE]	    = BIT(DEPLOY_RETIRED),
};

/* What the release of a deploy is when the deploy is in this state. */
static const char *const release_states[DEPLOY_STATES] = {
	[DEPLOY_PREPARED]    = "ready",
	[DEPLOY_LIVE]	     = "live",
	[DEPLOY_FAILED]	     = "failed",
	[DEPLOY_ROLLED_BACK] = "failed",
	[DEPLOY_CANCELLED]   = "failed",
};

static const struct err *
write_columns(struct db *db, const struct deploy *deploy)
{
	return db_run(db, "UPDATE deploys SET state = ?2, finished_at = ?3,"
	    " prepare_ms = ?4, window_ms = ?5, error = ?6, migrated = ?7,"
	    " maintenance = ?8 WHERE number = ?1", "isiiisii",
	    deploy->number, deploy_state_name(deploy->state),
	    deploy->finished_at, deploy->prepare_ms, deploy->window_ms,
	    deploy->error, (int64_t)deploy->migrated,
	    (int64_t)deploy->maintenance);
}

/* "live_by" is the deploy that makes it live, 0 for other states. */
static const struct err *
set_release_state(struct journal *journal, const char *environment,
    const char *name, const char *state, int64_t live_by)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	int64_t id, live_at;

	err = db_get_int(&id, db, 0, "SELECT id FROM releases"
	    " WHERE environment = ?1 AND name = ?2", "ss", environment, name);
	if (err != NULL || id == 0)
		return err;
	live_at = live_by != 0 ? clock_now_ms() : 0;
	err = db_run(db, "UPDATE releases SET state = ?2,"
	    " live_at = coalesce(?3, live_at),"
	    " live_by = coalesce(?4, live_by) WHERE id = ?1", "isnn", id,
	    state, live_at, live_by);
	return err != NULL ? err : chain_add(journal, NOUN_RELEASE, id);
}

/* What was live is retired, in the transaction that makes "deploy" live. */
static const struct err *
retire_live(struct journal *journal, const struct deploy *deploy)
{
	struct db *db = journal_db(journal);
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(journal, deploy->environment, &live);
	if (err != NULL || live.number == 0)
		return err;
	err = db_run(db, "UPDATE deploys SET state = 'retired'"
	    " WHERE number = ?1", "i", live.number);
	if (err == NULL)
		err = chain_add(journal, NOUN_DEPLOY, live.number);
	if (err == NULL && live.release != NULL)
		err = set_release_state(journal, live.environment,
		    live.release, "retired", 0);
	deploy_release(&live);
	return err;
}

/* A rollback owns no release: one that fails leaves its target alone. */
static const struct err *
follow_release(struct journal *journal, const struct deploy *deploy)
{
	const char *state = release_states[deploy->state];

	if (state == NULL || deploy->release == NULL)
		return NULL;
	if (strcmp(deploy->kind, "deploy") != 0 &&
	    deploy->state != DEPLOY_LIVE)
		return NULL;
	return set_release_state(journal, deploy->environment,
	    deploy->release, state,
	    deploy->state == DEPLOY_LIVE ? deploy->number : 0);
}

/* From these two on it would be too late, so they are the last chance. */
static const struct err *
check_wanted(struct journal *journal, struct deploy *deploy,
    enum deploy_state state)
{
	const struct err *err;
	char *who;

	if (state != DEPLOY_ACTIVATING && state != DEPLOY_LIVE)
		return NULL;
	err = deploy_canceller(journal, deploy->number, &who);
	if (err != NULL || who == NULL)
		return err;
	free(deploy->cancelled_by);
	deploy->cancelled_by = who;
	return err_new(ERR_CANCELLED, DEPLOY_CANCELLED_BY "%s", who);
}

/* Who does not know what the journal has must not write over it. */
static const struct err *
check_state(struct journal *journal, const struct deploy *deploy)
{
	const struct err *err;
	char *state;

	err = db_get_text(&state, journal_db(journal), "SELECT state"
	    " FROM deploys WHERE number = ?1", "i", deploy->number);
	if (err == NULL && (state == NULL ||
	    strcmp(state, deploy_state_name(deploy->state)) != 0))
		err = err_new(ERR_INTERRUPTED, "deploy %" PRId64 " is %s in"
		    " the journal, and was believed to be %s",
		    deploy->number, state == NULL ? "not" : state,
		    deploy_state_name(deploy->state));
	free(state);
	return err;
}

/* Within a transaction: the row, its release, and what was live. */
static const struct err *
write_move(struct journal *journal, struct deploy *deploy,
    enum deploy_state state)
{
	const struct err *err;

	err = check_state(journal, deploy);
	if (err != NULL)
		return err;
	if ((followers[deploy->state] & BIT(state)) == 0)
		return err_new(ERR_CORRUPT, "deploy %" PRId64 " is %s and"
		    " cannot become %s", deploy->number,
		    deploy_state_name(deploy->state),
		    deploy_state_name(state));
	err = check_wanted(journal, deploy, state);
	if (err == NULL && state == DEPLOY_LIVE)
		err = retire_live(journal, deploy);
	if (err != NULL)
		return err;
	deploy->state = state;
	err = write_columns(journal_db(journal), deploy);
	if (err == NULL)
		err = follow_release(journal, deploy);
	return err == NULL ? chain_add(journal, NOUN_DEPLOY, deploy->number) :
	    err;
}

/* What the journal did not take has not happened. */
const struct err *
deploy_move_along(struct journal *journal, struct deploy *deploy,
    const enum deploy_state *states, size_t n)
{
	enum deploy_state old_state = deploy->state;
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_begin(db);
	if (err != NULL)
		return err;
	for (size_t i = 0; err == NULL && i < n; i++)
		err = write_move(journal, deploy, states[i]);
	err = chain_end(journal, err);
	if (err != NULL)
		deploy->state = old_state;
	return err;
}

const struct err *
deploy_move(struct journal *journal, struct deploy *deploy,
    enum deploy_state state)
{
	return deploy_move_along(journal, deploy, &state, 1);
}

const struct err *
deploy_update(struct journal *journal, const struct deploy *deploy)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = check_state(journal, deploy);
	if (err == NULL)
		err = write_columns(db, deploy);
	return chain_commit(journal, err, NOUN_DEPLOY, deploy->number);
}
