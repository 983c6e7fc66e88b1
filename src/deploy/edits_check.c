#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/edits.h"
#include "deploy/missing.h"
#include "deploy/work.h"
#include "file.h"

/* Nobody edits a file, and looks at it, in less time. */
#define AGAIN_MS 1000

void
edits_add_one(struct str *out, const struct edit *edit)
{
	str_addf(out, "%s %s", edit->path, edit->change);
	if (edit->mode != NULL)
		str_addf(out, " (%s)", edit->mode);
}

void
edits_add(struct str *out, const struct edits *edits)
{
	str_add(out, "the live release was edited by hand: ");
	edits_add_one(out, &edits->v[0]);
	if (edits->count > 1)
		str_addf(out, ", and %" PRId64 " more", edits->count - 1);
}

/* Once, however often it is found so. */
static void
tell_text(struct work *work, struct str *text)
{
	if (work->edits_told == NULL ||
	    strcmp(work->edits_told, text->s) != 0)
		work_warn(work, "%s", text->s);
	free(work->edits_told);
	work->edits_told = str_detach(text);
}

/* Of what is not there no edits can be found. */
static bool
is_missing(struct work *work)
{
	struct str text = STR_INIT;

	if (work->live_commit[0] == '\0' || !missing_add_live(&text,
	    work->env->set.root, work->deploy.previous))
		return false;
	tell_text(work, &text);
	return true;
}

/* True when something is in the place of a link to shared/. */
static bool
has_shared(const struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		if (edits->v[i].shared && edits->v[i].left_out)
			return true;
	}
	return false;
}

static void
tell(struct work *work, const struct edits *edits)
{
	struct str text = STR_INIT, branches = STR_INIT;

	vec_join(&edits->branches, " ", &branches);
	edits_add(&text, edits);
	if (branches.len > 0)
		str_addf(&text, "; kept on branch %s", branches.s);
	if (edits->left_out > 0)
		str_addf(&text, "; %" PRId64 " of that no commit %s hold: it"
		    " stays in its release's folder, for as long as there is"
		    " one", edits->left_out, has_shared(edits) ? "is to" :
		    "can");
	tell_text(work, &text);
	str_release(&branches);
}

static bool
is_mode_of_file(const struct edit *edit)
{
	return strcmp(edit->change, "mode") == 0 &&
	    !str_ends_with(edit->path, "/");
}

/*
 * What only commands had made, or no commit can hold, nobody can put right,
 * but for the mode of a file; all may not be named.
 */
static const struct edit *
find_repairable(const struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct edit *edit = &edits->v[i];

		if (!edit->built && (!edit->left_out || edit->shared ||
		    is_mode_of_file(edit)))
			return edit;
	}
	return (int64_t)edits->n < edits->count ? &edits->v[0] : NULL;
}

/* A deploy would take them away for good, in the end; a rollback has to be. */
static const struct err *
not_kept(struct work *work, const struct edits *edits, const struct err *why,
    bool may_refuse)
{
	if (edits->n == 0) {
		work_warn(work, "whether the live release was edited is not"
		    " known: %s", why->text);
		return NULL;
	}
	if (may_refuse)
		return err_new(ERR_FAILED, "the live release was edited by"
		    " hand (%s %s%s), and the edits could not be put on a"
		    " branch: %s; deploy again when that is mended, or when"
		    " the files are as they were", edits->v[0].path,
		    edits->v[0].change, edits->count > 1 ? ", and more" : "",
		    why->text);
	work_warn(work, "the live release was edited by hand, and the edits"
	    " are in its folder alone: %s", why->text);
	return NULL;
}

const struct err *
edits_refusal(const struct edits *edits, const struct hub *hub,
    const struct environment *env)
{
	const struct edit *edit = find_repairable(edits);

	if (edit == NULL || strcmp(env->set.drift, "refuse") != 0)
		return NULL;
	return err_new(ERR_REFUSED, "the live release was edited by hand (%s"
	    " %s%s), and drift = refuse; on the server, look at it with"
	    " slipway drift --diff -C %s -e %s, keep it and put the release"
	    " right with --repair, and deploy again", edit->path,
	    edit->change, edits->count > 1 ? ", and more" : "", hub->word,
	    env->name);
}

