/*
 * agent - the program that holds the releases of one host.
 *
 * It reads requests on one descriptor and answers on another until the
 * peer closes, as wire.h describes. It trusts its runner, which started it
 * with the rights of the deploy user, and nothing else: every name in a
 * request is checked before it becomes a path, and every path in a release
 * is opened beneath it.
 *
 * While it serves, it holds the lock of the host's root, so that a second
 * runner's agent (after a crash of the first) waits for the last command
 * of the first one to be gone. What that command had started and an agent
 * that was killed could not end any more is ended first.
 */
#ifndef AGENT_H
#define AGENT_H

#include "err.h"

/* Serve until the peer closes. */
const struct err *agent_serve(int in_fd, int out_fd);

#endif
