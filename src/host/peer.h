/*
 * peer - what a fleet is made of, for the files that make it up: fleet.c,
 * which calls, and fleet_start.c, which gets the agents there.
 *
 *	fleet_begin(fleet, cb, NULL, ctx);
 *	fleet_ask(&fleet->peers[0], &request);
 *	err = fleet_wait(fleet);
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"
#include "host/fleet.h"
#include "host/wire.h"
#include "loop.h"
#include "str.h"

struct peer {
	struct fleet *fleet;
	char *name;
	pid_t pid;		/* -1: has ended */
	int fd;			/* -1: lost */
	struct pkt_reader reader;
	struct message opening;	/* the request that opens its root */
	struct message incoming;
	struct message reply;	/* empty: none */
	struct str out;		/* the request, being sent */
	size_t sent_bytes;
	bool busy;
	char *current;
	char *lost;		/* why, NULL while it is there */
};

struct fleet {
	struct peer *peers;
	size_t n;
	size_t n_busy;
	struct loop loop;
	fleet_cb cb;		/* of the call under way */
	fleet_stop_cb stop;	/* likewise; NULL: it is not asked */
	void *ctx;
	enum err_code code;	/* of the first failure of the call */
	char *failure;		/* its text, NULL: none yet */
};

/* A call begins, with no answer yet. */
void fleet_begin(struct fleet *fleet, fleet_cb cb, fleet_stop_cb stop,
    void *ctx);

/* Give a host its part of the call. */
void fleet_ask(struct peer *peer, const struct message *request);

#endif