const struct err *
edits_check(struct work *work, bool may_refuse)
{
	bool refuse = may_refuse &&
	    strcmp(work->env->set.drift, "refuse") == 0;
	struct edits_query query = { .adopt = true, .branch = !refuse,
	    .but = work->deploy.release };
	struct edits edits = { 0 };
	const struct err *err;

	if (work->deploy.previous == NULL || is_missing(work))
		return NULL;
	work->edits_ms = clock_monotonic_ms();
	err = edits_look(&edits, work, &query);
	if (refuse && edits.n > 0) {
		const struct err *refusal = edits_refusal(&edits, work->hub,
		    work->env);

		if (refusal != NULL) {
			err = refusal;
			goto done;
		}
	}
	if (err == NULL && refuse && edits.n > 0) {
		/* Nobody could put them right, and it goes over them. */
		edits_release(&edits);
		query.branch = true;
		err = edits_look(&edits, work, &query);
	}
	if (err != NULL && !work_is_cut(work))
		err = not_kept(work, &edits, err, may_refuse);
	else if (err == NULL && edits.n > 0)
		tell(work, &edits);
done:
	edits_release(&edits);
	return err;
}

const struct err *
edits_check_counted(struct work *work)
{
	if (work->edited || work->deploy.previous == NULL ||
	    is_missing(work))
		return edits_check(work, true);
	work->edits_ms = work->asked_ms;
	return NULL;
}

/* What was put right, as far as so many. */
#define NAMED_MAX 3

static bool
is_mended(const struct vec *stays, const struct edit *edit)
{
	char *key = xasprintf("%s %s", edit->change, edit->path);
	bool is = (!edit->built || edit->shared) &&
	    !vec_has_sorted(stays, key);

	free(key);
	return is;
}

static void
tell_mended(struct work *work, const struct edits *edits,
    const char *release)
{
	struct vec stays = VEC_INIT;
	struct str text = STR_INIT;
	size_t n = 0;

	vec_copy(&stays, &edits->stays);
	vec_sort(&stays);
	for (size_t i = 0; i < edits->n; i++) {
		const struct edit *edit = &edits->v[i];

		if (!is_mended(&stays, edit))
			continue;
		if (n++ >= NAMED_MAX)
			continue;
		str_add(&text, n > 1 ? ", " : "");
		edits_add_one(&text, edit);
	}
	if (n > NAMED_MAX)
		str_addf(&text, " and %zu more", n - NAMED_MAX);
	for (size_t i = 0; i < edits->branches.n; i++)
		str_addf(&text, "%s %s", i == 0 ? "; kept on branch" : "",
		    edits->branches.v[i]);
	work_warn(work, "release %s was not what had been deployed, and was"
	    " put right: %s", release, text.s);
	for (size_t i = 0; i < edits->saved.n; i++)
		work_warn(work, "what was in the place of a link to shared/"
		    " in release %s is in %s/%s now: take over from it what"
		    " is wanted, and remove it", release,
		    work->env->set.root, edits->saved.v[i]);
	vec_release(&stays);
	str_release(&text);
}

static const struct err *
mend_target(struct work *work, const char *release)
{
	struct edits_query query = { .adopt = true, .branch = true,
	    .repair = true, .release = release };
	struct edits edits = { 0 };
	const struct err *err = edits_look(&edits, work, &query);

	if (err == NULL)
		tell_mended(work, &edits, release);
	else if (!work_is_cut(work) && edits.n > 0)
		err = err_new(ERR_FAILED, "release %s was edited by hand (%s"
		    " %s%s), and cannot be put right with the edits kept:"
		    " %s; roll back again when that is mended, or deploy its"
		    " commit again", release, edits.v[0].path,
		    edits.v[0].change, edits.count > 1 ? ", and more" : "",
		    err->text);
	edits_release(&edits);
	return err;
}

static void
tell_added(struct work *work, const char *release,
    const struct message *reply)
{
	int64_t added = message_int(reply, "added", 0);
	struct str which = STR_INIT;

	hub_add_which(&which, work->hub, work->env->name);
	if (added > 0)
		work_warn(work, "release %s has %" PRId64 " file%s more than"
		    " were deployed; slipway drift%s tells which when it is"
		    " live", release, added, added == 1 ? "" : "s", which.s);
	str_release(&which);
}

