#include "calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALL(name, kind, argument, count) \
    { SYS_##name, #name, kind, argument, count }

static const struct call table[] = {
	CALL(read, '-', 0, 2),
	CALL(write, 'f', 0, 2),
	CALL(pread64, '-', 0, 2),
	CALL(pwrite64, 'f', 0, 2),
	CALL(writev, 'f', 0, -1),
	CALL(sendfile, 'f', 0, 3),
	CALL(copy_file_range, 'f', 2, 4),
	CALL(ftruncate, 'f', 0, -1),
	CALL(fallocate, 'f', 0, -1),
	CALL(fsync, 'f', 0, -1),
	CALL(fdatasync, 'f', 0, -1),
	CALL(syncfs, 'f', 0, -1),
	CALL(flock, 'e', 0, -1),
	CALL(fchmod, 'f', 0, -1),
	CALL(fchown, 'f', 0, -1),
	CALL(openat, 'o', 1, -1),
	CALL(openat2, 'o', 1, -1),
	CALL(renameat, 'p', 3, -1),
	CALL(renameat2, 'p', 3, -1),
	CALL(linkat, 'p', 3, -1),
	CALL(symlinkat, 'p', 2, -1),
	CALL(unlinkat, 'p', 1, -1),
	CALL(mkdirat, 'p', 1, -1),
	CALL(fchmodat, 'p', 1, -1),
	CALL(fchownat, 'p', 1, -1),
	CALL(utimensat, 'p', 1, -1),
	CALL(truncate, 'p', 0, -1),
#ifdef SYS_open
	CALL(open, 'o', 0, -1),
	CALL(creat, 'p', 0, -1),
	CALL(rename, 'p', 1, -1),
	CALL(link, 'p', 1, -1),
	CALL(symlink, 'p', 1, -1),
	CALL(unlink, 'p', 0, -1),
	CALL(mkdir, 'p', 0, -1),
	CALL(rmdir, 'p', 0, -1),
	CALL(chmod, 'p', 0, -1),
	CALL(chown, 'p', 0, -1),
	CALL(lchown, 'p', 0, -1),
	CALL(access, '-', 0, -1),
	CALL(stat, '-', 0, -1),
	CALL(lstat, '-', 0, -1),
	CALL(readlink, '-', 0, -1),
	CALL(poll, 'e', 0, -1),
	CALL(select, 'e', 0, -1),
	CALL(pipe, '-', 0, -1),
	CALL(dup2, '-', 0, -1),
	CALL(fork, 'e', 0, -1),
	CALL(vfork, 'e', 0, -1),
	CALL(epoll_create, '-', 0, -1),
	CALL(epoll_wait, 'e', 0, -1),
	CALL(getpgrp, '-', 0, -1),
	CALL(getdents, '-', 0, -1),
	CALL(alarm, '-', 0, -1),
	CALL(arch_prctl, '-', 0, -1),
#endif
	CALL(accept4, '-', 0, -1),
	CALL(brk, '-', 0, -1),
	CALL(chdir, '-', 0, -1),
	CALL(clock_nanosleep, '-', 0, -1),
	CALL(clone, 'e', 0, -1),
	CALL(clone3, 'e', 0, -1),
	CALL(close, '-', 0, -1),
	CALL(close_range, 'e', 0, -1),
	CALL(connect, 'e', 0, -1),
	CALL(dup, '-', 0, -1),
	CALL(dup3, 'e', 0, -1),
	CALL(epoll_create1, '-', 0, -1),
	CALL(epoll_ctl, '-', 0, -1),
	CALL(epoll_pwait, 'e', 0, -1),
	CALL(eventfd2, '-', 0, -1),
	CALL(execve, 'e', 0, -1),
	CALL(exit, 'e', 0, -1),
	CALL(exit_group, 'e', 0, -1),
	CALL(faccessat, '-', 1, -1),
	CALL(faccessat2, '-', 1, -1),
	CALL(fadvise64, '-', 0, -1),
	CALL(fchdir, '-', 0, -1),
	CALL(fcntl, 'e', 0, -1),
	CALL(fstat, '-', 0, -1),
	CALL(fstatfs, '-', 0, -1),
	CALL(futex, '-', 0, -1),
	CALL(getcwd, '-', 0, -1),
	CALL(getdents64, '-', 0, -1),
	CALL(getegid, '-', 0, -1),
	CALL(geteuid, '-', 0, -1),
	CALL(getgid, '-', 0, -1),
	CALL(getpgid, '-', 0, -1),
	CALL(getpid, '-', 0, -1),
	CALL(getppid, '-', 0, -1),
	CALL(getpriority, '-', 0, -1),
	CALL(getrandom, '-', 0, -1),
	CALL(getrlimit, '-', 0, -1),
	CALL(getrusage, '-', 0, -1),
	CALL(getsockopt, '-', 0, -1),
	CALL(gettid, '-', 0, -1),
	CALL(gettimeofday, '-', 0, -1),
	CALL(getuid, '-', 0, -1),
	CALL(inotify_add_watch, '-', 0, -1),
	CALL(inotify_init1, '-', 0, -1),
	CALL(inotify_rm_watch, '-', 0, -1),
	CALL(ioctl, 'e', 0, -1),
	CALL(ioprio_set, '-', 0, -1),
	CALL(kill, 'e', 0, -1),
	CALL(lseek, '-', 0, -1),
	CALL(madvise, '-', 0, -1),
	CALL(mmap, '-', 0, -1),
	CALL(mprotect, '-', 0, -1),
	CALL(mremap, '-', 0, -1),
	CALL(munmap, '-', 0, -1),
	CALL(newfstatat, '-', 1, -1),
	CALL(pidfd_open, '-', 0, -1),
	CALL(pidfd_send_signal, 'e', 0, -1),
	CALL(pipe2, '-', 0, -1),
	CALL(ppoll, 'e', 0, -1),
	CALL(prctl, '-', 0, -1),
	CALL(prlimit64, '-', 0, -1),
	CALL(pselect6, 'e', 0, -1),
	CALL(readlinkat, '-', 1, -1),
	CALL(recvfrom, '-', 0, 2),
	CALL(recvmsg, '-', 0, -1),
	CALL(rseq, '-', 0, -1),
	CALL(rt_sigaction, '-', 0, -1),
	CALL(rt_sigprocmask, '-', 0, -1),
	CALL(rt_sigreturn, '-', 0, -1),
	CALL(rt_sigsuspend, '-', 0, -1),
	CALL(sched_getaffinity, '-', 0, -1),
	CALL(sched_yield, '-', 0, -1),
	CALL(sendmsg, 'e', 0, -1),
	CALL(sendto, 'e', 0, 2),
	CALL(set_robust_list, '-', 0, -1),
	CALL(set_tid_address, '-', 0, -1),
	CALL(setitimer, '-', 0, -1),
	CALL(setpgid, 'e', 0, -1),
	CALL(setpriority, '-', 0, -1),
	CALL(setrlimit, '-', 0, -1),
	CALL(setsid, 'e', 0, -1),
	CALL(setsockopt, '-', 0, -1),
	CALL(sigaltstack, '-', 0, -1),
	CALL(signalfd4, '-', 0, -1),
	CALL(socket, '-', 0, -1),
	CALL(socketpair, '-', 0, -1),
	CALL(statfs, '-', 0, -1),
	CALL(statx, '-', 1, -1),
	CALL(sysinfo, '-', 0, -1),
	CALL(tgkill, 'e', 0, -1),
	CALL(timerfd_create, '-', 0, -1),
	CALL(timerfd_settime, '-', 0, -1),
	CALL(umask, '-', 0, -1),
	CALL(uname, '-', 0, -1),
	CALL(wait4, 'e', 0, -1),
	CALL(waitid, 'e', 0, -1),
};

const struct call *
calls_at(size_t i)
{
	return i < sizeof(table) / sizeof(*table) ? &table[i] : NULL;
}

const struct call *
calls_find(long number)
{
	static char name[32];
	static struct call unknown = { .name = name, .kind = '-',
	    .count = -1 };

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (table[i].number == number)
			return &table[i];
	}
	snprintf(name, sizeof(name), "sys_%ld", number);
	unknown.number = number;
	return &unknown;
}

