/*
 * What spawn arranges for a child, seen through the doors of proc.
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "tap.h"

/* How long a condition may take to come true. */
#define PATIENCE_MS 20000

static const char *const plain_env[] = { "PATH=/usr/bin:/bin", NULL };

static struct str output = STR_INIT;

static const struct err *
collect(const char *bytes, size_t len, void *ctx)
{
	str_add_bytes(ctx, bytes, len);
	return NULL;
}

static struct proc_spec
shell(const char **argv, const char *command)
{
	struct proc_spec spec = PROC_SPEC_INIT;

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = command;
	argv[3] = NULL;
	spec.argv = argv;
	spec.env = plain_env;
	str_clear(&output);
	return spec;
}

static void
test_cannot_start(void)
{
	static const char *const nowhere[] = { "PATH=/nonexistent", NULL };
	const char *argv[4], *missing[] = { "nosuch-program", NULL };
	const char *folder[] = { "/tmp", NULL };
	struct proc_spec spec = shell(argv, "true");
	struct proc_result result;

	spec.argv = missing;
	is_err(proc_run(&result, &spec, collect, &output), ERR_SYSTEM,
	    "run nosuch-program: No such file", "a missing program");
	spec.argv = folder;
	is_err(proc_run(&result, &spec, collect, &output), ERR_SYSTEM,
	    "run /tmp: Permission denied", "a folder is no program");
	spec.argv = argv;
	spec.env = nowhere;
	is_err(proc_run(&result, &spec, collect, &output), ERR_SYSTEM,
	    "run sh: No such file", "PATH is the one of the child");
	spec.env = NULL;
	is_ok(proc_run(&result, &spec, collect, &output),
	    "without PATH the usual folders are searched");
	spec.dir = "/nonexistent";
	is_err(proc_run(&result, &spec, collect, &output), ERR_SYSTEM,
	    "run sh: enter its folder: No such file", "a missing folder");
	spec.dir = NULL;
	spec.dirfd = 999;
	is_err(proc_run(&result, &spec, collect, &output), ERR_SYSTEM,
	    "run sh: enter its folder: Bad file", "a bad dirfd");
	spec.dirfd = -1;
	spec.out_fd = 999;
	is_err(proc_run(&result, &spec, collect, &output), ERR_SYSTEM,
	    "run sh: arrange its descriptors: Bad file", "a bad out_fd");
	is_int(result.exit_status, -1, "no status of what did not run");
	is_int(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
}

static void
test_world(void)
{
	static const char *const env[] = { "B=2 ", "A=x\ny", NULL };
	const char *argv[4], *print[] = { "/usr/bin/env", "-0", NULL };
	struct proc_spec spec = shell(argv, "pwd");
	struct proc_result result;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct stat st;
	char path[256];
	int fd;

	setenv("LEAK", "1", 1);
	spec.argv = print;
	spec.env = env;
	is_ok(proc_run(&result, &spec, collect, &output), "run env");
	ok(output.len == 11 && memcmp(output.s, "B=2 \0A=x\ny\0", 11) == 0,
	    "the environment is exactly what was given");

	spec = shell(argv, "pwd");
	spec.dir = "/usr";
	is_ok(proc_run(&result, &spec, collect, &output), "run in dir");
	is_str(output.s, "/usr\n", "dir is the folder");
	spec = shell(argv, "pwd");
	spec.dirfd = open("/usr/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_ok(proc_run(&result, &spec, collect, &output), "run in dirfd");
	is_str(output.s, "/usr/bin\n", "dirfd is the folder");
	close(spec.dirfd);

	fd = open("/dev/null", O_RDONLY);
	spec = shell(argv, "exec ls /proc/self/fd");
	is_ok(proc_run(&result, &spec, collect, &output), "list descriptors");
	is_str(output.s, "0\n1\n2\n3\n", "three, and the one of ls");
	close(fd);

	sigaction(SIGUSR1, &ignore, NULL);
	spec = shell(argv, "kill -USR1 $$; exit 3");
	is_ok(proc_run(&result, &spec, collect, &output), "ignored signal");
	is_int(result.signal, SIGUSR1, "signals are back at their defaults");

	snprintf(path, sizeof(path), "%s/out", tap_folder());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	spec = shell(argv, "echo out; echo err >&2");
	spec.out_fd = fd;
	is_ok(proc_run(&result, &spec, collect, &output), "run with out_fd");
	is_str(output.s, "err\n", "stderr goes to the callback");
	ok(fstat(fd, &st) == 0 && st.st_size == 4, "stdout to the file");
	close(fd);
}

static bool
file_has(const char *path, const char *part)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	char text[4096];
	bool found = false;

	while (!found && clock_monotonic_ms() < until_ms) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof(text) - 1);

		if (fd != -1)
			close(fd);
		text[n < 0 ? 0 : n] = '\0';
		found = strstr(text, part) != NULL;
		if (!found)
			poll(NULL, 0, 5);
	}
	if (!found)
		diag("%s has: %s", path, text);
	return found;
}

