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
went_live(struct work *work, struct vec *oids)
{
	const char *hidden[1] = { work->live_commit };
	const struct err *err = NULL;

	if (strcmp(work->deploy.kind, "deploy") == 0)
		err = repo_walk(work->repo, work->deploy.commit, hidden,
		    work->live_commit[0] == '\0' ? 0 : 1, take, oids);
	if (err == NULL && oids->n == 0)
		vec_push(oids, work->deploy.commit);
	return err;
}

/* The journal's time, so that a second attempt writes the same line. */
static const struct err *
add_line(const struct work *work, struct str *line)
{
	const struct deploy *deploy = &work->deploy;
	char at[CLOCK_ISO_SIZE];
	struct str moved = STR_INIT;
	struct release release;
	const struct err *err;

	err = release_get(work->hub->journal, work->env->name,
	    deploy->release, &release);
	if (err == NULL) {
		clock_iso(at, release.live_at);
		str_addf(line, "%s: live %.19sZ, %s %" PRId64 " by %s",
		    work->env->name, at, deploy->kind, deploy->number,
		    deploy->pusher);
		branch_tell(work, &moved);
		if (moved.len > 0)
			str_addf(line, "; %s", moved.s);
	}
	str_release(&moved);
	release_release(&release);
	return err;
}

const struct err *
notes_write(struct work *work)
{
	struct vec oids = VEC_INIT;
	struct str line = STR_INIT;
	const struct err *err;

	err = went_live(work, &oids);
	if (err == NULL)
		err = add_line(work, &line);
	if (err == NULL)
		err = repo_note_add(work->repo, NOTES_REF, &oids, line.s);
	vec_release(&oids);
	str_release(&line);
	return err;
}
