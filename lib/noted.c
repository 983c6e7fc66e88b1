#include "noted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "kin.h"
#include "proc.h"
#include "vec.h"

/* How often to look whether all of them have ended. */
#define SLICE_MS 20

/* How long the killed may take to vanish. */
#define VANISH_MS 10000

/* A word of the note, and all of it. */
#define WORD_SIZE 64
#define NOTE_SIZE 256

/* What a note says. */
struct note {
	char boot[WORD_SIZE];
	char space[WORD_SIZE];
	int session;
	int64_t since_ns;	/* since the boot */
	uint64_t pipe;		/* its inode */
	int group;
};

/* "-" where this system does not tell. */
static void
read_space(char space[WORD_SIZE])
{
	ssize_t n = readlink("/proc/self/ns/pid", space, WORD_SIZE - 1);

	if (n <= 0)
		space[0] = '-';
	space[n <= 0 ? 1 : n] = '\0';
}

static void
read_boot(char boot[WORD_SIZE])
{
	struct str text = STR_INIT;

	if (file_read(&text, "/proc/sys/kernel/random/boot_id",
	    WORD_SIZE) != NULL || sscanf(text.s, "%63s", boot) != 1)
		snprintf(boot, WORD_SIZE, "-");
	str_release(&text);
}

static int64_t
since_boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * A description of the file of its own: a lock on that of the caller would
 * be the lock of all its commands. Where there are no such locks, or no
 * /proc, the rest has to do.
 */
static int
hold(int note_fd, int64_t byte)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = 1 };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", note_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1 && fcntl(fd, F_OFD_SETLK, &lock) == -1)
		file_close(&fd);
	return fd;
}

static bool
is_held(int note_fd, const struct note *note)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = note->since_ns, .l_len = 1 };

	return fcntl(note_fd, F_OFD_GETLK, &lock) == 0 &&
	    lock.l_type != F_UNLCK;
}

const struct err *
noted_write(struct noted *noted, int note_fd, int pipe_fd)
{
	char boot[WORD_SIZE], space[WORD_SIZE], text[NOTE_SIZE];
	int64_t now_ns = since_boot_ns();
	struct stat st;
	int len;

	noted->held_fd = -1;
	noted->note_at = 0;
	if (fstat(pipe_fd, &st) == -1)
		return err_system("stat a pipe");
	read_boot(boot);
	read_space(space);
	len = snprintf(text, sizeof(text), "%s %s %d %" PRId64 " %" PRIu64
	    " ", boot, space, (int)getsid(0), now_ns, (uint64_t)st.st_ino);
	if (ftruncate(note_fd, 0) == -1 ||
	    pwrite(note_fd, text, (size_t)len, 0) != len)
		return err_system("note a command");
	noted->note_at = (size_t)len;
	noted->held_fd = hold(note_fd, now_ns);
	return NULL;
}

const struct err *
noted_clear(int note_fd)
{
	return ftruncate(note_fd, 0) == -1 ?
	    err_system("truncate the note of a command") : NULL;
}

/* False for one whose command never ran: the child's own half is missing. */
static bool
read_note(struct note *note, int fd)
{
	char text[NOTE_SIZE];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0 || text[n - 1] != '\n')
		return false;
	text[n] = '\0';
	return sscanf(text, "%63s %63s %d %" SCNd64 " %" SCNu64 " %d",
	    note->boot, note->space, &note->session, &note->since_ns,
	    &note->pipe, &note->group) == 6 && note->group > 1;
}

static bool
numbers_are_ours(const struct note *note)
{
	char boot[WORD_SIZE], space[WORD_SIZE];

	read_boot(boot);
	read_space(space);
	return strcmp(note->boot, boot) == 0 &&
	    strcmp(note->space, space) == 0;
}

/* What is looked for among the processes, and found. */
struct search {
	const struct note *note;
	const struct stat *file;	/* that of the note; NULL: certain ones
					 * are looked for, else holders */
	struct kin found;
	struct str name;		/* of the first that was found */
};

static bool
is_open_as(int dir_fd, const char *fd, const struct search *search)
{
	struct stat st;

	if (fstatat(dir_fd, fd, &st, 0) == -1)
		return false;
	if (search->file == NULL)
		return S_ISFIFO(st.st_mode) &&
		    (uint64_t)st.st_ino == search->note->pipe;
	return st.st_dev == search->file->st_dev &&
	    st.st_ino == search->file->st_ino;
}

