/*
 * Whether it is too late is decided in the transaction that would stop the
 * deploy, as deploy_move() looks in its own whether somebody stops it: of
 * the two that meet, the one that comes first is right.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/chain.h"
#include "journal/deploy.h"
#include "str.h"

/* The one under way, else the newest that waits; number 0: neither. */
static const struct err *
choose(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	const struct err *err;
	int64_t number;

	err = deploy_get_running(journal, environment, deploy);
	if (err != NULL || deploy->number != 0)
		return err;
	err = db_get_int(&number, journal_db(journal), 0,
	    "SELECT max(number) FROM deploys WHERE environment = ?1"
	    " AND state = 'queued'", "s", environment);
	if (err == NULL && number == 0)
		err = err_new(ERR_NOT_FOUND, "%s: nothing is under way and"
		    " nothing waits, so there is nothing to cancel",
		    environment);
	return err == NULL ? deploy_get(journal, number, deploy) : err;
}

static const struct err *
find(struct journal *journal, const char *environment, int64_t number,
    struct deploy *deploy)
{
	const struct err *err;

	if (number == 0)
		return choose(journal, environment, deploy);
	err = deploy_get(journal, number, deploy);
	if (err == NULL && strcmp(deploy->environment, environment) != 0)
		err = err_new(ERR_USAGE, "deploy %" PRId64 " is one of %s;"
		    " say -e %s", number, deploy->environment,
		    deploy->environment);
	return err;
}

static const struct err *
check_in_time(const struct deploy *deploy)
{
	bool rollback = strcmp(deploy->kind, "rollback") == 0;

	if (deploy->state == DEPLOY_LIVE)
		return err_new(ERR_REFUSED, "deploy %" PRId64 " is live"
		    " already", deploy->number);
	if (deploy_is_over(deploy->state))
		return err_new(ERR_REFUSED, "deploy %" PRId64 " is over"
		    " already: %s", deploy->number,
		    deploy_state_name(deploy->state));
	if (deploy->state != DEPLOY_ACTIVATING)
		return NULL;
	if (rollback)
		return err_new(ERR_REFUSED, "deploy %" PRId64 " is a rollback"
		    " that has begun: what it has undone cannot be done"
		    " again", deploy->number);
	if (deploy->error != NULL)
		return err_new(ERR_REFUSED, "deploy %" PRId64 " has failed"
		    " and is being taken back already: %s", deploy->number,
		    deploy->error);
	return NULL;
}

/* One that waits is over with this; one under way has a runner to see it. */
static const struct err *
stop(struct db *db, struct deploy *deploy, const char *who)
{
	deploy->cancelled_by = xstrdup(who);
	if (deploy->state != DEPLOY_QUEUED)
		return db_run(db, "UPDATE deploys SET cancelled_by = ?2"
		    " WHERE number = ?1", "is", deploy->number, who);
	deploy->state = DEPLOY_CANCELLED;
	deploy->finished_at = clock_now_ms();
	free(deploy->error);
	deploy->error = xasprintf(DEPLOY_CANCELLED_BY "%s", who);
	return db_run(db, "UPDATE deploys SET state = 'cancelled',"
	    " cancelled_by = ?2, error = ?3, finished_at = ?4"
	    " WHERE number = ?1", "issi", deploy->number, who,
	    deploy->error, deploy->finished_at);
}

const struct err *
deploy_cancel(struct journal *journal, const char *environment,
    int64_t number, const char *who, struct deploy *deploy, bool *first)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	*deploy = (struct deploy)DEPLOY_INIT;
	*first = false;
	err = db_begin(db);
	if (err != NULL)
		return err;
	err = find(journal, environment, number, deploy);
	if (err == NULL)
		err = check_in_time(deploy);
	if (err != NULL || deploy->cancelled_by != NULL) {
		db_rollback(db);
		return err;
	}
	*first = true;
	err = stop(db, deploy, who);
	return chain_commit(journal, err, NOUN_DEPLOY, deploy->number);
}

const struct err *
deploy_canceller(struct journal *journal, int64_t number, char **who)
{
	return db_get_text(who, journal_db(journal), "SELECT cancelled_by"
	    " FROM deploys WHERE number = ?1", "i", number);
}

bool
deploy_was_cancelled(const struct deploy *deploy)
{
	return deploy->cancelled_by != NULL && deploy->error != NULL &&
	    str_starts_with(deploy->error, DEPLOY_CANCELLED_BY);
}

const char *
deploy_migrated(const struct deploy *deploy)
{
	if (deploy_was_cancelled(deploy) &&
	    deploy->migrated == MIGRATED_PERHAPS)
		return "stopped, may have changed data";
	if (deploy_was_cancelled(deploy) &&
	    deploy->migrated == MIGRATED_NOTHING)
		return "stopped, changed nothing";
	return migrated_name(deploy->migrated);
}
