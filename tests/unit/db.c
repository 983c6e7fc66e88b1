#include "db.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "tap.h"

static char *
path_of(const char *name)
{
	return xasprintf("%s/%s", tap_folder(), name);
}

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	ok(file != NULL && fwrite(text, 1, len, file) == len &&
	    fclose(file) == 0, "write %s", path);
}

static int64_t
number(struct db *db, const char *sql)
{
	int64_t value;

	is_ok(db_get_int(&value, db, -99, sql, ""), "%s", sql);
	return value;
}

static void
test_settings(void)
{
	char *path = path_of("settings.db"), *mode;
	struct stat st;
	struct db *db;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_int(number(db, "PRAGMA synchronous"), 3, "synchronous is EXTRA");
	is_int(number(db, "PRAGMA foreign_keys"), 1, "foreign keys");
	is_int(number(db, "PRAGMA trusted_schema"), 0, "untrusted schema");
	is_ok(db_get_text(&mode, db, "PRAGMA journal_mode = OFF", ""),
	    "ask for no journal");
	is_str(mode, "persist", "defensive: the journal stays");
	free(mode);
	is_ok(db_script(db, "CREATE TABLE a (id INTEGER PRIMARY KEY);"
	    "CREATE TABLE b (a INTEGER REFERENCES a (id));"), "a script");
	is_err(db_run(db, "INSERT INTO b VALUES (?1)", "i", (int64_t)7),
	    ERR_JOURNAL, "settings.db: FOREIGN KEY constraint failed",
	    "foreign keys hold");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644,
	    "the mode is 0644");
	db_close(db);
	db_close(NULL);
	free(path);
}

static void
test_values(struct db *db)
{
	static const char bytes[] = { 'a', '\0', '\xff', 'b' };
	const struct err *err;
	struct db_query *query;
	const void *blob;
	size_t len;

	is_ok(db_run(db, "CREATE TABLE v (i, n0, n7, s, snull, b, bnull,"
	    " bempty)", NULL), "no types at all");
	is_ok(db_run(db, "INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
	    " ?8)", "innssbbb", INT64_MIN, (int64_t)0, (int64_t)7,
	    "it's \xe2\x82\xac", (const char *)NULL, bytes, sizeof(bytes),
	    (const void *)NULL, (size_t)0, "", (size_t)0), "every type");
	is_int(db_last_id(db), 1, "its number");
	is_ok(db_query(&query, db, "SELECT * FROM v WHERE i = ?1", "i",
	    INT64_MIN), "a query");
	ok(db_step(query, &err), "a row");
	is_int(db_int(query, 0), INT64_MIN, "'i'");
	is_str(db_text(query, 1), NULL, "'n' of 0 is NULL");
	is_int(db_int(query, 1), 0, "NULL as an integer");
	is_int(db_int(query, 2), 7, "'n' of 7");
	is_str(db_text(query, 3), "it's \xe2\x82\xac", "'s'");
	is_str(db_text(query, 4), NULL, "'s' of NULL is NULL");
	blob = db_blob(query, 5, &len);
	ok(len == sizeof(bytes) && memcmp(blob, bytes, len) == 0, "'b'");
	blob = db_blob(query, 6, &len);
	ok(blob == NULL && len == 0, "'b' of NULL is NULL");
	is_str(db_text(query, 6), NULL, "as a text, too");
	is_str(db_text(query, 7), "", "an empty blob is not NULL");
	ok(!db_step(query, &err) && err == NULL, "no more rows");
	ok(!db_step(query, &err) && err == NULL, "it does not begin again");
	db_done(query);
	db_done(NULL);
}

/* Bound values may go away once db_query() is back. */
static void
test_lifetime(struct db *db)
{
	struct db_query *query;
	const struct err *err;
	char *text = xstrdup("short-lived");

	is_ok(db_query(&query, db, "SELECT ?1, ?2", "sb", text, text,
	    strlen(text)), "bind what dies");
	memset(text, 'x', strlen(text));
	free(text);
	ok(db_step(query, &err), "a row");
	is_str(db_text(query, 0), "short-lived", "the text was copied");
	is_str(db_text(query, 1), "short-lived", "the blob was copied");
	db_done(query);
}

