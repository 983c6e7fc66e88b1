/*
 * fleet - the hosts of one environment, spoken to together.
 *
 * The runner knows one kind of host: an agent behind a descriptor. A call
 * goes to all hosts of a set at once and returns when every one of them
 * has answered, so each call is a barrier.
 *
 *	err = fleet_open(&fleet, &spec);
 *	err = fleet_call(fleet, NULL, &request, on_note, ctx);
 *	files = message_int(fleet_reply(fleet, 0), "files", 0);
 *	fleet_close(fleet);
 */
#ifndef FLEET_H
#define FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "host/wire.h"
#include "plan/config.h"

struct fleet;

struct fleet_spec {
	const struct host *const *hosts;
	size_t n_hosts;
	const char *repo;		/* absolute */
	const char *root;		/* absolute */
	const char *environment;
	const char *program;		/* absolute path of slipway; NULL: the
					 * one beside this program */
	int64_t threads;		/* 0: one for each processor */
	bool look;			/* change nothing, lock nothing */
};

/* An "output" or "note" message, as it arrives. */
typedef const struct err *(*fleet_cb)(const char *host,
    const struct message *message, void *ctx);

/* How often a call that may be stopped asks whether it is to, in ms. */
#define FLEET_TICK_MS 250

/* Asked while a command runs: true when it is to be ended. */
typedef bool (*fleet_stop_cb)(void *ctx);

/*
 * Start every agent, and greet it. None has touched its host before
 * fleet_ready(), which comes next; until then they get ready by themselves.
 */
const struct err *fleet_start(struct fleet **fleet,
    const struct fleet_spec *spec);

/*
 * Wait for the agents, and open the root on each host; the answer to that
 * is in fleet_reply(). A fleet for which this failed can only be closed.
 * "tick" is called every FLEET_TICK_MS as long as it takes, and returns false;
 * NULL: nothing is.
 */
const struct err *fleet_ready(struct fleet *fleet, fleet_stop_cb tick,
    void *ctx);

/* Both in one. */
const struct err *fleet_open(struct fleet **fleet,
    const struct fleet_spec *spec);

/* Close the connections and wait for the local agents. NULL is allowed. */
void fleet_close(struct fleet *fleet);

/* True once a host is lost: it answers no more calls of this fleet. */
bool fleet_is_lost(const struct fleet *fleet);

/*
 * Send one request to the hosts whose entry in "mask" is true (NULL: to
 * all) and wait for every answer. When a host answers with an error, or is
 * lost, the first such error is returned with the host's name in front
 * (unless there is only one host), after all others have answered.
 */
const struct err *fleet_call(struct fleet *fleet, const bool *mask,
    const struct message *request, fleet_cb cb, void *ctx);

/*
 * The two halves of that, for what can be done while the hosts are at work;
 * another call of this fleet cannot. The request need not outlive the first.
 */
void fleet_send(struct fleet *fleet, const bool *mask,
    const struct message *request, fleet_cb cb, void *ctx);
const struct err *fleet_wait(struct fleet *fleet);

/*
 * fleet_call() for a "run" that may be stopped. When "stop" says so, every host
 * that has not answered is told to end its command, and its answer is
 * waited for as usual.
 */
const struct err *fleet_run(struct fleet *fleet, const bool *mask,
    const struct message *request, fleet_cb cb, fleet_stop_cb stop,
    void *ctx);

/* The last answer of a host, lent until the next call; NULL: none. */
const struct message *fleet_reply(const struct fleet *fleet, size_t i);

/* What "open" said is the live release of a host, lent; "" for none. */
const char *fleet_current(const struct fleet *fleet, size_t i);

#endif
