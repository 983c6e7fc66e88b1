/*
 * served - a root with one release, and agents that serve it: what the
 * tests of src/host share.
 *
 * The program under a fleet is the test itself, called as "SELF agent".
 */
#ifndef SERVED_H
#define SERVED_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "host/agent.h"
#include "host/fleet.h"
#include "host/local.h"
#include "lock.h"
#include "path.h"
#include "tap.h"
#include "vec.h"

#define RELEASE "20261120101500"
#define RELEASE_DIR "releases/" RELEASE

/* More than any answer here takes, less than a command's "sleep". */
#define SOON_MS 30000

/* Everything that a call brought before its result. */
struct heard {
	struct vec lines;
	struct vec notes;
	struct vec hosts;
};

#define HEARD_INIT { VEC_INIT, VEC_INIT, VEC_INIT }

static inline void
heard_release(struct heard *heard)
{
	vec_release(&heard->lines);
	vec_release(&heard->notes);
	vec_release(&heard->hosts);
}

static inline const struct err *
on_message(const char *host, const struct message *message, void *ctx)
{
	struct heard *heard = ctx;
	const char *type = message_get(message, "type");

	vec_push(strcmp(type, "note") == 0 ? &heard->notes : &heard->lines,
	    message_get(message, "text"));
	vec_push_new(&heard->hosts, host);
	return NULL;
}

/* The path of the root, given; a release without files is in it. */
static inline char *
make_root(void)
{
	char *root = path_join(tap_folder(), "root");
	char *release = path_join(root, RELEASE_DIR);

	if (file_mkdirs(release, 0755) != NULL)
		abort();
	free(release);
	return root;
}

static inline const struct err *
open_fleet(struct fleet **fleet, const char *program, const char *root,
    const struct host *hosts, size_t n)
{
	const struct host *list[4];
	struct fleet_spec spec = { list, n, "/nowhere.git", root,
	    "production", program, 0, false };

	for (size_t i = 0; i < n; i++)
		list[i] = &hosts[i];
	return fleet_open(fleet, &spec);
}

static inline void
run_request(struct message *request, const char *command)
{
	message_add(request, "verb", "run");
	message_add(request, "release", RELEASE);
	message_add(request, "command", command);
}

/* Call with one request, which is released. */
static inline const struct err *
call(struct fleet *fleet, struct message *request, struct heard *heard)
{
	const struct err *err;

	err = fleet_call(fleet, NULL, request, on_message, heard);
	message_release(request);
	return err;
}

static inline int64_t
reply_int(const struct fleet *fleet, const char *key)
{
	const struct message *reply = fleet_reply(fleet, 0);

	return reply == NULL ? -77 : message_int(reply, key, -77);
}

static inline bool
lock_held(const char *root)
{
	char *path = path_join(root, ".slipway/lock");
	bool held = lock_is_held(path);

	free(path);
	return held;
}

static inline int
be_agent(void)
{
	return err_exit_status(agent_serve(STDIN_FILENO, STDOUT_FILENO));
}

/* Where this program is, given. */
static inline char *
self_path(void)
{
	char *path = realpath("/proc/self/exe", NULL);

	if (path == NULL)
		abort();
	return path;
}

#endif