/* It hears what is said to it, and then the end of it. */
static void
test_hold(void)
{
	const char *argv[] = { "sh", "-c", "echo begun >&2; cat >&2;"
	    " echo ended >&2", NULL };
	const char *missing[] = { "nosuch-program", NULL };
	char path[256];
	int hold;

	snprintf(path, sizeof(path), "%s/held", tap_folder());
	is_ok(proc_detach(argv, plain_env, path, &hold), "held");
	ok(file_has(path, "begun\n"), "it runs");
	is_int(write(hold, "go on\n", 6), 6, "something is said to it");
	ok(file_has(path, "begun\ngo on\n"), "it goes on listening");
	close(hold);
	ok(file_has(path, "go on\nended\n"), "it hears the end");
	is_err(proc_detach(missing, plain_env, NULL, &hold), ERR_SYSTEM,
	    "run nosuch-program: No such file", "a missing program, held");
	is_int(hold, -1, "holds nothing");
}

static void
test_detach(void)
{
	const char *missing[] = { "nosuch-program", NULL };
	const char *argv[] = { "sh", "-c", "echo $(pwd) $(ls /proc/self/fd)"
	    " $(readlink /proc/$$/fd/0 /proc/$$/fd/1)"
	    " own $(($(cut -d' ' -f6 /proc/$$/stat) == $(ps -o pgid= $$)))"
	    " old $(($(cut -d' ' -f6 /proc/$$/stat) == SID)) end >&2", NULL };
	char path[256], sid[32];
	const char *env[] = { plain_env[0], sid, NULL };

	snprintf(sid, sizeof(sid), "SID=%d", (int)getsid(0));
	snprintf(path, sizeof(path), "%s/stderr", tap_folder());
	is_ok(proc_detach(argv, env, path, NULL), "detach");
	ok(file_has(path, "/ 0 1 2 3 /dev/null "), "folder, descriptors");
	ok(file_has(path, " own 1 old 0 end\n"), "a session of its own");
	is_ok(proc_detach(argv, env, NULL, NULL), "without a file");
	is_err(proc_detach(missing, plain_env, NULL, NULL), ERR_SYSTEM,
	    "run nosuch-program: No such file", "a missing program");
	is_err(proc_detach(argv, plain_env, "/nonexistent/x", NULL), ERR_SYSTEM,
	    "open /nonexistent/x: No such file", "a missing folder");
}

static void
test_pair(void)
{
	const char *argv[] = { "cat", NULL };
	const char *missing[] = { "nosuch-program", NULL };
	const char *shell_argv[4];
	struct proc_spec spec = shell(shell_argv, "sleep 1000");
	struct proc_result result;
	char text[8] = "";
	int fd, status;
	pid_t pid;

	is_ok(proc_pair(&pid, &fd, argv, plain_env), "a pair");
	spec.timeout_ms = 50;
	is_ok(proc_run(&result, &spec, collect, &output), "a run beside it");
	ok(write(fd, "echo\n", 5) == 5 && read(fd, text, 7) == 5 &&
	    strcmp(text, "echo\n") == 0, "cat lives and answers");
	ok(getpgid(pid) == pid, "it has its own group");
	ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
	close(fd);
	is_int(waitpid(pid, &status, 0), pid, "it is the caller's to reap");
	is_int(status, 0, "it ends with its input");
	is_err(proc_pair(&pid, &fd, missing, plain_env), ERR_SYSTEM,
	    "run nosuch-program: No such file", "a missing program");
	ok(pid == -1 && fd == -1, "nothing is handed out");
}

/* Whoever is killed takes the command along that it waits for. */
static void
test_tied(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, "echo $$; exec sleep 1000");
	struct proc_result result;
	struct pollfd watch = { -1, POLLIN, 0 };
	char digits[32] = "";
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) == -1)
		abort();
	spec.out_fd = pair[1];
	pid = fork();
	if (pid == 0) {
		proc_run(&result, &spec, NULL, NULL);
		_exit(0);
	}
	ok(read(pair[0], digits, sizeof(digits) - 1) > 1, "a command runs");
	watch.fd = (int)syscall(SYS_pidfd_open, atoi(digits), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_int(poll(&watch, 1, 10000), 1, "it ends with the one who waits");
	close(watch.fd);
	close(pair[0]);
	close(pair[1]);
}

/* As an old kernel would, refuse the two calls that have a substitute. */
static bool
lose_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The last test: the calls do not come back. */
static void
test_old_kernel(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, "exec ls /proc/self/fd");
	struct proc_result result;
	int fd = open("/dev/null", O_RDONLY);

	if (!lose_calls()) {
		diag("no seccomp here, the substitutes are not tested");
		close(fd);
		return;
	}
	is_ok(proc_run(&result, &spec, collect, &output), "list descriptors");
	is_str(output.s, "0\n1\n2\n3\n", "closed one by one");
	spec = shell(argv, "sleep 1000");
	spec.timeout_ms = 100;
	is_ok(proc_run(&result, &spec, collect, &output), "a deadline");
	ok(result.timed_out && result.signal == SIGTERM, "without pidfd");
	close(fd);
}

int
main(void)
{
	test_cannot_start();
	test_world();
	test_detach();
	test_hold();
	test_pair();
	test_tied();
	test_old_kernel();
	str_release(&output);
	return tap_done();
}
