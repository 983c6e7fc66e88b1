/*
 * The files of a database: how they grow, and that what is done to them is
 * nothing that SQLite's own layer could not read, and write, as well.
 */
#include "db_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "db.h"
#include "path.h"
#include "tap.h"

#define GROWTH (64 * 1024)

#define PAGE 4096

/* In bytes, and how many pages of its database each is. */
#define ROW 5000
#define PAGES 2

static int64_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void
has_rows(struct db *db, int64_t want, const char *what)
{
	int64_t rows;

	is_ok(db_get_int(&rows, db, -1, "SELECT count(*) FROM t", ""),
	    "rows");
	is_int(rows, want, "%s", what);
}

static void
add_rows(struct db *db, int n)
{
	const struct err *err = NULL;

	for (int i = 0; err == NULL && i < n; i++)
		err = db_run(db, "INSERT INTO t VALUES (zeroblob(?1))", "i",
		    (int64_t)ROW);
	is_ok(err, "%d rows more", n);
}

/* What SQLite says that never heard of us. */
static int
ask_plain(const char *path, int flags, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *plain;
	int n = -1;

	if (sqlite3_open_v2(path, &plain, flags, "unix") == SQLITE_OK &&
	    sqlite3_prepare_v2(plain, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(plain);
	return n;
}

/* Most transactions find room that is there. */
static void
test_growth(struct db *db, const char *path)
{
	int64_t sizes[3];

	add_rows(db, 3);
	sizes[0] = size_of(path);
	add_rows(db, 3);
	sizes[1] = size_of(path);
	is_int(sizes[0], GROWTH, "it grows by more than is needed");
	is_int(sizes[1], GROWTH, "so that it need not the next time");
	add_rows(db, 30);
	sizes[2] = size_of(path);
	is_int(sizes[2] % GROWTH, 0, "and so on");
	ok(sizes[2] > 36 * ROW && sizes[2] <= 37 * PAGES * PAGE + GROWTH,
	    "as far as there is need of it");
}

/* A transaction that is taken back takes its growth with it. */
static void
test_rollback(struct db *db, const char *path)
{
	int64_t before = size_of(path);

	is_ok(db_begin(db), "begin");
	add_rows(db, 2000);
	ok(size_of(path) > before, "more than fits into memory");
	db_rollback(db);
	has_rows(db, 36, "what is taken back is gone");
	is_int(size_of(path), before, "with its room");
	add_rows(db, 1);
}

/* A file may not become larger than so, in bytes; 0: than it likes. */
static void
limit_files(int64_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes == 0 ? limit.rlim_max : (rlim_t)bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

/* Where there is little room, a database takes what it needs. */
static void
test_little_room(struct db *db, const char *path)
{
	int64_t before = size_of(path);

	limit_files(before + 4 * PAGE);
	for (int i = 0; i < GROWTH / ROW && size_of(path) == before; i++)
		add_rows(db, 1);
	ok(size_of(path) > before && size_of(path) < before + 4 * PAGE,
	    "it grows by what is needed, and by nothing else");
	limit_files(0);
	add_rows(db, 10);
	is_int(size_of(path) % GROWTH, 0, "and by more where it can again");
}

static void
test_plain(const char *path)
{
	is_int(ask_plain(path, SQLITE_OPEN_READONLY,
	    "SELECT count(*) FROM t"), 37, "anybody reads it");
	is_int(ask_plain(path, SQLITE_OPEN_READONLY,
	    "SELECT count(*) FROM pragma_integrity_check"
	    " WHERE integrity_check = 'ok'"), 1, "and finds it whole");
	is_int(ask_plain(path, SQLITE_OPEN_READWRITE,
	    "INSERT INTO t VALUES (zeroblob(300000)) RETURNING 1"), 1,
	    "and may write it");
}

int
main(void)
{
	char *path = path_join(tap_folder(), "grows.db");
	struct db *db;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_ok(db_script(db, "CREATE TABLE t (a BLOB)"), "a table");
	ok(size_of(path) > 0 && size_of(path) < GROWTH,
	    "a new one is as small as SQLite makes it");
	test_growth(db, path);
	test_rollback(db, path);
	test_plain(path);
	has_rows(db, 38, "what he has written is there");
	test_little_room(db, path);
	db_close(db);
	free(path);
	return tap_done();
}
