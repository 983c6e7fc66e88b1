/*
 * How a deploy comes to be: it is asked for, taken, and planned.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/chain.h"
#include "journal/deploy.h"

static const struct err *
insert_directives(struct db *db, int64_t deploy,
    const struct directives *list, const struct vec *known)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < list->n; i++) {
		const struct directive *d = &list->v[i];
		int64_t is_known = known == NULL || vec_has(known, d->name);

		err = db_run(db, "INSERT OR REPLACE INTO directives"
		    " (deploy, name, argument, commit_oid, source, known)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "issssi", deploy,
		    d->name, d->argument, d->commit, d->source, is_known);
	}
	return err;
}

/* SQLite keeps the highest number that was ever given out in a row. */
const struct err *
deploy_number_above(struct journal *journal, int64_t number)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	int64_t last;

	err = db_get_int(&last, db, 0, "SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'deploys'", "");
	if (err != NULL || last >= number)
		return err;
	err = db_begin(db);
	if (err == NULL)
		err = db_run(db, "INSERT INTO sqlite_sequence (name, seq)"
		    " SELECT 'deploys', 0 WHERE NOT EXISTS (SELECT 1 FROM"
		    " sqlite_sequence WHERE name = 'deploys')", "");
	if (err == NULL)
		err = db_run(db, "UPDATE sqlite_sequence SET seq = ?1"
		    " WHERE name = 'deploys' AND seq < ?1", "i", number);
	if (err == NULL)
		err = db_commit(db);
	if (err != NULL)
		db_rollback(db);
	return err;
}

/*
 * What the hooks of this push, or who came after them, asked for before.
 * Nobody asks again for what was asked for by word, and a push may have
 * several words.
 */
static const struct err *
find_asked(struct db *db, const struct deploy *deploy, int64_t *number)
{
	*number = 0;
	if (deploy->push == 0 || deploy->ref == NULL)
		return NULL;
	return db_get_int(number, db, 0, "SELECT min(number) FROM deploys"
	    " WHERE push = ?1 AND environment = ?2 AND ref = ?3", "iss",
	    deploy->push, deploy->environment, deploy->ref);
}

/*
 * What pushes asked for that came on top of this one, while its hooks were
 * slow or dead: the newest request is what goes live in the end. So has a
 * later push to another ref that is deployed here; unless it failed, since
 * it need not contain what this one brings. One that was late itself stands
 * for the one it is behind. The pluses keep SQLite from going through all
 * deploys.
 */
static const struct err *
find_later(struct db *db, const struct deploy *deploy, int64_t *number)
{
	*number = 0;
	if (deploy->push == 0 || deploy->ref == NULL)
		return NULL;
	return db_get_int(number, db, 0, "WITH RECURSIVE later(push, new) AS"
	    " (SELECT push, new FROM push_refs WHERE push = ?1 AND ref = ?2"
	    "  UNION SELECT r.push, r.new FROM push_refs AS r JOIN later AS l"
	    "   ON r.push > l.push AND r.ref = ?2 AND r.old = l.new)"
	    " SELECT max(last.number) FROM deploys AS d CROSS JOIN deploys AS"
	    " last ON last.number = coalesce(d.superseded_by, d.number)"
	    " WHERE d.push > ?1 AND +d.environment = ?3 AND (CASE"
	    "  WHEN d.ref = ?2 THEN d.push IN (SELECT push FROM later)"
	    "  ELSE last.state NOT IN ('failed', 'cancelled', 'rolled-back',"
	    "   'broken') END) AND d.ref IS NOT NULL", "iss", deploy->push,
	    deploy->ref, deploy->environment);
}

/* Does a deploy run with these, asked for by push options? */
static const struct err *
has_options(struct db *db, int64_t number, const struct directives *options,
    bool *has)
{
	const struct err *err = NULL;
	int64_t found;

	*has = true;
	for (size_t i = 0; err == NULL && options != NULL && *has &&
	    i < options->n; i++) {
		err = db_get_int(&found, db, 0, "SELECT count(*)"
		    " FROM directives WHERE deploy = ?1 AND name = ?2"
		    " AND argument = ?3 AND commit_oid = ''", "iss", number,
		    options->v[i].name, options->v[i].argument);
		*has = err == NULL && found != 0;
	}
	return err;
}

