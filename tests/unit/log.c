#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "path.h"
#include "tap.h"

#define MIB (1024 * 1024)

/* Long enough for any machine; a test that needs it fails. */
#define DEADLINE_MS 20000

static void
append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd == -1 || file_write_fd(fd, text, strlen(text)) != NULL)
		exit(1);
	close(fd);
}

static void
expect(struct log_tail *tail, const char *want, const char *what)
{
	struct str line = STR_INIT;
	bool found = false;

	is_ok(log_tail_next(tail, &line, &found), "%s", what);
	is_str(found ? line.s : NULL, want, "... is what is read");
	str_release(&line);
}

static void
test_write(const char *dir)
{
	char *path = path_join(dir, "write.log");
	struct str text = STR_INIT;
	struct log *log, *second;
	struct stat st;

	is_ok(log_open(&log, path), "open a new file");
	is_ok(log_open(&second, path), "and once more");
	is_ok(log_add(log, "one", 3), "a line");
	is_ok(log_add(second, "two", 3), "a line of another writer");
	is_ok(log_add(log, "", 0), "an empty line");
	log_close(second);
	log_close(log);
	log_close(NULL);
	is_ok(file_read(&text, path, 100), "the file");
	is_str(text.s, "one\ntwo\n\n", "holds the lines in order");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0644,
	    "its mode");
	str_release(&text);
	free(path);
}

static void
test_torn(const char *dir)
{
	char *path = path_join(dir, "torn.log");
	struct str text = STR_INIT;
	struct log *log;

	append(path, "whole\nhal");
	is_ok(log_open(&log, path), "a file that ends within a line");
	is_ok(log_add(log, "next", 4), "gets the next line");
	is_ok(log_add(log, "last", 4), "and one more");
	log_close(log);
	is_ok(file_read(&text, path, 100), "the file");
	is_str(text.s, "whole\nhal\nnext\nlast\n", "lost only the half");
	str_release(&text);
	free(path);
}

/* RLIMIT_FSIZE stands for a full disk: a write comes up short, then fails. */
static int
fill_disk(const char *path)
{
	struct rlimit limit = { 10, 10 };
	const struct err *err;
	struct log *log;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	if (log_open(&log, path) != NULL)
		return 1;
	err = log_add(log, "0123456789", 10);
	if (err == NULL || err->sys_errno != ENOSPC)
		return 2;
	err = log_add(log, "more", 4);
	log_close(log);
	return err != NULL && err->sys_errno == EFBIG ? 0 : 3;
}

static void
test_write_errors(const char *dir)
{
	char *missing = path_join(dir, "gone/such.log");
	char *wrong = path_join(dir, "gone/such.log/no.log");
	char *full = path_join(dir, "full.log");
	const struct err *err;
	int status = -1;
	struct log *log;
	pid_t pid;

	is_ok(log_open(&log, missing), "the folder for the file is made");
	log_close(log);
	err = log_open(&log, wrong);
	is_err(err, ERR_SYSTEM, wrong, "unless it cannot be");
	ok(log == NULL, "... no log is given");
	free(wrong);
	pid = fork();
	if (pid == 0)
		_exit(fill_disk(full));
	waitpid(pid, &status, 0);
	is_int(status, 0, "a full disk is an error");
	free(missing);
	free(full);
}

static void
test_tail(const char *dir)
{
	char *path = path_join(dir, "tail.log");
	struct log_tail *tail;

	is_ok(log_tail_open(&tail, path), "the file is not there yet");
	log_tail_watch(tail);
	expect(tail, NULL, "nothing in it");
	append(path, "");
	expect(tail, NULL, "an empty file");
	append(path, "one\ntw");
	expect(tail, "one", "a whole line");
	expect(tail, NULL, "half a line");
	append(path, "o");
	expect(tail, NULL, "still no newline");
	append(path, "\n\nthree\n");
	expect(tail, "two", "the rest of it");
	expect(tail, "", "an empty line");
	expect(tail, "three", "the next");
	expect(tail, NULL, "the end");
	log_tail_close(tail);
	log_tail_close(NULL);
	free(path);
}

static void
test_long(const char *dir)
{
	static const size_t sizes[] = { 65535, 65536, MIB, 5 * MIB + 1 };
	char *path = path_join(dir, "long.log");
	struct str line = STR_INIT;
	struct log_tail *tail;
	struct log *log;
	bool found;

	is_ok(log_open(&log, path), "open");
	is_ok(log_tail_open(&tail, path), "follow");
	log_tail_watch(tail);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *bytes = xmalloc(sizes[i]);

		memset(bytes, 'a' + (int)i, sizes[i]);
		is_ok(log_add(log, bytes, sizes[i]), "%zu bytes", sizes[i]);
		is_ok(log_tail_next(tail, &line, &found), "... read");
		ok(found && line.len == sizes[i] &&
		    memcmp(line.s, bytes, sizes[i]) == 0,
		    "... the same bytes");
		free(bytes);
	}
	expect(tail, NULL, "no more");
	log_tail_close(tail);
	log_close(log);
	str_release(&line);
	free(path);
}

/* A writer that makes the file and adds lines while we follow. */
static pid_t
start_writer(const char *path, int lines)
{
	pid_t pid = fork();
	struct log *log;

	if (pid != 0)
		return pid;
	if (log_open(&log, path) != NULL)
		_exit(1);
	for (int i = 0; i < lines; i++) {
		char *line = xasprintf("line %d", i);

		if (log_add(log, line, strlen(line)) != NULL)
			_exit(1);
		free(line);
	}
	log_close(log);
	_exit(0);
}

