/*
 * journal_fixture - a journal in a fresh folder, and deploys in it.
 */
#ifndef JOURNAL_FIXTURE_H
#define JOURNAL_FIXTURE_H

#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "journal/deploy.h"
#include "journal/journal.h"
#include "journal/push.h"
#include "journal/release.h"
#include "path.h"
#include "tap.h"

#define COMMIT "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

/* A new journal of that name in the folder of the test. */
static inline struct journal *
fixture_journal(const char *name)
{
	char *path = path_join(tap_folder(), name);
	struct journal *journal;

	unlink(path);
	if (!is_ok(journal_open(&journal, path, DB_CREATE), "%s is made",
	    name))
		exit(1);
	free(path);
	return journal;
}

/* A push of one ref: its number. */
static inline int64_t
fixture_push(struct journal *journal, const char *ref, const char *old,
    const char *new)
{
	struct push push = PUSH_INIT;
	int64_t id;

	push.pusher = xstrdup("alice");
	push.receiver = xstrdup("12 34");
	push_add_ref(&push, old, new, ref);
	is_ok(push_write(journal, &push), "%s to %s is written", old, new);
	id = push.id;
	push_release(&push);
	return id;
}

/* Request a deploy of COMMIT to an environment: its number. */
static inline int64_t
fixture_request(struct journal *journal, const char *environment,
    const struct directives *options)
{
	struct deploy deploy = DEPLOY_INIT;
	int64_t number;

	deploy.environment = xstrdup(environment);
	deploy.kind = xstrdup("deploy");
	deploy.commit = xstrdup(COMMIT);
	deploy.pusher = xstrdup("alice");
	is_ok(deploy_request(journal, &deploy, options), "a request");
	number = deploy.number;
	deploy_release(&deploy);
	return number;
}

/* Take what waits and plan it as a new release of that name. */
static inline void
fixture_plan(struct journal *journal, const char *environment,
    const char *release, const char *previous, struct deploy *deploy)
{
	struct directives none = DIRECTIVES_INIT;

	is_ok(deploy_take(journal, environment, deploy), "taken");
	deploy->release = xstrdup(release);
	deploy->previous = xstrdup_null(previous);
	deploy->author = xstrdup("Alice <a@example.org>");
	deploy->subject = xstrdup("a subject");
	is_ok(deploy_plan(journal, deploy, &none, NULL), "planned");
}

/* Bring a planned deploy to a state by the straight way. */
static inline void
fixture_move(struct journal *journal, struct deploy *deploy,
    enum deploy_state state)
{
	static const enum deploy_state way[] = {
		DEPLOY_PREPARED, DEPLOY_ACTIVATING, DEPLOY_LIVE
	};

	for (size_t i = 0; i < 3 && deploy->state < state; i++)
		is_ok(deploy_move(journal, deploy, way[i]), "it becomes %s",
		    deploy_state_name(way[i]));
}

/* A whole deploy that goes live: its number. */
static inline int64_t
fixture_live(struct journal *journal, const char *environment,
    const char *release, const char *previous)
{
	int64_t number = fixture_request(journal, environment, NULL);
	struct deploy deploy;

	fixture_plan(journal, environment, release, previous, &deploy);
	fixture_move(journal, &deploy, DEPLOY_LIVE);
	deploy_release(&deploy);
	return number;
}

#endif
