#include "journal/deploy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan/phase.h"

static const char *const state_names[DEPLOY_STATES] = {
	[DEPLOY_QUEUED]	     = "queued",
	[DEPLOY_PREPARING]   = "preparing",
	[DEPLOY_PREPARED]    = "prepared",
	[DEPLOY_ACTIVATING]  = "activating",
	[DEPLOY_LIVE]	     = "live",
	[DEPLOY_RETIRED]     = "retired",
	[DEPLOY_FAILED]	     = "failed",
	[DEPLOY_ROLLED_BACK] = "rolled-back",
	[DEPLOY_BROKEN]	     = "broken",
	[DEPLOY_SUPERSEDED]  = "superseded",
	[DEPLOY_CANCELLED]   = "cancelled",
};

void
deploy_release(struct deploy *deploy)
{
	free(deploy->environment);
	free(deploy->kind);
	free(deploy->commit);
	free(deploy->ref);
	free(deploy->release);
	free(deploy->previous);
	free(deploy->target);
	free(deploy->pusher);
	free(deploy->author);
	free(deploy->subject);
	free(deploy->error);
	free(deploy->ref_old);
	free(deploy->cancelled_by);
	*deploy = (struct deploy)DEPLOY_INIT;
}

const char *
deploy_state_name(enum deploy_state state)
{
	return state_names[state];
}

bool
deploy_state_by_name(enum deploy_state *state, const char *name)
{
	for (int i = 0; i < DEPLOY_STATES; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*state = (enum deploy_state)i;
			return true;
		}
	}
	return false;
}

const char *
migrated_name(enum migrated migrated)
{
	static const char *const names[] = {
		[MIGRATED_NO]	      = "none",
		[MIGRATED_YES]	      = "ran",
		[MIGRATED_UNDONE]     = "ran, undone",
		[MIGRATED_NOT_UNDONE] = "ran, not undone",
		[MIGRATED_NOTHING]    = "failed, changed nothing",
		[MIGRATED_PERHAPS]    = "failed, may have changed data",
	};

	return names[migrated];
}

const char *
maintenance_name(enum maintenance maintenance)
{
	static const char *const names[] = {
		[MAINTENANCE_UNUSED]  = "not used",
		[MAINTENANCE_DOWN]    = "down",
		[MAINTENANCE_UP]      = "up",
		[MAINTENANCE_PERHAPS] = "may be up",
	};

	return names[maintenance];
}

bool
deploy_is_over(enum deploy_state state)
{
	return state >= DEPLOY_LIVE;
}

/* A rollback that is live may have failed on the way: its services. */
static bool
failed_in_activation(const struct deploy *deploy)
{
	enum phase phase;
	bool failed;
	char *word;

	if (deploy->error == NULL || strcmp(deploy->kind, "rollback") != 0)
		return false;
	word = xstrndup(deploy->error, strcspn(deploy->error, " :"));
	failed = !phase_by_name(&phase, word) ||
	    phase_stage(phase) == STAGE_ACTIVATE;
	free(word);
	return failed;
}

