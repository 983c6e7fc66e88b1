#include "db.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "alloc.h"
#include "db_busy.h"
#include "db_prepared.h"
#include "db_vfs.h"

/* Byte 18 of a database file is the version that writing it needs. */
#define WRITE_VERSION_AT 18
#define WRITE_VERSION_WAL 2

struct db {
	sqlite3 *handle;
	char *path;
	bool grouped;		/* transactions are savepoints */
	struct db_prepared prepared;
};

struct db_query {
	struct db *db;
	sqlite3_stmt *stmt;
	bool ended;
};

static enum err_code
code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return ERR_CORRUPT;
	default:
		return ERR_JOURNAL;
	}
}

/*
 * Where its own journal cannot be created, SQLite tries to open that for
 * reading, and remembers how this failed: ENOENT, whatever the reason was.
 */
static int
system_errno(struct db *db, int primary)
{
	int sys = sqlite3_system_errno(db->handle);
	struct statvfs fs;

	if (primary == SQLITE_CANTOPEN && sys == ENOENT &&
	    statvfs(db->path, &fs) == 0 &&
	    ((fs.f_blocks != 0 && fs.f_bavail == 0) ||
	    (fs.f_files != 0 && fs.f_favail == 0)))
		return ENOSPC;
	return sys;
}

/* A writer was killed, and its half must be rolled back by another one. */
static bool
is_half_written(struct db *db)
{
	return sqlite3_extended_errcode(db->handle) ==
	    SQLITE_READONLY_ROLLBACK;
}

static const struct err *
failure(struct db *db, int rc)
{
	const char *text = sqlite3_errmsg(db->handle);
	int primary = rc & 0xff;
	int sys = system_errno(db, primary);

	if (is_half_written(db))
		return err_new(ERR_JOURNAL, "%s: a writer was killed in the"
		    " middle; whoever may write the file can read it, and"
		    " puts that right", db->path);
	if (primary == SQLITE_READONLY && euidaccess(db->path, W_OK) == -1)
		return err_new(code_of(rc), "%s: %s; this user has to be able"
		    " to write it, and in its folder", db->path, text);
	if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) &&
	    sys != 0)
		return err_new(code_of(rc), "%s: %s: %s", db->path, text,
		    strerror(sys));
	return err_new(code_of(rc), "%s: %s", db->path, text);
}

/*
 * Who only reads, and may write, does here what the next writer would do:
 * after a power cut one may look before anybody writes.
 */
static bool
roll_back(struct db *db)
{
	sqlite3 *writer = NULL;
	int rc;

	if (!is_half_written(db))
		return false;
	rc = sqlite3_open_v2(db->path, &writer, SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK)
		rc = db_busy_wait(writer);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(writer, "SELECT count(*) FROM"
		    " sqlite_schema", NULL, NULL, NULL);
	sqlite3_close(writer);
	return rc == SQLITE_OK;
}

/*
 * Read through SQLite's own descriptor: closing one of ours would drop the
 * POSIX locks of every connection that this process has on the file.
 */
static bool
is_wal(struct db *db)
{
	unsigned char byte = 0;
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(db->handle, "main",
	    SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods == NULL)
		return false;
	if (file->pMethods->xRead(file, &byte, 1, WRITE_VERSION_AT) !=
	    SQLITE_OK)
		return false;
	return byte == WRITE_VERSION_WAL;
}

/* WAL is kept in the file, so a statement is rarely needed. */
static const struct err *
leave_wal(struct db *db)
{
	const struct err *err;
	char *mode;

	err = db_get_text(&mode, db, "PRAGMA journal_mode = DELETE", "");
	if (err == NULL && (mode == NULL || strcmp(mode, "delete") != 0))
		err = err_new(ERR_JOURNAL, "%s: stays in WAL mode; close"
		    " every other connection to it", db->path);
	free(mode);
	return err;
}

/*
 * A transaction is committed by zeros over the first bytes of the journal,
 * and a sync of that; removing the file, and syncing its folder, does the
 * same for a power cut, and makes the file system write its own journal
 * three times. But whoever may read the database has to be able to read its
 * journal, which SQLite creates with the owner and the mode that the database
 * has then: one that has got other rights is removed after all.
 */