/* A text of the tracee's, cut to what its page and ours hold. */
static void
read_text(pid_t pid, uint64_t at, char *text, size_t size)
{
	size_t page_left = 4096 - at % 4096;
	struct iovec ours = { text, size - 1 };
	struct iovec theirs = { (void *)(uintptr_t)at, size - 1 };
	ssize_t n;

	if (page_left < ours.iov_len)
		ours.iov_len = theirs.iov_len = page_left;
	n = process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
	text[n < 0 ? 0 : n] = '\0';
}

/* The file behind a descriptor; "" for a pipe, a socket, a device. */
static void
read_fd(pid_t pid, uint64_t fd, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, (int)fd);
	n = readlink(link, path, size - 1);
	path[n < 0 ? 0 : n] = '\0';
	if (path[0] != '/' || strncmp(path, "/dev/null", 9) == 0)
		path[0] = '\0';
}

static bool
may_create(const struct call *call, pid_t pid, const uint64_t arguments[6])
{
	const uint64_t changing = O_CREAT | O_TRUNC;
	uint64_t flags = arguments[call->argument + 1];

	if (call->number == SYS_openat2) {
		struct iovec ours = { &flags, sizeof(flags) };
		struct iovec theirs = { (void *)(uintptr_t)arguments[2],
		    sizeof(flags) };

		if (process_vm_readv(pid, &ours, 1, &theirs, 1, 0) < 0)
			return false;
	}
	return (flags & changing) != 0;
}

bool
calls_shows(const struct call *call, pid_t pid, const uint64_t arguments[6])
{
	return call->kind == 'o' ? may_create(call, pid, arguments) :
	    call->kind != '-';
}

bool
calls_fails(const struct call *call)
{
	static const char *const never[] = {
		"close", "fcntl", "futex", "poll", "ppoll", "wait4", "waitid",
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		if (strcmp(never[i], call->name) == 0)
			return false;
	}
	return true;
}

bool
calls_changes(const struct call *call, pid_t pid,
    const uint64_t arguments[6], char *path, size_t size)
{
	path[0] = '\0';
	switch (call->kind) {
	case 'f':
		read_fd(pid, arguments[call->argument], path, size);
		return path[0] != '\0';
	case 'o':
		if (!may_create(call, pid, arguments))
			return false;
		/* FALLTHROUGH */
	case 'p':
		read_text(pid, arguments[call->argument], path, size);
		return true;
	default:
		return false;
	}
}
