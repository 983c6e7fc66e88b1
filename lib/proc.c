/*
 * The child stays a zombie until everything is done: as long as it is not
 * reaped, its number and so its group cannot be anybody else's, and a late
 * signal to the group hits nobody.
 */
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "kin.h"
#include "noted.h"
#include "spawn.h"
#include "vec.h"

/* How often to look where nothing announces the end of a process. */
#define SLICE_MS 10

/* How long the killed may take to vanish. */
#define VANISH_MS 10000

/* One read of the pipe, which holds as much. */
#define PIECE 65536

/* Longer values of TZ are not believed. */
#define TZ_LEN_MAX 128

struct run {
	struct proc_result *result;
	const struct proc_spec *spec;
	proc_output_cb cb;
	void *ctx;
	struct kin before;
	pid_t pid;
	int pid_fd;		/* -1: the kernel has none */
	int in_fd;		/* stdin of the child, -1: nothing to say */
	int out_fd;		/* -1: nobody can write any more */
	size_t fed;
	int64_t started_ms;
	int64_t deadline_ms;	/* -1: none */
	bool exited;
	bool ending;		/* TERM has been sent */
	const struct err *err;	/* of the callback, or of poll */
	char piece[PIECE];
};

enum { WATCH_OUT, WATCH_IN, WATCH_PID, WATCH_STOP, N_WATCH };

static const struct err *
launch(struct run *run)
{
	const struct proc_spec *from = run->spec;
	struct spawn spawn = { .argv = from->argv, .env = from->env,
	    .dir = from->dir, .dirfd = from->dirfd,
	    .memory_bytes = from->memory_bytes, .nice = from->nice,
	    .note_fd = from->note_fd, .held_fd = -1, .tied = true };
	struct noted noted = { .held_fd = -1 };
	int in[2] = { -1, -1 }, out[2];
	const struct err *err = NULL;

	if (pipe2(out, O_CLOEXEC) == -1)
		return err_system("run %s: pipe", from->argv[0]);
	if (from->input != NULL && pipe2(in, O_CLOEXEC) == -1)
		err = err_system("run %s: pipe", from->argv[0]);
	if (err == NULL && from->note_fd != -1)
		err = noted_write(&noted, from->note_fd, out[1]);
	spawn.held_fd = noted.held_fd;
	spawn.note_at = noted.note_at;
	spawn.fds[0] = in[0];
	spawn.fds[1] = from->out_fd == -1 ? out[1] : from->out_fd;
	spawn.fds[2] = out[1];
	if (err == NULL)
		err = spawn_start(&run->pid, &spawn);
	file_close(&in[0]);
	file_close(&out[1]);
	file_close(&noted.held_fd);
	run->in_fd = in[1];
	run->out_fd = out[0];
	if (err != NULL)
		return err;
	fcntl(run->out_fd, F_SETFL, O_NONBLOCK);
	if (run->in_fd != -1)
		fcntl(run->in_fd, F_SETFL, O_NONBLOCK);
	run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return NULL;
}

/* Look without reaping. */
static bool
has_exited(struct run *run)
{
	siginfo_t info = { 0 };
	int got;

	if (run->exited)
		return true;
	got = waitid(P_PID, (id_t)run->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT);
	run->exited = got == 0 ? info.si_pid == run->pid : errno == ECHILD;
	return run->exited;
}

/* After its first error the callback is left in peace. */
static size_t
take_output(struct run *run, size_t limit_bytes)
{
	ssize_t n = read(run->out_fd, run->piece,
	    limit_bytes < PIECE ? limit_bytes : PIECE);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		file_close(&run->out_fd);
		return 0;
	}
	if (run->err == NULL && run->cb != NULL)
		run->err = run->cb(run->piece, (size_t)n, run->ctx);
	return (size_t)n;
}

/* What is in the pipe now; a daemon may go on writing for ever. */
static void
drain(struct run *run)
{
	int left = 0;

	if (run->out_fd == -1 || ioctl(run->out_fd, FIONREAD, &left) == -1)
		return;
	while (left > 0 && run->out_fd != -1) {
		size_t n = take_output(run, (size_t)left);

		if (n == 0)
			return;
		left -= (int)n;
	}
}

/*
 * Like write(2), but a reader that went away is EPIPE alone: the signal is
 * taken back, unless the caller had one waiting anyway.
 */
static ssize_t
write_quietly(int fd, const char *bytes, size_t len)
{
	static const struct timespec now = { 0, 0 };
	sigset_t pipe_only, before, pending;
	ssize_t n;
	int saved;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	n = write(fd, bytes, len);
	saved = errno;
	if (n == -1 && saved == EPIPE && !sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&pipe_only, NULL, &now) == -1 &&
		    errno == EINTR)
			continue;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return n;
}

