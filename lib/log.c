#include "log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "path.h"

/* One read of a follower. */
#define CHUNK_BYTES 65536

/* Between two looks where inotify is not to be had. */
#define SLICE_MS 20

struct log {
	int fd;
	char *path;
	struct str line;
	bool torn;		/* the file may end within a line */
};

struct log_tail {
	char *path;
	int fd;			/* -1: the file was not there yet */
	int inotify_fd;
	int watch;		/* -1: nothing is watched */
	bool watches_file;	/* else its folder */
	off_t read_bytes;
	struct str buf;
	size_t start;		/* of the next line in "buf" */
	size_t scanned;		/* no newline from "start" to here */
};

/*
 * A writer that was killed may have left half a line. The next line then
 * begins with a newline, so that only the half is lost.
 */
static bool
ends_torn(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

static int
open_log(const char *path)
{
	return open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

/* Who made room may have removed the folder, too. */
static const struct err *
make_folder(const char *path)
{
	char *dir = path_dir(path);
	const struct err *err = file_mkdirs(dir, 0755);

	free(dir);
	return err;
}

const struct err *
log_open(struct log **log, const char *path)
{
	const struct err *err = NULL;
	int fd;

	*log = NULL;
	fd = open_log(path);
	if (fd == -1 && errno == ENOENT) {
		err = make_folder(path);
		if (err != NULL)
			return err;
		fd = open_log(path);
	}
	if (fd == -1)
		return err_system("open %s", path);
	*log = xcalloc(1, sizeof(**log));
	(*log)->fd = fd;
	(*log)->path = xstrdup(path);
	(*log)->torn = ends_torn(fd);
	str_init(&(*log)->line);
	return NULL;
}

void
log_close(struct log *log)
{
	if (log == NULL)
		return;
	close(log->fd);
	free(log->path);
	str_release(&log->line);
	free(log);
}

const struct err *
log_add(struct log *log, const char *line, size_t len)
{
	ssize_t n;

	assert(len == 0 || memchr(line, '\n', len) == NULL);
	str_clear(&log->line);
	if (log->torn)
		str_addch(&log->line, '\n');
	str_add_bytes(&log->line, line, len);
	str_addch(&log->line, '\n');
	do {
		n = write(log->fd, log->line.s, log->line.len);
	} while (n == -1 && errno == EINTR);
	if (n == (ssize_t)log->line.len) {
		log->torn = false;
		return NULL;
	}
	if (n == -1)
		return err_system("write %s", log->path);
	log->torn = true;
	errno = ENOSPC;
	return err_system("write %s: %zd of %zu bytes", log->path, n,
	    log->line.len);
}

/* Watch the file if it is open, else the folder in which it will appear. */
static void
arm(struct log_tail *tail)
{
	bool on_file = tail->fd != -1;
	char *dir;

	if (tail->inotify_fd == -1 ||
	    (tail->watch != -1 && tail->watches_file == on_file))
		return;
	if (tail->watch != -1)
		inotify_rm_watch(tail->inotify_fd, tail->watch);
	dir = path_dir(tail->path);
	tail->watch = on_file ?
	    inotify_add_watch(tail->inotify_fd, tail->path, IN_MODIFY) :
	    inotify_add_watch(tail->inotify_fd, dir,
	    IN_CREATE | IN_MOVED_TO);
	tail->watches_file = on_file;
	free(dir);
}

static const struct err *
open_file(struct log_tail *tail)
{
	if (tail->fd != -1)
		return NULL;
	tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC);
	if (tail->fd == -1 && errno != ENOENT)
		return err_system("open %s", tail->path);
	return NULL;
}

/*
 * The watch is set before the file is looked at again, so that what
 * happens between the two is either seen or announced.
 */
static const struct err *
find_file(struct log_tail *tail)
{
	const struct err *err = open_file(tail);

	arm(tail);
	if (err == NULL && tail->fd == -1) {
		err = open_file(tail);
		arm(tail);
	}
	return err;
}

const struct err *
log_tail_open(struct log_tail **tail, const char *path)
{
	struct log_tail *t = xcalloc(1, sizeof(*t));
	const struct err *err;

	*tail = NULL;
	t->path = xstrdup(path);
	t->fd = -1;
	t->watch = -1;
	t->inotify_fd = -1;
	str_init(&t->buf);
	err = open_file(t);
	if (err != NULL) {
		log_tail_close(t);
		return err;
	}
	*tail = t;
	return NULL;
}

void
log_tail_watch(struct log_tail *tail)
{
	if (tail->inotify_fd == -1)
		tail->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* What keeps it from being opened is told by log_tail_next(). */
	(void)find_file(tail);
}

void
log_tail_close(struct log_tail *tail)
{
	if (tail == NULL)
		return;
	if (tail->fd != -1)
		close(tail->fd);
	if (tail->inotify_fd != -1)
		close(tail->inotify_fd);
	free(tail->path);
	str_release(&tail->buf);
	free(tail);
}

/* Take a whole line out of the buffer; false when it holds none. */
static bool
take_line(struct log_tail *tail, struct str *line)
{
	const char *from = tail->buf.s + tail->scanned;
	const char *end = memchr(from, '\n', tail->buf.len - tail->scanned);
	const char *begin = tail->buf.s + tail->start;

	if (end == NULL) {
		tail->scanned = tail->buf.len;
		return false;
	}
	str_clear(line);
	str_add_bytes(line, begin, (size_t)(end - begin));
	tail->start = (size_t)(end - tail->buf.s) + 1;
	tail->scanned = tail->start;
	return true;
}

/* Move the unfinished line to the front, then read behind it. */
static const struct err *
fill(struct log_tail *tail, bool *at_end)
{
	struct str *buf = &tail->buf;
	ssize_t n;

	if (tail->start > 0) {
		memmove(buf->s, buf->s + tail->start,
		    buf->len - tail->start);
		str_truncate(buf, buf->len - tail->start);
		tail->scanned -= tail->start;
		tail->start = 0;
	}
	str_reserve(buf, CHUNK_BYTES);
	do {
		n = read(tail->fd, buf->s + buf->len, CHUNK_BYTES);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_system("read %s", tail->path);
	buf->len += (size_t)n;
	buf->s[buf->len] = '\0';
	tail->read_bytes += n;
	*at_end = n == 0;
	return NULL;
}

const struct err *
log_tail_next(struct log_tail *tail, struct str *line, bool *found)
{
	const struct err *err = NULL;
	bool at_end = false;

	*found = take_line(tail, line);
	if (!*found && tail->fd == -1)
		err = find_file(tail);
	if (err != NULL || tail->fd == -1)
		return err;
	while (!*found && !at_end) {
		err = fill(tail, &at_end);
		if (err != NULL)
			return err;
		*found = take_line(tail, line);
	}
	return NULL;
}

/* True when there is something that log_tail_next() has not read. */
static bool
has_grown(const struct log_tail *tail)
{
	struct stat st;

	if (tail->fd == -1)
		return stat(tail->path, &st) == 0;
	return fstat(tail->fd, &st) == 0 && st.st_size > tail->read_bytes;
}

static void
drain(const struct log_tail *tail)
{
	char events[4096];

	if (tail->inotify_fd == -1)
		return;
	while (read(tail->inotify_fd, events, sizeof(events)) > 0)
		;
}

static void
wait_in_slices(const struct log_tail *tail, int64_t deadline_ms)
{
	while (!has_grown(tail)) {
		int64_t left_ms = deadline_ms - clock_monotonic_ms();
		struct timespec ts = { 0, SLICE_MS * 1000000 };

		if (left_ms <= 0)
			return;
		if (left_ms < SLICE_MS)
			ts.tv_nsec = left_ms * 1000000;
		nanosleep(&ts, NULL);
	}
}

void
log_tail_wait(struct log_tail *tail, int64_t timeout_ms)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	struct pollfd pfd = { .fd = log_tail_fd(tail), .events = POLLIN };

	if (pfd.fd == -1)
		wait_in_slices(tail, deadline_ms);
	else if (!has_grown(tail))
		poll(&pfd, 1, timeout_ms > INT32_MAX ? INT32_MAX :
		    timeout_ms < 0 ? 0 : (int)timeout_ms);
	drain(tail);
}

int
log_tail_fd(const struct log_tail *tail)
{
	return tail->watch == -1 ? -1 : tail->inotify_fd;
}
