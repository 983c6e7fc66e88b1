/*
 * Killing goes by generations: only direct children are signalled, whose
 * numbers cannot be given to another process before we reap them. When one
 * dies, the kernel hands its children to us before its own death can be
 * waited for; so as long as any orphan is left, a scan finds at least one.
 *
 * An orphan that was kept is waited for, by number and without blocking,
 * at the next run. One whose parent lived on outside of every run becomes
 * ours unnoticed; when it ends, it stays a zombie until this process ends,
 * which is the price for never taking the status of a stranger's child.
 */
#include "kin.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kin started = KIN_INIT;
static struct kin kept = KIN_INIT;

static bool
has(const struct kin *kin, pid_t pid)
{
	for (size_t i = 0; i < kin->n; i++) {
		if (kin->pids[i] == pid)
			return true;
	}
	return false;
}

void
kin_add(struct kin *kin, pid_t pid)
{
	if (has(kin, pid))
		return;
	if (kin->n == kin->size) {
		kin->size = kin->size == 0 ? 16 : kin->size * 2;
		kin->pids = xreallocarray(kin->pids, kin->size,
		    sizeof(*kin->pids));
	}
	kin->pids[kin->n++] = pid;
}

static void
drop(struct kin *kin, pid_t pid)
{
	for (size_t i = 0; i < kin->n; i++) {
		if (kin->pids[i] == pid) {
			kin->pids[i] = kin->pids[--kin->n];
			return;
		}
	}
}

void
kin_release(struct kin *kin)
{
	free(kin->pids);
	kin->pids = NULL;
	kin->n = 0;
	kin->size = 0;
}

/* The name in a stat file may hold anything, so look behind its end. */
static bool
read_process(struct kin_process *process, int proc_fd, const char *pid)
{
	char path[64], text[1024];
	char *name, *behind;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.32s/stat", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	name = strchr(text, '(');
	behind = strrchr(text, ')');
	if (name == NULL || behind == NULL)
		return false;
	snprintf(process->name, sizeof(process->name), "%.*s",
	    (int)(behind - name - 1), name + 1);
	process->pid = (pid_t)strtol(pid, NULL, 10);
	return sscanf(behind + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u"
	    " %*u %*u %*d %*d %*d %*d %*d %*d %" SCNd64, &process->state,
	    &process->parent, &process->group, &process->session,
	    &process->start_ticks) == 5;
}

void
kin_each(kin_process_cb cb, void *ctx)
{
	DIR *dir = opendir("/proc");
	struct kin_process process;
	struct dirent *entry;

	if (dir == NULL)
		return;
	for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_process(&process, dirfd(dir), entry->d_name))
			cb(&process, ctx);
	}
	closedir(dir);
}

static void
note_child(const struct kin_process *process, void *ctx)
{
	if (process->parent == getpid())
		kin_add(ctx, process->pid);
}

static bool
read_children_of(struct kin *children, int tasks_fd, const char *tid)
{
	char path[64];
	FILE *file;
	int fd, pid;

	snprintf(path, sizeof(path), "%.32s/children", tid);
	fd = openat(tasks_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	file = fdopen(fd, "r");
	if (file == NULL) {
		close(fd);
		return false;
	}
	while (fscanf(file, "%d", &pid) == 1)
		kin_add(children, (pid_t)pid);
	fclose(file);
	return true;
}

/*
 * The kernel's own lists of the children of each thread; false where it
 * keeps none. Nobody but us takes a child off a list, by waiting for it, so
 * none is passed over.
 */
static bool
read_children(struct kin *children)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	bool known = true;

	if (dir == NULL)
		return false;
	for (entry = readdir(dir); known && entry != NULL;
	    entry = readdir(dir)) {
		if (isdigit((unsigned char)entry->d_name[0]))
			known = read_children_of(children, dirfd(dir),
			    entry->d_name);
	}
	closedir(dir);
	return known;
}

/*
 * Most processes that run a command have no other child, and the kernel
 * says so at once; that saves reading all of /proc.
 */
static void
list_children(struct kin *children)
{
	siginfo_t info;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 &&
	    errno == ECHILD)
		return;
	if (!read_children(children))
		kin_each(note_child, children);
}

/* Forget children that their owner has waited for without kin_wait(). */
static void
drop_gone(struct kin *kin, const struct kin *children)
{
	for (size_t i = kin->n; i > 0; i--) {
		if (!has(children, kin->pids[i - 1]))
			drop(kin, kin->pids[i - 1]);
	}
}

static void
reap_kept(void)
{
	for (size_t i = kept.n; i > 0; i--) {
		if (waitpid(kept.pids[i - 1], NULL, WNOHANG) != 0)
			drop(&kept, kept.pids[i - 1]);
	}
}

void
kin_snapshot(struct kin *before)
{
	pthread_mutex_lock(&mutex);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	reap_kept();
	list_children(before);
	drop_gone(&started, before);
	pthread_mutex_unlock(&mutex);
}

pid_t
kin_fork(void)
{
	pid_t pid;

	pthread_mutex_lock(&mutex);
	pid = fork();
	if (pid > 0) {
		drop(&kept, pid);
		kin_add(&started, pid);
	}
	if (pid != 0)
		pthread_mutex_unlock(&mutex);
	return pid;
}

pid_t
kin_wait(pid_t pid, int *status)
{
	pid_t got;

	pthread_mutex_lock(&mutex);
	do {
		got = waitpid(pid, status, 0);
	} while (got == -1 && errno == EINTR);
	drop(&started, pid);
	pthread_mutex_unlock(&mutex);
	return got;
}

/* What is among the children and neither older nor started here. */
static void
list_orphans(struct kin *orphans, const struct kin *before)
{
	struct kin children = KIN_INIT;

	list_children(&children);
	for (size_t i = 0; i < children.n; i++) {
		if (!has(before, children.pids[i]) &&
		    !has(&started, children.pids[i]))
			kin_add(orphans, children.pids[i]);
	}
	kin_release(&children);
}

size_t
kin_kill_orphans(const struct kin *before)
{
	struct kin orphans = KIN_INIT;
	size_t n;

	pthread_mutex_lock(&mutex);
	list_orphans(&orphans, before);
	for (size_t i = 0; i < orphans.n; i++) {
		kill(orphans.pids[i], SIGKILL);
		if (waitpid(orphans.pids[i], NULL, WNOHANG) != 0)
			drop(&kept, orphans.pids[i]);
	}
	pthread_mutex_unlock(&mutex);
	n = orphans.n;
	kin_release(&orphans);
	return n;
}

void
kin_keep_orphans(const struct kin *before)
{
	struct kin orphans = KIN_INIT;

	pthread_mutex_lock(&mutex);
	list_orphans(&orphans, before);
	for (size_t i = 0; i < orphans.n; i++)
		kin_add(&kept, orphans.pids[i]);
	reap_kept();
	pthread_mutex_unlock(&mutex);
	kin_release(&orphans);
}

void
kin_keep(pid_t pid)
{
	pthread_mutex_lock(&mutex);
	drop(&started, pid);
	kin_add(&kept, pid);
	pthread_mutex_unlock(&mutex);
}

struct group {
	pid_t pgrp;
	bool runs;
};

static void
look_in_group(const struct kin_process *process, void *ctx)
{
	struct group *group = ctx;

	group->runs |= process->group == group->pgrp &&
	    process->state != 'Z' && process->state != 'X';
}

bool
kin_group_runs(pid_t pgrp)
{
	struct group group = { pgrp, false };

	kin_each(look_in_group, &group);
	return group.runs;
}
