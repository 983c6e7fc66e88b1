/*
 * inject - run a command and everything it starts, and do something at the
 * N-th system call of those processes that have a role.
 *
 *	inject [OPTION]... MODE [--] COMMAND...
 *
 *	list			one line for each system call, to the output
 *	kill N			kill the process before the call is made
 *	kill-all N		kill every process at once
 *	error ERRNO N		the call is not made, and fails
 *	errors ERRNO N		so do all later calls of that system call
 *	short N			it reads or writes one byte
 *	pause SHELL-COMMAND K	all stand still at every K-th call while the
 *				command runs; INJECT_COUNT, INJECT_CALL and
 *				INJECT_PATH tell it where
 *
 *	-r ROLE		runner agent resume command receive-pack pre-receive
 *			proc-receive post-receive post-update any (the default)
 *	-c CALLS	which calls count: all (the default), those that others
 *			may notice ("effect"), those that change a disk
 *			("state"), those that can fail ("fails"), or a system
 *			call's name
 *	-o FILE		the output: a line for the call that was met
 *	-t SECONDS	then everything is killed (default 60)
 *
 * strace(1) can do some of this, but counts for each process and each
 * system call apart, and cannot choose one program of a tree, nor kill the
 * whole tree at one instant.
 *
 * A seccomp(2) filter stops the processes at calls that may count, and at
 * no others; all stop when they fork or exec, which tells their roles. It
 * ends when the last process has ended, also one that has detached itself,
 * and nothing outlives it. The exit status is the command's (128 and more
 * for a signal), 124 when time was up, 125 when it was called wrongly, 77
 * when there is no ptrace here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __x86_64__
#include <sys/user.h>
#endif

#include "calls.h"
#include "filter.h"
#include "inject.h"
#include "roles.h"

#define EXIT_SKIP 77
#define EXIT_TIME 124
#define EXIT_USAGE 125

#define TRACE_OPTIONS (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | \
    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
    PTRACE_O_TRACEVFORKDONE | PTRACE_O_EXITKILL)

static struct tracee tracees[TRACEES_MAX];
static size_t n_tracees;
static pid_t main_pid;
static int main_status;
static struct order order = { .role = ROLE_ANY, .seconds = 60 };
static long count;		/* of the calls so far */
static const struct call *failing;	/* every one of these fails */
static bool met;		/* the point has been reached */
static volatile sig_atomic_t time_is_up;

static void
on_alarm(int sig)
{
	(void)sig;
	time_is_up = 1;
}

static void
die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(errno == EPERM || errno == ENOSYS ? EXIT_SKIP : EXIT_USAGE);
}

static struct tracee *
find(pid_t pid)
{
	for (size_t i = 0; i < n_tracees; i++) {
		if (tracees[i].pid == pid)
			return &tracees[i];
	}
	return NULL;
}

static struct tracee *
add(pid_t pid, enum role role)
{
	if (n_tracees == TRACEES_MAX) {
		errno = EAGAIN;
		die("more processes than expected");
	}
	tracees[n_tracees] = (struct tracee){ .pid = pid, .role = role };
	return &tracees[n_tracees++];
}

static void
drop(struct tracee *tracee)
{
	*tracee = tracees[--n_tracees];
}

static void
kill_all(void)
{
	for (size_t i = 0; i < n_tracees; i++)
		kill(tracees[i].pid, SIGKILL);
}

/*
 * The first stop of a child may be heard of before its parent's: then the
 * role is that of the parent, by its number.
 */
static enum role
role_of_parent(pid_t pid)
{
	char path[64], line[256];
	struct tracee *parent = NULL;
	FILE *status;
	int number;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
		if (sscanf(line, "PPid: %d", &number) == 1)
			parent = find(number);
	}
	if (status != NULL)
		fclose(status);
	return parent == NULL ? ROLE_OTHER : parent->role;
}

static bool
is_wanted(const struct tracee *tracee)
{
	return order.role == ROLE_ANY || tracee->role == order.role;
}

