/*
 * The chained hook expects to be git's own child: it gets our environment,
 * our process group and our descriptors, unlike a command of a deploy.
 */
#include "deploy/chained.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"

/* Bytes go through a file: no writer can be held up by a slow hook. */
static const struct err *
input_file(int *fd, const void *input, size_t len)
{
	const struct err *err;
	FILE *file = tmpfile();

	*fd = -1;
	if (file == NULL)
		return err_system("create a temporary file");
	*fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
	fclose(file);
	if (*fd == -1)
		return err_system("dup");
	err = file_write_fd(*fd, input, len);
	if (err == NULL && lseek(*fd, 0, SEEK_SET) == -1)
		err = err_system("lseek");
	return err;
}

static const struct err *
wait_for(pid_t pid, const char *hook)
{
	int status;

	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return err_system("wait for %s", hook);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	if (WIFEXITED(status))
		return err_new(ERR_REFUSED, "%s: exit %d", hook,
		    WEXITSTATUS(status));
	return err_new(ERR_REFUSED, "%s: killed by signal %d", hook,
	    WTERMSIG(status));
}

static const struct err *
run(const char *hook, char *const *argv, const void *input, size_t len)
{
	const struct err *err;
	pid_t pid;
	int fd;

	err = input_file(&fd, input, len);
	if (err == NULL) {
		pid = fork();
		if (pid == -1)
			err = err_system("fork");
		if (pid == 0) {
			signal(SIGPIPE, SIG_DFL);
			/* Standard output may be a talk with git. */
			if (dup2(fd, STDIN_FILENO) != -1 &&
			    dup2(STDERR_FILENO, STDOUT_FILENO) != -1)
				execv(hook, argv);
			_exit(127);
		}
		if (pid > 0)
			err = wait_for(pid, hook);
	}
	file_close(&fd);
	return err;
}

const struct err *
chained_run(char *const *argv, const void *input, size_t input_len)
{
	const struct err *err = NULL;
	char *hook;

	hook = xasprintf("%s%s", argv[0], CHAINED_SUFFIX);
	if (access(hook, X_OK) == 0)
		err = run(hook, argv, input, input_len);
	free(hook);
	return err;
}

static char *
update_path(const char *hook)
{
	char *dir = path_dir(hook);
	char *path = path_join(dir, "update");

	free(dir);
	return path;
}

const struct err *
chained_update(const char *hook, const char *ref, const char *old,
    const char *new)
{
	char *update = update_path(hook), *name = xstrdup(ref);
	char *from = xstrdup(old), *to = xstrdup(new);
	char *const argv[] = { update, name, from, to, NULL };
	const struct err *err = NULL;

	if (access(update, X_OK) == 0)
		err = run(update, argv, "", 0);
	if (err != NULL)
		err = err_new(ERR_REFUSED, "hook declined");
	free(update);
	free(name);
	free(from);
	free(to);
	return err;
}
