/*
 * db_prepared - statements that one connection has prepared, kept for the
 * next time.
 *
 * A deploy says some dozens of different statements, each several times over,
 * and to prepare one costs SQLite more than to run it. One that is in use is
 * not among those that are kept: who asks for the same meanwhile gets another.
 */
#ifndef DB_PREPARED_H
#define DB_PREPARED_H

#include <stddef.h>

#include <sqlite3.h>

/* A runner says 39 for a plain push; what is beyond is prepared anew. */
#define DB_PREPARED_MAX 96

struct db_prepared {
	sqlite3_stmt *v[DB_PREPARED_MAX];
	size_t n;
};

/*
 * As sqlite3_prepare_v2(): SQLITE_OK, or what it says. The statement is to
 * be given back.
 */
int db_prepared_take(struct db_prepared *kept, sqlite3 *handle,
    const char *sql, sqlite3_stmt **stmt, const char **tail);

/* Its results and bound values are gone with that. */
void db_prepared_give(struct db_prepared *kept, sqlite3_stmt *stmt);

/* Finalize all that are kept, before the connection is closed. */
void db_prepared_drop(struct db_prepared *kept);

#endif