/* A child need not read its input; that is no error. */
static void
feed(struct run *run)
{
	const char *input = run->spec->input;
	size_t left = run->spec->input_len - run->fed;
	ssize_t n = left == 0 ? 0 :
	    write_quietly(run->in_fd, input + run->fed, left);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != -1)
		run->fed += (size_t)n;
	if (n == -1 || run->fed == run->spec->input_len)
		file_close(&run->in_fd);
}

static int
wait_ms(const struct run *run, int64_t until_ms)
{
	int64_t left = until_ms - clock_monotonic_ms();

	if (until_ms == -1 || left > 60000)
		left = 60000;
	if ((run->pid_fd == -1 || run->exited) && left > SLICE_MS)
		left = SLICE_MS;
	return left < 0 ? 0 : (int)left;
}

/* Wait once for whatever happens first, and move bytes. */
static void
turn(struct run *run, int64_t until_ms)
{
	struct pollfd watch[N_WATCH] = {
		[WATCH_OUT]  = { run->out_fd, POLLIN, 0 },
		[WATCH_IN]   = { run->in_fd, POLLOUT, 0 },
		[WATCH_PID]  = { run->exited ? -1 : run->pid_fd, POLLIN, 0 },
		[WATCH_STOP] = { run->ending ? -1 : run->spec->stop_fd,
		    POLLIN, 0 },
	};
	int n = poll(watch, N_WATCH, wait_ms(run, until_ms));

	if (n == -1 && errno != EINTR && run->err == NULL)
		run->err = err_system("poll");
	if (n <= 0)
		return;
	if (watch[WATCH_OUT].revents != 0)
		take_output(run, PIECE);
	if (watch[WATCH_IN].revents != 0)
		feed(run);
	if (watch[WATCH_STOP].revents != 0)
		run->result->stopped = run->spec->stop_cb == NULL ||
		    run->spec->stop_cb(run->spec->stop_ctx);
}

/* TERM, patience, KILL, and KILL for those who left the group. */
static const struct err *
end(struct run *run)
{
	int64_t until_ms = clock_monotonic_ms() + PROC_GRACE_MS;
	bool gone = false;

	run->ending = true;
	kill(-run->pid, SIGTERM);
	while (!(has_exited(run) && !kin_group_runs(run->pid)) &&
	    clock_monotonic_ms() < until_ms)
		turn(run, until_ms);
	kill(-run->pid, SIGKILL);
	until_ms = clock_monotonic_ms() + VANISH_MS;
	while (!gone && clock_monotonic_ms() < until_ms) {
		gone = has_exited(run) && kin_kill_orphans(&run->before) == 0;
		if (!gone)
			turn(run, clock_monotonic_ms() + SLICE_MS);
	}
	if (!run->exited)
		return err_new(ERR_FAILED, "run %s: process %d survives KILL",
		    run->spec->argv[0], (int)run->pid);
	return NULL;
}

/* TERM, patience and KILL for what a failed child left in its group. */
static void
end_group(struct run *run)
{
	int64_t until_ms = clock_monotonic_ms() + PROC_GRACE_MS;

	if (!kin_group_runs(run->pid))
		return;
	run->ending = true;
	kill(-run->pid, SIGTERM);
	while (kin_group_runs(run->pid) && clock_monotonic_ms() < until_ms)
		turn(run, until_ms);
	kill(-run->pid, SIGKILL);
}

static bool
has_failed(const struct run *run)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG |
	    WNOWAIT) == 0 && info.si_pid == run->pid &&
	    (info.si_code != CLD_EXITED || info.si_status != 0);
}

static void
reap(struct run *run)
{
	int status = 0;

	if (!run->exited) {
		kin_keep(run->pid);
		return;
	}
	/* How it ended is lost when somebody else has heard of it. */
	if (kin_wait(run->pid, &status) != run->pid)
		return;
	if (WIFEXITED(status))
		run->result->exit_status = WEXITSTATUS(status);
	else
		run->result->signal = WTERMSIG(status);
}

static const struct err *
watch_child(struct run *run)
{
	struct proc_result *result = run->result;
	const struct err *err = NULL;

	while (err == NULL && !has_exited(run)) {
		turn(run, run->deadline_ms);
		result->timed_out = run->deadline_ms != -1 &&
		    clock_monotonic_ms() >= run->deadline_ms &&
		    !has_exited(run);
		if (result->timed_out || result->stopped || run->err != NULL) {
			err = end(run);
			break;
		}
	}
	if (!run->ending && has_failed(run))
		end_group(run);
	drain(run);
	kin_keep_orphans(&run->before);
	reap(run);
	if (run->exited && run->spec->note_fd != -1)
		err = err_first(err, noted_clear(run->spec->note_fd));
	return err_first(run->err, err);
}

