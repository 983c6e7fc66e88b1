#include "journal/release.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/chain.h"

void
release_release(struct release *release)
{
	free(release->environment);
	free(release->name);
	free(release->commit);
	free(release->state);
	memset(release, 0, sizeof(*release));
}

/* The newest of each environment is found by the index, and no other row. */
const struct err *
release_new_name(struct journal *journal, char name[CLOCK_STAMP_SIZE])
{
	const struct err *err;
	int64_t newest_at;
	char *newest;

	clock_stamp(name, clock_now_ms());
	err = db_get_text(&newest, journal_db(journal),
	    "WITH RECURSIVE each(env) AS ("
	    " SELECT min(environment) FROM releases"
	    " UNION ALL SELECT (SELECT min(environment) FROM releases"
	    "  WHERE environment > env) FROM each WHERE env IS NOT NULL)"
	    " SELECT max((SELECT max(name) FROM releases"
	    "  WHERE environment = env)) FROM each", "");
	if (err == NULL && newest != NULL && strcmp(newest, name) >= 0) {
		err = clock_parse_stamp(&newest_at, newest);
		if (err == NULL)
			clock_stamp(name, newest_at + 1000);
	}
	free(newest);
	return err;
}

#define COLUMNS "id, environment, name, deploy, commit_oid, state," \
    " created_at, live_at"

static void
read_row(struct db_query *query, struct release *release)
{
	release->id = db_int(query, 0);
	release->environment = xstrdup(db_text(query, 1));
	release->name = xstrdup(db_text(query, 2));
	release->deploy = db_int(query, 3);
	release->commit = xstrdup(db_text(query, 4));
	release->state = xstrdup(db_text(query, 5));
	release->created_at = db_int(query, 6);
	release->live_at = db_int(query, 7);
}

const struct err *
release_get(struct journal *journal, const char *environment,
    const char *name, struct release *release)
{
	struct db_query *query;
	const struct err *err;

	memset(release, 0, sizeof(*release));
	err = db_query(&query, journal_db(journal), "SELECT " COLUMNS
	    " FROM releases WHERE environment = ?1 AND name = ?2", "ss",
	    environment, name);
	if (err != NULL)
		return err;
	if (db_step(query, &err))
		read_row(query, release);
	else if (err == NULL)
		err = err_new(ERR_NOT_FOUND, "%s has no release %s",
		    environment, name);
	db_done(query);
	return err;
}

const struct err *
release_get_state(struct journal *journal, const char *environment,
    const char *name, char **state)
{
	*state = NULL;
	if (name == NULL)
		return NULL;
	return db_get_text(state, journal_db(journal), "SELECT state FROM"
	    " releases WHERE environment = ?1 AND name = ?2", "ss",
	    environment, name);
}

const struct err *
release_whose(struct journal *journal, const char *name, char **environment)
{
	return db_get_text(environment, journal_db(journal), "SELECT"
	    " environment FROM releases WHERE name = ?1 ORDER BY id DESC"
	    " LIMIT 1", "s", name);
}

const struct err *
release_commit(struct journal *journal, const char *environment,
    const char *name, char oid[REPO_OID_SIZE])
{
	struct release release;
	const struct err *err;

	*oid = '\0';
	if (name == NULL)
		return NULL;
	err = release_get(journal, environment, name, &release);
	if (err == NULL)
		memcpy(oid, release.commit, REPO_OID_SIZE);
	else if (err->code == ERR_NOT_FOUND)
		err = NULL;
	release_release(&release);
	return err;
}

const struct err *
release_set_state(struct journal *journal, const char *environment,
    const char *name, const char *state)
{
	struct db *db = journal_db(journal);
	struct release release;
	const struct err *err;

	err = release_get(journal, environment, name, &release);
	if (err != NULL)
		return err;
	err = db_begin(db);
	if (err == NULL) {
		err = db_run(db, "UPDATE releases SET state = ?2"
		    " WHERE id = ?1", "is", release.id, state);
		err = chain_commit(journal, err, NOUN_RELEASE, release.id);
	}
	release_release(&release);
	return err;
}

