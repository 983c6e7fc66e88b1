/*
 * Writing never blocks either: an agent that has stopped reading holds up
 * nobody but the barrier it belongs to.
 */
#include "host/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "host/local.h"
#include "proc.h"

/* How long an agent may take to leave: to end a command, and a reserve. */
#define LEAVE_MS (2 * PROC_GRACE_MS + 2000)

/* How long the end of a lost agent is waited for, to tell how it ended. */
#define LOST_MS 1000

/* The ring of errors is too short for what a whole fleet may say. */
static void
note_failure(struct fleet *fleet, enum err_code code, const char *text)
{
	if (fleet->failure != NULL)
		return;
	fleet->code = code;
	fleet->failure = xstrdup(text);
}

static void
note_peer_failure(struct peer *peer, enum err_code code, const char *text)
{
	char *named;

	if (peer->fleet->n == 1) {
		note_failure(peer->fleet, code, text);
		return;
	}
	named = xasprintf("host %s: %s", peer->name, text);
	note_failure(peer->fleet, code, named);
	free(named);
}

static void
peer_done(struct peer *peer)
{
	loop_remove(&peer->fleet->loop, peer->fd);
	peer->busy = false;
	peer->fleet->n_busy--;
}

/* Give up on an agent; "why" NULL says how its process ended. */
static void
lose_peer(struct peer *peer, const char *why)
{
	struct proc_result result;
	struct str how = STR_INIT;

	peer_done(peer);
	file_close(&peer->fd);
	if (why != NULL) {
		str_add(&how, why);
	} else if (local_wait(peer->pid, clock_monotonic_ms() + LOST_MS,
	    &result)) {
		peer->pid = -1;
		proc_describe(&how, &result);
	} else {
		str_add(&how, "it closed its connection");
	}
	peer->lost = xasprintf("the agent ended (%s)", how.s);
	note_peer_failure(peer, ERR_FAILED, peer->lost);
	str_release(&how);
}

static void
pass_on(struct peer *peer)
{
	struct fleet *fleet = peer->fleet;
	const struct err *err;

	if (fleet->cb == NULL)
		return;
	err = fleet->cb(peer->name, &peer->incoming, fleet->ctx);
	if (err != NULL) {
		note_failure(fleet, err->code, err->text);
		fleet->cb = NULL;
	}
}

static void
take_error(struct peer *peer)
{
	const char *code = message_get(&peer->incoming, "code");
	const char *text = message_get(&peer->incoming, "text");

	note_peer_failure(peer, err_code_by_name(code == NULL ? "" : code),
	    text == NULL ? "the agent failed without a word" : text);
	peer_done(peer);
}

static void
take_message(struct peer *peer)
{
	const char *type = message_get(&peer->incoming, "type");

	if (type == NULL)
		type = "";
	if (strcmp(type, "output") == 0 || strcmp(type, "note") == 0) {
		pass_on(peer);
	} else if (strcmp(type, "result") == 0) {
		peer->reply = peer->incoming;
		memset(&peer->incoming, 0, sizeof(peer->incoming));
		peer_done(peer);
	} else if (strcmp(type, "error") == 0) {
		take_error(peer);
	} else {
		lose_peer(peer, "it sent a message of no known type");
	}
	message_release(&peer->incoming);
}

static void
take_messages(struct peer *peer)
{
	const struct err *err;
	bool whole, closed;

	while (peer->busy) {
		err = message_take(&peer->incoming, &peer->reader, &whole,
		    &closed);
		if (err != NULL && !peer->reader.closed)
			lose_peer(peer, err->text);
		else if (err != NULL || closed)
			lose_peer(peer, NULL);
		else if (whole)
			take_message(peer);
		else
			return;
	}
}

/* What an agent said before it went is still to be read. */
static void
send_more(struct peer *peer)
{
	ssize_t n;

	while (peer->sent_bytes < peer->out.len) {
		n = send(peer->fd, peer->out.s + peer->sent_bytes,
		    peer->out.len - peer->sent_bytes,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1) {
			/* A request that is cut short has no answer. */
			shutdown(peer->fd, SHUT_WR);
			break;
		}
		peer->sent_bytes += (size_t)n;
	}
	str_clear(&peer->out);
	peer->sent_bytes = 0;
}

static const struct err *on_ready(int fd, short revents, void *ctx);

static void
watch_peer(struct peer *peer)
{
	short events = peer->out.len > 0 ? POLLIN | POLLOUT : POLLIN;

	loop_remove(&peer->fleet->loop, peer->fd);
	loop_add(&peer->fleet->loop, peer->fd, events, on_ready, peer);
}

static const struct err *
on_ready(int fd, short revents, void *ctx)
{
	struct peer *peer = ctx;
	const struct err *err;

	if (peer->out.len > 0) {
		send_more(peer);
		watch_peer(peer);
	}
	if ((revents & ~POLLOUT) == 0)
		return NULL;
	err = pkt_fill(&peer->reader, fd);
	if (err != NULL)
		peer->reader.closed = true;
	take_messages(peer);
	return NULL;
}