const struct err *
proc_run(struct proc_result *result, const struct proc_spec *spec,
    proc_output_cb cb, void *ctx)
{
	struct run run = { .result = result, .spec = spec, .cb = cb,
	    .ctx = ctx, .before = KIN_INIT, .pid = -1, .pid_fd = -1,
	    .in_fd = -1, .out_fd = -1, .deadline_ms = -1,
	    .started_ms = clock_monotonic_ms() };
	const struct err *err;

	*result = (struct proc_result){ .exit_status = -1 };
	if (spec->timeout_ms > 0)
		run.deadline_ms = run.started_ms + spec->timeout_ms;
	kin_snapshot(&run.before);
	err = launch(&run);
	if (err == NULL)
		err = watch_child(&run);
	file_close(&run.pid_fd);
	file_close(&run.in_fd);
	file_close(&run.out_fd);
	kin_release(&run.before);
	result->duration_ms = clock_monotonic_ms() - run.started_ms;
	return err;
}

void
proc_describe(struct str *str, const struct proc_result *result)
{
	if (result->timed_out) {
		str_add(str, "timed out after ");
		clock_add_duration(str, result->duration_ms);
	} else if (result->stopped) {
		str_add(str, "stopped");
	} else if (result->signal != 0) {
		str_addf(str, "killed by signal %d (%s)", result->signal,
		    strsignal(result->signal));
	} else {
		str_addf(str, "exit %d", result->exit_status);
	}
}

const struct err *
proc_detach(const char *const *argv, const char *const *env,
    const char *stderr_path, int *hold)
{
	struct spawn spawn = SPAWN_INIT;
	const struct err *err = NULL;
	int ends[2] = { -1, -1 };
	pid_t pid;

	if (hold != NULL && pipe2(ends, O_CLOEXEC) == -1)
		err = err_system("run %s: pipe", argv[0]);
	if (err == NULL && stderr_path != NULL) {
		spawn.fds[2] = open(stderr_path, O_WRONLY | O_APPEND |
		    O_CREAT | O_CLOEXEC, 0644);
		if (spawn.fds[2] == -1)
			err = err_system("open %s", stderr_path);
	}
	spawn.argv = argv;
	spawn.env = env;
	spawn.dir = "/";
	spawn.fds[0] = ends[0];
	spawn.detached = true;
	if (err == NULL)
		err = spawn_start(&pid, &spawn);
	file_close(&spawn.fds[2]);
	file_close(&ends[0]);
	if (err != NULL)
		file_close(&ends[1]);
	if (hold != NULL)
		*hold = ends[1];
	return err;
}

const struct err *
proc_pair(pid_t *pid, int *fd, const char *const *argv,
    const char *const *env)
{
	struct spawn spawn = SPAWN_INIT;
	const struct err *err;
	int pair[2];

	*pid = -1;
	*fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return err_system("run %s: socketpair", argv[0]);
	spawn.argv = argv;
	spawn.env = env;
	spawn.fds[0] = pair[1];
	spawn.fds[1] = pair[1];
	spawn.fds[2] = STDERR_FILENO;
	err = spawn_start(pid, &spawn);
	file_close(&pair[1]);
	if (err != NULL)
		file_close(&pair[0]);
	*fd = pair[0];
	return err;
}

/* The characters of zone names and of POSIX rules, nothing that climbs. */
static bool
is_zone(const char *zone)
{
	size_t len = strlen(zone);

	if (len == 0 || len > TZ_LEN_MAX || strstr(zone, "..") != NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)zone[i]) &&
		    strchr("_+-/:,.<>", zone[i]) == NULL)
			return false;
	}
	return true;
}

static void
push_zone(struct vec *env)
{
	const char *zone = getenv("TZ");
	char line[TZ_LEN_MAX + 2] = "";
	FILE *file;

	if (zone == NULL || !is_zone(zone)) {
		file = fopen("/etc/timezone", "re");
		if (file != NULL) {
			if (fgets(line, sizeof(line), file) == NULL)
				line[0] = '\0';
			fclose(file);
		}
		line[strcspn(line, "\n")] = '\0';
		zone = is_zone(line) ? line : "UTC";
	}
	vec_pushf(env, "TZ=%s", zone);
}

void
proc_base_env(struct vec *env)
{
	const struct passwd *user = getpwuid(geteuid());

	vec_push(env, "PATH=/usr/local/sbin:/usr/local/bin:"
	    "/usr/sbin:/usr/bin:/sbin:/bin");
	vec_pushf(env, "HOME=%s", user == NULL ? "/" : user->pw_dir);
	if (user == NULL)
		vec_pushf(env, "USER=%u", (unsigned int)geteuid());
	else
		vec_pushf(env, "USER=%s", user->pw_name);
	vec_push(env, "LANG=C.UTF-8");
	push_zone(env);
}
