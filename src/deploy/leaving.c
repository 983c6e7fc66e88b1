#include "deploy/leaving.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/effect.h"
#include "deploy/rollback.h"
#include "deploy/undo.h"
#include "file.h"
#include "journal/release.h"

/* More steps, or backups, than these are counted. */
#define NAMED_MAX 10

struct search {
	struct leaving *leaving;
	struct work *work;
	struct commits_index leave;	/* of what leaves */
	struct effect effect;		/* of the deploy that is looked at */
	bool kept;			/* its release is */
	struct vec seen;		/* actions that ran again since */
	struct vec files;		/* see files_of() */
};

static void
add_step(struct leaving *leaving, const struct step *step)
{
	struct leaving_step *added;

	leaving->steps = xreallocarray(leaving->steps, leaving->n_steps + 1,
	    sizeof(*added));
	added = &leaving->steps[leaving->n_steps++];
	added->deploy = step->deploy;
	added->action = xstrdup(step->action);
	added->has_undo = step->undo != NULL;
}

static bool
has_dump(const char *path)
{
	struct vec names = VEC_INIT;
	bool has = file_list(&names, AT_FDCWD, path) == NULL && names.n > 0;

	vec_release(&names);
	return has;
}

static void
add_backup(struct leaving *leaving, const struct hub *hub, int64_t deploy)
{
	char *path = hub_backup_path(hub, deploy);
	struct leaving_backup *added;

	if (!has_dump(path)) {
		free(path);
		return;
	}
	leaving->backups = xreallocarray(leaving->backups,
	    leaving->n_backups + 1, sizeof(*added));
	added = &leaving->backups[leaving->n_backups++];
	added->deploy = deploy;
	added->path = path;
}

/* Is it the way from what is live to the new commit that leaves it? */
static bool
leaves_now(const struct search *search, const struct step *step)
{
	struct vec commits = VEC_INIT;
	bool leaves = false;

	effect_commits(&search->effect, step, &commits);
	for (size_t i = 0; i < commits.n && !leaves; i++)
		leaves = commits_index_has(&search->leave, commits.v[i]);
	vec_release(&commits);
	return leaves;
}

/* What a step was run for: its action, and all files of the commit. */
static char *
files_of(const struct search *search, const struct step *step)
{
	const char *oid = search->effect.deploy.commit;
	struct repo_commit commit;
	char *files;

	if (repo_commit_read(search->work->repo, oid, &commit) == NULL)
		oid = commit.tree;
	files = xasprintf("%s %s", oid, step->action);
	repo_commit_release(&commit);
	return files;
}

/*
 * Told as long as it is so. Where no release can undo it any more, and the
 * action has brought the data to another commit since, it is history. A
 * commit that was made anew with the same files, when its message was mended,
 * has what was done for the old one, if that was done for it again.
 */
static const struct err *
look_at_step(const struct step *step, void *ctx)
{
	struct search *search = ctx;
	const struct err *err;
	char *files;
	bool is_in;

	if (!search->kept && vec_has(&search->seen, step->action) &&
	    !leaves_now(search, step))
		return NULL;
	err = effect_is_in(&search->effect, step, &is_in);
	if (err != NULL)
		return err;
	files = files_of(search, step);
	if (is_in) {
		vec_push_new(&search->seen, step->action);
		vec_push_new(&search->files, files);
	} else if (!vec_has(&search->files, files)) {
		add_step(search->leaving, step);
	}
	free(files);
	return NULL;
}

/* What look_at_step() would pass over, found without a look. */
static bool
is_history(const struct search *search, const struct step_owner *owner)
{
	/* Then each could be one that leaves now. */
	if (owner->kept || search->leaving->commits.n > 0)
		return false;
	for (size_t i = 0; i < owner->actions.n; i++) {
		if (!vec_has(&search->seen, owner->actions.v[i]))
			return false;
	}
	return true;
}

