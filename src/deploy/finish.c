/*
 * The deploy is live. Whatever fails here is told, and changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/stage.h"
#include "file.h"
#include "journal/release.h"
#include "path.h"
#include "release/store.h"

/* Plain "git ls-remote" answers what is live. */
static const struct err *
publish(struct work *work, struct str *note)
{
	const struct err *err;
	char *ref, *why;

	(void)note;
	ref = xasprintf("refs/live/%s", work->env->name);
	why = xasprintf("%s %" PRId64, work->deploy.kind,
	    work->deploy.number);
	err = repo_set_ref(work->repo, ref, work->deploy.commit, why);
	free(why);
	free(ref);
	return err;
}

const struct err *
drop_busy(struct work *work, struct vec *names, struct vec *stays)
{
	struct message request = MESSAGE_INIT;
	struct vec busy = VEC_INIT, idle = VEC_INIT;
	const struct err *err;

	message_add(&request, "verb", "busy");
	for (size_t i = 0; i < names->n; i++)
		message_add(&request, "release", names->v[i]);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++)
		message_all(fleet_reply(work->fleet, i), "busy", &busy);
	for (size_t i = 0; i < names->n; i++) {
		bool used = false;

		for (size_t k = 0; k < busy.n && !used; k++) {
			used = str_starts_with(busy.v[k], names->v[i]);
			if (used)
				vec_pushf(stays, "release %s stays: in use by"
				    " process%s", names->v[i],
				    busy.v[k] + strlen(names->v[i]));
		}
		if (!used)
			vec_push(&idle, names->v[i]);
	}
	vec_copy(names, &idle);
	vec_release(&busy);
	vec_release(&idle);
	return err;
}

const struct err *
drop_backups(struct work *work)
{
	char *dir = hub_file(work->hub, "slipway/backup");
	struct vec names = VEC_INIT;
	const struct err *err;
	int64_t oldest;

	err = release_oldest_deploy(work->hub->journal, &oldest);
	if (err == NULL)
		err = file_list(&names, AT_FDCWD, dir);
	/* Somebody has made room; there is nothing left to drop. */
	if (err != NULL && err->sys_errno == ENOENT)
		err = NULL;
	for (size_t i = 0; err == NULL && i < names.n; i++) {
		char *path = path_join(dir, names.v[i]);

		/* What somebody else has put there stays. */
		if (strspn(names.v[i], "0123456789") == strlen(names.v[i]) &&
		    strtoll(names.v[i], NULL, 10) < oldest)
			err = file_remove_tree(AT_FDCWD, path);
		free(path);
	}
	vec_release(&names);
	free(dir);
	return err;
}

static const struct err *
remove_one(struct work *work, const char *release, bool retire)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "remove");
	message_add(&request, "release", release);
	message_add_int(&request, "retire", retire);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	return err;
}

const struct err *
cleanup(struct work *work, bool all, struct vec *removed, struct vec *stays)
{
	bool later = !all && !stage_runs(work, PHASE_CLEANUP) &&
	    !stage_runs(work, PHASE_NOTIFY);
	struct vec names = VEC_INIT;
	const struct err *err = work_set_aside_left(work);

	if (err != NULL)
		vec_pushf(stays, "%s", err->text);
	err = release_disposable(work->hub->journal, work->env->name,
	    work->env->set.keep_count, work->deploy.previous, &names);
	if (err == NULL && names.n > 0)
		err = drop_busy(work, &names, stays);
	for (size_t i = 0; err == NULL && i < names.n; i++) {
		bool there = store_has(work->env->set.root, names.v[i]);
		const struct err *resisted;

		/* The newest of them is nearest to what comes next. */
		resisted = remove_one(work, names.v[i], !all &&
		    i + 1 == names.n);
		if (resisted != NULL) {
			vec_pushf(stays, "release %s stays: %s", names.v[i],
			    resisted->text);
			continue;
		}
		if (!work_has_removed(work, names.v[i])) {
			vec_pushf(stays, "release %s stays: it could not be"
			    " removed", names.v[i]);
			continue;
		}
		if (later)
			vec_push(&work->gone, names.v[i]);
		else
			err = release_set_state(work->hub->journal,
			    work->env->name, names.v[i], "removed");
		if (there)
			vec_push(removed, names.v[i]);
	}
	vec_release(&names);
	if (err == NULL && work->gone.n == 0)
		err = drop_backups(work);
	return err == NULL ? work_sweep(work, all) : err;
}

static const struct err *
clean(struct work *work, struct str *note)
{
	struct vec removed = VEC_INIT, stays = VEC_INIT;
	const struct err *err;

	err = cleanup(work, false, &removed, &stays);
	for (size_t i = 0; i < stays.n; i++)
		work_warn(work, "%s", stays.v[i]);
	if (removed.n > 0)
		str_addf(note, "%zu removed", removed.n);
	vec_release(&removed);
	vec_release(&stays);
	return err;
}

static const struct err *
cut_off(const struct err *err)
{
	return err_new(ERR_INTERRUPTED, "%s; the deploy is live, and what"
	    " comes after it is not done", err->text);
}

/* Each is told at the end, where it is seen, in its order. */
static void
add_blame(struct work *work, const struct err *err)
{
	char *before = work->deploy.error;

	if (err == NULL)
		return;
	work->deploy.error = before == NULL ? xstrdup(err->text) :
	    xasprintf("%s; %s", before, err->text);
	free(before);
}

const struct err *
finish(struct work *work)
{
	static const struct {
		enum phase phase;
		builtin_cb builtin;
	} phases[] = {
		{ PHASE_CONTRACT, NULL },
		{ PHASE_PUBLISH,  publish },
		{ PHASE_CLEANUP,  clean },
		{ PHASE_NOTIFY,	  NULL },
	};
	bool rollback = strcmp(work->deploy.kind, "rollback") == 0;
	const struct err *page = maintenance_down_left(work);

	if (page != NULL && work_is_cut(work))
		return cut_off(page);
	if (page != NULL)
		work_warn(work, "%s", page->text);
	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
		const struct err *err;

		if (rollback && phases[i].phase == PHASE_CONTRACT)
			continue;
		err = stage_phase(work, phases[i].phase, phases[i].builtin);
		if (err != NULL && work_is_cut(work))
			return cut_off(err);
		add_blame(work, err);
	}
	if (work->made_more && !work_is_cut(work)) {
		const struct err *err = seal(work, work->deploy.release);

		if (err != NULL)
			work_warn(work, "what commands have made of the"
			    " release is not known: %s", err->text);
	}
	return NULL;
}