static bool
has_other_rights(const struct db *db)
{
	char *path = xasprintf("%s-journal", db->path);
	struct stat ours, its;
	bool other;

	other = stat(db->path, &ours) == 0 && stat(path, &its) == 0 &&
	    (ours.st_mode != its.st_mode || ours.st_uid != its.st_uid ||
	    ours.st_gid != its.st_gid);
	free(path);
	return other;
}

static const struct err *
configure(struct db *db, enum db_mode mode)
{
	static const struct {
		int what;
		int value;
	} settings[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	};
	const struct err *err;
	int rc;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		rc = sqlite3_db_config(db->handle, settings[i].what,
		    settings[i].value, NULL);
		if (rc != SQLITE_OK)
			return failure(db, rc);
	}
	rc = db_busy_wait(db->handle);
	if (rc != SQLITE_OK)
		return failure(db, rc);
	if (mode == DB_READ)
		return NULL;
	err = db_script(db, "PRAGMA synchronous = EXTRA");
	if (err == NULL && is_wal(db))
		err = leave_wal(db);
	if (err == NULL && !has_other_rights(db))
		err = db_script(db, "PRAGMA journal_mode = PERSIST");
	return err;
}

const struct err *
db_open(struct db **out, const char *path, enum db_mode mode)
{
	static const int flags[] = {
		[DB_READ]   = SQLITE_OPEN_READONLY,
		[DB_WRITE]  = SQLITE_OPEN_READWRITE,
		[DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};
	const struct err *err;
	struct db *db;
	int rc;

	*out = NULL;
	db = xcalloc(1, sizeof(*db));
	db->path = xstrdup(path);
	rc = sqlite3_open_v2(path, &db->handle, flags[mode], db_vfs());
	if (rc != SQLITE_OK)
		err = failure(db, rc);
	else
		err = configure(db, mode);
	if (err != NULL) {
		db_close(db);
		return err;
	}
	*out = db;
	return NULL;
}

void
db_close(struct db *db)
{
	int rc;

	if (db == NULL)
		return;
	db_prepared_drop(&db->prepared);
	rc = sqlite3_close(db->handle);
	assert(rc == SQLITE_OK);
	(void)rc;
	free(db->path);
	free(db);
}

static int
bind_one(sqlite3_stmt *stmt, int at, char type, va_list *ap)
{
	const void *bytes;
	int64_t number;

	switch (type) {
	case 'i':
		return sqlite3_bind_int64(stmt, at, va_arg(*ap, int64_t));
	case 'n':
		number = va_arg(*ap, int64_t);
		if (number == 0)
			return sqlite3_bind_null(stmt, at);
		return sqlite3_bind_int64(stmt, at, number);
	case 's':
		return sqlite3_bind_text(stmt, at, va_arg(*ap, const char *),
		    -1, SQLITE_TRANSIENT);
	case 'b':
		bytes = va_arg(*ap, const void *);
		return sqlite3_bind_blob64(stmt, at, bytes,
		    va_arg(*ap, size_t), SQLITE_TRANSIENT);
	default:
		assert(!"a type of a bound value");
		return SQLITE_MISUSE;
	}
}

static int
bind_all(sqlite3_stmt *stmt, const char *types, va_list *ap)
{
	int n = types == NULL ? 0 : (int)strlen(types);
	int rc = SQLITE_OK;

	assert(n == sqlite3_bind_parameter_count(stmt));
	for (int i = 0; rc == SQLITE_OK && i < n; i++)
		rc = bind_one(stmt, i + 1, types[i], ap);
	return rc;
}

static const struct err *
prepare(struct db_query **out, struct db *db, const char *sql,
    const char *types, va_list *ap)
{
	struct db_query *query;
	const struct err *err;
	const char *tail;
	sqlite3_stmt *stmt;
	int rc;

	*out = NULL;
	rc = db_prepared_take(&db->prepared, db->handle, sql, &stmt, &tail);
	if (rc != SQLITE_OK && roll_back(db))
		rc = db_prepared_take(&db->prepared, db->handle, sql, &stmt,
		    &tail);
	if (rc != SQLITE_OK)
		return failure(db, rc);
	assert(stmt != NULL);
	assert(tail[strspn(tail, " \t\n;")] == '\0');
	rc = bind_all(stmt, types, ap);
	if (rc != SQLITE_OK) {
		err = failure(db, rc);
		db_prepared_give(&db->prepared, stmt);
		return err;
	}
	query = xcalloc(1, sizeof(*query));
	query->db = db;
	query->stmt = stmt;
	*out = query;
	return NULL;
}

const struct err *
db_run(struct db *db, const char *sql, const char *types, ...)
{
	const struct err *err;
	struct db_query *query;
	va_list ap;

	va_start(ap, types);
	err = prepare(&query, db, sql, types, &ap);
	va_end(ap);
	while (err == NULL && db_step(query, &err))
		continue;
	db_done(query);
	return err;
}

const struct err *
db_script(struct db *db, const char *sql)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? NULL : failure(db, rc);
}