static void
test_get(struct db *db)
{
	int64_t value;
	char *text;

	is_ok(db_get_int(&value, db, 5, "SELECT ?1 + 1", "i", (int64_t)41),
	    "an integer");
	is_int(value, 42, "its value");
	is_ok(db_get_int(&value, db, 5, "SELECT NULL", ""), "NULL");
	is_int(value, 5, "otherwise for NULL");
	is_ok(db_get_int(&value, db, 6, "SELECT 1 WHERE 0", ""), "no row");
	is_int(value, 6, "otherwise without a row");
	is_err(db_get_int(&value, db, 7, "SELECT nonsense", ""), ERR_JOURNAL,
	    "no such column: nonsense", "a wrong column");
	is_int(value, 7, "otherwise on failure");
	is_ok(db_get_text(&text, db, "SELECT 'a' || ?1", "s", "b"), "a text");
	is_str(text, "ab", "its value");
	free(text);
	is_ok(db_get_text(&text, db, "SELECT NULL", ""), "NULL");
	is_str(text, NULL, "no text for NULL");
	is_ok(db_get_text(&text, db, "SELECT 'a' WHERE 0", ""), "no row");
	is_str(text, NULL, "no text without a row");
	is_err(db_get_text(&text, db, "SELECT", ""), ERR_JOURNAL,
	    "incomplete input", "half a statement");
	is_str(text, NULL, "no text on failure");
}

static void
test_errors(struct db *db)
{
	struct db_query *query;

	is_err(db_query(&query, db, "SELECT * FROM missing", ""),
	    ERR_JOURNAL, "values.db: no such table: missing", "no table");
	ok(query == NULL, "no query on failure");
	db_done(query);
	is_err(db_script(db, "SELECT 1; SELECT wrong;"), ERR_JOURNAL,
	    "values.db: no such column: wrong", "an error in a script");
	is_ok(db_run(db, "CREATE TABLE u (a UNIQUE)", ""), "a table");
	is_ok(db_run(db, "INSERT INTO u VALUES (1)", ""), "a row");
	is_err(db_run(db, "INSERT INTO u VALUES (1)", ""), ERR_JOURNAL,
	    "values.db: UNIQUE constraint failed: u.a", "the row again");
	is_ok(db_run(db, "PRAGMA max_page_count = 1", ""), "no room");
	is_err(db_run(db, "INSERT INTO u VALUES (zeroblob(100000))", ""),
	    ERR_JOURNAL, "values.db: database or disk is full", "full");
	is_ok(db_run(db, "PRAGMA max_page_count = 100000", ""), "room");
	is_ok(db_run(db, "INSERT INTO u VALUES (2)", ""), "usable again");
}

/* One text said again while it is under way, and after it failed. */
static void
test_again(struct db *db)
{
	const char *values = "SELECT value FROM json_each(?1)";
	struct db_query *outer, *inner;
	const struct err *err;

	is_ok(db_query(&outer, db, values, "s", "[1, 2]"), "a query");
	ok(db_step(outer, &err), "its first row");
	is_ok(db_query(&inner, db, values, "s", "[7]"), "the same in it");
	ok(db_step(inner, &err), "a row");
	is_int(db_int(inner, 0), 7, "its own");
	db_done(inner);
	ok(db_step(outer, &err), "the second row of the first");
	is_int(db_int(outer, 0), 2, "which was left alone");
	db_done(outer);
	for (int i = 0; i < 2; i++)
		is_err(db_run(db, "INSERT INTO u VALUES (?1)", "i",
		    INT64_C(1)), ERR_JOURNAL, "u.a", "fails each time");
	is_ok(db_run(db, "INSERT INTO u VALUES (?1)", "i", INT64_C(9)),
	    "and takes what is right");
	is_ok(db_script(db, "ALTER TABLE u ADD COLUMN b DEFAULT 3"), "alter");
	is_ok(db_run(db, "INSERT INTO u (a) VALUES (10)", ""), "a row");
	is_err(db_run(db, "INSERT INTO u VALUES (?1)", "i", INT64_C(11)),
	    ERR_JOURNAL, "2 columns", "a table is looked at anew");
}

static void
test_transactions(struct db *db)
{
	is_ok(db_run(db, "CREATE TABLE t (a)", ""), "a table");
	is_ok(db_begin(db), "begin");
	is_err(db_begin(db), ERR_JOURNAL, "within a transaction",
	    "begin inside");
	is_ok(db_run(db, "INSERT INTO t VALUES (1)", ""), "a row");
	db_rollback(db);
	is_int(number(db, "SELECT count(*) FROM t"), 0, "rolled back");
	is_ok(db_begin(db), "begin");
	is_ok(db_run(db, "INSERT INTO t VALUES (1)", ""), "a row");
	is_ok(db_commit(db), "commit");
	is_err(db_commit(db), ERR_JOURNAL, "no transaction is active",
	    "commit again");
	db_rollback(db);
	is_int(number(db, "SELECT count(*) FROM t"), 1, "committed");
}

