/*
 * kin - the children of this process: started by it, or left to it.
 *
 * The process becomes a subreaper, so a descendant whose parent ends is
 * handed to it by the kernel, however often it forked or changed its
 * session. Such an orphan is told from a child that was started here in
 * two ways: children from kin_fork() are on a list until kin_wait() takes
 * them off, and any other child that was there before a run began is in
 * the snapshot of that run. Only orphans are ever killed or waited for
 * here, each by its own number; nothing waits for "any child".
 *
 *	kin_snapshot(&before);
 *	pid = kin_fork();
 *	...
 *	while (kin_kill_orphans(&before) != 0)
 *		...
 *	kin_wait(pid, &status);
 *	kin_release(&before);
 *
 * All functions may be called by several threads. Two runs at the same
 * time cannot tell their orphans apart: the one that ends by force takes
 * those that the other left behind in the meantime with it.
 */
#ifndef KIN_H
#define KIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kin {
	pid_t *pids;
	size_t n;
	size_t size;
};

#define KIN_INIT { NULL, 0, 0 }

/*
 * Become a subreaper, and note which children there are. Orphans of
 * earlier runs that have ended meanwhile are reaped.
 */
void kin_snapshot(struct kin *before);
void kin_release(struct kin *kin);

/* fork(2); the child is ours until kin_wait(). */
pid_t kin_fork(void);

/* waitpid(2) for a child of kin_fork(), without flags. */
pid_t kin_wait(pid_t pid, int *status);

/*
 * Send KILL to every orphan that came since the snapshot, and reap those
 * that are dead. Returns how many there were, the dead ones included: 0
 * means that none is left, provided that the child they descend from was
 * dead before the call.
 */
size_t kin_kill_orphans(const struct kin *before);

/* Leave the orphans since the snapshot alive; reap them when they end. */
void kin_keep_orphans(const struct kin *before);

/* Treat a child, or a future one, as an orphan that is to be kept. */
void kin_keep(pid_t pid);

/* True while a process of the group runs; zombies do not count. */
bool kin_group_runs(pid_t pgrp);

/* A process as the kernel lists it, of whomever. */
struct kin_process {
	pid_t pid, parent, group, session;
	char state;
	int64_t start_ticks;	/* since the boot */
	char name[64];
};

typedef void (*kin_process_cb)(const struct kin_process *process,
    void *ctx);

/* Call back for each process there is. */
void kin_each(kin_process_cb cb, void *ctx);

/* Put a number on a list, once. */
void kin_add(struct kin *kin, pid_t pid);

#endif
