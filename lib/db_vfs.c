#include "db_vfs.h"

#include <sqlite3.h>
#include <stddef.h>
#include <sys/stat.h>

#define NAME "slipway"

static sqlite3_vfs ours;

/* Of an empty one, which somebody has only just made, the name may be new. */
static int
open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
    int *opened)
{
	sqlite3_vfs *theirs = vfs->pAppData;
	struct stat st;
	int rc = SQLITE_CANTOPEN;

	if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 &&
	    stat(path, &st) == 0 && st.st_size > 0)
		rc = theirs->xOpen(theirs, path, file,
		    flags & ~SQLITE_OPEN_CREATE, opened);
	return rc == SQLITE_CANTOPEN ?
	    theirs->xOpen(theirs, path, file, flags, opened) : rc;
}

const char *
db_vfs(void)
{
	sqlite3_vfs *theirs;

	if (sqlite3_vfs_find(NAME) != NULL)
		return NAME;
	theirs = sqlite3_vfs_find(NULL);
	if (theirs == NULL)
		return NULL;
	ours = *theirs;
	ours.zName = NAME;
	ours.pNext = NULL;
	ours.pAppData = theirs;
	ours.xOpen = open_file;
	return sqlite3_vfs_register(&ours, 0) == SQLITE_OK ? NAME : NULL;
}
