/*
 * meter [-m] [-i US] [-x TEXT] [-t MIB] FILE COMMAND... - time and memory.
 *
 * Runs a command and writes one line to FILE: how long it ran, by the clock
 * and on the processors, its exit status, and with -m the most memory that
 * it and all it started had at once. That is the sum of their Pss, looked at
 * every US microseconds (2,000): what several processes share counts once.
 * Where a process may not be looked at so closely, its RSS is taken, and
 * "exact" is 0. "beyond" is the same without the packs of a repository that
 * are mapped, which the kernel takes back when it wants to. With -x only
 * programs count that have TEXT in their path. -t touches so much memory
 * before, untimed.
 *
 *	at=1795747989.219 ms=12.345 cpu_ms=11.2 status=0 kib=8123 beyond=4012
 *	exact=1 looks=6
 *
 * "at" is when it began, in seconds since 1970, for what a file says.
 * What the command leaves behind is waited for, and looked at, but not timed.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct memory {
	int64_t all_kib;
	int64_t beyond_kib;
};

static const char *program;		/* NULL: all of them */
static bool exact = true;

static double
now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* One that may not be looked at closely, or has just ended: then 0. */
static void
add_rss(struct memory *sum, int pid)
{
	long size, resident, page_kib = sysconf(_SC_PAGESIZE) / 1024;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fscanf(file, "%ld %ld", &size, &resident) == 2 && resident > 0) {
		exact = false;
		sum->all_kib += resident * page_kib;
		sum->beyond_kib += resident * page_kib;
	}
	fclose(file);
}

/* A mapping begins with its addresses, in hexadecimal digits without 'P'. */
static void
add_pss(struct memory *sum, int pid)
{
	bool of_pack = false;
	char line[4608];
	int64_t kib;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/smaps", pid);
	file = fopen(line, "re");
	if (file == NULL) {
		add_rss(sum, pid);
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[strspn(line, "0123456789abcdef")] == '-')
			of_pack = strstr(line, "/objects/pack/") != NULL;
		else if (sscanf(line, "Pss: %" SCNd64, &kib) == 1) {
			sum->all_kib += kib;
			sum->beyond_kib += of_pack ? 0 : kib;
		}
	}
	fclose(file);
}

static bool
is_meant(int pid)
{
	char link[64], path[4096];
	ssize_t len;

	if (program == NULL)
		return true;
	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	len = readlink(link, path, sizeof(path) - 1);
	if (len == -1)
		return false;
	path[len] = '\0';
	return strstr(path, program) != NULL;
}

static void add_children(struct memory *sum, int pid);

static void
add_children_of_thread(struct memory *sum, int pid, const char *thread)
{
	char path[320];
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, thread);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fscanf(file, "%d", &child) == 1) {
		if (is_meant(child))
			add_pss(sum, child);
		add_children(sum, child);
	}
	fclose(file);
}

static void
add_children(struct memory *sum, int pid)
{
	struct dirent *entry;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			add_children_of_thread(sum, pid, entry->d_name);
	closedir(folder);
}

/* Raise the peaks to what is there now. */
static void
look(struct memory *peak)
{
	struct memory sum = { 0, 0 };

	add_children(&sum, getpid());
	if (sum.all_kib > peak->all_kib)
		peak->all_kib = sum.all_kib;
	if (sum.beyond_kib > peak->beyond_kib)
		peak->beyond_kib = sum.beyond_kib;
}

static void
touch(size_t size_mib)
{
	size_t size = size_mib << 20;
	char *memory;

	if (size == 0)
		return;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return;
	memset(memory, 1, size);
	munmap(memory, size);
}

static int
start(char **argv)
{
	int pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	return pid;
}

/* Until "pid" has ended, or with 0 all that is left; its exit status. */
static int
await(int pid, int64_t pause_us, struct memory *peak, int64_t *looks)
{
	int got, status, flags = pause_us > 0 ? WNOHANG : 0;

	for (;;) {
		got = waitpid(-1, &status, flags);
		if (got == -1 && errno != EINTR)
			return 127;
		if (got > 0 && got == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) :
			    128 + WTERMSIG(status);
		if (got == 0) {
			look(peak);
			(*looks)++;
			usleep((useconds_t)pause_us);
		}
	}
}

static double
cpu_ms(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
	    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

int
main(int argc, char **argv)
{
	struct memory peak = { 0, 0 };
	int64_t pause_us = 2000, looks = 0;
	bool memory = false;
	size_t touch_mib = 0;
	double at, begin, ms;
	FILE *file;
	int option, status;

	while ((option = getopt(argc, argv, "+mi:x:t:")) != -1) {
		switch (option) {
		case 'm': memory = true; break;
		case 'i': pause_us = atoll(optarg); break;
		case 'x': program = optarg; break;
		case 't': touch_mib = (size_t)atoll(optarg); break;
		default: return 2;
		}
	}
	file = argc - optind < 2 ? NULL : fopen(argv[optind], "we");
	if (file == NULL) {
		fprintf(stderr, "usage: meter [-m] [-i US] [-x TEXT] [-t MIB]"
		    " FILE COMMAND...\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	touch(touch_mib);
	at = now_ms(CLOCK_REALTIME) / 1e3;
	begin = now_ms(CLOCK_MONOTONIC);
	status = await(start(argv + optind + 1), memory ? pause_us : 0, &peak,
	    &looks);
	ms = now_ms(CLOCK_MONOTONIC) - begin;
	await(0, memory ? pause_us : 0, &peak, &looks);
	fprintf(file, "at=%.6f ms=%.3f cpu_ms=%.1f status=%d kib=%" PRId64
	    " beyond=%" PRId64 " exact=%d looks=%" PRId64 "\n", at, ms,
	    cpu_ms(), status, peak.all_kib, peak.beyond_kib, exact, looks);
	return fclose(file) == 0 ? 0 : 1;
}
