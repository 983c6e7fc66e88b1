/*
 * A version is a script that leads from the one before. Scripts are never
 * edited once released: a change of the tables is a new row at the end.
 */
#include "journal/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "journal/journal.h"

/* "SLIP", so that file(1) and a wrong path can be told apart. */
#define APPLICATION_ID 0x534c4950

static const char version_1[] =
    "CREATE TABLE pushes ("
    " id INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL,"
    " pusher TEXT NOT NULL,"
    " origin TEXT,"
    " receiver TEXT NOT NULL,"
    " options TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " reason TEXT"
    ") STRICT;"
    "CREATE INDEX pushes_open ON pushes(id) WHERE state = 'received';"
    "CREATE TABLE push_refs ("
    " push INTEGER NOT NULL REFERENCES pushes(id),"
    " ref TEXT NOT NULL,"
    " old TEXT NOT NULL,"
    " new TEXT NOT NULL,"
    " skip INTEGER NOT NULL,"
    " author TEXT,"
    " subject TEXT,"
    " landed INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (push, ref)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE deploys ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " environment TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " commit_oid TEXT NOT NULL,"
    " ref TEXT,"
    " release TEXT,"
    " previous TEXT,"
    " target TEXT,"
    " push INTEGER REFERENCES pushes(id),"
    " pusher TEXT NOT NULL,"
    " author TEXT,"
    " subject TEXT,"
    " requested_at INTEGER NOT NULL,"
    " started_at INTEGER NOT NULL DEFAULT 0,"
    " finished_at INTEGER NOT NULL DEFAULT 0,"
    " prepare_ms INTEGER NOT NULL DEFAULT -1,"
    " window_ms INTEGER NOT NULL DEFAULT -1,"
    " superseded_by INTEGER,"
    " error TEXT,"
    " migrated INTEGER NOT NULL DEFAULT 0,"
    " maintenance INTEGER NOT NULL DEFAULT 0,"
    " ref_old TEXT,"
    " cancelled_by TEXT"
    ") STRICT;"
    "CREATE INDEX deploys_state ON deploys(environment, state);"
    "CREATE INDEX deploys_superseded ON deploys(superseded_by)"
    " WHERE superseded_by IS NOT NULL;"
    "CREATE INDEX deploys_push ON deploys(push) WHERE push IS NOT NULL;"
    "CREATE TABLE directives ("
    " deploy INTEGER NOT NULL REFERENCES deploys(number),"
    " name TEXT NOT NULL,"
    " argument TEXT NOT NULL,"
    " commit_oid TEXT NOT NULL,"
    " source TEXT NOT NULL,"
    " known INTEGER NOT NULL DEFAULT 1,"
    " PRIMARY KEY (deploy, name, argument, commit_oid)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE steps ("
    " id INTEGER PRIMARY KEY,"
    " deploy INTEGER NOT NULL REFERENCES deploys(number),"
    " phase TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " host TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " argument TEXT NOT NULL,"
    " undo TEXT,"
    " record INTEGER NOT NULL,"
    " changed INTEGER NOT NULL DEFAULT 0,"
    " exit INTEGER NOT NULL DEFAULT -1,"
    " signal INTEGER NOT NULL DEFAULT 0,"
    " timed_out INTEGER NOT NULL DEFAULT 0,"
    " started_at INTEGER NOT NULL,"
    " duration_ms INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX steps_deploy ON steps(deploy);"
    "CREATE TABLE releases ("
    " id INTEGER PRIMARY KEY,"
    " environment TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " deploy INTEGER NOT NULL REFERENCES deploys(number),"
    " commit_oid TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " created_at INTEGER NOT NULL,"
    " live_at INTEGER NOT NULL DEFAULT 0,"
    " live_by INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE (environment, name)"
    ") STRICT;"
    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at INTEGER NOT NULL,"
    " noun TEXT NOT NULL,"
    " key INTEGER NOT NULL,"
    " body TEXT NOT NULL,"
    " hash BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX events_row ON events(noun, key);"
    "CREATE TRIGGER events_keep BEFORE DELETE ON events"
    " BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;"
    "CREATE TRIGGER events_same BEFORE UPDATE ON events"
    " BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;";