static void
wait_by_poll(struct log_tail *tail)
{
	struct pollfd pfd = { log_tail_fd(tail), POLLIN, 0 };

	poll(&pfd, 1, DEADLINE_MS);
	log_tail_wait(tail, 0);
}

/* Read "lines" lines in their order; how many came before the deadline. */
static int
follow(struct log_tail *tail, int lines, bool by_poll)
{
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
	struct str line = STR_INIT;
	int n = 0;

	while (n < lines && clock_monotonic_ms() < deadline_ms) {
		bool found = false;

		if (log_tail_next(tail, &line, &found) != NULL)
			break;
		if (found && atoi(line.s + strlen("line ")) != n)
			break;
		n += found;
		if (!found && by_poll)
			wait_by_poll(tail);
		else if (!found)
			log_tail_wait(tail, DEADLINE_MS);
	}
	str_release(&line);
	return n;
}

static void
test_follow(const char *dir)
{
	for (int by_poll = 0; by_poll < 2; by_poll++) {
		char *path = xasprintf("%s/follow%d.log", dir, by_poll);
		struct log_tail *tail;
		int status = -1;
		pid_t pid;

		is_ok(log_tail_open(&tail, path), "before there is a file");
		is_int(log_tail_fd(tail), -1, "nothing is watched");
		log_tail_watch(tail);
		ok(log_tail_fd(tail) != -1, "there is a descriptor");
		pid = start_writer(path, 2000);
		is_int(follow(tail, 2000, by_poll), 2000, "all lines, %s",
		    by_poll ? "by poll" : "by wait");
		waitpid(pid, &status, 0);
		is_int(status, 0, "... all written");
		log_tail_close(tail);
		free(path);
	}
}

static void
test_wait_time(const char *dir)
{
	char *path = path_join(dir, "quiet.log");
	struct log_tail *tail;
	int64_t start_ms;

	append(path, "one\n");
	is_ok(log_tail_open(&tail, path), "a file that does not grow");
	log_tail_watch(tail);
	start_ms = clock_monotonic_ms();
	log_tail_wait(tail, DEADLINE_MS);
	ok(clock_monotonic_ms() - start_ms < DEADLINE_MS,
	    "what is unread is not waited for");
	expect(tail, "one", "the line");
	start_ms = clock_monotonic_ms();
	log_tail_wait(tail, 30);
	ok(clock_monotonic_ms() - start_ms >= 29, "no longer than told");
	ok(clock_monotonic_ms() - start_ms < DEADLINE_MS, "... in fact");
	log_tail_close(tail);
	free(path);
}

/* With one descriptor left the file can be opened and inotify cannot. */
static struct log_tail *
open_without_inotify(const char *path)
{
	struct rlimit old, limit;
	struct log_tail *tail;
	int next = dup(0);

	close(next);
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	limit.rlim_cur = (rlim_t)next + 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	is_ok(log_tail_open(&tail, path), "without inotify");
	log_tail_watch(tail);
	setrlimit(RLIMIT_NOFILE, &old);
	return tail;
}

static void
test_slices(const char *dir)
{
	char *path = path_join(dir, "slices.log");
	struct log_tail *tail;
	int64_t start_ms;
	int status = -1;
	pid_t pid;

	append(path, "");
	tail = open_without_inotify(path);
	is_int(log_tail_fd(tail), -1, "no descriptor to poll");
	start_ms = clock_monotonic_ms();
	log_tail_wait(tail, 50);
	ok(clock_monotonic_ms() - start_ms >= 50, "waits as told");
	pid = start_writer(path, 200);
	is_int(follow(tail, 200, false), 200, "all lines by looking");
	waitpid(pid, &status, 0);
	is_int(status, 0, "... all written");
	log_tail_close(tail);
	free(path);
}

/* The folder of the file may be missing, too. */
static void
test_no_folder(const char *dir)
{
	char *folder = path_join(dir, "later");
	char *path = path_join(folder, "deploy.log");
	struct log_tail *tail;

	is_ok(log_tail_open(&tail, path), "not even a folder");
	log_tail_watch(tail);
	is_int(log_tail_fd(tail), -1, "nothing to poll yet");
	expect(tail, NULL, "nothing to read");
	is_ok(file_mkdirs(folder, 0755), "the folder comes");
	append(path, "one\n");
	log_tail_wait(tail, DEADLINE_MS);
	expect(tail, "one", "the file with it");
	ok(log_tail_fd(tail) != -1, "now it can be polled");
	log_tail_close(tail);
	free(path);
	free(folder);
}

static void
test_tail_errors(const char *dir)
{
	char *file = path_join(dir, "plain");
	char *path = path_join(file, "below.log");
	struct log_tail *tail;
	struct str line = STR_INIT;
	bool found = true;

	append(file, "");
	is_err(log_tail_open(&tail, path), ERR_SYSTEM, path,
	    "a file is no folder");
	ok(tail == NULL, "... no tail is given");
	is_ok(log_tail_open(&tail, dir), "a folder can be opened");
	log_tail_watch(tail);
	is_err(log_tail_next(tail, &line, &found), ERR_SYSTEM, dir,
	    "... but not read");
	ok(!found, "... nothing is found");
	log_tail_close(tail);
	str_release(&line);
	free(path);
	free(file);
}

int
main(void)
{
	const char *dir = tap_folder();

	test_write(dir);
	test_torn(dir);
	test_write_errors(dir);
	test_tail(dir);
	test_long(dir);
	test_follow(dir);
	test_wait_time(dir);
	test_slices(dir);
	test_no_folder(dir);
	test_tail_errors(dir);
	return tap_done();
}
