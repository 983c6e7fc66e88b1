/*
 * The verbs that are thin calls into the release store.
 */
#include <string.h>

#include "host/verb.h"
#include "path.h"
#include "release/store.h"
#include "repo.h"

/* "keep" of a request is a count of folders; this many is a mistake. */
#define KEEP_MAX 100000

/* How many changed paths an answer names; it counts them all. */
#define CHANGED_MAX 100

static const struct err *
get_commit(const struct message *request, const char **commit)
{
	const struct err *err = verb_text(request, "commit", commit);

	if (err == NULL && !repo_is_oid(*commit))
		err = err_new(ERR_PROTOCOL, "'%s' is no commit", *commit);
	return err;
}

static const struct err *
get_shared(const struct message *request, struct vec *shared)
{
	message_all(request, "shared", shared);
	for (size_t i = 0; i < shared->n; i++) {
		if (!path_is_beneath(shared->v[i]))
			return err_new(ERR_PROTOCOL,
			    "'%s' is no path in a release", shared->v[i]);
	}
	return NULL;
}

const struct err *
verb_check(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec shared = VEC_INIT, missing = VEC_INIT;
	const struct err *err;
	const char *commit;
	struct repo *repo;

	err = get_commit(request, &commit);
	if (err == NULL)
		err = get_shared(request, &shared);
	if (err == NULL)
		err = verb_repo(agent, &repo);
	if (err == NULL)
		err = store_missing_shared(agent->store, repo, commit,
		    &shared, &missing);
	if (err == NULL)
		verb_add_all(result, "missing", &missing);
	vec_release(&shared);
	vec_release(&missing);
	return err;
}

const struct err *
verb_room(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct store_room room;
	const struct err *err;
	const char *commit;
	struct repo *repo;
	int64_t export;

	err = get_commit(request, &commit);
	if (err == NULL)
		err = verb_int(request, "export", 0, 1, &export);
	if (err == NULL)
		err = verb_repo(agent, &repo);
	if (err == NULL)
		err = store_room(agent->store, repo, commit, export == 1,
		    &room);
	if (err != NULL)
		return err;
	message_add_int(result, "need-bytes", room.need_bytes);
	message_add_int(result, "need-inodes", room.need_inodes);
	message_add_int(result, "free-bytes", room.free_bytes);
	message_add_int(result, "free-inodes", room.free_inodes);
	return NULL;
}

const struct err *
verb_checkout(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct store_count count = { 0 };
	const char *release, *commit;
	const struct err *err;
	struct repo *repo;
	int64_t export;

	err = verb_release(request, &release);
	if (err == NULL)
		err = get_commit(request, &commit);
	if (err == NULL)
		err = verb_int(request, "export", 0, 1, &export);
	if (err == NULL)
		err = verb_repo(agent, &repo);
	if (err == NULL)
		err = store_make(agent->store, release, repo, commit,
		    export == 1, &count);
	if (err != NULL)
		return err;
	message_add_int(result, "files", count.files);
	message_add_int(result, "folders", count.folders);
	message_add_int(result, "bytes", count.size_bytes);
	return NULL;
}

const struct err *
verb_configure(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec shared = VEC_INIT, seeded = VEC_INIT;
	const struct err *err;
	const char *release;

	err = verb_release(request, &release);
	if (err == NULL)
		err = get_shared(request, &shared);
	if (err == NULL)
		err = store_link_shared(agent->store, release, &shared,
		    &seeded);
	if (err == NULL) {
		verb_add_all(result, "linked", &shared);
		verb_add_all(result, "seeded", &seeded);
	}
	vec_release(&shared);
	vec_release(&seeded);
	return err;
}

const struct err *
verb_hooks(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec hooks = VEC_INIT, odd = VEC_INIT;
	const struct err *err;
	const char *release;

	err = verb_release(request, &release);
	if (err == NULL)
		err = store_hooks(agent->store, release, &hooks, &odd);
	for (size_t i = 0; i < odd.n && err == NULL; i++)
		err = verb_note_once(agent, odd.v[i]);
	if (err == NULL)
		verb_add_all(result, "hook", &hooks);
	vec_release(&hooks);
	vec_release(&odd);
	return err;
}

