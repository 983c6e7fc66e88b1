#include "spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"
#include "kin.h"

/* Descriptors are parked from here on while 0 to 3 are filled. */
#define PARK 10

/* As close_range(2) names the end. */
#define LAST_FD (~0U)

/* Where the child keeps the status pipe: behind the standard three. */
#define STATUS_FD 3

enum step {
	STEP_FORK,
	STEP_NOTE,
	STEP_FILES,
	STEP_DIR,
	STEP_NICE,
	STEP_MEMORY,
	STEP_EXEC,
	STEP_PID		/* no failure: the number of a detached child */
};

/* What a child writes into the status pipe. */
struct note {
	int step;
	int value;		/* errno, or the number */
};

static const char *const step_texts[] = {
	[STEP_FORK]   = ": fork",
	[STEP_NOTE]   = ": note its number",
	[STEP_FILES]  = ": arrange its descriptors",
	[STEP_DIR]    = ": enter its folder",
	[STEP_NICE]   = ": set its priority",
	[STEP_MEMORY] = ": limit its memory",
	[STEP_EXEC]   = "",
};

static void
tell(int status_fd, int step, int value)
{
	struct note note = { step, value };
	ssize_t n;

	do {
		n = write(status_fd, &note, sizeof(note));
	} while (n == -1 && errno == EINTR);
}

static void
default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* For kernels before 5.9. */
static int
close_listed(int held_fd)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (dir == NULL)
		return -1;
	for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		int fd = atoi(entry->d_name);

		if (fd > STATUS_FD && fd != dirfd(dir) &&
		    fd != held_fd)
			close(fd);
	}
	closedir(dir);
	return 0;
}

static int
close_rest(int held_fd)
{
	bool closed;

	if (held_fd == -1)
		closed = syscall(SYS_close_range, STATUS_FD + 1, LAST_FD,
		    0) == 0;
	else
		closed = syscall(SYS_close_range, STATUS_FD + 1,
		    held_fd - 1, 0) == 0 && syscall(SYS_close_range,
		    held_fd + 1, LAST_FD, 0) == 0;
	return closed ? 0 : close_listed(held_fd);
}

/*
 * The sources may be any numbers, also 0 to 3 in another order; parked
 * copies cannot be overwritten while the targets are filled.
 */
static int
arrange_files(const int fds[3], int held_fd, int *status_fd)
{
	int parked[3], status, held = -1;

	for (int i = 0; i < 3; i++) {
		parked[i] = fds[i] == -1 ?
		    open("/dev/null", O_RDWR | O_CLOEXEC) :
		    fcntl(fds[i], F_DUPFD_CLOEXEC, PARK);
		if (parked[i] != -1 && parked[i] < PARK)
			parked[i] = fcntl(parked[i], F_DUPFD_CLOEXEC, PARK);
		if (parked[i] == -1)
			return -1;
	}
	status = fcntl(*status_fd, F_DUPFD_CLOEXEC, PARK);
	if (status == -1)
		return -1;
	*status_fd = status;
	if (held_fd != -1)
		held = fcntl(held_fd, F_DUPFD_CLOEXEC, PARK);
	for (int i = 0; i < 3; i++) {
		if (dup2(parked[i], i) == -1)
			return -1;
	}
	if (dup3(status, STATUS_FD, O_CLOEXEC) == -1)
		return -1;
	*status_fd = STATUS_FD;
	/* The parked ones have done their duty. */
	if (held == SPAWN_HELD)
		fcntl(held, F_SETFD, 0);
	else if (held != -1 && dup2(held, SPAWN_HELD) == -1)
		held = -1;
	return close_rest(held == -1 ? -1 : SPAWN_HELD);
}

static int
enter_dir(const struct spawn *spawn)
{
	if (spawn->dir != NULL)
		return chdir(spawn->dir);
	return spawn->dirfd == -1 ? 0 : fchdir(spawn->dirfd);
}

