/*
 * db_busy - how long a connection waits for others that hold the database.
 *
 * A transaction of ours is over within 2 ms or so, most of which is a sync:
 * waiting begins with steps of a tenth of a millisecond, where SQLite's own
 * busy timeout begins with whole ones, and a push is that much later.
 */
#ifndef DB_BUSY_H
#define DB_BUSY_H

#include <sqlite3.h>

/* In all, in ms, before SQLITE_BUSY is returned. */
#define DB_BUSY_TIMEOUT_MS 30000

/* Have it wait so. Returns a result code of SQLite. */
int db_busy_wait(sqlite3 *handle);

#endif
