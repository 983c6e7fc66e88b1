/*
 * A command is noted, its caller is killed, and the next one comes.
 */
#include "noted.h"

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
#include "proc.h"
#include "tap.h"
#include "vec.h"

/* How long a condition may take to come true. */
#define PATIENCE_MS 20000

/* How long a daemon is waited for here. */
#define DAEMON_MS 300

static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };

static int note_fd;

/* True when the process ends or has ended; zombies have ended. */
static bool
dies(pid_t pid)
{
	char *path = xasprintf("/proc/%ld/stat", (long)pid);
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct str text = STR_INIT;
	bool lives = true;

	while (lives && clock_monotonic_ms() < until_ms) {
		str_clear(&text);
		waitpid(pid, NULL, WNOHANG);
		lives = file_read(&text, path, 4096) == NULL &&
		    strstr(text.s, ") Z ") == NULL;
		if (lives)
			poll(NULL, 0, 10);
	}
	str_release(&text);
	free(path);
	return !lives;
}

/* What the command wrote into the file "inner". */
static pid_t
read_inner(void)
{
	char *inner = path_join(tap_folder(), "inner");
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct str text = STR_INIT;
	pid_t pid = 0;

	while (pid == 0 && clock_monotonic_ms() < until_ms) {
		poll(NULL, 0, 10);
		str_clear(&text);
		if (file_read(&text, inner, 64) == NULL)
			pid = (pid_t)atoi(text.s);
	}
	unlink(inner);
	str_release(&text);
	free(inner);
	return pid;
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
	spec.env = env;
	spec.dir = tap_folder();
	spec.note_fd = note_fd;
	return spec;
}

/* The last word of the note. */
static pid_t
read_leader(void)
{
	char note[256];
	ssize_t n = pread(note_fd, note, sizeof(note) - 1, 0);
	const char *word;

	note[n < 0 ? 0 : n] = '\0';
	word = strrchr(note, ' ');
	return word == NULL ? 0 : (pid_t)atoi(word);
}

/*
 * The number of what the command had started, when its caller is killed,
 * and the shell with it, which takes a moment.
 */
static pid_t
interrupt(const char *command)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, command);
	struct proc_result result;
	pid_t caller, leader, left;

	caller = fork();
	if (caller == 0) {
		proc_run(&result, &spec, NULL, NULL);
		_exit(0);
	}
	left = read_inner();
	ok(left > 1, "the command runs: %s", command);
	if (left <= 1)
		exit(tap_done());
	leader = read_leader();
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	ok(leader > 1 && dies(leader), "its shell dies");
	return left;
}

/* However it hides, it belongs to the command for certain. */
static void
test_certain(void)
{
	static const char *const commands[] = {
		"sh -c 'echo $$ >inner; exec sleep 1000' & wait",
		"env -i sh -c 'echo $$ >inner; exec sleep 1000' & wait",
		"bash -c 'exec 187>&-; echo $$ >inner; exec sleep 1000'; true",
		"(trap '' TERM; sh -c 'echo $$ >inner; exec sleep 1000');"
		    " true",
		"setsid -w sh -c 'echo $$ >inner; exec sleep 1000'; true",
		"setsid env -i bash -c 'exec 187>&-; echo $$ >inner;"
		    " exec sleep 1000'; true",
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct vec left = VEC_INIT;
		pid_t inner = interrupt(commands[i]);
		size_t n;

		ok(kill(inner, 0) == 0, "it lives: %s", commands[i]);
		is_ok(noted_end(note_fd, DAEMON_MS, &n, &left), "end it");
		ok(n >= 1 && left.n == 0 && dies(inner), "it is ended");
		is_ok(noted_end(note_fd, DAEMON_MS, &n, &left), "once more");
		is_int((int64_t)n, 0, "nothing is noted");
		vec_release(&left);
	}
}