const struct err *
verb_seal(struct agent *agent, const struct message *request,
    struct message *result)
{
	const struct err *err;
	const char *release;
	int64_t changed;

	(void)result;
	err = verb_release(request, &release);
	if (err == NULL)
		err = verb_int(request, "changed", 0, 1, &changed);
	if (err == NULL)
		err = store_seal(agent->store, release, changed == 1);
	return err;
}

const struct err *
verb_flip(struct agent *agent, const struct message *request,
    struct message *result)
{
	const struct err *err;
	const char *release;

	(void)result;
	err = verb_text(request, "release", &release);
	if (err == NULL && release[0] != '\0')
		err = verb_release(request, &release);
	if (err == NULL)
		err = store_flip(agent->store, release);
	return err;
}

const struct err *
verb_verify(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec changed = VEC_INIT;
	const struct err *err;
	const char *release;
	int64_t count;

	err = verb_release(request, &release);
	if (err == NULL)
		err = store_verify(agent->store, release, &changed,
		    CHANGED_MAX, &count);
	if (err == NULL) {
		verb_add_all(result, "changed", &changed);
		message_add_int(result, "count", count);
	}
	vec_release(&changed);
	return err;
}

const struct err *
verb_list(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec releases = VEC_INIT, partial = VEC_INIT;
	struct str current = STR_INIT;
	const struct err *err;

	(void)request;
	err = store_list(agent->store, &releases, &partial);
	if (err == NULL)
		err = store_current(agent->store, &current);
	if (err == NULL) {
		verb_add_all(result, "release", &releases);
		verb_add_all(result, "partial", &partial);
		message_add(result, "current", current.s);
	}
	vec_release(&releases);
	vec_release(&partial);
	str_release(&current);
	return err;
}

const struct err *
verb_busy(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec releases = VEC_INIT, busy = VEC_INIT;
	const struct err *err;

	err = verb_releases(request, &releases);
	if (err == NULL)
		err = store_busy(agent->store, &releases, &busy);
	if (err == NULL)
		verb_add_all(result, "busy", &busy);
	vec_release(&releases);
	vec_release(&busy);
	return err;
}

/* One release that resists must not keep the others. */
static const struct err *
remove_all(struct agent *agent, const struct vec *releases,
    struct message *result)
{
	const struct err *err;

	for (size_t i = 0; i < releases->n; i++) {
		err = store_remove(agent->store, releases->v[i]);
		if (err == NULL)
			message_add(result, "removed", releases->v[i]);
		else
			err = verb_note(agent, "release %s was not removed:"
			    " %s", releases->v[i], err->text);
		if (err != NULL)
			return err;
	}
	return NULL;
}

const struct err *
verb_remove(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec releases = VEC_INIT;
	const struct err *err;

	err = verb_releases(request, &releases);
	if (err == NULL)
		err = remove_all(agent, &releases, result);
	vec_release(&releases);
	return err;
}

const struct err *
verb_fail(struct agent *agent, const struct message *request,
    struct message *result)
{
	const struct err *err;
	const char *release;
	int64_t keep_count;

	(void)result;
	err = verb_release(request, &release);
	if (err == NULL)
		err = verb_int(request, "keep", 0, KEEP_MAX, &keep_count);
	if (err == NULL)
		err = store_fail(agent->store, release, keep_count);
	return err;
}

const struct err *
verb_sweep(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec swept = VEC_INIT, stays = VEC_INIT;
	const struct err *err;

	(void)request;
	err = store_sweep(agent->store, &swept, &stays);
	for (size_t i = 0; i < stays.n && err == NULL; i++)
		err = verb_note_once(agent, stays.v[i]);
	if (err == NULL)
		verb_add_all(result, "swept", &swept);
	vec_release(&swept);
	vec_release(&stays);
	return err;
}
