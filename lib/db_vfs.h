/*
 * db_vfs - the files of a database, as SQLite's own layer opens them, but
 * for four things, each of which is some of the time that a push takes.
 *
 * SQLite opens the rollback journal as one that may have to be created, each
 * time anew where it stays, and then syncs its folder in each transaction,
 * for the name that may be a new one. One that is there is opened as that
 * here: its name is on the disk when its own content is, since all file
 * systems that can be meant log the two together.
 *
 * Whoever reads looks whether the journal is that of a writer who was killed:
 * SQLite opens it like a database for that, each time. One that begins with
 * zero is none, and is said not to be there.
 *
 * Root's SQLite gives each journal that it opens to the owner of the database;
 * one that is his already is left alone.
 *
 * A file system writes down in a transaction of its own how long a file is,
 * whenever that is synced and has grown: a database grows by 64 KiB of zeros,
 * where there is room for them, and then not again for some pushes. Pages
 * behind the last one that a database says it has are nothing new to SQLite.
 *
 * One thread of a process has databases: SQLite keeps no locks against
 * others, and does not count what it allocates.
 */
#ifndef DB_VFS_H
#define DB_VFS_H

/*
 * Its name for sqlite3_open_v2(); NULL, SQLite's own, without memory. Called
 * before anything else of SQLite is.
 */
const char *db_vfs(void);

#endif
