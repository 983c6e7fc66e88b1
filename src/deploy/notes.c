#include "deploy/notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/branch.h"
#include "journal/release.h"

/* Of the lines of all environments, the last ones are looked at. */
#define SEARCH_MAX 1000

static const struct err *
take(const struct repo_commit *commit, void *ctx)
{
	struct vec *oids = ctx;

	if (oids->n < NOTES_MAX)
		vec_push(oids, commit->oid);
	return NULL;
}

/* A commit that is deployed a second time has gone live a second time. */
static const struct err *
went_live(const struct hub *hub, struct repo *repo,
    const struct deploy *deploy, struct vec *oids)
{
	char before[REPO_OID_SIZE];
	const char *hidden[1] = { before };
	const struct err *err;

	err = release_commit(hub->journal, deploy->environment,
	    deploy->previous, before);
	if (err == NULL && strcmp(deploy->kind, "deploy") == 0)
		err = repo_walk(repo, deploy->commit, hidden,
		    *before == '\0' ? 0 : 1, take, oids);
	if (err == NULL && oids->n == 0)
		vec_push(oids, deploy->commit);
	return err;
}

/*
 * The journal's time, so that a second attempt writes the same line; a
 * rollback may have made the release live once more since.
 */
static const struct err *
add_line(const struct hub *hub, const struct deploy *deploy,
    struct str *line)
{
	char at[CLOCK_ISO_SIZE];
	struct release release;
	const struct err *err;
	int64_t live_at;

	err = release_get(hub->journal, deploy->environment,
	    deploy->release, &release);
	if (err == NULL) {
		live_at = release.live_at;
		if (deploy->finished_at != 0 && live_at > deploy->finished_at)
			live_at = deploy->finished_at;
		clock_iso(at, live_at);
		str_addf(line, "%s: live %.19sZ, %s %" PRId64 " by ",
		    deploy->environment, at, deploy->kind, deploy->number);
		/* git log --notes shows it as it is. */
		str_add_visible(line, deploy->pusher,
		    strlen(deploy->pusher));
	}
	release_release(&release);
	return err;
}

static const struct err *
write_one(const struct hub *hub, const struct environment *env,
    struct repo *repo, const struct deploy *deploy)
{
	struct vec oids = VEC_INIT;
	struct str line = STR_INIT, moved = STR_INIT;
	const struct err *err;

	err = add_line(hub, deploy, &line);
	branch_tell(repo, env, deploy, &moved);
	if (moved.len > 0)
		str_addf(&line, "; %s", moved.s);
	if (err == NULL)
		err = went_live(hub, repo, deploy, &oids);
	if (err == NULL)
		err = repo_note_add(repo, NOTES_REF, &oids, line.s);
	vec_release(&oids);
	str_release(&line);
	str_release(&moved);
	return err;
}

/* The deploy whose line was written last; 0 when there is none. */
static int64_t
last_written(struct repo *repo, const char *environment)
{
	char *prefix = xasprintf("%s: live ", environment);
	char *line = repo_note_last(repo, NOTES_REF, prefix, SEARCH_MAX);
	int64_t number = 0;

	if (line != NULL && sscanf(line + strlen(prefix), "%*s %*s %"
	    SCNd64, &number) != 1)
		number = 0;
	free(line);
	free(prefix);
	return number;
}

/* Those that have no line yet: to write one takes long. */
struct behind {
	int64_t numbers[NOTES_BEHIND_MAX];
	size_t n;
};

static const struct err *
collect(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct behind *behind = ctx;

	(void)journal;
	if (behind->n < NOTES_BEHIND_MAX)
		behind->numbers[behind->n++] = deploy->number;
	return NULL;
}

static const struct err *
write_number(const struct hub *hub, const struct environment *env,
    struct repo *repo, int64_t number)
{
	struct deploy deploy;
	const struct err *err;

	err = deploy_get(hub->journal, number, &deploy);
	if (err == NULL)
		err = write_one(hub, env, repo, &deploy);
	deploy_release(&deploy);
	return err;
}

/* One that cannot be written, for good perhaps, is in nobody's way. */
const struct err *
notes_write(const struct hub *hub, const struct environment *env,
    struct repo *repo, const struct deploy *deploy)
{
	struct behind behind = { .n = 0 };
	struct err_kept kept = ERR_KEPT_INIT;
	struct deploy_filter filter = {
		.environment = env->name,
		.states = ",live,retired,",
		.above = last_written(repo, env->name),
		.limit = NOTES_BEHIND_MAX,
		.oldest_first = true,
	};
	const struct err *err;

	if (filter.above == deploy->number)
		return NULL;
	err_keep(&kept, deploy_each(hub->journal, &filter, collect,
	    &behind));
	for (size_t i = 0; i < behind.n; i++) {
		if (behind.numbers[i] < deploy->number)
			err_keep(&kept, write_number(hub, env, repo,
			    behind.numbers[i]));
	}
	err = err_kept(&kept);
	return err_first(err, write_one(hub, env, repo, deploy));
}
