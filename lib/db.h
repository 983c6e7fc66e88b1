/*
 * db - SQLite with our errors, our settings and bound values.
 *
 * Every database is opened with a rollback journal, which stays as a file
 * (journal_mode=PERSIST; see db_vfs.h), synchronous=EXTRA, foreign keys,
 * defensive mode and a busy timeout, as short-lived processes that share
 * one file want it. A connection does not survive fork(2): open it after.
 * What a killed writer left half done is undone by whoever comes first, who
 * only reads as well, if he may write the file.
 *
 *	err = db_query(&query, db, "SELECT state FROM deploys"
 *	    " WHERE number = ?1", "i", number);
 *	while (err == NULL && db_step(query, &err))
 *		puts(db_text(query, 0));
 *	db_done(query);
 *
 * The types of the bound values are letters: 'i' int64_t, 's' const char *
 * (NULL binds NULL), 'b' const void * and size_t, 'n' int64_t where 0
 * binds NULL. Texts and blobs need only live until the call returns.
 */
#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "vec.h"

struct db;
struct db_query;

enum db_mode {
	DB_READ,		/* the file must be there */
	DB_WRITE,		/* the file must be there */
	DB_CREATE		/* created with mode 0644 when missing */
};

const struct err *db_open(struct db **db, const char *path,
    enum db_mode mode);
void db_close(struct db *db);

/* Run one statement to its end, results ignored. */
const struct err *db_run(struct db *db, const char *sql, const char *types,
    ...);

/* Run several statements without values. */
const struct err *db_script(struct db *db, const char *sql);

/* Prepare and bind. NULL through "*query" on failure. */
const struct err *db_query(struct db_query **query, struct db *db,
    const char *sql, const char *types, ...);

/* True when a row is there. The error through "*err", NULL at the end. */
bool db_step(struct db_query *query, const struct err **err);

/* NULL is allowed. */
void db_done(struct db_query *query);

/* Columns of the present row, from 0. Texts are lent until db_step(). */
int64_t db_int(struct db_query *query, int column);		/* NULL: 0 */
const char *db_text(struct db_query *query, int column);	/* or NULL */
const void *db_blob(struct db_query *query, int column, size_t *len);

/* The text of every row that is left, pushed onto "texts"; and db_done(). */
const struct err *db_texts(struct db_query *query, struct vec *texts);

/* One integer from one row; "otherwise" when there is no row or NULL. */
const struct err *db_get_int(int64_t *value, struct db *db,
    int64_t otherwise, const char *sql, const char *types, ...);

/* One text from one row, given; NULL when there is no row or NULL. */
const struct err *db_get_text(char **value, struct db *db, const char *sql,
    const char *types, ...);

/* BEGIN IMMEDIATE, COMMIT, ROLLBACK (which never fails). */
const struct err *db_begin(struct db *db);
const struct err *db_commit(struct db *db);
void db_rollback(struct db *db);

/*
 * What several transactions write becomes true at once: BEGIN IMMEDIATE,
 * and each of them is a savepoint within that, until db_ungroup(). Then
 * db_commit() or db_rollback() ends all of it.
 */
const struct err *db_group(struct db *db);
void db_ungroup(struct db *db);

int64_t db_last_id(struct db *db);

/* The SQLite that runs: "3.40.1", and 3040001. */
const char *db_library_version(void);
int db_library_number(void);

#endif