/* Those of another user do not let us look. */
static bool
has_open(pid_t pid, const struct search *search)
{
	char path[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	for (entry = readdir(dir); entry != NULL && !found;
	    entry = readdir(dir))
		found = entry->d_name[0] != '.' &&
		    is_open_as(dirfd(dir), entry->d_name, search);
	closedir(dir);
	return found;
}

static bool
is_wanted(const struct kin_process *process, const struct search *search)
{
	const struct note *note = search->note;
	int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);

	if (process->pid == getpid() || process->state == 'Z' ||
	    process->state == 'X' ||
	    process->start_ticks < note->since_ns / tick_ns)
		return false;
	if (search->file == NULL && process->group == note->group &&
	    process->session == note->session)
		return true;
	return has_open(process->pid, search);
}

static void
look_at(const struct kin_process *process, void *ctx)
{
	struct search *search = ctx;

	if (!is_wanted(process, search))
		return;
	if (search->found.n == 0)
		str_addf(&search->name, "%ld (", (long)process->pid);
	if (search->found.n == 0) {
		str_add_visible(&search->name, process->name,
		    strlen(process->name));
		str_add(&search->name, ")");
	}
	kin_add(&search->found, process->pid);
}

static void
look(struct search *search)
{
	kin_release(&search->found);
	str_clear(&search->name);
	kin_each(look_at, search);
}

static void
search_release(struct search *search)
{
	kin_release(&search->found);
	str_release(&search->name);
}

/* Signal all of them until none is left; those that came since, too. */
static bool
end_within(struct search *search, int sig, int64_t patience_ms)
{
	int64_t until_ms = clock_monotonic_ms() + patience_ms;
	bool again = true;

	while (search->found.n > 0 && clock_monotonic_ms() < until_ms) {
		for (size_t i = 0; again && i < search->found.n; i++)
			kill(search->found.pids[i], sig);
		again = sig == SIGKILL;
		poll(NULL, 0, SLICE_MS);
		look(search);
	}
	return search->found.n == 0;
}

static const struct err *
end_certain(const struct note *note, size_t *n)
{
	struct search search = { .note = note, .found = KIN_INIT,
	    .name = STR_INIT };
	const struct err *err = NULL;

	look(&search);
	*n = search.found.n;
	if (!end_within(&search, SIGTERM, PROC_GRACE_MS) &&
	    !end_within(&search, SIGKILL, VANISH_MS))
		err = err_new(ERR_FAILED, "process %s of an interrupted"
		    " command is still at work and cannot be ended from"
		    " here; end it, or wait for its end, and run slipway"
		    " resume", search.name.s);
	search_release(&search);
	return err;
}

static void
tell_left(int note_fd, const struct note *note, int64_t waited_ms,
    struct vec *left)
{
	struct search search = { .note = note, .found = KIN_INIT,
	    .name = STR_INIT };
	struct str line = STR_INIT;
	struct stat st;

	if (fstat(note_fd, &st) == 0 && numbers_are_ours(note)) {
		search.file = &st;
		look(&search);
	}
	str_addf(&line, "%s%s, which an interrupted command has started"
	    " apart from itself, ", search.found.n == 0 ? "a process that"
	    " cannot be seen from here" : "process ", search.name.s);
	if (search.found.n > 1)
		str_addf(&line, "and %zu more, ", search.found.n - 1);
	str_add(&line, "is still there after ");
	clock_add_duration(&line, waited_ms);
	str_add(&line, ", and is left alone: if it is no daemon, it is at"
	    " work beside what runs now");
	vec_push(left, line.s);
	str_release(&line);
	search_release(&search);
}

static void
wait_for_rest(int note_fd, const struct note *note, int64_t patience_ms,
    struct vec *left)
{
	int64_t until_ms = clock_monotonic_ms() + patience_ms;

	while (is_held(note_fd, note)) {
		if (clock_monotonic_ms() >= until_ms) {
			tell_left(note_fd, note, patience_ms, left);
			return;
		}
		poll(NULL, 0, SLICE_MS);
	}
}

const struct err *
noted_end(int note_fd, int64_t patience_ms, size_t *n, struct vec *left)
{
	const struct err *err = NULL;
	struct note note;

	*n = 0;
	if (read_note(&note, note_fd)) {
		if (numbers_are_ours(&note))
			err = end_certain(&note, n);
		if (err == NULL)
			wait_for_rest(note_fd, &note, patience_ms, left);
	}
	return err != NULL ? err : noted_clear(note_fd);
}