/* What hooks and commands look for is a few rows of many. */
static const char version_2[] =
    "DROP INDEX deploys_state;"
    "CREATE INDEX deploys_state ON deploys(state, environment);"
    "CREATE INDEX deploys_unfinished ON deploys(environment)"
    " WHERE finished_at = 0 AND state <> 'queued';"
    "CREATE INDEX pushes_refused ON pushes(id) WHERE state = 'refused';"
    "CREATE INDEX releases_state ON releases(state, environment);";

/* How the server knew who pushed: see pusher.h. */
static const char version_3[] =
    "CREATE TABLE pushers ("
    " push INTEGER PRIMARY KEY REFERENCES pushes(id),"
    " known_by TEXT NOT NULL,"
    " account TEXT NOT NULL,"
    " ssh_key TEXT,"
    " signer TEXT,"
    " signing_key TEXT,"
    " cert TEXT,"
    " cert_text TEXT,"
    " fault TEXT"
    ") STRICT;"
    "CREATE INDEX pushers_cert ON pushers(cert) WHERE cert IS NOT NULL;";

/* versions[n] leads from version n to n + 1. */
static const char *const versions[JOURNAL_VERSION] = {
	version_1,
	version_2,
	version_3,
};

static const struct err *
check_ours(struct db *db, const char *path, int64_t version)
{
	const struct err *err;
	int64_t id, tables;

	err = db_get_int(&id, db, 0, "PRAGMA application_id", "");
	if (err == NULL)
		err = db_get_int(&tables, db, 0,
		    "SELECT count(*) FROM sqlite_schema", "");
	if (err != NULL)
		return err;
	if (id != APPLICATION_ID && (version != 0 || tables != 0))
		return err_new(ERR_CORRUPT, "%s is a database, but not a"
		    " journal of Slipway's", path);
	return NULL;
}

static const struct err *
run_scripts(struct db *db, int64_t version)
{
	const struct err *err = NULL;
	char pragma[80];

	while (err == NULL && version < JOURNAL_VERSION)
		err = db_script(db, versions[version++]);
	if (err != NULL)
		return err;
	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d;"
	    "PRAGMA user_version = %d;", APPLICATION_ID, JOURNAL_VERSION);
	return db_script(db, pragma);
}

/* Another process may have migrated while we waited for the lock. */
static const struct err *
upgrade(struct db *db, const char *path)
{
	const struct err *err;
	int64_t version;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_get_int(&version, db, 0, "PRAGMA user_version", "");
	if (err == NULL)
		err = check_ours(db, path, version);
	if (err == NULL && version < JOURNAL_VERSION)
		err = run_scripts(db, version);
	if (err == NULL)
		err = db_commit(db);
	if (err != NULL)
		db_rollback(db);
	return err;
}

const struct err *
schema_migrate(struct db *db, const char *path, bool may_write)
{
	const struct err *err;
	int64_t version;

	err = db_get_int(&version, db, 0, "PRAGMA user_version", "");
	if (err != NULL)
		return err;
	if (version > JOURNAL_VERSION)
		return err_new(ERR_JOURNAL, "%s has version %" PRId64 ", this"
		    " Slipway knows up to version %d; install the newer"
		    " Slipway again", path, version, JOURNAL_VERSION);
	if (version == JOURNAL_VERSION)
		return check_ours(db, path, version);
	if (!may_write)
		return err_new(ERR_JOURNAL, "%s has version %" PRId64 ", this"
		    " Slipway reads version %d; run slipway as its owner once"
		    " to migrate it", path, version, JOURNAL_VERSION);
	return upgrade(db, path);
}