const struct err *
db_query(struct db_query **query, struct db *db, const char *sql,
    const char *types, ...)
{
	const struct err *err;
	va_list ap;

	va_start(ap, types);
	err = prepare(query, db, sql, types, &ap);
	va_end(ap);
	return err;
}

bool
db_step(struct db_query *query, const struct err **err)
{
	int rc;

	*err = NULL;
	/* SQLite would begin again from the first row. */
	if (query->ended)
		return false;
	rc = sqlite3_step(query->stmt);
	/* That is found before the first row. */
	if (rc != SQLITE_ROW && rc != SQLITE_DONE && roll_back(query->db)) {
		sqlite3_reset(query->stmt);
		rc = sqlite3_step(query->stmt);
	}
	if (rc == SQLITE_ROW)
		return true;
	query->ended = true;
	if (rc != SQLITE_DONE)
		*err = failure(query->db, rc);
	return false;
}

void
db_done(struct db_query *query)
{
	if (query == NULL)
		return;
	db_prepared_give(&query->db->prepared, query->stmt);
	free(query);
}

int64_t
db_int(struct db_query *query, int column)
{
	return sqlite3_column_int64(query->stmt, column);
}

const char *
db_text(struct db_query *query, int column)
{
	return (const char *)sqlite3_column_text(query->stmt, column);
}

const void *
db_blob(struct db_query *query, int column, size_t *len)
{
	const void *bytes = sqlite3_column_blob(query->stmt, column);

	*len = (size_t)sqlite3_column_bytes(query->stmt, column);
	return bytes;
}

static bool
is_null(struct db_query *query, int column)
{
	return sqlite3_column_type(query->stmt, column) == SQLITE_NULL;
}

const struct err *
db_get_int(int64_t *value, struct db *db, int64_t otherwise,
    const char *sql, const char *types, ...)
{
	const struct err *err;
	struct db_query *query;
	va_list ap;

	*value = otherwise;
	va_start(ap, types);
	err = prepare(&query, db, sql, types, &ap);
	va_end(ap);
	if (err == NULL && db_step(query, &err) && !is_null(query, 0))
		*value = db_int(query, 0);
	db_done(query);
	return err;
}

const struct err *
db_get_text(char **value, struct db *db, const char *sql,
    const char *types, ...)
{
	const struct err *err;
	struct db_query *query;
	va_list ap;

	*value = NULL;
	va_start(ap, types);
	err = prepare(&query, db, sql, types, &ap);
	va_end(ap);
	if (err == NULL && db_step(query, &err))
		*value = xstrdup_null(db_text(query, 0));
	db_done(query);
	return err;
}

const struct err *
db_begin(struct db *db)
{
	return db_run(db, db->grouped ? "SAVEPOINT part" : "BEGIN IMMEDIATE",
	    "");
}

const struct err *
db_commit(struct db *db)
{
	return db_run(db, db->grouped ? "RELEASE part" : "COMMIT", "");
}

void
db_rollback(struct db *db)
{
	/* Some errors have rolled back already; SQLite would complain. */
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, db->grouped ? "ROLLBACK TO part;"
		    " RELEASE part" : "ROLLBACK", NULL, NULL, NULL);
}

const struct err *
db_group(struct db *db)
{
	const struct err *err = db_begin(db);

	if (err == NULL)
		db->grouped = true;
	return err;
}

void
db_ungroup(struct db *db)
{
	db->grouped = false;
}

int64_t
db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}
