#include "db_vfs.h"

#include <sqlite3.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int
give(int fd, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_uid == uid && st.st_gid == gid)
		return 0;
	return fchown(fd, uid, gid);
}

const char *
db_vfs(void)
{
	sqlite3_vfs *theirs;

	if (ours.zName != NULL)
		return NAME;
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	theirs = sqlite3_vfs_find(NULL);
	if (theirs == NULL)
		return NULL;
	ours = *theirs;
	ours.zName = NAME;
	ours.pNext = NULL;
	ours.pAppData = theirs;
	ours.xOpen = open_file;
	(void)theirs->xSetSystemCall(theirs, "fchown",
	    (sqlite3_syscall_ptr)give);
	if (sqlite3_vfs_register(&ours, 0) == SQLITE_OK)
		return NAME;
	ours.zName = NULL;
	return NULL;
}