void
fleet_ask(struct peer *peer, const struct message *request)
{
	if (peer->fd == -1) {
		note_peer_failure(peer, ERR_FAILED, peer->lost);
		return;
	}
	message_frame(request, &peer->out);
	peer->busy = true;
	peer->fleet->n_busy++;
	send_more(peer);
	watch_peer(peer);
}

void
fleet_begin(struct fleet *fleet, fleet_cb cb, fleet_stop_cb stop, void *ctx)
{
	fleet->cb = cb;
	fleet->stop = stop;
	fleet->ctx = ctx;
	for (size_t i = 0; i < fleet->n; i++)
		message_release(&fleet->peers[i].reply);
}

static void
lose_busy(struct fleet *fleet, const char *why)
{
	for (size_t i = 0; i < fleet->n; i++) {
		if (fleet->peers[i].busy)
			lose_peer(&fleet->peers[i], why);
	}
}

/* Once is enough: an agent ends its command, however long that takes. */
static void
stop_busy(struct fleet *fleet)
{
	struct message request = MESSAGE_INIT;

	fleet->stop = NULL;
	message_add(&request, "verb", "stop");
	for (size_t i = 0; i < fleet->n; i++) {
		struct peer *peer = &fleet->peers[i];

		if (!peer->busy)
			continue;
		message_frame(&request, &peer->out);
		send_more(peer);
		watch_peer(peer);
	}
	message_release(&request);
}

static const struct err *
wait_for_answers(struct fleet *fleet)
{
	int64_t tick_ms = clock_monotonic_ms() + FLEET_TICK_MS;
	const struct err *err = NULL;

	while (fleet->n_busy > 0 && err == NULL) {
		err = loop_wait(&fleet->loop, fleet->stop == NULL ? -1 :
		    tick_ms);
		if (fleet->stop == NULL || clock_monotonic_ms() < tick_ms)
			continue;
		if (fleet->stop(fleet->ctx))
			stop_busy(fleet);
		tick_ms = clock_monotonic_ms() + FLEET_TICK_MS;
	}
	return err;
}

const struct err *
fleet_wait(struct fleet *fleet)
{
	const struct err *err = wait_for_answers(fleet);

	if (err != NULL)
		lose_busy(fleet, err->text);
	else if (fleet->failure != NULL)
		err = err_new(fleet->code, "%s", fleet->failure);
	free(fleet->failure);
	fleet->failure = NULL;
	fleet->cb = NULL;
	return err;
}

static void
ask_all(struct fleet *fleet, const bool *mask, const struct message *request)
{
	for (size_t i = 0; i < fleet->n; i++) {
		if (mask == NULL || mask[i])
			fleet_ask(&fleet->peers[i], request);
	}
}

void
fleet_send(struct fleet *fleet, const bool *mask,
    const struct message *request, fleet_cb cb, void *ctx)
{
	fleet_begin(fleet, cb, NULL, ctx);
	ask_all(fleet, mask, request);
}

const struct err *
fleet_call(struct fleet *fleet, const bool *mask,
    const struct message *request, fleet_cb cb, void *ctx)
{
	fleet_send(fleet, mask, request, cb, ctx);
	return fleet_wait(fleet);
}

const struct err *
fleet_run(struct fleet *fleet, const bool *mask,
    const struct message *request, fleet_cb cb, fleet_stop_cb stop,
    void *ctx)
{
	fleet_begin(fleet, cb, stop, ctx);
	ask_all(fleet, mask, request);
	return fleet_wait(fleet);
}

static void
peer_release(struct peer *peer)
{
	pkt_reader_release(&peer->reader);
	message_release(&peer->opening);
	message_release(&peer->incoming);
	message_release(&peer->reply);
	str_release(&peer->out);
	free(peer->name);
	free(peer->current);
	free(peer->lost);
}

void
fleet_close(struct fleet *fleet)
{
	int64_t deadline_ms = clock_monotonic_ms() + LEAVE_MS;

	if (fleet == NULL)
		return;
	for (size_t i = 0; i < fleet->n; i++)
		file_close(&fleet->peers[i].fd);
	for (size_t i = 0; i < fleet->n; i++) {
		if (fleet->peers[i].pid != -1)
			local_end(fleet->peers[i].pid, deadline_ms);
		peer_release(&fleet->peers[i]);
	}
	loop_release(&fleet->loop);
	free(fleet->failure);
	free(fleet->peers);
	free(fleet);
}

bool
fleet_is_lost(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->n; i++) {
		if (fleet->peers[i].lost != NULL)
			return true;
	}
	return false;
}

const struct message *
fleet_reply(const struct fleet *fleet, size_t i)
{
	const struct message *reply = &fleet->peers[i].reply;

	return reply->n == 0 ? NULL : reply;
}

const char *
fleet_current(const struct fleet *fleet, size_t i)
{
	const char *current = fleet->peers[i].current;

	return current == NULL ? "" : current;
}
