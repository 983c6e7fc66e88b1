#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db.h"
#include "path.h"
#include "tap.h"

/* So long it is held after somebody else has come, in microseconds. */
#define HELD_US 30000

/*
 * Somebody who comes when he is called, while it is held: 0 when he could
 * write. A database is opened after a fork(2).
 */
static int
come(const char *path, int called, int told, const char *before)
{
	const struct err *err;
	struct db *db;
	char byte;

	if (read(called, &byte, 1) != 1)
		return 3;
	err = db_open(&db, path, DB_WRITE);
	if (err == NULL)
		err = db_script(db, before);
	if (write(told, "x", 1) != 1)
		return 3;
	if (err == NULL)
		err = db_begin(db);
	if (err == NULL)
		err = db_run(db, "INSERT INTO t VALUES (2)", "");
	if (err == NULL)
		err = db_commit(db);
	return err == NULL ? 0 : err->code == ERR_BUSY ? 1 : 2;
}

/* The exit status of one who came so. */
static int
come_while_held(const char *path, const char *before, bool waits)
{
	int called[2], told[2], status = -1;
	struct db *db;
	char byte;
	pid_t pid;

	ok(pipe(called) == 0 && pipe(told) == 0, "pipes");
	pid = fork();
	if (pid == 0)
		_exit(come(path, called[0], told[1], before));
	is_ok(db_open(&db, path, DB_WRITE), "open");
	is_ok(db_begin(db), "it is held");
	is_ok(db_run(db, "INSERT INTO t VALUES (1)", ""), "for writing");
	ok(write(called[1], "x", 1) == 1 && read(told[0], &byte, 1) == 1,
	    "somebody comes");
	if (waits)
		usleep(HELD_US);
	else
		ok(waitpid(pid, &status, 0) == pid, "he ends at once");
	is_ok(db_commit(db), "it is let go");
	ok((!waits || waitpid(pid, &status, 0) == pid) && WIFEXITED(status),
	    "he has ended by himself");
	for (int i = 0; i < 2; i++) {
		close(called[i]);
		close(told[i]);
	}
	db_close(db);
	return WEXITSTATUS(status);
}

int
main(void)
{
	char *path = path_join(tap_folder(), "held.db");
	struct db *db;
	int64_t rows;

	is_ok(db_open(&db, path, DB_CREATE), "create");
	is_ok(db_script(db, "CREATE TABLE t (a INTEGER)"), "a table");
	db_close(db);
	is_int(come_while_held(path, "SELECT 1", true), 0, "he has waited");
	is_int(come_while_held(path, "PRAGMA busy_timeout = 0", false), 1,
	    "who does not wait is told");
	is_ok(db_open(&db, path, DB_READ), "open to read");
	is_ok(db_get_int(&rows, db, 0, "SELECT count(*) FROM t", ""), "count");
	is_int(rows, 3, "what was written is there");
	db_close(db);
	free(path);
	return tap_done();
}
