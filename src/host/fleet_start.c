/*
 * How the agents of a fleet get there: each is started, greeted, and told
 * which root is its own.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "alloc.h"
#include "host/local.h"
#include "host/peer.h"
#include "path.h"

/* The program that agents are, given. */
static const struct err *
find_program(char **program, const struct fleet_spec *spec)
{
	const struct err *err;
	char *dir;

	*program = xstrdup_null(spec->program);
	if (*program != NULL)
		return NULL;
	err = path_of_program(&dir);
	if (err != NULL)
		return err;
	*program = path_join(dir, "slipway");
	free(dir);
	return NULL;
}

static const struct err *
start_agents(struct fleet *fleet, const char *program)
{
	const struct err *err;

	for (size_t i = 0; i < fleet->n; i++) {
		struct peer *peer = &fleet->peers[i];

		err = local_start(&peer->pid, &peer->fd, program);
		if (err != NULL)
			return err_add(err, "host %s", peer->name);
		if (fcntl(peer->fd, F_SETFL, O_NONBLOCK) == -1)
			return err_system("host %s: fcntl", peer->name);
	}
	return NULL;
}

/* The answer is waited for in fleet_ready(). */
static void
greet(struct fleet *fleet)
{
	struct message request = MESSAGE_INIT;

	message_add(&request, "verb", "hello");
	message_add_int(&request, "version", WIRE_VERSION);
	fleet_begin(fleet, NULL, NULL, NULL);
	for (size_t i = 0; i < fleet->n; i++)
		fleet_ask(&fleet->peers[i], &request);
	message_release(&request);
}

static const struct err *
check_greeting(struct fleet *fleet)
{
	const struct err *err = fleet_wait(fleet);

	for (size_t i = 0; i < fleet->n && err == NULL; i++) {
		if (message_int(&fleet->peers[i].reply, "version", 0) !=
		    WIRE_VERSION)
			err = err_new(ERR_PROTOCOL, "host %s: its agent"
			    " speaks another version of the protocol",
			    fleet->peers[i].name);
	}
	return err;
}

static const struct err *
open_roots(struct fleet *fleet, fleet_stop_cb tick, void *ctx)
{
	const struct err *err;

	fleet_begin(fleet, NULL, tick, ctx);
	for (size_t i = 0; i < fleet->n; i++)
		fleet_ask(&fleet->peers[i], &fleet->peers[i].opening);
	err = fleet_wait(fleet);
	for (size_t i = 0; i < fleet->n && err == NULL; i++) {
		struct peer *peer = &fleet->peers[i];

		peer->current = xstrdup_null(
		    message_get(&peer->reply, "current"));
	}
	return err;
}

static void
fill_opening(struct message *request, const struct fleet_spec *spec,
    const struct host *host)
{
	message_add(request, "verb", "open");
	message_add(request, "repo", spec->repo);
	message_add(request, "root", spec->root);
	message_add(request, "environment", spec->environment);
	message_add(request, "host", host->name);
	message_add_int(request, "threads", spec->threads);
	message_add_int(request, "look", spec->look);
	for (size_t i = 0; i < host->roles.n; i++)
		message_add(request, "role", host->roles.v[i]);
}

static struct fleet *
fleet_new(const struct fleet_spec *spec)
{
	struct fleet *fleet = xcalloc(1, sizeof(*fleet));

	fleet->peers = xcalloc(spec->n_hosts, sizeof(*fleet->peers));
	fleet->n = spec->n_hosts;
	for (size_t i = 0; i < fleet->n; i++) {
		struct peer *peer = &fleet->peers[i];

		peer->fleet = fleet;
		peer->name = xstrdup(spec->hosts[i]->name);
		peer->pid = -1;
		peer->fd = -1;
		str_init(&peer->reader.buf);
		str_init(&peer->out);
		fill_opening(&peer->opening, spec, spec->hosts[i]);
	}
	return fleet;
}

const struct err *
fleet_start(struct fleet **fleet, const struct fleet_spec *spec)
{
	struct fleet *made = fleet_new(spec);
	const struct err *err;
	char *program;

	*fleet = NULL;
	err = find_program(&program, spec);
	if (err == NULL)
		err = start_agents(made, program);
	free(program);
	if (err != NULL) {
		fleet_close(made);
		return err;
	}
	greet(made);
	*fleet = made;
	return NULL;
}

const struct err *
fleet_ready(struct fleet *fleet, fleet_stop_cb tick, void *ctx)
{
	const struct err *err = check_greeting(fleet);

	return err == NULL ? open_roots(fleet, tick, ctx) : err;
}

const struct err *
fleet_open(struct fleet **fleet, const struct fleet_spec *spec)
{
	const struct err *err = fleet_start(fleet, spec);

	if (err == NULL)
		err = fleet_ready(*fleet, NULL, NULL);
	if (err != NULL) {
		fleet_close(*fleet);
		*fleet = NULL;
	}
	return err;
}