static void
tell(const struct meeting *at)
{
	fprintf(order.output, "%ld %s %s%s%s%s\n", count,
	    role_name(at->tracee->role), at->call->name,
	    at->changes ? " *" : "", at->path[0] == '\0' ? "" : " ",
	    at->path);
	/* Who pauses looks at it meanwhile. */
	if (order.mode != MODE_LIST)
		fflush(order.output);
}

static void
look_closer(struct meeting *at, const uint64_t arguments[6])
{
	at->changes = calls_changes(at->call, at->tracee->pid, arguments,
	    at->path, sizeof(at->path));
}

/* Whether this is a call that counts. */
static bool
counts(struct meeting *at, const uint64_t arguments[6])
{
	if (order.state) {
		look_closer(at, arguments);
		return at->changes;
	}
	if (order.effect)
		return calls_shows(at->call, at->tracee->pid, arguments);
	if (order.fails)
		return calls_fails(at->call);
	return order.name == NULL || strcmp(order.name, at->call->name) == 0;
}

/* Whether something is to be done at this one. */
static bool
is_due(void)
{
	return order.mode == MODE_LIST || count == order.at ||
	    (order.mode == MODE_PAUSE && count % order.at == 0);
}

#ifdef __x86_64__
static void
poke(pid_t pid, size_t offset, unsigned long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, offset, value) == -1 &&
	    errno != ESRCH)
		die("change a register");
}

#define REGISTER(name) offsetof(struct user_regs_struct, name)

/* The kernel makes no call of number -1, and leaves the result alone. */
static void
fail_call(pid_t pid)
{
	poke(pid, REGISTER(orig_rax), (unsigned long)-1);
	poke(pid, REGISTER(rax), (unsigned long)-order.error);
}

static void
shorten_call(pid_t pid, int argument)
{
	static const size_t registers[] = {
		REGISTER(rdi), REGISTER(rsi), REGISTER(rdx), REGISTER(r10),
		REGISTER(r8), REGISTER(r9),
	};

	poke(pid, registers[argument], 1);
}
#endif

/* All stand still; what they stopped for is looked at afterwards. */
static void
freeze(const struct tracee *but)
{
	for (size_t i = 0; i < n_tracees; i++) {
		struct tracee *tracee = &tracees[i];

		/* One that waits for its vfork stands still already. */
		if (tracee == but || tracee->in_vfork)
			continue;
		if (ptrace(PTRACE_INTERRUPT, tracee->pid, 0, 0) == -1)
			continue;
		if (waitpid(tracee->pid, &tracee->status, __WALL) ==
		    tracee->pid)
			tracee->frozen = true;
	}
}

static void handle(pid_t pid, int status);

static void
thaw(void)
{
	struct tracee *tracee;
	size_t i = 0;

	while (i < n_tracees) {
		tracee = &tracees[i];
		if (tracee->frozen) {
			tracee->frozen = false;
			handle(tracee->pid, tracee->status);
			i = 0;
		} else {
			i++;
		}
	}
}

static void
run_command(const struct meeting *at)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", count);
	setenv("INJECT_COUNT", text, 1);
	setenv("INJECT_CALL", at->call->name, 1);
	setenv("INJECT_PATH", at->path, 1);
	if (system(order.command) != 0)
		fprintf(stderr, "inject: '%s' failed at call %ld\n",
		    order.command, count);
}

static void
act(const struct meeting *at)
{
	pid_t pid = at->tracee->pid;

	met = order.mode != MODE_PAUSE && order.mode != MODE_LIST;
	tell(at);
	switch (order.mode) {
	case MODE_LIST:
		break;
	case MODE_KILL:
		kill(pid, SIGKILL);
		break;
	case MODE_KILL_ALL:
		kill_all();
		break;
	case MODE_ERRORS:
		failing = at->call;
		/* FALLTHROUGH */
	case MODE_ERROR:
		fail_call(pid);
		break;
	case MODE_SHORT:
		if (at->call->count != -1)
			shorten_call(pid, at->call->count);
		break;
	case MODE_PAUSE:
		freeze(at->tracee);
		run_command(at);
		break;
	}
}

