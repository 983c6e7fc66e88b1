/*
 * inject - what the fault injector was told to do, and whom it traces.
 */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "calls.h"
#include "roles.h"

#define TRACEES_MAX 512

enum mode {
	MODE_LIST,
	MODE_KILL,
	MODE_KILL_ALL,
	MODE_ERROR,
	MODE_ERRORS,
	MODE_SHORT,
	MODE_PAUSE
};

struct order {
	enum mode mode;
	enum role role;
	const char *name;	/* only calls of this name; NULL: any */
	bool state;		/* only calls that change a disk */
	bool effect;		/* only calls that others may notice */
	bool fails;		/* only calls that can fail */
	long at;		/* which call, or every how many */
	int error;		/* an errno */
	const char *command;	/* for the pause */
	FILE *output;
	unsigned int seconds;
};

struct tracee {
	pid_t pid;
	enum role role;
	int status;		/* of the stop that it is frozen in */
	bool frozen;
	bool in_vfork;
};

/* A call that counts, about to be made. */
struct meeting {
	const struct tracee *tracee;
	const struct call *call;
	bool changes;		/* a disk; only looked at where it matters */
	char path[256];
};

/*
 * Read the command line: returns where the command begins, or NULL after
 * saying what is wrong.
 */
char **order_read(struct order *order, int argc, char **argv);

#endif
