#include "roles.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Enough of a command line: "runner" may stand behind a long path. */
#define LINE_BYTES 8192

static const char *const names[] = {
	[ROLE_OTHER] = "other",
	[ROLE_RUNNER] = "runner",
	[ROLE_AGENT] = "agent",
	[ROLE_RESUME] = "resume",
	[ROLE_COMMAND] = "command",
	[ROLE_RECEIVE_PACK] = "receive-pack",
	[ROLE_PRE_RECEIVE] = "pre-receive",
	[ROLE_PROC_RECEIVE] = "proc-receive",
	[ROLE_POST_RECEIVE] = "post-receive",
	[ROLE_POST_UPDATE] = "post-update",
	[ROLE_ANY] = "any",
};

bool
role_by_name(enum role *role, const char *name)
{
	for (int i = 0; i <= ROLE_ANY; i++) {
		*role = (enum role)i;
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

const char *
role_name(enum role role)
{
	return names[role];
}

/* The arguments, each with its NUL; how many bytes. */
static size_t
read_line(pid_t pid, char line[LINE_BYTES])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? 0 : read(fd, line, LINE_BYTES - 1);
	if (fd != -1)
		close(fd);
	n = n < 0 ? 0 : n;
	line[n] = '\0';
	return (size_t)n;
}

/* Whether one of the arguments behind the first is this word. */
static bool
has_word(const char *line, size_t len, const char *word)
{
	size_t i = strlen(line) + 1;

	for (; i < len; i += strlen(line + i) + 1) {
		if (strcmp(line + i, word) == 0)
			return true;
	}
	return false;
}

static const char *
base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool
is_command(enum role before, const char *base, const char *line, size_t len)
{
	return before == ROLE_COMMAND || (before == ROLE_AGENT &&
	    strcmp(base, "sh") == 0 && has_word(line, len, "-c"));
}

static enum role
role_of_slipway(const char *line, size_t len)
{
	if (has_word(line, len, "agent"))
		return ROLE_AGENT;
	if (has_word(line, len, "runner"))
		return ROLE_RUNNER;
	return has_word(line, len, "resume") ? ROLE_RESUME : ROLE_OTHER;
}

enum role
role_of(pid_t pid, enum role before)
{
	char line[LINE_BYTES];
	size_t len = read_line(pid, line);
	const char *base = base_of(line);
	enum role role;

	if (is_command(before, base, line, len))
		return ROLE_COMMAND;
	if (strcmp(base, "slipway") == 0)
		return role_of_slipway(line, len);
	if (strcmp(base, "git-receive-pack") == 0 ||
	    (strcmp(base, "git") == 0 && has_word(line, len, "receive-pack")))
		return ROLE_RECEIVE_PACK;
	if (role_by_name(&role, base) && role >= ROLE_PRE_RECEIVE &&
	    role <= ROLE_POST_UPDATE)
		return role;
	return ROLE_OTHER;
}
