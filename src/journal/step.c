#include "journal/step.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/chain.h"

void
step_release(struct step *step)
{
	free(step->phase);
	free(step->action);
	free(step->host);
	free(step->state);
	free(step->argument);
	free(step->undo);
	memset(step, 0, sizeof(*step));
}

const struct err *
step_begin(struct journal *journal, struct step *step)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	step->started_at = clock_now_ms();
	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_run(db, "INSERT INTO steps (deploy, phase, action, host,"
	    " state, argument, undo, record, started_at)"
	    " VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7, ?8)",
	    "isssssii", step->deploy, step->phase, step->action, step->host,
	    step->argument == NULL ? "" : step->argument, step->undo,
	    (int64_t)step->record, step->started_at);
	if (err == NULL)
		step->id = db_last_id(db);
	return chain_commit(journal, err, NOUN_STEP, step->id);
}

const struct err *
step_end(struct journal *journal, const struct step *step)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_run(db, "UPDATE steps SET state = ?2, exit = ?3,"
	    " signal = ?4, timed_out = ?5, changed = ?6, duration_ms = ?7"
	    " WHERE id = ?1", "isiiiii", step->id, step->state, step->exit,
	    step->signal, (int64_t)step->timed_out, (int64_t)step->changed,
	    step->duration_ms);
	return chain_commit(journal, err, NOUN_STEP, step->id);
}

const struct err *
step_set_state(struct journal *journal, int64_t id, const char *state)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_run(db, "UPDATE steps SET state = ?2 WHERE id = ?1", "is",
	    id, state);
	return chain_commit(journal, err, NOUN_STEP, id);
}

const struct err *
step_times(struct journal *journal, int64_t id, const char *state,
    int64_t deploy, const char *since, int64_t *times)
{
	return db_get_int(times, journal_db(journal), 0, "SELECT count(*)"
	    " FROM events WHERE noun = 'step' AND key = ?1"
	    " AND json_extract(body, '$.state') = ?2 AND id >"
	    "  (SELECT min(id) FROM events WHERE noun = 'deploy'"
	    "  AND key = ?3 AND json_extract(body, '$.state') = ?4)",
	    "isis", id, state, deploy, since);
}

/* Ids grow from step to step, whatever the clock does. */
const struct err *
step_old_from(struct journal *journal, int64_t deploy, int64_t *id)
{
	return db_get_int(id, journal_db(journal), 0, "SELECT 1 + coalesce("
	    "(SELECT key FROM events WHERE noun = 'step' AND id < failed.id"
	    " ORDER BY key DESC LIMIT 1), 0) FROM (SELECT min(id) AS id"
	    " FROM events WHERE noun = 'deploy' AND key = ?1"
	    " AND json_extract(body, '$.error') IS NOT NULL) AS failed"
	    " WHERE failed.id IS NOT NULL", "i", deploy);
}

static void
read_row(struct db_query *query, struct step *step)
{
	step->id = db_int(query, 0);
	step->deploy = db_int(query, 1);
	step->phase = xstrdup(db_text(query, 2));
	step->action = xstrdup(db_text(query, 3));
	step->host = xstrdup(db_text(query, 4));
	step->state = xstrdup(db_text(query, 5));
	step->argument = xstrdup(db_text(query, 6));
	step->undo = xstrdup_null(db_text(query, 7));
	step->record = db_int(query, 8) != 0;
	step->changed = db_int(query, 9) != 0;
	step->exit = db_int(query, 10);
	step->signal = db_int(query, 11);
	step->timed_out = db_int(query, 12) != 0;
	step->started_at = db_int(query, 13);
	step->duration_ms = db_int(query, 14);
}

#define SELECT_STEPS "SELECT id, deploy, phase, action, host, state," \
    " argument, undo, record, changed, exit, signal, timed_out," \
    " started_at, duration_ms FROM steps WHERE deploy = ?1"