/*
 * The same commit is under way: a client was interrupted, and pushes again.
 * The options are in that deploy; a row of them here would ask for them
 * once more after it.
 */
static const struct err *
find_same(struct db *db, struct deploy *deploy,
    const struct directives *options)
{
	const struct err *err;
	int64_t number;
	bool has = false;

	if (!deploy->joins || deploy->superseded_by != 0) {
		deploy->joins = false;
		return NULL;
	}
	err = db_get_int(&number, db, 0, "SELECT number FROM deploys"
	    " WHERE environment = ?1 AND commit_oid = ?2 AND kind = 'deploy'"
	    " AND state IN ('preparing', 'prepared', 'activating')"
	    " AND cancelled_by IS NULL AND error IS NULL"
	    " AND NOT EXISTS (SELECT 1 FROM deploys WHERE environment = ?1"
	    "  AND state = 'queued' AND kind <> 'deploy')", "ss",
	    deploy->environment, deploy->commit);
	if (err == NULL && number != 0)
		err = has_options(db, number, options, &has);
	deploy->joins = has;
	if (has)
		deploy->superseded_by = number;
	return err;
}

static const struct err *
insert_request(struct db *db, struct deploy *deploy)
{
	bool late = deploy->superseded_by != 0;

	deploy->requested_at = clock_now_ms();
	deploy->state = late ? DEPLOY_SUPERSEDED : DEPLOY_QUEUED;
	return db_run(db, "INSERT INTO deploys (environment, kind, state,"
	    " commit_oid, ref, target, push, pusher, author, subject,"
	    " requested_at, superseded_by, finished_at, ref_old)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
	    " ?13, ?14)", "ssssssnsssinis", deploy->environment, deploy->kind,
	    deploy_state_name(deploy->state), deploy->commit, deploy->ref,
	    deploy->target, deploy->push, deploy->pusher, deploy->author,
	    deploy->subject, deploy->requested_at, deploy->superseded_by,
	    late ? deploy->requested_at : 0, deploy->ref_old);
}

const struct err *
deploy_request(struct journal *journal, struct deploy *deploy,
    const struct directives *options)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	int64_t asked = 0;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = find_asked(db, deploy, &asked);
	if (err == NULL && asked != 0) {
		deploy->number = asked;
		db_rollback(db);
		return NULL;
	}
	if (err == NULL)
		err = find_later(db, deploy, &deploy->superseded_by);
	if (err == NULL)
		err = find_same(db, deploy, options);
	if (err == NULL)
		err = insert_request(db, deploy);
	if (err == NULL) {
		deploy->number = db_last_id(db);
		if (options != NULL && !deploy->joins)
			err = insert_directives(db, deploy->number, options,
			    NULL);
	}
	return chain_commit(journal, err, NOUN_DEPLOY, deploy->number);
}

/*
 * What is to be taken: deploys up to the next rollback are one, the newest
 * of them; a rollback stands for itself. 0 when nothing waits.
 */
static const struct err *
choose_waiting(struct db *db, const char *environment, int64_t *number)
{
	return db_get_int(number, db, 0, "WITH q AS (SELECT number, kind"
	    " FROM deploys WHERE environment = ?1 AND state = 'queued')"
	    " SELECT CASE WHEN (SELECT kind FROM q ORDER BY number LIMIT 1)"
	    "  = 'deploy' THEN (SELECT max(number) FROM q WHERE number <"
	    "   coalesce((SELECT min(number) FROM q WHERE kind <> 'deploy'),"
	    "    number + 1))"
	    " ELSE (SELECT min(number) FROM q) END", "s", environment);
}

const struct err *
deploy_get_alone(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	const struct err *err;
	int64_t number;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_get_int(&number, journal_db(journal), 0, "SELECT"
	    " CASE WHEN count(*) = 1 AND min(kind) = 'deploy'"
	    " THEN min(number) END FROM deploys WHERE environment = ?1"
	    " AND state = 'queued'", "s", environment);
	return err != NULL || number == 0 ? err :
	    deploy_get(journal, number, deploy);
}

struct chosen {
	int64_t number;
	char commit[41];	/* of "number" */
	bool ended;		/* the next one has to wait */
	contains_cb contains;
	void *ctx;
};

