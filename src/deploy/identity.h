/*
 * identity - who pushed, as the server knows it.
 *
 * Never taken from the commit: its author can be anybody. The first of these
 * that tells is the name:
 *
 *	GL_USER		gitolite, which sets it last of all
 *	REMOTE_USER	the web server, or environment="" of authorized_keys
 *	SSH_USER_AUTH	sshd, which sets it last of all: see sshkey.h
 *	a certificate	its signer, when it is good: see cert.h
 *	the account	that git-receive-pack runs as
 *
 * The account, the ssh key and the signer are kept besides. A variable is
 * worth what the server's configuration is: with "AcceptEnv *" a client sets
 * the first two as it likes.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>

#include "err.h"
#include "journal/push.h"

/* A longer name is cut, in bytes. */
#define IDENTITY_NAME_MAX 255

/* How the name is known when nothing else tells. */
#define IDENTITY_ACCOUNT "account"

/* The name of whoever started this process, given. */
char *identity_pusher(void);

/*
 * Fill in the receiver, pusher, origin (the client's address, NULL: this
 * machine) and "who" of a push whose hook this is.
 */
const struct err *identity_find(struct push *push);

/* The certificate counts for nothing, for this reason. */
void identity_unsign(struct push *push, const char *fault);

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