static void
test_groups(struct db *db)
{
	is_ok(db_run(db, "CREATE TABLE g (a)", ""), "a table");
	is_ok(db_group(db), "a group");
	is_ok(db_begin(db), "a transaction in it");
	is_ok(db_run(db, "INSERT INTO g VALUES (1)", ""), "a row");
	is_ok(db_commit(db), "commit");
	is_ok(db_begin(db), "another one");
	is_ok(db_run(db, "INSERT INTO g VALUES (2)", ""), "a row");
	db_rollback(db);
	is_int(number(db, "SELECT sum(a) FROM g"), 1, "taken back alone");
	db_ungroup(db);
	is_ok(db_commit(db), "end");
	is_int(number(db, "SELECT sum(a) FROM g"), 1, "the rest is there");
	is_ok(db_group(db), "a group");
	is_ok(db_begin(db), "a transaction in it");
	is_ok(db_run(db, "INSERT INTO g VALUES (4)", ""), "a row");
	is_ok(db_commit(db), "commit");
	db_ungroup(db);
	db_rollback(db);
	is_int(number(db, "SELECT sum(a) FROM g"), 1, "all is taken back");
	is_ok(db_begin(db), "a transaction by itself");
	is_err(db_begin(db), ERR_JOURNAL, "within a transaction",
	    "is no group");
	db_rollback(db);
}

/*
 * Who reads and then wants to write while another writes is told at once,
 * as waiting would be a deadlock: the one busy answer that takes no 30 s.
 */
static void
test_busy(struct db *db, const char *path)
{
	struct db *other;

	is_ok(db_open(&other, path, DB_WRITE), "a second connection");
	is_ok(db_run(other, "BEGIN", ""), "it begins");
	is_int(number(other, "SELECT count(*) FROM t"), 1, "it reads");
	is_ok(db_begin(db), "the first begins");
	is_ok(db_run(db, "INSERT INTO t VALUES (2)", ""), "and writes");
	is_err(db_run(other, "INSERT INTO t VALUES (3)", ""), ERR_BUSY,
	    "values.db: database is locked", "the second is told");
	db_rollback(other);
	is_ok(db_commit(db), "the first commits");
	is_int(number(other, "SELECT count(*) FROM t"), 2,
	    "the second sees it");
	is_ok(db_run(other, "INSERT INTO t VALUES (3)", ""),
	    "the second writes");
	is_int(number(db, "SELECT count(*) FROM t"), 3, "the first sees it");
	db_close(other);
}

static void
test_read(const char *path)
{
	struct db *db;

	is_ok(db_open(&db, path, DB_READ), "open to read");
	is_int(number(db, "SELECT count(*) FROM t"), 3, "read");
	is_int(number(db, "PRAGMA trusted_schema"), 0, "untrusted schema");
	is_err(db_run(db, "INSERT INTO t VALUES (4)", ""), ERR_JOURNAL,
	    "values.db: attempt to write a readonly database", "no writing");
	db_close(db);
}

/* Root may write any file, so it is nobody for a moment. */
static void
test_unwritable(const char *path)
{
	uid_t user = geteuid();
	struct db *db;

	ok(chmod(tap_folder(), 0755) == 0 && chmod(path, 0444) == 0 &&
	    (user != 0 || seteuid(65534) == 0), "a file of others");
	is_ok(db_open(&db, path, DB_WRITE), "is opened all the same");
	is_err(db_run(db, "INSERT INTO t VALUES (4)", ""), ERR_JOURNAL,
	    "readonly database; this user has to be able to write it",
	    "what is wrong with it is told");
	db_close(db);
	ok(seteuid(user) == 0 && chmod(path, 0644) == 0, "as before");
}

static void
test_missing(void)
{
	char *path = path_of("missing.db"), *deep = path_of("no/folder.db");
	struct stat st;
	struct db *db;

	is_err(db_open(&db, path, DB_READ), ERR_JOURNAL, "missing.db: unable"
	    " to open database file: No such file", "missing, to read");
	ok(db == NULL, "nothing is opened");
	is_err(db_open(&db, path, DB_WRITE), ERR_JOURNAL, "missing.db: unable"
	    " to open database file: No such file", "missing, to write");
	ok(stat(path, &st) == -1, "nothing is created");
	is_err(db_open(&db, deep, DB_CREATE), ERR_JOURNAL,
	    "no/folder.db: unable to open", "a missing folder");
	is_err(db_open(&db, tap_folder(), DB_READ), ERR_JOURNAL,
	    "Is a directory", "a folder");
	free(path);
	free(deep);
}

static void
test_no_database(void)
{
	char *path = path_of("text.db"), text[4096];
	int64_t value;
	struct db *db;

	memset(text, 'x', sizeof(text));
	write_file(path, text, sizeof(text));
	is_err(db_open(&db, path, DB_WRITE), ERR_CORRUPT,
	    "text.db: file is not a database", "a text, to write");
	ok(db == NULL, "nothing is opened");
	is_ok(db_open(&db, path, DB_READ), "a text, to read");
	is_err(db_get_int(&value, db, 0, "SELECT count(*) FROM t", ""),
	    ERR_CORRUPT, "text.db: file is not a database",
	    "the first read tells");
	db_close(db);
	free(path);
}

