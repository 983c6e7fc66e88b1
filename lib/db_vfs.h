/*
 * db_vfs - the files of a database, as SQLite's own layer opens them, but
 * for one thing.
 *
 * SQLite opens the rollback journal as one that may have to be created, each
 * time anew where it stays, and then syncs its folder in each transaction,
 * for the name that may be a new one. One that is there is opened as that
 * here: its name is on the disk when its own content is, since all file
 * systems that can be meant log the two together.
 */
#ifndef DB_VFS_H
#define DB_VFS_H

/* Its name for sqlite3_open_v2(); NULL, SQLite's own, without memory. */
const char *db_vfs(void);

#endif
