#include "deploy/leaving.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/undo.h"
#include "file.h"
#include "journal/release.h"

/* More steps, or backups, than these are counted. */
#define NAMED_MAX 10

struct search {
	struct leaving *leaving;
	struct work *work;
	char (*oids)[REPO_OID_SIZE];	/* of what leaves, sorted */
};

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const struct err *
add_step(const struct step *step, void *ctx)
{
	struct leaving *leaving = ctx;
	struct leaving_step *added;

	leaving->steps = xreallocarray(leaving->steps, leaving->n_steps + 1,
	    sizeof(*added));
	added = &leaving->steps[leaving->n_steps++];
	added->deploy = step->deploy;
	added->action = xstrdup(step->action);
	added->has_undo = step->undo != NULL;
	return NULL;
}

/* The folder is there as long as something is in it. */
static void
add_backup(struct leaving *leaving, const struct hub *hub, int64_t deploy)
{
	char *path = hub_backup_path(hub, deploy);
	struct leaving_backup *added;

	if (!file_exists(AT_FDCWD, path)) {
		free(path);
		return;
	}
	leaving->backups = xreallocarray(leaving->backups,
	    leaving->n_backups + 1, sizeof(*added));
	added = &leaving->backups[leaving->n_backups++];
	added->deploy = deploy;
	added->path = path;
}

/* A broken deploy may have done something that could not be undone. */
static const struct err *
look_at(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct search *search = ctx;

	(void)journal;
	if (strcmp(deploy->kind, "deploy") != 0 ||
	    (deploy->state != DEPLOY_LIVE &&
	    deploy->state != DEPLOY_RETIRED &&
	    deploy->state != DEPLOY_BROKEN) ||
	    deploy->number == search->work->deploy.number ||
	    bsearch(deploy->commit, search->oids,
	    search->leaving->commits.n, sizeof(*search->oids), compare) ==
	    NULL)
		return NULL;
	add_backup(search->leaving, search->work->hub, deploy->number);
	return undo_each(search->work, deploy->number, add_step,
	    search->leaving);
}

static const struct err *
find_deploys(struct leaving *leaving, struct work *work)
{
	struct deploy_filter filter = { .environment = work->env->name };
	struct search search = { .leaving = leaving, .work = work };
	const struct err *err;

	search.oids = xcalloc(leaving->commits.n, sizeof(*search.oids));
	for (size_t i = 0; i < leaving->commits.n; i++)
		memcpy(search.oids[i], leaving->commits.v[i].oid,
		    sizeof(search.oids[i]));
	qsort(search.oids, leaving->commits.n, sizeof(*search.oids), compare);
	err = deploy_each(work->hub->journal, &filter, look_at, &search);
	free(search.oids);
	return err;
}

/* It has to be older than all that it is to undo. */
static const struct err *
find_release(struct leaving *leaving, struct work *work)
{
	struct release release;
	const struct err *err;
	int64_t oldest = 0;

	for (size_t i = 0; i < leaving->n_steps; i++) {
		if (leaving->steps[i].has_undo)
			oldest = leaving->steps[i].deploy;
	}
	if (oldest == 0)
		return NULL;
	err = release_way_back(work->hub->journal, work->env->name,
	    work->deploy.commit, oldest, &release);
	if (err == NULL && release.id != 0)
		leaving->release = xstrdup(release.name);
	release_release(&release);
	return err;
}

const struct err *
leaving_find(struct leaving *leaving, struct work *work)
{
	const struct err *err;

	if (work->live_commit[0] == '\0' ||
	    strcmp(work->live_commit, work->deploy.commit) == 0)
		return NULL;
	err = commits_find(&leaving->commits, work->repo, work->live_commit,
	    work->deploy.commit);
	if (err != NULL && err->code == ERR_NOT_FOUND)
		return NULL;
	if (err == NULL && leaving->commits.n > 0)
		err = find_deploys(leaving, work);
	return err == NULL ? find_release(leaving, work) : err;
}

void
leaving_release(struct leaving *leaving)
{
	for (size_t i = 0; i < leaving->n_steps; i++)
		free(leaving->steps[i].action);
	for (size_t i = 0; i < leaving->n_backups; i++)
		free(leaving->backups[i].path);
	free(leaving->steps);
	free(leaving->backups);
	free(leaving->release);
	commits_release(&leaving->commits);
	memset(leaving, 0, sizeof(*leaving));
}

void
leaving_add_count(struct str *out, const struct leaving *leaving)
{
	size_t n = leaving->commits.n;

	str_addf(out, "%zu commit%s", n, n == 1 ? " leaves" : "s leave");
}

static void
add_rest(struct str *out, size_t n)
{
	if (n > NAMED_MAX)
		str_addf(out, ", and %zu more", n - NAMED_MAX);
}

void
leaving_add_steps(struct str *out, const struct leaving *leaving)
{
	for (size_t i = 0; i < leaving->n_steps && i < NAMED_MAX; i++) {
		const struct leaving_step *step = &leaving->steps[i];

		str_addf(out, "%s%s of deploy %" PRId64 "%s", i == 0 ? "" :
		    ", ", step->action, step->deploy, step->has_undo ? "" :
		    " (it has no undo)");
	}
	add_rest(out, leaving->n_steps);
}

void
leaving_add_backups(struct str *out, const struct leaving *leaving)
{
	for (size_t i = 0; i < leaving->n_backups && i < NAMED_MAX; i++)
		str_addf(out, "%s%s (before deploy %" PRId64 ")", i == 0 ?
		    "" : ", ", leaving->backups[i].path,
		    leaving->backups[i].deploy);
	add_rest(out, leaving->n_backups);
}
