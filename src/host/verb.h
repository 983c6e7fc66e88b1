/*
 * verb - what an agent does for each request, and what all verbs share.
 *
 * A verb reads the request, acts, and adds to the result, which already
 * says "type result"; an error becomes the answer "type error" instead.
 * The table in agent.c gives the verbs their names. No verb but hello and
 * open is called before the root is open.
 */
#ifndef VERB_H
#define VERB_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "host/wire.h"
#include "release/drift.h"
#include "vec.h"

struct lock;
struct repo;
struct store;

struct agent {
	int in_fd;
	int out_fd;
	char *repo_path;
	char *environment;
	char *host;
	struct vec roles;
	struct store *store;	/* NULL before "open" */
	struct lock *lock;
	struct repo *repo;	/* NULL until a verb needs it */
	struct vec told;	/* notes that are worth saying once */
	struct drift kept;	/* edits that a commit has, */
	char *kept_of;		/* and the release; NULL: of none */
	struct pkt_reader reader;	/* of in_fd */
	struct message ahead;	/* half a request, or with "is_ahead" one
				 * that came while a command ran */
	bool is_ahead;
};

typedef const struct err *(*verb_cb)(struct agent *agent,
    const struct message *request, struct message *result);

/* The one request that is no verb: it ends the command that runs. */
bool verb_is_stop(const struct message *request);

/* A value that must be there, lent from the request; ERR_PROTOCOL. */
const struct err *verb_text(const struct message *request, const char *key,
    const char **value);

/* A whole number from 0 to "max"; "otherwise" without the key. */
const struct err *verb_int(const struct message *request, const char *key,
    int64_t otherwise, int64_t max, int64_t *value);

/* The one release of a request, and all of them. */
const struct err *verb_release(const struct message *request,
    const char **release);
const struct err *verb_releases(const struct message *request,
    struct vec *releases);

/* All values of a key, each of them a path that stays in a release. */
const struct err *verb_paths(const struct message *request,
    const char *key, struct vec *paths);

/* Add every string of a list to a result. */
void verb_add_all(struct message *result, const char *key,
    const struct vec *values);

/* Send a note to the runner at once. */
const struct err *verb_note(struct agent *agent, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same unless this agent has sent that text before. */
const struct err *verb_note_once(struct agent *agent, const char *text);

/* Where that is which was in the place of links to shared/. */
const struct err *verb_note_saved(struct agent *agent, const char *release,
    const struct vec *saved);

/* The repository, lent: opened when the first verb needs it. */
const struct err *verb_repo(struct agent *agent, struct repo **repo);

const struct err *verb_check(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_room(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_checkout(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_configure(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_hooks(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_run(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_seal(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_flip(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_verify(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_drift(struct agent *agent,
    const struct message *request, struct message *result);

/* How many items that would have of what is live; -1: nobody can tell. */
int64_t verb_count_edits(struct agent *agent, const struct message *request);

const struct err *verb_adopt(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_repair(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_list(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_busy(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_remove(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_fail(struct agent *agent,
    const struct message *request, struct message *result);
const struct err *verb_sweep(struct agent *agent,
    const struct message *request, struct message *result);

#endif