const struct err *
deploy_outcome(const struct deploy *deploy)
{
	static const struct {
		const char *words;
		enum err_code code;
	} outcomes[DEPLOY_STATES] = {
		[DEPLOY_QUEUED]	     = { "is waiting", ERR_FAILED },
		[DEPLOY_PREPARING]   = { "is being prepared", ERR_FAILED },
		[DEPLOY_PREPARED]    = { "is prepared", ERR_FAILED },
		[DEPLOY_ACTIVATING]  = { "is being activated", ERR_FAILED },
		[DEPLOY_FAILED]	     = { "failed", ERR_FAILED },
		[DEPLOY_ROLLED_BACK] = { "failed and was rolled back",
		    ERR_ROLLED_BACK },
		[DEPLOY_BROKEN]	     = { "failed and needs a hand",
		    ERR_BROKEN },
		[DEPLOY_SUPERSEDED]  = { "was superseded", ERR_FAILED },
		[DEPLOY_CANCELLED]   = { "was cancelled", ERR_FAILED },
	};
	const char *why = deploy->error;

	if (deploy_was_cancelled(deploy) && deploy->state !=
	    DEPLOY_BROKEN)
		return err_new(outcomes[deploy->state].code, "deploy %"
		    PRId64 " was %s%s%s", deploy->number, why,
		    deploy->state == DEPLOY_ROLLED_BACK ?
		    "; it was rolled back" : "", deploy->migrated ==
		    MIGRATED_PERHAPS ? DEPLOY_BUT_PERHAPS : "");
	if (deploy->state == DEPLOY_LIVE || deploy->state == DEPLOY_RETIRED)
		return !failed_in_activation(deploy) ? NULL :
		    err_new(ERR_FAILED, "deploy %" PRId64 " has rolled back,"
		    " but: %s", deploy->number, why);
	return err_new(outcomes[deploy->state].code, "deploy %" PRId64
	    " %s%s%s", deploy->number, outcomes[deploy->state].words,
	    why == NULL ? "" : ": ", why == NULL ? "" : why);
}

#define SELECT_DEPLOYS "SELECT number, environment, kind, state," \
    " commit_oid, ref, release, previous, target, push, pusher, author," \
    " subject, requested_at, started_at, finished_at, prepare_ms," \
    " window_ms, superseded_by, error, migrated, maintenance, ref_old," \
    " cancelled_by FROM deploys "

static void
read_row(struct db_query *query, struct deploy *deploy)
{
	deploy->number = db_int(query, 0);
	deploy->environment = xstrdup(db_text(query, 1));
	deploy->kind = xstrdup(db_text(query, 2));
	if (!deploy_state_by_name(&deploy->state, db_text(query, 3)))
		deploy->state = DEPLOY_BROKEN;
	deploy->commit = xstrdup(db_text(query, 4));
	deploy->ref = xstrdup_null(db_text(query, 5));
	deploy->release = xstrdup_null(db_text(query, 6));
	deploy->previous = xstrdup_null(db_text(query, 7));
	deploy->target = xstrdup_null(db_text(query, 8));
	deploy->push = db_int(query, 9);
	deploy->pusher = xstrdup(db_text(query, 10));
	deploy->author = xstrdup_null(db_text(query, 11));
	deploy->subject = xstrdup_null(db_text(query, 12));
	deploy->requested_at = db_int(query, 13);
	deploy->started_at = db_int(query, 14);
	deploy->finished_at = db_int(query, 15);
	deploy->prepare_ms = db_int(query, 16);
	deploy->window_ms = db_int(query, 17);
	deploy->superseded_by = db_int(query, 18);
	deploy->error = xstrdup_null(db_text(query, 19));
	deploy->migrated = (enum migrated)(db_int(query, 20) %
	    MIGRATED_COUNT);
	deploy->maintenance = (enum maintenance)(db_int(query, 21) %
	    MAINTENANCE_COUNT);
	deploy->ref_old = xstrdup_null(db_text(query, 22));
	deploy->cancelled_by = xstrdup_null(db_text(query, 23));
}

/* Close a query of at most one row and fill the deploy from it. */
static const struct err *
take_one(struct db_query *query, struct deploy *deploy)
{
	const struct err *err;

	if (db_step(query, &err))
		read_row(query, deploy);
	db_done(query);
	return err;
}

const struct err *
deploy_get(struct journal *journal, int64_t number, struct deploy *deploy)
{
	struct db_query *query;
	const struct err *err;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_query(&query, journal_db(journal), SELECT_DEPLOYS
	    "WHERE number = ?1", "i", number);
	if (err == NULL)
		err = take_one(query, deploy);
	if (err == NULL && deploy->number == 0)
		err = err_new(ERR_NOT_FOUND, "there is no deploy %" PRId64,
		    number);
	return err;
}

