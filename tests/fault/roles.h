/*
 * roles - who of a deployment a process is, by what it was exec'ed as.
 *
 * A process that has been forked and not exec'ed has the role of its
 * parent. What a command of an agent starts is a command, too.
 */
#ifndef ROLES_H
#define ROLES_H

#include <stdbool.h>
#include <sys/types.h>

enum role {
	ROLE_OTHER,
	ROLE_RUNNER,
	ROLE_AGENT,
	ROLE_RESUME,
	ROLE_COMMAND,
	ROLE_RECEIVE_PACK,
	ROLE_PRE_RECEIVE,
	ROLE_PROC_RECEIVE,
	ROLE_POST_RECEIVE,
	ROLE_POST_UPDATE,
	ROLE_ANY
};

/* False when no role is called so. */
bool role_by_name(enum role *role, const char *name);

const char *role_name(enum role role);

/* The role of a process that has just exec'ed, from its command line. */
enum role role_of(pid_t pid, enum role before);

#endif
