#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "path.h"
#include "tap.h"
#include "vec.h"

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

static const struct err *
refuse(const char *bytes, size_t len, void *ctx)
{
	(void)bytes;
	(void)len;
	(void)ctx;
	return err_new(ERR_REFUSED, "enough");
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

/* True when the process ends or has ended; zombies have ended. */
static bool
dies(pid_t pid)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	char path[64], text[512], *behind;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (clock_monotonic_ms() < until_ms) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd != -1)
			close(fd);
		if (n <= 0)
			return true;
		text[n] = '\0';
		behind = strrchr(text, ')');
		if (behind != NULL && behind[2] == 'Z')
			return true;
		poll(NULL, 0, 5);
	}
	return false;
}

static bool
is_reaped(pid_t pid)
{
	return kill(pid, 0) == -1 && errno == ESRCH;
}

static void
test_endings(void)
{
	static const struct {
		const char *command, *output, *how;
		int status, signal;
	} cases[] = {
		{ "exit 0", "", "exit 0", 0, 0 },
		{ "exit 7", "", "exit 7", 7, 0 },
		{ "exit 255", "", "exit 255", 255, 0 },
		{ "kill -9 $$", "", "killed by signal 9 (Killed)", -1, 9 },
		{ "kill -15 $$", "", "killed by signal 15 (Terminated)",
		    -1, 15 },
		{ "echo a; echo b >&2; echo c", "a\nb\nc\n", "exit 0", 0, 0 },
		{ "cat; echo $#", "0\n", "exit 0", 0, 0 },
		{ "test -c /dev/stdin; exit $?", "", "exit 0", 0, 0 },
		{ "printf '%s' \"$(ps -o pgid= $$ | tr -d ' ')\" | "
		    "grep -qx $$", "", "exit 0", 0, 0 },
		{ "nosuch-program 2>/dev/null", "", "exit 127", 127, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *argv[4];
		struct proc_spec spec = shell(argv, cases[i].command);
		struct proc_result result;
		struct str how = STR_INIT;

		is_ok(proc_run(&result, &spec, collect, &output), "run '%s'",
		    cases[i].command);
		is_str(output.s, cases[i].output, "its output");
		is_int(result.exit_status, cases[i].status, "its status");
		is_int(result.signal, cases[i].signal, "its signal");
		ok(!result.timed_out && !result.stopped &&
		    result.duration_ms >= 0, "nobody ended it");
		proc_describe(&how, &result);
		is_str(how.s, cases[i].how, "in words");
		str_release(&how);
	}
}

static void
test_limits(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv,
	    "head -c 300000000 /dev/zero | tail -n 1 >/dev/null");
	struct proc_result result;

	is_ok(proc_run(&result, &spec, collect, &output), "300 MB");
	is_int(result.exit_status, 0, "fit without a limit");
	spec.memory_bytes = 100 << 20;
	is_ok(proc_run(&result, &spec, collect, &output), "300 MB");
	is_int(result.exit_status, 1, "do not fit into 100 MB");
	ok(strstr(output.s, "memory exhausted") != NULL, "tail says so");
	spec = shell(argv, "nice");
	spec.nice = 3;
	is_ok(proc_run(&result, &spec, collect, &output), "run nice");
	is_int(atoi(output.s), 3, "it is nicer");
}

static void
test_streams(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, "exec cat");
	size_t size = 1 << 20;
	char *input = xmalloc(size);
	struct proc_result result;

	for (size_t i = 0; i < size; i++)
		input[i] = (char)(i * 2654435761u >> 13);
	spec.input = input;
	spec.input_len = size;
	is_ok(proc_run(&result, &spec, collect, &output), "1 MB through cat");
	ok(output.len == size && memcmp(output.s, input, size) == 0,
	    "comes back unchanged");
	spec = shell(argv, "exit 4");
	spec.input = input;
	spec.input_len = size;
	is_ok(proc_run(&result, &spec, collect, &output), "unread input");
	is_int(result.exit_status, 4, "is no error");
	spec = shell(argv, "exec <&-; sleep 0.2; exit 5");
	spec.input = input;
	spec.input_len = size;
	is_ok(proc_run(&result, &spec, collect, &output), "closed stdin");
	is_int(result.exit_status, 5, "does not kill the caller by PIPE");
	spec = shell(argv, "exec cat");
	spec.input = "";
	is_ok(proc_run(&result, &spec, collect, &output), "empty input");
	is_int(output.len, 0, "ends at once");
	free(input);

	spec = shell(argv, "head -c 10485760 /dev/zero; printf 'a\\0b'");
	is_ok(proc_run(&result, &spec, collect, &output), "10 MB of output");
	ok(output.len == 10485763 &&
	    memcmp(output.s + 10485758, "\0\0a\0b", 5) == 0,
	    "arrive with their NUL bytes");
	spec = shell(argv, "head -c 100000 /dev/zero");
	is_ok(proc_run(&result, &spec, NULL, NULL), "no callback");
	is_int(result.exit_status, 0, "output is dropped");
}