const struct err *
deploy_get_last(struct journal *journal, int64_t number,
    struct deploy *deploy)
{
	const struct err *err;

	err = deploy_get(journal, number, deploy);
	while (err == NULL && deploy->state == DEPLOY_SUPERSEDED &&
	    deploy->superseded_by != 0) {
		number = deploy->superseded_by;
		deploy_release(deploy);
		err = deploy_get(journal, number, deploy);
	}
	return err;
}

const struct err *
deploy_get_live(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	struct db_query *query;
	const struct err *err;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_query(&query, journal_db(journal), SELECT_DEPLOYS
	    "WHERE environment = ?1 AND state = 'live'", "s", environment);
	return err != NULL ? err : take_one(query, deploy);
}

const struct err *
deploy_get_running(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	struct db_query *query;
	const struct err *err;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_query(&query, journal_db(journal), SELECT_DEPLOYS
	    "WHERE environment = ?1 AND state IN"
	    " ('preparing', 'prepared', 'activating')", "s", environment);
	return err != NULL ? err : take_one(query, deploy);
}

const struct err *
deploy_get_unfinished(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	struct db_query *query;
	const struct err *err;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_query(&query, journal_db(journal), SELECT_DEPLOYS
	    "WHERE environment = ?1 AND state <> 'queued'"
	    " AND finished_at = 0 ORDER BY number LIMIT 1",
	    "s", environment);
	return err != NULL ? err : take_one(query, deploy);
}

/* Each half has its index, of a few rows. */
const struct err *
deploy_open_environments(struct journal *journal, struct vec *names)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT environment"
	    " FROM deploys WHERE state <> 'queued' AND finished_at = 0"
	    " UNION SELECT environment FROM deploys"
	    " WHERE state = 'queued'", "");
	return err == NULL ? db_texts(query, names) : err;
}

const struct err *
deploy_get_newest(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	struct db_query *query;
	const struct err *err;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_query(&query, journal_db(journal), SELECT_DEPLOYS
	    "WHERE ?1 IS NULL OR environment = ?1"
	    " ORDER BY number DESC LIMIT 1", "s", environment);
	return err != NULL ? err : take_one(query, deploy);
}

/* The newest of one state is found at once, of several it is not. */
const struct err *
deploy_newest_failed(struct journal *journal, const char *environment,
    int64_t *number)
{
	return db_get_int(number, journal_db(journal), 0, "SELECT max(number)"
	    " FROM deploys WHERE environment = ?1 AND kind = 'deploy'"
	    " AND state IN ('failed', 'rolled-back', 'broken', 'cancelled')"
	    " AND number > max(coalesce((SELECT max(number) FROM deploys"
	    "  WHERE environment = ?1 AND state = 'live'), 0),"
	    " coalesce((SELECT max(number) FROM deploys"
	    "  WHERE environment = ?1 AND state = 'retired'), 0))", "s",
	    environment);
}

const struct err *
deploy_will_stay(struct journal *journal, const struct deploy *live,
    bool *is)
{
	const struct err *err;
	int64_t n;

	err = db_get_int(&n, journal_db(journal), 0, "SELECT count(*)"
	    " FROM deploys WHERE environment = ?1 AND state IN ('queued',"
	    "  'preparing', 'prepared', 'activating', 'broken')"
	    " AND (state <> 'broken' OR number > ?2)", "si",
	    live->environment, live->number);
	*is = err == NULL && n == 0;
	return err;
}