/* A process of the role is about to make a call. */
static void
on_call(struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	struct meeting at = { .tracee = tracee };
	uint64_t arguments[6];

	if (!is_wanted(tracee) || (met && failing == NULL) ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info),
	    &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return;
	at.call = calls_find((long)info.seccomp.nr);
	if (failing != NULL) {
		if (failing->number == at.call->number)
			fail_call(tracee->pid);
		return;
	}
	memcpy(arguments, info.seccomp.args, sizeof(arguments));
	if (met || !counts(&at, arguments))
		return;
	count++;
	if (!is_due())
		return;
	if (!order.state)
		look_closer(&at, arguments);
	act(&at);
}

static void
on_event(struct tracee *tracee, int event)
{
	unsigned long message = 0;

	ptrace(PTRACE_GETEVENTMSG, tracee->pid, 0, &message);
	switch (event) {
	case PTRACE_EVENT_VFORK:
		tracee->in_vfork = true;
		/* FALLTHROUGH */
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_CLONE:
		if (find((pid_t)message) == NULL)
			add((pid_t)message, tracee->role);
		break;
	case PTRACE_EVENT_VFORK_DONE:
		tracee->in_vfork = false;
		break;
	case PTRACE_EVENT_EXEC:
		tracee->role = role_of(tracee->pid, tracee->role);
		break;
	case PTRACE_EVENT_SECCOMP:
		on_call(tracee);
		break;
	}
}

static bool
is_stop_signal(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN ||
	    sig == SIGTTOU;
}

/* A stop; what it was for decides how the tracee goes on. */
static void
on_stop(struct tracee *tracee, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	pid_t pid = tracee->pid;

	if (event == PTRACE_EVENT_STOP && is_stop_signal(sig)) {
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return;
	}
	if (event != 0) {
		on_event(tracee, event);
		sig = 0;
	}
	/* Who is gone by now is heard of by waitpid(). */
	ptrace(PTRACE_CONT, pid, 0, (long)sig);
	thaw();
}

static void
handle(pid_t pid, int status)
{
	struct tracee *tracee = find(pid);

	if (WIFSTOPPED(status)) {
		if (tracee == NULL)
			tracee = add(pid, role_of_parent(pid));
		on_stop(tracee, status);
		return;
	}
	if (pid == main_pid)
		main_status = status;
	if (tracee != NULL)
		drop(tracee);
}

static void
wait_for_all(void)
{
	while (n_tracees > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid > 0)
			handle(pid, status);
		else if (errno != EINTR)
			break;
		if (time_is_up)
			kill_all();
	}
}

/* The child waits until it is traced. */
static void
start(char **argv)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) == -1)
		die("pipe");
	main_pid = fork();
	if (main_pid == -1)
		die("fork");
	if (main_pid == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 1 && filter_set(&order))
			execvp(argv[0], argv);
		fprintf(stderr, "inject: run %s: %s\n", argv[0],
		    strerror(errno));
		_exit(127);
	}
	if (ptrace(PTRACE_SEIZE, main_pid, 0, TRACE_OPTIONS) == -1)
		die("ptrace");
	add(main_pid, ROLE_OTHER);
	close(ready[0]);
	if (write(ready[1], "", 1) != 1)
		die("start");
	close(ready[1]);
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm };

#ifndef __x86_64__
	fprintf(stderr, "inject: knows the registers of x86_64 only\n");
	return EXIT_SKIP;
#endif
	argv = order_read(&order, argc, argv);
	if (argv == NULL)
		return EXIT_USAGE;
	sigaction(SIGALRM, &action, NULL);
	alarm(order.seconds);
	start(argv);
	wait_for_all();
	if (time_is_up) {
		fprintf(stderr, "inject: not over after %u seconds\n",
		    order.seconds);
		return EXIT_TIME;
	}
	return WIFSIGNALED(main_status) ? 128 + WTERMSIG(main_status) :
	    WEXITSTATUS(main_status);
}