static int
be_nice(int increment)
{
	if (increment == 0)
		return 0;
	errno = 0;
	return nice(increment) == -1 && errno != 0 ? -1 : 0;
}

static int
limit_memory(uint64_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	return bytes == 0 ? 0 : setrlimit(RLIMIT_DATA, &limit);
}

/* execvp() looks in the PATH of environ, so the child's goes there first. */
static void
run_program(const struct spawn *spawn)
{
	static char *no_env[] = { NULL };

	environ = spawn->env == NULL ? no_env : (char **)(uintptr_t)spawn->env;
	execvp(spawn->argv[0], (char **)(uintptr_t)spawn->argv);
}

/* Decimal; only what a forked child may call. */
static int
note_number(int fd, size_t at)
{
	char text[24], *p = text + sizeof(text);
	long pid = (long)getpid();

	if (fd == -1)
		return 0;
	*--p = '\n';
	do {
		*--p = (char)('0' + pid % 10);
		pid /= 10;
	} while (pid > 0);
	return pwrite(fd, p, (size_t)(text + sizeof(text) - p),
	    (off_t)at) == -1 ? -1 : 0;
}

static void
be_child(const struct spawn *spawn, int status_fd)
{
	enum step step = STEP_NOTE;

	default_signals();
	if (note_number(spawn->note_fd, spawn->note_at) == -1)
		goto failed;
	step = STEP_DIR;
	if (spawn->tied)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (enter_dir(spawn) == -1)
		goto failed;
	step = STEP_FILES;
	if (arrange_files(spawn->fds, spawn->held_fd, &status_fd) == -1)
		goto failed;
	step = STEP_NICE;
	if (be_nice(spawn->nice) == -1)
		goto failed;
	step = STEP_MEMORY;
	if (limit_memory(spawn->memory_bytes) == -1)
		goto failed;
	step = STEP_EXEC;
	run_program(spawn);
failed:
	tell(status_fd, step, errno);
	_exit(127);
}

static void
be_middle(const struct spawn *spawn, int status_fd)
{
	pid_t pid;

	setsid();
	pid = fork();
	if (pid == 0)
		be_child(spawn, status_fd);
	if (pid == -1)
		tell(status_fd, STEP_FORK, errno);
	else
		tell(status_fd, STEP_PID, pid);
	_exit(0);
}

/* No handler of the caller may run in the child. */
static pid_t
fork_quietly(const struct spawn *spawn, int status_fd)
{
	sigset_t all, before;
	int saved;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = kin_fork();
	if (pid == 0 && spawn->detached)
		be_middle(spawn, status_fd);
	if (pid == 0) {
		setpgid(0, 0);
		be_child(spawn, status_fd);
	}
	saved = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

/* Read until every holder of the other end has run exec or has ended. */
static const struct err *
hear(int status_fd, const struct spawn *spawn)
{
	const struct err *err = NULL;
	struct note note;
	ssize_t n;

	for (;;) {
		n = read(status_fd, &note, sizeof(note));
		if (n == -1 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(note))
			return err;
		if (note.step == STEP_PID) {
			kin_keep(note.value);
			continue;
		}
		errno = note.value;
		err = err_system("run %s%s", spawn->argv[0],
		    step_texts[note.step]);
	}
}

const struct err *
spawn_start(pid_t *pid, const struct spawn *spawn)
{
	const struct err *err = NULL;
	int status[2];

	*pid = -1;
	if (pipe2(status, O_CLOEXEC) == -1)
		return err_system("run %s: pipe", spawn->argv[0]);
	*pid = fork_quietly(spawn, status[1]);
	if (*pid == -1)
		err = err_system("run %s: fork", spawn->argv[0]);
	file_close(&status[1]);
	if (*pid != -1) {
		if (!spawn->detached)
			setpgid(*pid, *pid);
		err = hear(status[0], spawn);
	}
	file_close(&status[0]);
	if (*pid != -1 && (err != NULL || spawn->detached)) {
		kin_wait(*pid, NULL);
		*pid = -1;
	}
	return err;
}
