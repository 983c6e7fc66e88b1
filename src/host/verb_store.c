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

static const struct err *
get_commit(const struct message *request, const char **commit)
{
	const struct err *err = verb_text(request, "commit", commit);

	if (err == NULL && !repo_is_oid(*commit))
		err = err_new(ERR_PROTOCOL, "'%s' is no commit", *commit);
	return err;
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
		err = verb_paths(request, "shared", &shared);
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

/* What is to be made: all but the name of the release. */
static const struct err *
get_spec(struct agent *agent, const struct message *request,
    struct store_spec *spec)
{
	const char *kind = message_get(request, "store");
	const struct err *err;
	int64_t export;

	memset(spec, 0, sizeof(*spec));
	err = get_commit(request, &spec->commit);
	if (err == NULL)
		err = verb_int(request, "export", 0, 1, &export);
	if (err != NULL)
		return err;
	spec->export = export == 1;
	if (!store_kind_by_name(&spec->kind, kind == NULL ? "auto" : kind))
		return err_new(ERR_PROTOCOL, "'%s' is no kind of store",
		    kind);
	return verb_repo(agent, &spec->repo);
}

const struct err *
verb_room(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct store_room room;
	struct store_spec spec;
	const struct err *err;

	err = get_spec(agent, request, &spec);
	if (err == NULL)
		err = store_room(agent->store, &spec, &room);
	if (err != NULL)
		return err;
	message_add_int(result, "need-bytes", room.need_bytes);
	message_add_int(result, "need-inodes", room.need_inodes);
	message_add_int(result, "free-bytes", room.free_bytes);
	message_add_int(result, "free-inodes", room.free_inodes);
	message_add_int(result, "edits", verb_count_edits(agent, request));
	return NULL;
}

static const struct err *
carry(struct agent *agent, const struct message *request,
    const char *release, struct message *result)
{
	struct vec paths = VEC_INIT, carried = VEC_INIT;
	const struct err *err;

	err = verb_paths(request, "carry", &paths);
	if (err == NULL)
		err = store_carry(agent->store, release, &paths, &carried);
	if (err == NULL)
		verb_add_all(result, "carried", &carried);
	vec_release(&paths);
	vec_release(&carried);
	return err;
}

const struct err *
verb_checkout(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct store_made made;
	struct store_spec spec;
	const struct err *err;

	err = get_spec(agent, request, &spec);
	if (err == NULL)
		err = verb_release(request, &spec.release);
	if (err == NULL)
		err = store_make(agent->store, &spec, &made);
	if (err == NULL)
		err = carry(agent, request, spec.release, result);
	if (err != NULL)
		return err;
	message_add(result, "way", store_way_name(made.way));
	message_add_int(result, "files", made.files);
	message_add_int(result, "folders", made.folders);
	message_add_int(result, "written", made.written);
	message_add_int(result, "repaired", made.repaired);
	return NULL;
}

const struct err *
verb_configure(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec shared = VEC_INIT, seeded = VEC_INIT, made = VEC_INIT;
	const struct err *err;
	const char *release;

	err = verb_release(request, &release);
	if (err == NULL)
		err = verb_paths(request, "shared", &shared);
	if (err == NULL)
		err = store_link_shared(agent->store, release, &shared,
		    &seeded, &made);
	if (err == NULL) {
		verb_add_all(result, "linked", &shared);
		verb_add_all(result, "seeded", &seeded);
		verb_add_all(result, "made", &made);
	}
	vec_release(&made);
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

static const struct err *
note_mended(struct agent *agent, const struct vec *mended,
    const struct vec *saved)
{
	struct str more = STR_INIT;
	const struct err *err;

	err = verb_note(agent, "%s%s was written into instead of being"
	    " replaced, by a command or by hand, and is a file of the live"
	    " release, too: that one is put right; store = copy in"
	    " slipway.ini keeps releases apart", mended->v[0],
	    mended->n > 1 ? ", with others," : "");
	if (saved->n > 1)
		str_addf(&more, " and %zu more files beside it",
		    saved->n - 1);
	if (err == NULL && saved->n > 0)
		err = verb_note(agent, "what was written is in %s/%s%s now:"
		    " take over from it what is wanted, and remove it",
		    store_root(agent->store), saved->v[0], more.s);
	str_release(&more);
	return err;
}

/*
 * The live release has files that were written into through another one,
 * and so others than it was deployed with. They are put back, each at one
 * stroke; what is another file by now is an edit, and stays. An edit may be
 * among what was written, too: it is in the new release, or with one that
 * failed nowhere, so that it has to be saved.
 */
static const struct err *
mend_live(struct agent *agent, const char *release, const struct vec *paths,
    bool failed)
{
	struct vec mended = VEC_INIT, saved = VEC_INIT;
	struct str live = STR_INIT;
	const struct err *err;
	struct repo *repo;

	err = store_current(agent->store, &live);
	if (err != NULL || live.len == 0 || paths->n == 0 ||
	    strcmp(live.s, release) == 0)
		goto done;
	err = verb_repo(agent, &repo);
	if (err == NULL)
		err = store_part(agent->store, live.s, release, repo, paths,
		    &mended, failed ? &saved : NULL);
	if (err == NULL && mended.n > 0)
		err = note_mended(agent, &mended, &saved);
done:
	vec_release(&mended);
	vec_release(&saved);
	str_release(&live);
	return err;
}

const struct err *
verb_seal(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec through = VEC_INIT;
	const struct err *err;
	const char *release;
	int64_t changed;

	(void)result;
	err = verb_release(request, &release);
	if (err == NULL)
		err = verb_int(request, "changed", 0, 1, &changed);
	if (err == NULL)
		err = store_seal(agent->store, release, changed == 1,
		    &through);
	if (err == NULL)
		err = mend_live(agent, release, &through, false);
	vec_release(&through);
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

/* What nobody has kept goes with no release. */
static const struct err *
remove_one(struct agent *agent, const char *name, bool retire)
{
	struct vec saved = VEC_INIT;
	const struct err *err;

	err = store_save_replaced(agent->store, name, &saved);
	if (err == NULL)
		err = verb_note_saved(agent, name, &saved);
	vec_release(&saved);
	if (err != NULL)
		return err;
	return retire ? store_retire(agent->store, name) :
	    store_remove(agent->store, name);
}

/* One release that resists must not keep the others. */
static const struct err *
remove_all(struct agent *agent, const struct vec *names, bool retire,
    struct message *result)
{
	const struct err *err;

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];

		err = remove_one(agent, name, retire);
		if (err == NULL)
			message_add(result, "removed", name);
		else
			err = verb_note(agent, "release %s was not removed:"
			    " %s", name, err->text);
		if (err != NULL)
			return err;
	}
	return NULL;
}

const struct err *
verb_remove(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	int64_t retire = 0;

	err = verb_releases(request, &names);
	if (err == NULL)
		err = verb_int(request, "retire", 0, 1, &retire);
	store_set_idle(agent->store, true);
	if (err == NULL)
		err = remove_all(agent, &names, retire == 1, result);
	store_set_idle(agent->store, false);
	vec_release(&names);
	return err;
}

static const struct err *
set_aside(struct agent *agent, const char *release, int64_t keep_count)
{
	struct vec through = VEC_INIT;
	const struct err *err = NULL;

	/* One that was not made, or is gone, has written nothing. */
	if (store_through(agent->store, release, &through) == NULL)
		err = mend_live(agent, release, &through, true);
	if (err == NULL)
		err = store_fail(agent->store, release, keep_count);
	vec_release(&through);
	return err;
}

const struct err *
verb_fail(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec releases = VEC_INIT;
	struct err_kept kept = ERR_KEPT_INIT;
	const struct err *err;
	int64_t keep_count;

	(void)result;
	err = verb_releases(request, &releases);
	if (err == NULL)
		err = verb_int(request, "keep", 0, KEEP_MAX, &keep_count);
	/* One that resists must not keep the others. */
	for (size_t i = 0; err == NULL && i < releases.n; i++)
		err_keep(&kept, set_aside(agent, releases.v[i], keep_count));
	vec_release(&releases);
	return err_first(err, err_kept(&kept));
}

const struct err *
verb_sweep(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec swept = VEC_INIT, stays = VEC_INIT;
	const struct err *err;
	int64_t spare = 0;

	err = verb_int(request, "spare", 0, 1, &spare);
	/* Whoever wants the room of the spare waits for it. */
	store_set_idle(agent->store, spare == 0);
	if (err == NULL && spare == 1)
		err = store_drop_spare(agent->store);
	if (err == NULL)
		err = store_sweep(agent->store, &swept, &stays);
	store_set_idle(agent->store, false);
	for (size_t i = 0; i < stays.n && err == NULL; i++)
		err = verb_note_once(agent, stays.v[i]);
	if (err == NULL)
		verb_add_all(result, "swept", &swept);
	vec_release(&swept);
	vec_release(&stays);
	return err;
}
