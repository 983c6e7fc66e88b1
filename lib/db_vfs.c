#include "db_vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"

#define NAME "slipway"

/* What a database grows by, in bytes; SQLite writes less than 128 KiB. */
#define GROWTH (64 * 1024)

static sqlite3_vfs ours;

/* What SQLite does with a database that is written, and what is done here. */
static const sqlite3_io_methods *their_methods;
static sqlite3_io_methods our_methods;

/* A write beyond it ends in a signal that nobody here expects. */
static bool
is_limited(sqlite3_int64 size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < (rlim_t)size;
}

/* Where there is no room for so much there may be for what is needed. */
static void
grow(sqlite3_file *file, sqlite3_int64 need)
{
	static const char zeros[GROWTH];
	sqlite3_int64 size, to = (need + GROWTH - 1) / GROWTH * GROWTH;

	if (their_methods->xFileSize(file, &size) != SQLITE_OK ||
	    size == 0 || size >= need || to - size > GROWTH || is_limited(to))
		return;
	if (their_methods->xWrite(file, zeros, (int)(to - size), size) !=
	    SQLITE_OK)
		(void)their_methods->xTruncate(file, size);
}

static int
control(sqlite3_file *file, int op, void *arg)
{
	if (op == SQLITE_FCNTL_SIZE_HINT)
		grow(file, *(sqlite3_int64 *)arg);
	return their_methods->xFileControl(file, op, arg);
}

static void
take_over(sqlite3_file *file)
{
	if (their_methods == NULL) {
		their_methods = file->pMethods;
		our_methods = *their_methods;
		our_methods.xFileControl = control;
	}
	/* One that nobody else may write has others. */
	if (file->pMethods == their_methods)
		file->pMethods = &our_methods;
}

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
	if (rc == SQLITE_CANTOPEN)
		rc = theirs->xOpen(theirs, path, file, flags, opened);
	if (rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0 &&
	    (flags & SQLITE_OPEN_READWRITE) != 0)
		take_over(file);
	return rc;
}

/* What begins with zero is no transaction. */
static bool
is_done(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	char first;
	ssize_t n;

	if (fd == -1)
		return false;
	n = pread(fd, &first, 1, 0);
	close(fd);
	return n == 1 && first == '\0';
}

static int
look(sqlite3_vfs *vfs, const char *path, int flags, int *there)
{
	sqlite3_vfs *theirs = vfs->pAppData;

	if (flags == SQLITE_ACCESS_EXISTS && str_ends_with(path, "-journal")
	    && is_done(path)) {
		*there = 0;
		return SQLITE_OK;
	}
	return theirs->xAccess(theirs, path, flags, there);
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
	int rc;

	if (ours.zName != NULL)
		return NAME;
	rc = sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	if (rc == SQLITE_OK)
		rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* Somebody has used it already, who had to come here first. */
	assert(rc == SQLITE_OK);
	theirs = sqlite3_vfs_find(NULL);
	if (theirs == NULL)
		return NULL;
	ours = *theirs;
	ours.zName = NAME;
	ours.pNext = NULL;
	ours.pAppData = theirs;
	ours.xOpen = open_file;
	ours.xAccess = look;
	(void)theirs->xSetSystemCall(theirs, "fchown",
	    (sqlite3_syscall_ptr)give);
	if (sqlite3_vfs_register(&ours, 0) == SQLITE_OK)
		return NAME;
	ours.zName = NULL;
	return NULL;
}
