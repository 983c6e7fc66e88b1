#include "host/local.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "clock.h"
#include "file.h"
#include "vec.h"

/* How often to look where the kernel has no descriptors of processes. */
#define SLICE_MS 10

/* How long a killed agent may take to vanish. */
#define VANISH_MS 2000

const struct err *
local_start(pid_t *pid, int *fd, const char *program)
{
	const char *const argv[] = { program, "agent", NULL };
	struct vec env = VEC_INIT;
	const struct err *err;

	proc_base_env(&env);
	err = proc_pair(pid, fd, argv, (const char *const *)env.v);
	vec_release(&env);
	return err;
}

static pid_t
look(pid_t pid, int *status)
{
	pid_t got;

	do {
		got = waitpid(pid, status, WNOHANG);
	} while (got == -1 && errno == EINTR);
	return got;
}

bool
local_wait(pid_t pid, int64_t deadline_ms, struct proc_result *result)
{
	int pid_fd = pidfd_open(pid, 0), status = 0;
	pid_t got = look(pid, &status);

	while (got == 0) {
		struct pollfd watch = { pid_fd, POLLIN, 0 };
		int64_t left = deadline_ms - clock_monotonic_ms();

		if (left <= 0)
			break;
		poll(&watch, 1, pid_fd == -1 && left > SLICE_MS ?
		    SLICE_MS : (int)left);
		got = look(pid, &status);
	}
	file_close(&pid_fd);
	*result = (struct proc_result){ .exit_status = -1 };
	if (WIFSIGNALED(status))
		result->signal = WTERMSIG(status);
	else
		result->exit_status = WEXITSTATUS(status);
	return got != 0;
}

void
local_end(pid_t pid, int64_t deadline_ms)
{
	struct proc_result result;

	if (local_wait(pid, deadline_ms, &result))
		return;
	kill(-pid, SIGKILL);
	local_wait(pid, clock_monotonic_ms() + VANISH_MS, &result);
}
