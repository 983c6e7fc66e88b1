/*
 * identity - who pushed, as the server knows it.
 *
 * Never taken from the commit: its author can be anybody.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>

#include "err.h"

/*
 * The name of whoever started this process, given: what gitolite
 * (GL_USER) or the web server (REMOTE_USER) authenticated, else the ssh
 * key that sshd tells of (see sshkey.h), else the unix user.
 */
char *identity_pusher(void);

/* The client's address (of SSH_CONNECTION), given; NULL: this machine. */
char *identity_origin(void);

/*
 * "PID START" of the git-receive-pack that this hook runs under, given:
 * the same for all hooks of one push, and for no other push.
 */
const struct err *identity_receiver(char **receiver);

/*
 * True unless it is certain that the receiver of that name has ended: what
 * cannot be told must be left to whoever it is.
 */
bool identity_lives(const char *receiver);

#endif