/* What is in the files is as it was; what is not may wait. */
static void
tell_root(struct work *work, const char *release, size_t host)
{
	const struct message *reply = fleet_reply(work->fleet, host);
	int64_t more = message_int(reply, "roots", 0);
	struct vec commands = VEC_INIT;
	struct str which = STR_INIT;
	bool many = work->n_hosts > 1;

	message_all(reply, "root", &commands);
	for (size_t i = 0; i < commands.n; i++)
		work_warn(work, "release %s has an owner or a mode that only"
		    " root can put right; run%s%s: sudo %s", release, many ?
		    " on " : "", many ? work->hosts[host]->name : "",
		    commands.v[i]);
	more -= (int64_t)commands.n;
	hub_add_which(&which, work->hub, work->env->name);
	if (commands.n > 0)
		work_warn(work, "when that has been run, slipway drift%s"
		    " --repair puts right what else there is in it",
		    which.s);
	if (more > 0)
		work_warn(work, "release %s has %" PRId64 " more of these;"
		    " slipway drift%s --repair tells what to run when it is"
		    " live", release, more, which.s);
	str_release(&which);
	vec_release(&commands);
}

static const struct err *
not_deployed(const char *release, const struct message *reply, int64_t count)
{
	struct vec changed = VEC_INIT;
	struct str names = STR_INIT;
	const struct err *err;

	message_all(reply, "changed", &changed);
	vec_join(&changed, ", ", &names);
	if ((int64_t)changed.n < count)
		str_addf(&names, " and %" PRId64 " more",
		    count - (int64_t)changed.n);
	err = err_new(ERR_FAILED, "release %s is not what was deployed: %"
	    PRId64 " file%s by hand and cannot be put right: %s; deploy its"
	    " commit again instead", release, count, count == 1 ?
	    " was changed" : "s were changed", names.s);
	str_release(&names);
	vec_release(&changed);
	return err;
}

/* Through "*mend", whether something has to be put right before. */
static const struct err *
look_at_target(struct work *work, const char *release, bool *mend)
{
	const struct err *err;

	*mend = false;
	err = work_ask_release(work, "verify", release);
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		const struct message *reply = fleet_reply(work->fleet, i);
		int64_t count = message_int(reply, "count", 0);

		*mend |= message_int(reply, "mend", 0) > 0;
		if (count > 0)
			err = not_deployed(release, reply, count);
	}
	return err;
}

const struct err *
edits_mend(struct work *work, const char *release)
{
	const struct err *err;
	bool mend;

	err = look_at_target(work, release, &mend);
	if (err == NULL && mend) {
		err = mend_target(work, release);
		if (err == NULL)
			err = look_at_target(work, release, &mend);
		if (err == NULL && mend)
			err = err_new(ERR_FAILED, "release %s was edited again"
			    " while it was put right; roll back again",
			    release);
	}
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		tell_added(work, release, fleet_reply(work->fleet, i));
		tell_root(work, release, i);
	}
	return err;
}

const struct err *
edits_any(struct work *work, const char *release, bool *any)
{
	const struct vec *writable = &work->env->set.writable;
	struct message request = MESSAGE_INIT;
	const struct err *err;

	*any = false;
	message_add(&request, "verb", "drift");
	message_add(&request, "release", release);
	message_add_int(&request, "deep", 0);
	for (size_t i = 0; i < writable->n; i++)
		message_add(&request, "writable", writable->v[i]);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++)
		*any |= message_int(fleet_reply(work->fleet, i), "count",
		    0) > 0;
	return err;
}

#define LOCK ".lock"

const struct err *
edits_free_locks(struct repo *repo, const struct hub *hub,
    const struct environment *env)
{
	char *dir = xasprintf("%s/refs/heads/drift/%s", hub->path, env->name);
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, AT_FDCWD, dir);
	if (err != NULL && (err->sys_errno == ENOENT ||
	    err->sys_errno == ENOTDIR))
		err = NULL;
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		const char *name = names.v[i];
		char *ref;

		if (!str_ends_with(name, LOCK))
			continue;
		ref = xasprintf("refs/heads/drift/%s/%.*s", env->name,
		    (int)(strlen(name) - strlen(LOCK)), name);
		err = repo_free_lock(repo, ref);
		free(ref);
	}
	vec_release(&names);
	free(dir);
	return err;
}

const struct err *
edits_check_again(struct work *work, bool may_refuse)
{
	if (work->edits_ms != 0 &&
	    clock_monotonic_ms() - work->edits_ms < AGAIN_MS)
		return NULL;
	return edits_check(work, may_refuse);
}
