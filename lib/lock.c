#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "str.h"

/* The longest pause between two attempts. */
#define PAUSE_MAX_MS 50

/* More of the last holder's text is not shown. */
#define HOLDER_MAX 200

/* PROC_PID_INIT_INO of the kernel, the same on every machine. */
#define FIRST_PID_NAMESPACE 0xeffffffcu

struct lock {
	int fd;
};

static void
pause_ms(int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* -1 and EWOULDBLOCK when somebody else holds it to the end. */
static int
lock_fd(int fd, int64_t timeout_ms)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	int64_t left_ms, pause = 1;
	int rc;

	for (;;) {
		rc = flock(fd, timeout_ms == -1 ? LOCK_EX :
		    LOCK_EX | LOCK_NB);
		if (rc == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -1;
		left_ms = deadline_ms - clock_monotonic_ms();
		if (left_ms <= 0) {
			errno = EWOULDBLOCK;
			return -1;
		}
		pause_ms(pause < left_ms ? pause : left_ms);
		pause = pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause * 2;
	}
}

/*
 * Nothing depends on the text: a full disk must not keep a deploy from
 * ending, so a failure to write it is ignored.
 */
static void
write_holder(int fd, const char *purpose)
{
	char *text = xasprintf("pid %d, %s\n", (int)getpid(), purpose);
	ssize_t n;

	if (ftruncate(fd, 0) == 0) {
		n = pwrite(fd, text, strlen(text), 0);
		(void)n;
	}
	free(text);
}

static const struct err *
busy(int fd, const char *path)
{
	char text[HOLDER_MAX];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	struct str holder = STR_INIT;
	const struct err *err;

	if (len > 0)
		str_add_visible(&holder, text,
		    strcspn(strndupa(text, (size_t)len), "\n"));
	err = err_new(ERR_BUSY, "%s is held by %s", path,
	    holder.len > 0 ? holder.s : "another process");
	str_release(&holder);
	return err;
}

/* What is there is somebody else's; else it is the folder. */
static const struct err *
cannot_open(const char *path)
{
	bool there;

	if (errno != EACCES)
		return err_system("open %s", path);
	there = faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
	errno = EACCES;
	return err_system(there ? "open %s (remove it, or give it to the"
	    " user who deploys)" : "create %s (let the user who deploys write"
	    " in that folder)", path);
}

const struct err *
lock_take(struct lock **lock, const char *path, const char *purpose,
    int64_t timeout_ms)
{
	const struct err *err;
	int fd;

	*lock = NULL;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return cannot_open(path);
	if (lock_fd(fd, timeout_ms) == -1) {
		err = errno == EWOULDBLOCK ? busy(fd, path) :
		    err_system("lock %s", path);
		close(fd);
		return err;
	}
	write_holder(fd, purpose);
	*lock = xmalloc(sizeof(**lock));
	(*lock)->fd = fd;
	return NULL;
}

/*
 * Closing alone would leave the lock to a child that was forked meanwhile
 * and has not called exec yet.
 */
void
lock_release(struct lock *lock)
{
	if (lock == NULL)
		return;
	flock(lock->fd, LOCK_UN);
	close(lock->fd);
	free(lock);
}

/*
 * The device under which the kernel lists locks is that of the mount; on
 * file systems with subvolumes fstat() reports another one.
 */
static dev_t
mount_device(int fd, dev_t fallback)
{
	unsigned int major_id, minor_id;
	dev_t dev = fallback;
	char *line = NULL;
	struct statx stx;
	size_t size = 0;
	uint64_t id;
	FILE *f;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) == -1 ||
	    (stx.stx_mask & STATX_MNT_ID) == 0)
		return fallback;
	f = fopen("/proc/self/mountinfo", "re");
	if (f == NULL)
		return fallback;
	while (getline(&line, &size, f) != -1) {
		if (sscanf(line, "%" SCNu64 " %*u %u:%u", &id, &major_id,
		    &minor_id) == 3 && id == stx.stx_mnt_id) {
			dev = makedev(major_id, minor_id);
			break;
		}
	}
	free(line);
	fclose(f);
	return dev;
}

/* "1: FLOCK  ADVISORY  WRITE 712 fd:01:1835 0 EOF" */
static bool
is_lock_on(const char *line, dev_t dev, ino_t ino)
{
	unsigned int major_id, minor_id;
	uint64_t id;

	return sscanf(line, "%*s FLOCK %*s %*s %*s %x:%x:%" SCNu64,
	    &major_id, &minor_id, &id) == 3 &&
	    makedev(major_id, minor_id) == dev && id == ino;
}

/*
 * Where the list does not tell, only an attempt does. It is for a shared
 * lock, so that two that look do not see each other, and lasts for an instant
 * in which lock_take() with no timeout would be refused.
 */
static bool
probe(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) == -1)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

/* The list leaves out who is in none of the PID namespaces below ours. */
static bool
sees_all(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 &&
	    st.st_ino == FIRST_PID_NAMESPACE;
}

static bool
is_listed(int fd, FILE *f)
{
	bool listed = false;
	char *line = NULL;
	struct stat st;
	size_t size = 0;
	dev_t dev;

	if (fstat(fd, &st) == 0) {
		dev = mount_device(fd, st.st_dev);
		while (!listed && getline(&line, &size, f) != -1)
			listed = is_lock_on(line, dev, st.st_ino);
	}
	free(line);
	return listed;
}

static bool
is_fd_held(int fd)
{
	FILE *f = fopen("/proc/locks", "re");
	bool listed;

	if (f == NULL)
		return probe(fd);
	listed = is_listed(fd, f);
	fclose(f);
	return listed || (!sees_all() && probe(fd));
}

bool
lock_is_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool held;

	if (fd == -1)
		return false;
	held = is_fd_held(fd);
	close(fd);
	return held;
}