/* No index helps where NULL means any; so what one helps with comes first. */
#define EACH " AND (?1 IS NULL OR environment = ?1)" \
    " AND (?2 IS NULL OR instr(lower(coalesce(author, ''))," \
    " lower(?2)) > 0 OR instr(lower(pusher), lower(?2)) > 0)" \
    " AND (?3 IS NULL OR requested_at >= ?3)" \
    " AND (?4 IS NULL OR state = ?4)" \
    " AND (?6 IS NULL OR substr(commit_oid, 1, length(?6)) = ?6)" \
    " AND number > coalesce(?8, 0)" \
    " AND (?9 IS NULL OR requested_at < ?9)" \
    " AND (?10 IS NULL OR instr(lower(pusher), lower(?10)) > 0)" \
    " AND (?11 IS NULL OR EXISTS (SELECT 1 FROM directives" \
    "  WHERE deploy = number AND name = ?11))" \
    " AND (?12 IS NULL OR instr(?12, ',' || state || ',') > 0)" \
    " AND (?13 IS NULL OR kind = ?13)" \
    " ORDER BY number DESC LIMIT coalesce(?7, -1)"

static const char each_waiting[] = SELECT_DEPLOYS "WHERE state = 'queued'"
    " AND (?1 IS NULL OR environment = ?1) ORDER BY number";
static const char each_of_push[] = SELECT_DEPLOYS "WHERE push = ?5" EACH;
static const char each_in_state[] = SELECT_DEPLOYS "WHERE state = ?4" EACH;
static const char each_in_state_of[] = SELECT_DEPLOYS "WHERE state = ?4"
    " AND environment = ?1" EACH;
static const char each_of_all[] = SELECT_DEPLOYS "WHERE true" EACH;

/*
 * The first few in a state of any environment are found soonest by going
 * through all deploys, since the index does not have them by number.
 */
static const char *
each_sql(const struct deploy_filter *filter)
{
	if (filter->waiting)
		return each_waiting;
	if (filter->push != 0)
		return each_of_push;
	if (filter->state != NULL && filter->environment != NULL)
		return each_in_state_of;
	if (filter->state != NULL && filter->limit == 0)
		return each_in_state;
	return each_of_all;
}

const struct err *
deploy_each(struct journal *journal, const struct deploy_filter *filter,
    deploy_cb cb, void *ctx)
{
	struct db_query *query;
	const struct err *err, *stop = NULL;
	char *sql = filter->oldest_first ?
	    xasprintf("SELECT * FROM (%s) ORDER BY number",
	    each_sql(filter)) : xstrdup(each_sql(filter));

	err = db_query(&query, journal_db(journal), sql,
	    filter->waiting ? "s" : "ssnsnsnnnssss", filter->environment,
	    filter->author, filter->since_at, filter->state, filter->push,
	    filter->commit, filter->limit, filter->above, filter->until_at,
	    filter->pusher, filter->directive, filter->states,
	    filter->kind);
	free(sql);
	if (err != NULL)
		return err;
	while (stop == NULL && db_step(query, &err)) {
		struct deploy deploy = DEPLOY_INIT;

		read_row(query, &deploy);
		stop = cb(journal, &deploy, ctx);
		deploy_release(&deploy);
	}
	db_done(query);
	return err_first(err, stop);
}

const struct err *
deploy_page_up(struct journal *journal, const char *environment,
    int64_t *number)
{
	return db_get_int(number, journal_db(journal), 0, "SELECT number"
	    " FROM deploys WHERE environment = ?1 AND state = 'broken'"
	    " AND maintenance = ?2 ORDER BY number DESC LIMIT 1", "si",
	    environment, (int64_t)MAINTENANCE_UP);
}

const struct err *
deploy_superseded(struct journal *journal, int64_t number, number_cb cb,
    void *ctx)
{
	struct vec numbers = VEC_INIT;
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT number FROM"
	    " deploys WHERE superseded_by = ?1 ORDER BY number", "i", number);
	if (err == NULL)
		err = db_texts(query, &numbers);
	for (size_t i = 0; err == NULL && i < numbers.n; i++)
		err = cb(strtoll(numbers.v[i], NULL, 10), ctx);
	vec_release(&numbers);
	return err;
}