/* A grandchild in its own session that TERM cannot impress. */
static void
test_timeout(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv,
	    "setsid sh -c 'trap \"\" TERM; echo $$; while :; do"
	    " sleep 1; done' & trap '' TERM; echo; while :; do sleep 1; done");
	struct proc_result result;
	struct str how = STR_INIT;
	pid_t pid, stranger = fork();
	int status;

	if (stranger == 0) {
		pause();
		_exit(0);
	}
	spec.timeout_ms = 1000;
	is_ok(proc_run(&result, &spec, collect, &output), "a deadline");
	pid = (pid_t)atoi(output.s + strspn(output.s, "\n"));
	ok(result.timed_out && !result.stopped, "is told");
	is_int(result.signal, SIGKILL, "TERM was not enough");
	ok(result.duration_ms >= 1000 + PROC_GRACE_MS &&
	    result.duration_ms < PATIENCE_MS, "after the grace");
	ok(pid > 1 && is_reaped(pid), "the daemon %d is dead and reaped",
	    (int)pid);
	proc_describe(&how, &result);
	ok(str_starts_with(how.s, "timed out after "), "in words: %s", how.s);
	str_release(&how);
	is_int(waitpid(stranger, &status, WNOHANG), 0,
	    "a child of the caller is left alone");
	kill(stranger, SIGKILL);
	is_int(waitpid(stranger, &status, 0), stranger,
	    "and its status is the caller's");
	is_int(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
}

static void
test_polite_end(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv,
	    "trap 'echo bye; exit 9' TERM; echo hi; while :; do :; done");
	struct proc_result result;

	spec.timeout_ms = 300;
	is_ok(proc_run(&result, &spec, collect, &output), "a deadline");
	ok(result.timed_out, "is told");
	is_int(result.exit_status, 9, "TERM lets the child clean up");
	is_str(output.s, "hi\nbye\n", "and speak");
	ok(result.duration_ms < PROC_GRACE_MS, "no grace is wasted");
}

static void
test_daemon(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv,
	    "setsid sh -c 'echo $$ >pid; exec sleep 1000' &"
	    " until test -s pid; do sleep 0.01; done; cat pid; echo ready");
	struct proc_spec again;
	struct proc_result result;
	int64_t started_ms = clock_monotonic_ms();
	pid_t pid;

	spec.dir = tap_folder();
	is_ok(proc_run(&result, &spec, collect, &output), "leave a daemon");
	ok(clock_monotonic_ms() - started_ms < PATIENCE_MS,
	    "which holds nobody up");
	pid = (pid_t)atoi(output.s);
	ok(strstr(output.s, "ready\n") != NULL, "all output is there");
	ok(pid > 1 && kill(pid, 0) == 0, "it lives");

	again = shell(argv, "sleep 1000");
	again.timeout_ms = 100;
	is_ok(proc_run(&result, &again, collect, &output), "another times out");
	ok(kill(pid, 0) == 0 && result.signal == SIGTERM,
	    "the older daemon still lives");
	kill(pid, SIGKILL);
	ok(dies(pid), "until it is killed");
	again = shell(argv, "true");
	is_ok(proc_run(&result, &again, collect, &output), "the next run");
	ok(is_reaped(pid), "reaps it");
}