const struct err *
release_disposable(struct journal *journal, const char *environment,
    int64_t keep_count, const char *spared, struct vec *names)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT name"
	    " FROM releases WHERE environment = ?1 AND name IS NOT ?3"
	    " AND name NOT IN (SELECT target FROM deploys"
	    "  WHERE environment = ?1 AND state = 'queued'"
	    "  AND target IS NOT NULL)"
	    " AND state IN ('ready', 'retired')"
	    " AND ((state = 'ready' AND deploy IN"
	    "   (SELECT number FROM deploys WHERE state = 'broken')"
	    "   AND deploy < (SELECT min(deploy) FROM releases"
	    "    WHERE environment = ?1 AND state IN ('live', 'retired')))"
	    "  OR (state = 'retired' AND id NOT IN"
	    "   (SELECT id FROM releases WHERE environment = ?1"
	    "    AND state IN ('live', 'retired')"
	    "    ORDER BY live_by DESC LIMIT ?2))) ORDER BY live_by", "sis",
	    environment, keep_count, spared);
	return err == NULL ? db_texts(query, names) : err;
}

/*
 * Steps of a deploy, and of those before it, that were undone after it had
 * become live: a rollback went past it, and what it stands on is gone. Of
 * deploys that did not stay live the steps were undone by themselves.
 */
#define UNDONE(environment, deploy) \
    " FROM events AS e JOIN steps AS s ON s.id = e.key" \
    " JOIN deploys AS d ON d.number = s.deploy" \
    " WHERE e.id > (SELECT min(id) FROM events WHERE noun = 'deploy'" \
    "   AND key = " deploy " AND json_extract(body, '$.state') = 'live')" \
    "  AND +e.noun = 'step' AND json_extract(e.body, '$.state') = 'undone'" \
    "  AND s.state = 'undone' AND s.phase <> 'maintenance'" \
    "  AND d.number <= " deploy " AND d.environment = " environment \
    "  AND d.kind = 'deploy' AND +d.state IN ('live', 'retired')"

#define NOT_UNDONE " AND NOT EXISTS (SELECT 1" \
    UNDONE("releases.environment", "releases.deploy") ")"

const struct err *
release_older(struct journal *journal, const char *environment,
    int64_t deploy, struct vec *names)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT name"
	    " FROM releases WHERE environment = ?1 AND state = 'retired'"
	    " AND deploy < ?2 ORDER BY live_by DESC", "si", environment,
	    deploy);
	return err == NULL ? db_texts(query, names) : err;
}

const struct err *
release_newest(struct journal *journal, const char *environment,
    const char *state, int64_t limit, struct vec *names)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT name"
	    " FROM releases WHERE environment = ?1 AND state = ?2"
	    " ORDER BY id DESC LIMIT ?3", "ssi", environment, state, limit);
	return err == NULL ? db_texts(query, names) : err;
}

const struct err *
release_oldest_deploy(struct journal *journal, int64_t *deploy)
{
	return db_get_int(deploy, journal_db(journal), 0, "SELECT min(deploy)"
	    " FROM releases WHERE state IN"
	    " ('building', 'ready', 'live', 'retired')",
	    "");
}

/* The first deploy that made the live release live says what was before. */
const struct err *
release_before_live(struct journal *journal, const char *environment,
    struct release *release)
{
	const struct err *err;
	char *name;

