/*
 * readers [-f FLIPS] [-n OPENS] COUNT ROOT - what visitors of a site see.
 *
 * Each of COUNT processes opens the files in ROOT/current, over and over,
 * by path and through one descriptor of the folder. A path must always be
 * there. What is opened through one descriptor must be of one release, and
 * be there as long as that release is live or the one before. A file NAME
 * holds "RELEASE NAME", so that each is known by what it says.
 *
 * With -f it flips "current" itself, so many times, from one release to the
 * next, evenly spread over OPENS opens; else it goes on until its standard
 * input ends. Faults go to standard error; on standard output it says how
 * many opens there were, and how often a folder was held over a flip.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "release/store.h"

/* Faults of one reader that are told before it gives up. */
#define FAULTS_MAX 10

/* Between two looks of the flipper at the opens that were made. */
#define PAUSE_US 20

/* What all processes share. */
struct shared {
	_Atomic int64_t opens;
	_Atomic int64_t held;		/* folders, over a flip */
	_Atomic bool over;
};

struct reader {
	struct shared *shared;
	int root_fd;
	struct vec names;
	int faults;
};

static void
fault(struct reader *reader, const char *where, const char *name,
    const char *got)
{
	reader->faults++;
	fprintf(stderr, "%s %s: %s\n", where, name, got);
}

/* The release that a file names; false and errno when it is not there. */
static bool
read_release(struct reader *reader, int dirfd, const char *path,
    const char *name, char release[64])
{
	char text[128], said[64] = "";
	ssize_t n;
	int fd;

	reader->shared->opens++;
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	if (sscanf(text, "%63s %63s", release, said) != 2 ||
	    strcmp(said, name) != 0)
		fault(reader, "content of", path, text);
	return true;
}

static void
read_by_path(struct reader *reader)
{
	char path[512], release[64];

	for (size_t i = 0; i < reader->names.n; i++) {
		const char *name = reader->names.v[i];

		snprintf(path, sizeof(path), "current/%s", name);
		if (!read_release(reader, reader->root_fd, path, name,
		    release))
			fault(reader, "by path", path, strerror(errno));
	}
}

/* The last component of what a link says; "" without it. */
static void
link_base(int dirfd, const char *path, char base[64])
{
	struct str target = STR_INIT;
	const char *slash;

	*base = '\0';
	if (file_readlink(&target, dirfd, path) == NULL) {
		slash = strrchr(target.s, '/');
		sscanf(slash == NULL ? target.s : slash + 1, "%63s", base);
	}
	str_release(&target);
}

/* The release that an open folder is, and the one that is live. */
static void
see_both(const struct reader *reader, int fd, char held[64], char live[64])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	link_base(AT_FDCWD, path, held);
	link_base(reader->root_fd, "current", live);
}

/*
 * A release may go when another is the one before the live one: two names,
 * up to the live one, are newer. A release on its way out keeps its name.
 */
static bool
may_be_gone(const struct reader *reader, int fd)
{
	struct vec names = VEC_INIT;
	char held[64], live[64];
	int newer = 0;

	see_both(reader, fd, held, live);
	if (file_list(&names, reader->root_fd, "releases") != NULL)
		return false;
	for (size_t i = 0; i < names.n; i++)
		newer += strcmp(names.v[i], held) > 0 &&
		    strcmp(names.v[i], live) <= 0;
	vec_release(&names);
	return newer >= 2;
}

static void
read_by_folder(struct reader *reader)
{
	char first[64] = "", release[64], held[64], live[64];
	int fd;

	fd = openat(reader->root_fd, "current", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (fd == -1) {
		fault(reader, "folder", "current", strerror(errno));
		return;
	}
	for (size_t i = 0; i < reader->names.n; i++) {
		const char *name = reader->names.v[i];

		if (!read_release(reader, fd, name, name, release)) {
			int error = errno;

			if (error != ENOENT || !may_be_gone(reader, fd))
				fault(reader, "by folder", name,
				    strerror(error));
		} else if (*first == '\0') {
			memcpy(first, release, sizeof(first));
		} else if (strcmp(first, release) != 0) {
			fault(reader, first, "is mixed with", release);
		}
	}
	see_both(reader, fd, held, live);
	reader->shared->held += strcmp(held, live) != 0;
	close(fd);
}

static int
read_until_over(struct reader *reader)
{
	while (!reader->shared->over && reader->faults < FAULTS_MAX) {
		read_by_path(reader);
		read_by_folder(reader);
	}
	return reader->faults == 0 ? 0 : 1;
}

/*
 * Flips come when their share of the opens was made; the last is to the
 * newest release.
 */
static const struct err *
flip(struct shared *shared, const char *root, int64_t flips, int64_t opens)
{
	struct vec releases = VEC_INIT, partial = VEC_INIT;
	struct store *store;
	const struct err *err;

	err = store_open(&store, root);
	if (err == NULL)
		err = store_list(store, &releases, &partial);
	if (err == NULL && releases.n == 0)
		err = err_new(ERR_FAILED, "%s has no releases", root);
	for (int64_t i = 0; err == NULL && i < flips; i++) {
		while (shared->opens < opens * i / flips)
			usleep(PAUSE_US);
		err = store_flip(store, releases.v[releases.n - 1 -
		    (size_t)(flips - 1 - i) % releases.n]);
	}
	while (err == NULL && shared->opens < opens)
		usleep(PAUSE_US);
	vec_release(&releases);
	vec_release(&partial);
	store_close(store);
	return err;
}

static void
wait_for_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

static const struct err *
open_reader(struct reader *reader, struct shared *shared, const char *root)
{
	memset(reader, 0, sizeof(*reader));
	reader->shared = shared;
	reader->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reader->root_fd == -1)
		return err_system("open %s", root);
	return file_list(&reader->names, reader->root_fd, "current/.");
}

int
main(int argc, char **argv)
{
	struct shared *shared;
	struct reader reader;
	const struct err *err;
	int64_t flips = 0, opens = 0;
	int option, count, status, failed = 0;

	while ((option = getopt(argc, argv, "f:n:")) != -1)
		*(option == 'f' ? &flips : &opens) = strtoll(optarg, NULL, 10);
	if (argc - optind != 2)
		return 2;
	count = atoi(argv[optind]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	err = open_reader(&reader, shared, argv[optind + 1]);
	for (int i = 0; err == NULL && i < count; i++) {
		if (fork() == 0)
			_exit(read_until_over(&reader));
	}
	if (err == NULL && flips > 0)
		err = flip(shared, argv[optind + 1], flips, opens);
	else if (err == NULL)
		wait_for_end();
	shared->over = true;
	while (wait(&status) > 0)
		failed |= status;
	printf("%" PRId64 " %" PRId64 "\n", shared->opens, shared->held);
	vec_release(&reader.names);
	file_close(&reader.root_fd);
	if (err != NULL)
		err_print("readers", err);
	return err == NULL && failed == 0 ? 0 : 1;
}