/* A child that fails takes its group with it, one that succeeds does not. */
static void
test_failed_group(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, "sleep 1000 >/dev/null 2>&1 &"
	    " echo $!; exit 3");
	struct proc_result result;
	pid_t pid;

	is_ok(proc_run(&result, &spec, collect, &output), "exit 3");
	is_int(result.exit_status, 3, "is told");
	ok(dies((pid_t)atoi(output.s)), "what it left in its group is ended");

	spec = shell(argv, "sleep 1000 >/dev/null 2>&1 & echo $!;"
	    " kill -9 $$");
	is_ok(proc_run(&result, &spec, collect, &output), "killed");
	is_int(result.signal, 9, "is told");
	ok(dies((pid_t)atoi(output.s)), "and its group with it");

	spec = shell(argv, "sleep 1000 >/dev/null 2>&1 & echo $!");
	is_ok(proc_run(&result, &spec, collect, &output), "exit 0");
	pid = (pid_t)atoi(output.s);
	ok(pid > 1 && kill(pid, 0) == 0, "leaves its group alone");
	kill(pid, SIGKILL);
	ok(dies(pid), "until it is killed");
}

static bool
is_yes(void *ctx)
{
	const int *pair = ctx;
	char word;

	return read(pair[0], &word, 1) == 1 && word == 'y';
}

static void
test_stop(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, "echo; sleep 1000");
	struct str how = STR_INIT;
	struct proc_result result;
	int pair[2];

	ok(pipe2(pair, O_CLOEXEC) == 0, "a pipe");
	spec.stop_fd = pair[0];
	ok(write(pair[1], "x", 1) == 1, "a byte in it");
	is_ok(proc_run(&result, &spec, collect, &output), "readable stop_fd");
	ok(result.stopped && !result.timed_out, "is told");
	is_int(result.signal, SIGTERM, "and ends the child");
	proc_describe(&how, &result);
	is_str(how.s, "stopped", "in words");
	str_release(&how);
	close(pair[0]);
	close(pair[1]);

	ok(pipe2(pair, O_CLOEXEC) == 0, "a pipe");
	close(pair[1]);
	spec.stop_fd = pair[0];
	is_ok(proc_run(&result, &spec, collect, &output), "closed stop_fd");
	ok(result.stopped, "is the same");
	close(pair[0]);

	ok(pipe2(pair, O_CLOEXEC) == 0 && write(pair[1], "no", 2) == 2,
	    "two bytes, and somebody who reads them");
	spec = shell(argv, "sleep 0.2; exit 7");
	spec.stop_fd = pair[0];
	spec.stop_cb = is_yes;
	spec.stop_ctx = pair;
	is_ok(proc_run(&result, &spec, collect, &output), "no to both");
	ok(!result.stopped && result.exit_status == 7, "is no stop");
	ok(write(pair[1], "y", 1) == 1, "a third one");
	spec.argv = shell(argv, "sleep 1000").argv;
	is_ok(proc_run(&result, &spec, collect, &output), "yes");
	ok(result.stopped, "is one");
	close(pair[0]);
	close(pair[1]);

	spec = shell(argv, "echo x; sleep 1000");
	is_err(proc_run(&result, &spec, refuse, NULL), ERR_REFUSED, "enough",
	    "an error of the callback is passed on");
	is_int(result.signal, SIGTERM, "and ends the child");
}

static void
test_base_env(void)
{
	static const struct {
		const char *zone;
		bool kept;
	} cases[] = {
		{ "Europe/Rome", true }, { "<+03>-3", true },
		{ "EST5EDT,M3.2.0,M11.1.0", true }, { "", false },
		{ "a b", false }, { "UTC\nX=1", false },
		{ ":../../etc/passwd", false },
	};
	struct vec env = VEC_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *want = xasprintf("TZ=%s", cases[i].zone);

		vec_clear(&env);
		setenv("TZ", cases[i].zone, 1);
		proc_base_env(&env);
		is_int(env.n, 5, "five variables");
		ok(vec_has(&env, want) == cases[i].kept, "zone %zu", i);
		free(want);
	}
	unsetenv("TZ");
	ok(str_starts_with(env.v[0], "PATH=/usr/local/sbin:") &&
	    str_starts_with(env.v[1], "HOME=/") &&
	    str_starts_with(env.v[2], "USER=") &&
	    strcmp(env.v[3], "LANG=C.UTF-8") == 0 &&
	    str_starts_with(env.v[4], "TZ=") && env.v[4][3] != '\0',
	    "each in its place");
	vec_release(&env);
}

int
main(void)
{
	test_endings();
	test_limits();
	test_streams();
	test_timeout();
	test_polite_end();
	test_daemon();
	test_failed_group();
	test_stop();
	test_base_env();
	str_release(&output);
	return tap_done();
}