/* All rows are read before the first callback, which may change them. */
const struct err *
step_each(struct journal *journal, int64_t deploy, bool newest_first,
    step_cb cb, void *ctx)
{
	struct step *steps = NULL;
	struct db_query *query;
	const struct err *err, *stop = NULL;
	size_t n = 0;

	err = db_query(&query, journal_db(journal), newest_first ?
	    SELECT_STEPS " ORDER BY id DESC" : SELECT_STEPS " ORDER BY id",
	    "i", deploy);
	if (err != NULL)
		return err;
	while (db_step(query, &err)) {
		steps = xreallocarray(steps, n + 1, sizeof(*steps));
		memset(&steps[n], 0, sizeof(steps[n]));
		read_row(query, &steps[n++]);
	}
	db_done(query);
	for (size_t i = 0; i < n; i++) {
		if (err == NULL && stop == NULL)
			stop = cb(&steps[i], ctx);
		step_release(&steps[i]);
	}
	free(steps);
	return err_first(err, stop);
}

struct owners {
	struct step_owner *v;
	size_t n;
};

static const struct err *
read_owners(struct owners *owners, struct db_query *query)
{
	const struct err *err;

	while (db_step(query, &err)) {
		struct step_owner *owner;

		owners->v = xreallocarray(owners->v, owners->n + 1,
		    sizeof(*owners->v));
		owner = &owners->v[owners->n++];
		*owner = (struct step_owner){
			.deploy = db_int(query, 0),
			.actions = VEC_INIT,
			.kept = db_int(query, 2) != 0,
		};
		vec_split(&owner->actions, db_text(query, 1), ",");
	}
	db_done(query);
	return err;
}

/* All are read before the first callback: no query holds up who writes. */
const struct err *
step_owners(struct journal *journal, const char *environment, int64_t among,
    step_owner_cb cb, void *ctx)
{
	struct owners owners = { NULL, 0 };
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT deploy,"
	    " group_concat(DISTINCT action), EXISTS (SELECT 1 FROM releases"
	    "  WHERE environment = ?1 AND name = release"
	    "  AND releases.state <> 'removed')"
	    " FROM steps JOIN deploys ON number = deploy"
	    " WHERE environment = ?1 AND kind = 'deploy'"
	    " AND deploys.state IN ('live', 'retired', 'broken')"
	    " AND deploy > (SELECT max(number) FROM deploys) - ?2"
	    " AND phase <> 'maintenance' AND steps.state <> 'undone'"
	    " AND (undo IS NOT NULL OR phase = 'migrate')"
	    " GROUP BY deploy ORDER BY deploy DESC", "si", environment,
	    among);
	if (err == NULL)
		err = read_owners(&owners, query);
	for (size_t i = 0; i < owners.n; i++) {
		if (err == NULL)
			err = cb(&owners.v[i], ctx);
		vec_release(&owners.v[i].actions);
	}
	free(owners.v);
	return err;
}

const struct err *
step_phase_now(struct journal *journal, int64_t deploy, char **phase)
{
	return db_get_text(phase, journal_db(journal), "SELECT phase"
	    " FROM steps WHERE deploy = ?1 AND state = 'running'"
	    " ORDER BY id DESC LIMIT 1", "i", deploy);
}

const struct err *
step_worst_state(struct journal *journal, int64_t deploy, const char *action,
    int64_t before_id, char **state)
{
	return db_get_text(state, journal_db(journal), "SELECT state"
	    " FROM steps AS step WHERE deploy = ?1 AND action = ?2"
	    " AND id < coalesce(?3, id + 1)"
	    " AND NOT (state = 'interrupted' AND EXISTS (SELECT 1"
	    " FROM steps WHERE deploy = ?1 AND action = ?2"
	    " AND host = step.host AND id > step.id))"
	    " ORDER BY state = 'done', id DESC LIMIT 1", "isn", deploy,
	    action, before_id);
}

const struct err *
step_last_ms(struct journal *journal, const char *environment,
    const char *action, int64_t *ms)
{
	return db_get_int(ms, journal_db(journal), -1, "SELECT duration_ms"
	    " FROM steps JOIN deploys ON number = deploy"
	    " WHERE environment = ?1 AND action = ?2 AND deploy >"
	    "  (SELECT max(number) FROM deploys) - ?3"
	    " AND steps.state IN ('done', 'undone')"
	    " ORDER BY id DESC LIMIT 1", "ssi", environment, action,
	    (int64_t)STEP_LAST_DEPLOYS);
}