static void
test_daemon(void)
{
	pid_t inner = interrupt("setsid sh -c 'echo $$ >inner; exec sleep"
	    " 1000' >/dev/null 2>&1; true");
	char *words = xasprintf("process %ld (sleep), which an interrupted"
	    " command has started apart from itself, is still there after"
	    " 300 ms, and is left alone", (long)inner);
	struct vec left = VEC_INIT;
	size_t n;

	is_ok(noted_end(note_fd, DAEMON_MS, &n, &left), "a daemon");
	ok(n == 0 && kill(inner, 0) == 0, "is not ended");
	ok(left.n == 1 && strstr(left.v[0], words) == left.v[0],
	    "and is told of");
	is_ok(noted_end(note_fd, DAEMON_MS, &n, &left), "once more");
	is_int((int64_t)left.n, 1, "it holds up nobody else");
	kill(inner, SIGKILL);
	vec_release(&left);

	inner = interrupt("setsid sh -c 'echo $$ >inner; exec sleep 0.6'"
	    " >/dev/null 2>&1; true");
	is_ok(noted_end(note_fd, PATIENCE_MS, &n, &left), "one that ends");
	ok(n == 0 && left.n == 0 && dies(inner), "is waited for");
	vec_release(&left);
	free(words);
}

/* The lock of an earlier command is another one. */
static void
test_earlier(void)
{
	const char *argv[4];
	struct proc_spec spec = shell(argv, "setsid sh -c 'echo $$ >inner;"
	    " exec sleep 1000' >/dev/null 2>&1 & until test -s inner; do"
	    " sleep 0.02; done");
	struct proc_result result;
	struct vec left = VEC_INIT;
	pid_t earlier, inner;
	size_t n;

	is_ok(proc_run(&result, &spec, NULL, NULL), "it leaves a daemon");
	is_int(lseek(note_fd, 0, SEEK_END), 0, "and no note");
	earlier = read_inner();
	inner = interrupt("sh -c 'echo $$ >inner; exec sleep 1000'; true");
	is_ok(noted_end(note_fd, DAEMON_MS, &n, &left), "the next one");
	ok(n >= 1 && dies(inner), "is ended");
	ok(left.n == 0 && kill(earlier, 0) == 0, "the daemon is no part of it");
	kill(earlier, SIGKILL);
	vec_release(&left);
}

/* Write the note as if "word" of it, counted from 0, were another. */
static void
change_note(int word, const char *value)
{
	struct vec words = VEC_INIT;
	struct str text = STR_INIT;
	char note[256];
	ssize_t n = pread(note_fd, note, sizeof(note) - 1, 0);

	note[n < 0 ? 0 : n] = '\0';
	vec_split(&words, note, " \n");
	free(words.v[word]);
	words.v[word] = xstrdup(value);
	vec_join(&words, " ", &text);
	str_add(&text, "\n");
	ok(ftruncate(note_fd, 0) == 0 && pwrite(note_fd, text.s, text.len,
	    0) == (ssize_t)text.len, "word %d of the note is %s", word, value);
	str_release(&text);
	vec_release(&words);
}

static void
test_stranger(void)
{
	static const struct {
		int word;
		const char *value;
	} cases[] = {
		{ 0, "00000000-0000-0000-0000-000000000000" },
		{ 1, "pid:[1]" },
		{ 2, "1" },
		{ 3, "9000000000000000000" },
		{ 5, "4194305" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vec left = VEC_INIT;
		pid_t inner = interrupt("bash -c 'exec 187>&-; echo $$"
		    " >inner; exec sleep 1000' >/dev/null 2>&1; true");
		size_t n;

		change_note(cases[i].word, cases[i].value);
		is_ok(noted_end(note_fd, DAEMON_MS, &n, &left), "a stranger");
		ok(n == 0 && kill(inner, 0) == 0, "is left alone");
		kill(-getpgid(inner), SIGKILL);
		vec_release(&left);
	}
}

int
main(void)
{
	char *path = path_join(tap_folder(), "note");

	note_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(note_fd != -1, "a file for the note");
	test_certain();
	test_daemon();
	test_earlier();
	test_stranger();
	close(note_fd);
	free(path);
	return tap_done();
}