/* A broken deploy may have done something that could not be undone. */
static const struct err *
look_at(const struct step_owner *owner, void *ctx)
{
	struct search *search = ctx;
	struct leaving *leaving = search->leaving;
	size_t n = leaving->n_steps;
	const struct err *err;

	if (owner->deploy == search->work->deploy.number ||
	    is_history(search, owner))
		return NULL;
	search->kept = owner->kept;
	err = effect_open(&search->effect, owner->deploy);
	if (err == NULL)
		err = undo_each(search->work, owner->deploy, look_at_step,
		    search);
	if (err == NULL && leaving->n_steps > n)
		add_backup(leaving, search->work->hub, owner->deploy);
	return err;
}

static const struct err *
find_deploys(struct leaving *leaving, struct work *work)
{
	struct search search = {
		.leaving = leaving,
		.work = work,
		.effect = EFFECT_INIT(work),
	};
	const struct err *err;

	commits_index(&search.leave, &leaving->commits);
	err = step_owners(work->hub->journal, work->env->name,
	    leaving->commits.n > 0 ? INT64_MAX / 2 : STEP_LAST_DEPLOYS,
	    look_at, &search);
	effect_release(&search.effect);
	vec_release(&search.seen);
	vec_release(&search.files);
	commits_index_release(&search.leave);
	return err;
}

/* A rollback that would be refused is no way. */
static bool
may_go_back(const struct work *work, const char *name)
{
	struct release target, live;
	bool may;

	may = rollback_target(work->hub, work->env, name, &target, &live) ==
	    NULL;
	release_release(&target);
	release_release(&live);
	return may;
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
	if (err == NULL && release.id != 0 &&
	    may_go_back(work, release.name)) {
		leaving->release = xstrdup(release.name);
		/* As the banner has it, which knows of no other one. */
		leaving->command = xasprintf("slipway rollback %s -C %s -e"
		    " %s", release.name, work->hub->word, work->env->name);
	}
	release_release(&release);
	return err;
}

static const struct err *
find_commits(struct leaving *leaving, struct work *work)
{
	const struct err *err = NULL;

	if (strcmp(work->live_commit, work->deploy.commit) != 0)
		err = commits_find(&leaving->commits, work->repo,
		    work->live_commit, work->deploy.commit);
	/* What was live is gone from the repository: nobody can name it. */
	return err != NULL && err->code == ERR_NOT_FOUND ? NULL : err;
}

static const struct err *
find(struct leaving *leaving, struct work *work, bool older)
{
	const struct err *err;

	if (work->live_commit[0] == '\0')
		return NULL;
	err = find_commits(leaving, work);
	if (err != NULL || (leaving->commits.n == 0 && !older))
		return err;
	err = find_deploys(leaving, work);
	return err == NULL ? find_release(leaving, work) : err;
}

const struct err *
leaving_find(struct leaving *leaving, struct work *work)
{
	return find(leaving, work, true);
}

const struct err *
leaving_find_now(struct leaving *leaving, struct work *work)
{
	return find(leaving, work, false);
}

const struct err *
leaving_find_live(struct leaving *leaving, const struct hub *hub,
    const struct environment *env)
{
	struct work work = { .hub = hub, .env = env };
	const struct err *err;
	struct deploy live;

	err = deploy_get_live(hub->journal, env->name, &live);
	if (err != NULL || live.number == 0)
		return err;
	work.deploy = (struct deploy)DEPLOY_INIT;
	work.deploy.commit = live.commit;
	memcpy(work.live_commit, live.commit, sizeof(work.live_commit));
	err = repo_open(&work.repo, hub->path, false);
	if (err == NULL)
		err = leaving_find(leaving, &work);
	repo_close(work.repo);
	deploy_release(&live);
	return err;
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
	free(leaving->command);
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

void
leaving_add_json(struct json *json, const struct leaving *leaving)
{
	json_key(json, "not_undone");
	json_array(json);
	for (size_t i = 0; i < leaving->n_steps; i++) {
		json_object(json);
		json_key_int(json, "deploy", leaving->steps[i].deploy);
		json_key_string(json, "action", leaving->steps[i].action);
		json_key_bool(json, "can_be", leaving->steps[i].has_undo);
		json_end(json);
	}
	json_end(json);
	json_key_string(json, "undone_by", leaving->release);
}