/* Oldest first, as long as each contains the one before it. */
static const struct err *
choose_chained(struct journal *journal, const struct deploy *deploy,
    void *ctx)
{
	struct chosen *chosen = ctx;
	bool deploys = strcmp(deploy->kind, "deploy") == 0;

	(void)journal;
	if (!chosen->ended && chosen->number != 0)
		chosen->ended = !deploys || !chosen->contains(deploy->commit,
		    chosen->commit, chosen->ctx);
	if (chosen->ended)
		return NULL;
	chosen->number = deploy->number;
	snprintf(chosen->commit, sizeof(chosen->commit), "%s",
	    deploy->commit);
	chosen->ended = !deploys;
	return NULL;
}

/* Mark the deploys that wait behind it; each gets its own event. */
static const struct err *
supersede(struct journal *journal, const char *environment, int64_t newest)
{
	struct db *db = journal_db(journal);
	const struct err *err = NULL;
	int64_t number;

	while (err == NULL) {
		err = db_get_int(&number, db, 0, "SELECT min(number)"
		    " FROM deploys WHERE environment = ?1"
		    " AND state = 'queued' AND number < ?2", "si",
		    environment, newest);
		if (err != NULL || number == 0)
			break;
		err = db_run(db, "UPDATE deploys SET state = 'superseded',"
		    " superseded_by = ?2, finished_at = ?3"
		    " WHERE number = ?1", "iii", number, newest,
		    clock_now_ms());
		if (err == NULL)
			err = chain_add(journal, NOUN_DEPLOY, number);
	}
	return err;
}

/* One that is not contained in the chosen one is not older than it. */
static const struct err *
choose(struct journal *journal, const char *environment,
    contains_cb contains, void *ctx, int64_t *number)
{
	struct deploy_filter filter = {
		.environment = environment,
		.waiting = true,
	};
	struct chosen chosen = { .contains = contains, .ctx = ctx };
	const struct err *err;

	if (contains == NULL)
		return choose_waiting(journal_db(journal), environment,
		    number);
	err = deploy_each(journal, &filter, choose_chained, &chosen);
	*number = chosen.number;
	return err;
}

const struct err *
deploy_take(struct journal *journal, const char *environment,
    struct deploy *deploy)
{
	return deploy_take_chain(journal, environment, NULL, NULL, deploy);
}

const struct err *
deploy_take_chain(struct journal *journal, const char *environment,
    contains_cb contains, void *ctx, struct deploy *deploy)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	int64_t number = 0;

	*deploy = (struct deploy)DEPLOY_INIT;
	err = db_begin(db);
	if (err != NULL)
		return err;
	err = choose(journal, environment, contains, ctx, &number);
	if (err != NULL || number == 0) {
		db_rollback(db);
		return err;
	}
	err = supersede(journal, environment, number);
	if (err == NULL)
		err = db_run(db, "UPDATE deploys SET state = 'preparing',"
		    " started_at = ?2 WHERE number = ?1", "ii", number,
		    clock_now_ms());
	err = chain_commit(journal, err, NOUN_DEPLOY, number);
	return err != NULL ? err : deploy_get(journal, number, deploy);
}

static const struct err *
insert_release(struct journal *journal, const struct deploy *deploy)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_run(db, "INSERT INTO releases (environment, name, deploy,"
	    " commit_oid, state, created_at)"
	    " VALUES (?1, ?2, ?3, ?4, 'building', ?5)", "ssisi",
	    deploy->environment, deploy->release, deploy->number,
	    deploy->commit, clock_now_ms());
	if (err == NULL)
		err = chain_add(journal, NOUN_RELEASE, db_last_id(db));
	return err;
}

const struct err *
deploy_plan(struct journal *journal, const struct deploy *deploy,
    const struct directives *directives, const struct vec *known)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_run(db, "UPDATE deploys SET commit_oid = ?2, release = ?3,"
	    " previous = ?4, author = ?5, subject = ?6, ref_old = ?7"
	    " WHERE number = ?1", "issssss", deploy->number, deploy->commit,
	    deploy->release, deploy->previous, deploy->author,
	    deploy->subject, deploy->ref_old);
	if (err == NULL)
		err = insert_directives(db, deploy->number, directives,
		    known);
	if (err == NULL && strcmp(deploy->kind, "deploy") == 0)
		err = insert_release(journal, deploy);
	return chain_commit(journal, err, NOUN_DEPLOY, deploy->number);
}