	memset(release, 0, sizeof(*release));
	err = db_get_text(&name, journal_db(journal), "SELECT d.previous"
	    " FROM releases AS r JOIN deploys AS d ON d.number = r.deploy"
	    " WHERE r.environment = ?1 AND r.state = 'live'", "s",
	    environment);
	if (err != NULL)
		return err;
	if (name == NULL)
		return err_new(ERR_NOT_FOUND, "%s has no earlier release to"
		    " go back to", environment);
	err = release_get(journal, environment, name, release);
	free(name);
	/* A journal that was made anew has not all of them. */
	if (err != NULL && err->code == ERR_NOT_FOUND)
		return err_new(ERR_NOT_FOUND, "%s has no earlier release"
		    " that the journal knows", environment);
	if (err != NULL)
		return err;
	if (strcmp(release->state, "retired") == 0)
		return NULL;
	return err_new(ERR_NOT_FOUND, "release %s, which was live before, is"
	    " %s", release->name, release->state);
}

static const struct err *
get_live(struct journal *journal, const char *environment,
    struct release *live)
{
	const struct err *err;
	char *name;

	err = db_get_text(&name, journal_db(journal), "SELECT name"
	    " FROM releases WHERE environment = ?1 AND state = 'live'", "s",
	    environment);
	if (err == NULL && name == NULL)
		err = err_new(ERR_FAILED, "nothing is live in %s yet",
		    environment);
	else if (err == NULL)
		err = release_get(journal, environment, name, live);
	free(name);
	return err;
}

static const struct err *
check_undone(struct journal *journal, const struct release *target)
{
	struct db_query *query;
	const struct err *err, *undone = NULL;

	err = db_query(&query, journal_db(journal), "SELECT d.number,"
	    " s.action" UNDONE("?1", "?2") " ORDER BY s.id LIMIT 1", "si",
	    target->environment, target->deploy);
	if (err != NULL)
		return err;
	if (db_step(query, &err))
		undone = err_new(ERR_FAILED, "release %s needs what a"
		    " rollback has undone: %s of deploy %" PRId64,
		    target->name, db_text(query, 1), db_int(query, 0));
	db_done(query);
	return err_first(err, undone);
}

static const struct err *
check_target(struct journal *journal, const struct release *target,
    const struct release *live)
{
	if (strcmp(target->state, "live") == 0)
		return err_new(ERR_FAILED, "release %s is live already",
		    target->name);
	if (strcmp(target->state, "retired") != 0)
		return err_new(ERR_FAILED, "release %s cannot be gone back to"
		    " (%s)", target->name, target->state);
	if (target->deploy > live->deploy)
		return err_new(ERR_FAILED, "release %s is newer than the live"
		    " one, and its migrations may have been undone",
		    target->name);
	return check_undone(journal, target);
}

const struct err *
release_check_target(struct journal *journal, const struct release *target)
{
	struct release live = { 0 };
	const struct err *err = get_live(journal, target->environment, &live);

	if (err == NULL)
		err = check_target(journal, target, &live);
	release_release(&live);
	return err;
}

const struct err *
release_get_target(struct journal *journal, const char *environment,
    const char *name, struct release *target, struct release *live)
{
	const struct err *err;

	memset(target, 0, sizeof(*target));
	memset(live, 0, sizeof(*live));
	err = get_live(journal, environment, live);
	if (err == NULL && name == NULL)
		err = release_before_live(journal, environment, target);
	else if (err == NULL)
		err = release_get(journal, environment, name, target);
	return err == NULL ? check_target(journal, target, live) : err;
}

/* As check_target() has it. */
const struct err *
release_way_back(struct journal *journal, const char *environment,
    const char *commit, int64_t below, struct release *release)
{
	struct db_query *query;
	const struct err *err;

	memset(release, 0, sizeof(*release));
	err = db_query(&query, journal_db(journal), "SELECT " COLUMNS
	    " FROM releases WHERE environment = ?1 AND commit_oid = ?2"
	    " AND state = 'retired' AND deploy < (SELECT deploy FROM releases"
	    "  WHERE environment = ?1 AND state = 'live')"
	    " AND (?3 = 0 OR deploy < ?3)" NOT_UNDONE
	    " ORDER BY deploy DESC LIMIT 1",
	    "ssi", environment, commit, below);
	if (err != NULL)
		return err;
	if (db_step(query, &err))
		read_row(query, release);
	db_done(query);
	return err;
}
