/*
 * alloc - memory or death, and no overflow.
 */
#include "alloc.h"

#include <sys/wait.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static void
grab_too_much(void)
{
	free(xmalloc(SIZE_MAX / 4));
}

static void
multiply_too_much(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 16));
}

static void
clear_too_much(void)
{
	free(xcalloc(SIZE_MAX / 4, 1));
}

/* The exit status of a child that runs "cb", its last words unseen. */
static int
status_of(void (*cb)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		cb();
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	char *s;
	void *p;

	is_int(status_of(grab_too_much), 1, "too much ends the process");
	is_int(status_of(multiply_too_much), 1, "an overflow, too");
	is_int(status_of(clear_too_much), 1, "and cleared memory");
	p = xmalloc(0);
	ok(p != NULL, "nothing is something to free");
	free(p);
	p = xcalloc(10, 1);
	ok(memcmp(p, "\0\0\0\0\0\0\0\0\0\0", 10) == 0, "cleared");
	free(p);
	s = xstrndup("abc", 2);
	is_str(s, "ab", "a part is copied");
	free(s);
	ok(xstrdup_null(NULL) == NULL, "NULL stays NULL");
	s = xasprintf("%d-%s", 7, "x");
	is_str(s, "7-x", "formatted");
	free(s);
	return tap_done();
}