static void
test_damaged(void)
{
	char *path = path_of("damaged.db"), zeros[4096] = "";
	struct db *db;
	FILE *file;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_ok(db_script(db, "CREATE TABLE t (a);"
	    "INSERT INTO t VALUES (zeroblob(9000))"), "fill");
	db_close(db);
	file = fopen(path, "r+");
	ok(file != NULL && fseek(file, 4096, SEEK_SET) == 0 &&
	    fwrite(zeros, sizeof(zeros), 1, file) == 1 &&
	    fclose(file) == 0, "lose the second page");
	is_ok(db_open(&db, path, DB_WRITE), "open");
	is_err(db_run(db, "SELECT * FROM t", ""), ERR_CORRUPT,
	    "damaged.db: database disk image is malformed", "damage is told");
	db_close(db);
	free(path);
}

static void
test_wal(void)
{
	char *path = path_of("wal.db"), *mode;
	struct db *db;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_ok(db_script(db, "CREATE TABLE t (a); PRAGMA journal_mode = WAL"),
	    "somebody switches to WAL");
	db_close(db);
	is_ok(db_open(&db, path, DB_WRITE), "open it again");
	is_ok(db_get_text(&mode, db, "PRAGMA journal_mode", ""), "its mode");
	is_str(mode, "persist", "it is a rollback journal again");
	free(mode);
	is_int(number(db, "SELECT count(*) FROM t"), 0, "it is readable");
	db_close(db);
	free(path);
}

/* So much in a small cache that half of it is in the file. */
static void
die_writing(const char *path)
{
	struct db *db;

	if (db_open(&db, path, DB_WRITE) != NULL ||
	    db_script(db, "PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
	    "UPDATE t SET a = randomblob(200000)") != NULL)
		_exit(1);
	raise(SIGKILL);
	_exit(1);
}

static void
kill_a_writer(const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		die_writing(path);
	ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status),
	    "a writer is killed in the middle");
}

static void
test_half_written(void)
{
	char *path = path_of("half.db"), *aside = path_of("half.db-journal");
	const char *sum = "SELECT sum(length(a) + (a = zeroblob(9))) FROM t";
	struct db *db;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_ok(db_script(db, "CREATE TABLE t (a);"
	    "INSERT INTO t VALUES (zeroblob(9))"), "fill");
	db_close(db);
	kill_a_writer(path);
	ok(access(aside, F_OK) == 0, "what it changed is still to be undone");
	is_ok(db_open(&db, path, DB_READ), "open for reading");
	is_int(number(db, sum), 10, "the first reader finds what was before");
	ok(access(aside, F_OK) == -1, "and has undone it");
	kill_a_writer(path);
	is_int(number(db, sum), 10, "so does one who had it open");
	is_err(db_run(db, "DELETE FROM t", ""), ERR_JOURNAL,
	    "half.db: attempt to write a readonly database",
	    "and still only reads");
	db_close(db);
	free(aside);
	free(path);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == -1 ? 0 : st.st_mode & 07777;
}

static void
write_one(const char *path)
{
	struct db *db;

	is_ok(db_open(&db, path, DB_WRITE), "open for writing");
	is_ok(db_script(db, "INSERT INTO t VALUES (1)"), "write");
	db_close(db);
}

static void
test_kept_journal(void)
{
	char *path = path_of("kept.db"), *aside = path_of("kept.db-journal");
	struct db *db;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_ok(db_script(db, "CREATE TABLE t (a)"), "fill");
	db_close(db);
	is_int(mode_of(aside), 0644, "the journal is kept");
	ok(chmod(path, 0640) == 0, "others may not read the file any more");
	write_one(path);
	is_int(mode_of(aside), 0, "a journal with other rights goes");
	write_one(path);
	is_int(mode_of(aside), 0640, "and comes back with the file's");
	free(aside);
	free(path);
}

int
main(void)
{
	char *path = path_of("values.db");
	struct db *db;

	test_settings();
	is_ok(db_open(&db, path, DB_CREATE), "create");
	test_values(db);
	test_lifetime(db);
	test_get(db);
	test_errors(db);
	test_again(db);
	test_transactions(db);
	test_groups(db);
	test_busy(db, path);
	db_close(db);
	test_read(path);
	test_unwritable(path);
	test_missing();
	test_no_database();
	test_damaged();
	test_wal();
	test_half_written();
	test_kept_journal();
	free(path);
	return tap_done();
}
