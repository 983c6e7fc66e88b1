/*
 * malloc - an allocator that runs out of memory at a chosen call.
 *
 * A build of the programs that is linked with this file takes all of its
 * memory from here, that of libgit2, SQLite and libc included. The file
 * PROGRAM-FOLDER/malloc says what shall happen; it is mapped and shared, so
 * that the calls of all processes of a role have one order:
 *
 *	role	32 bytes: "agent", "runner", "pre-receive", "any", ...
 *	at	the call that fails, from 1 on; 0: none does
 *	forever	0: that call alone; 1: all after it, too
 *	count	calls so far
 *	failed	how many were refused
 *
 * A role is the command of slipway, or the name of a hook. The environment
 * could not tell it: programs build that of their children from nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME "malloc"
#define ROLE_SIZE 32

struct control {
	char role[ROLE_SIZE];
	uint64_t at;
	uint64_t forever;
	_Atomic uint64_t count;
	_Atomic uint64_t failed;
};

void *__libc_malloc(size_t size_bytes);
void *__libc_calloc(size_t count, size_t size_bytes);
void *__libc_realloc(void *ptr, size_t size_bytes);

static struct control *control;
static bool looked;

/* Nothing in here may allocate. */
static bool
has_role(const char *program, const char *role)
{
	char args[256];
	const char *word = args;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd == -1 ? -1 : read(fd, args, sizeof(args) - 1);

	if (fd != -1)
		close(fd);
	if (strcmp(role, "any") == 0)
		return true;
	if (strcmp(program, "slipway") != 0)
		return strcmp(program, role) == 0;
	if (len <= 0)
		return false;
	args[len] = '\0';
	word += strlen(word) + 1;
	return word - args < len && strcmp(word, role) == 0;
}

static void
look(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path,
	    sizeof(path) - sizeof(NAME));
	char program[256], *base;
	void *map;
	int fd;

	looked = true;
	if (len <= 0)
		return;
	path[len] = '\0';
	base = strrchr(path, '/') + 1;
	strncpy(program, base, sizeof(program) - 1);
	program[sizeof(program) - 1] = '\0';
	memcpy(base, NAME, sizeof(NAME));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	close(fd);
	if (map != MAP_FAILED &&
	    has_role(program, ((struct control *)map)->role))
		control = map;
}

static bool
refused(void)
{
	uint64_t call;
	int saved_errno = errno;

	if (!looked)
		look();
	errno = saved_errno;
	if (control == NULL)
		return false;
	call = atomic_fetch_add(&control->count, 1) + 1;
	if (control->at == 0 || call < control->at ||
	    (call > control->at && control->forever == 0))
		return false;
	atomic_fetch_add(&control->failed, 1);
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size_bytes)
{
	return refused() ? NULL : __libc_malloc(size_bytes);
}

void *
calloc(size_t count, size_t size_bytes)
{
	return refused() ? NULL : __libc_calloc(count, size_bytes);
}

void *
realloc(void *ptr, size_t size_bytes)
{
	return refused() ? NULL : __libc_realloc(ptr, size_bytes);
}
