#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "path.h"
#include "tap.h"

/* A child that takes the lock, says so, and holds it until it is killed. */
static pid_t
start_holder(const char *path)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds) == -1)
		exit(1);
	pid = fork();
	if (pid == 0) {
		struct lock *lock;

		if (lock_take(&lock, path, "deploy 41", 0) != NULL ||
		    write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (pid == -1 || read(fds[0], &c, 1) != 1)
		exit(1);
	close(fds[0]);
	return pid;
}

static void
stop_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_own(const char *path)
{
	struct lock *lock, *second;

	ok(!lock_is_held(path), "nobody holds a file that is not there");
	is_ok(lock_take(&lock, path, "a test", 0), "taken");
	ok(lock_is_held(path), "is held");
	is_err(lock_take(&second, path, "another", 0), ERR_BUSY, "a test",
	    "not taken twice");
	ok(second == NULL, "... no lock is given");
	lock_release(lock);
	ok(!lock_is_held(path), "is not held after the release");
	ok(file_exists(AT_FDCWD, path), "the file stays");
	lock_release(NULL);
}

static void
test_child(const char *path)
{
	pid_t pid = start_holder(path);
	int64_t start_ms = clock_monotonic_ms();
	const struct err *err;
	struct lock *lock;
	char *who = xasprintf("pid %d, deploy 41", (int)pid);

	ok(lock_is_held(path), "a child holds it");
	err = lock_take(&lock, path, "a test", 60);
	is_err(err, ERR_BUSY, who, "busy after the timeout, and says who");
	ok(clock_monotonic_ms() - start_ms >= 60, "... not earlier");
	stop_holder(pid);
	ok(!lock_is_held(path), "kill -9 of the holder frees it");
	is_ok(lock_take(&lock, path, "a test", 0), "taken again");
	lock_release(lock);
	free(who);
}

/* Start a child that waits for the lock and leaves with what came of it. */
static pid_t
start_waiter(const char *path, int64_t timeout_ms)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct lock *lock;

		_exit(lock_take(&lock, path, "waiter", timeout_ms) != NULL);
	}
	return pid;
}

static void
test_wait(const char *path)
{
	static const int64_t timeouts_ms[] = { -1, 60000 };

	for (size_t i = 0; i < 2; i++) {
		pid_t holder = start_holder(path);
		pid_t waiter = start_waiter(path, timeouts_ms[i]);
		int status = -1;

		is_int(waitpid(waiter, &status, WNOHANG), 0,
		    "a waiter waits, %d", (int)timeouts_ms[i]);
		stop_holder(holder);
		waitpid(waiter, &status, 0);
		is_int(status, 0, "... and gets it from a killed holder");
	}
}

static void
test_errors(const char *dir)
{
	char *missing = path_join(dir, "no/such.lock");
	const struct err *err;
	struct lock *lock;

	err = lock_take(&lock, missing, "a test", 0);
	is_err(err, ERR_SYSTEM, missing, "no folder for the file");
	is_int(err->sys_errno, ENOENT, "... errno is kept");
	ok(lock == NULL, "... no lock is given");
	free(missing);
}

/* Root may open anything, so it is nobody for a moment. */
static void
test_foreign(const char *dir)
{
	char *path = path_join(dir, "foreign.lock");
	uid_t user = geteuid();
	const struct err *err;
	struct lock *lock;

	is_ok(lock_take(&lock, path, "a test", 0), "a lock");
	lock_release(lock);
	ok(chmod(dir, 0755) == 0 && chmod(path, 0) == 0 &&
	    (user != 0 || seteuid(65534) == 0), "of somebody else");
	err = lock_take(&lock, path, "a test", 0);
	is_err(err, ERR_SYSTEM, "give it to the user who deploys",
	    "what to do is told");
	ok(seteuid(user) == 0 && unlink(path) == 0 && chmod(dir, 0555) == 0 &&
	    (user != 0 || seteuid(65534) == 0), "a folder of somebody else");
	err = lock_take(&lock, path, "a test", 0);
	is_err(err, ERR_SYSTEM, "write in that folder", "of that, too");
	ok(seteuid(user) == 0 && chmod(dir, 0755) == 0, "as before");
	free(path);
}

int
main(void)
{
	char *path = path_join(tap_folder(), "production.lock");

	test_own(path);
	test_child(path);
	test_wait(path);
	test_errors(tap_folder());
	test_foreign(tap_folder());
	free(path);
	return tap_done();
}
