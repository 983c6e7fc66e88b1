/*
 * The group of a command whose caller was killed. Its number alone proves
 * nothing, since numbers come round again; what its processes were started
 * with does.
 */
#include "proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "kin.h"

/* How often to look whether all of them have ended. */
#define SLICE_MS 20

/* The largest environment that is read, in bytes. */
#define ENVIRON_MAX (4 * 1024 * 1024)

/* How long the killed may take to vanish. */
#define VANISH_MS 10000

static bool
is_marked(pid_t pid, const char *mark)
{
	struct str text = STR_INIT;
	bool found = false;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	/* What has ended, or is somebody else's, has no mark of ours. */
	if (file_read(&text, path, ENVIRON_MAX) == NULL) {
		for (const char *p = text.s; p < text.s + text.len && !found;
		    p += strlen(p) + 1)
			found = strcmp(p, mark) == 0;
	}
	str_release(&text);
	return found;
}

/* The members of the group, if one of them is ours. */
static void
list_ours(pid_t group, const char *mark, struct kin *members)
{
	bool ours = false;

	kin_group(group, members);
	for (size_t i = 0; i < members->n && !ours; i++)
		ours = is_marked(members->pids[i], mark);
	if (!ours)
		kin_release(members);
}

static bool
ends_within(pid_t group, int64_t patience_ms)
{
	int64_t until_ms = clock_monotonic_ms() + patience_ms;

	while (kin_group_runs(group)) {
		if (clock_monotonic_ms() >= until_ms)
			return false;
		poll(NULL, 0, SLICE_MS);
	}
	return true;
}

static pid_t
read_number(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long number;

	if (n <= 0 || text[n - 1] != '\n')
		return 0;
	text[n] = '\0';
	number = strtol(text, NULL, 10);
	return number > 1 ? (pid_t)number : 0;
}

const struct err *
proc_end_noted(int note_fd, const char *mark, size_t *n)
{
	struct kin members = KIN_INIT;
	const struct err *err = NULL;
	pid_t group = read_number(note_fd);

	*n = 0;
	if (group != 0)
		list_ours(group, mark, &members);
	if (members.n > 0) {
		*n = members.n;
		kill(-group, SIGTERM);
		if (!ends_within(group, PROC_GRACE_MS)) {
			kill(-group, SIGKILL);
			if (!ends_within(group, VANISH_MS))
				err = err_new(ERR_FAILED, "process group %ld"
				    " of an interrupted command survives"
				    " KILL", (long)group);
		}
	}
	kin_release(&members);
	if (err == NULL && ftruncate(note_fd, 0) == -1)
		err = err_system("truncate the note of a command");
	return err;
}
