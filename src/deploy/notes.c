#include "deploy/notes.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "deploy/branch.h"
#include "journal/release.h"

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

/* The journal's time, so that a second attempt writes the same line. */
static const struct err *
add_line(const struct hub *hub, const struct deploy *deploy,
    struct str *line)
{
	char at[CLOCK_ISO_SIZE];
	struct release release;
	const struct err *err;

	err = release_get(hub->journal, deploy->environment,
	    deploy->release, &release);
	if (err == NULL) {
		clock_iso(at, release.live_at);
		str_addf(line, "%s: live %.19sZ, %s %" PRId64 " by ",
		    deploy->environment, at, deploy->kind, deploy->number);
		/* git log --notes shows it as it is. */
		str_add_visible(line, deploy->pusher,
		    strlen(deploy->pusher));
	}
	release_release(&release);
	return err;
}

const struct err *
notes_write(const struct hub *hub, const struct environment *env,
    struct repo *repo, const struct deploy *deploy)
{
	struct vec oids = VEC_INIT;
	struct str line = STR_INIT, moved = STR_INIT;
	const struct err *err;

	err = add_line(hub, deploy, &line);
	branch_tell(repo, env, deploy, &moved);
	if (moved.len > 0)
		str_addf(&line, "; %s", moved.s);
	if (err == NULL && !repo_note_is_last(repo, NOTES_REF, line.s))
		err = went_live(hub, repo, deploy, &oids);
	if (err == NULL && oids.n > 0)
		err = repo_note_add(repo, NOTES_REF, &oids, line.s);
	vec_release(&oids);
	str_release(&line);
	str_release(&moved);
	return err;
}
