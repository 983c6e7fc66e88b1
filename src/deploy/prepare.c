/*
 * Everything up to here can be thrown away: the release is a folder that
 * nobody looks at yet.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/edits.h"
#include "deploy/missing.h"
#include "deploy/queue.h"
#include "deploy/stage.h"
#include "room.h"

/*
 * Where something runs before there is a release. Mostly nothing does, and the
 * hosts are at work while it is made: see checkout().
 */
static const struct err *
fetch(struct work *work, struct str *note)
{
	(void)note;
	return !stage_runs(work, PHASE_FETCH) ? NULL :
	    queue_keep(work->repo, &work->deploy);
}

static void
add_shared(struct message *request, const struct work *work)
{
	const struct vec *shared = &work->env->set.shared;

	for (size_t i = 0; i < shared->n; i++)
		message_add(request, "shared", shared->v[i]);
}

/* What a release is to be, for those who make it or ask for room. */
static void
add_spec(struct message *request, const struct work *work)
{
	message_add(request, "commit", work->deploy.commit);
	message_add_int(request, "export", work->env->set.export);
	message_add(request, "store", work->env->set.store);
}

/* How it was made, and what was done for it: "312 files, 10 written". */
static void
note_made(struct work *work, const struct message *reply, struct str *note)
{
	int64_t files = message_int(reply, "files", 0);
	int64_t repaired = message_int(reply, "repaired", 0);
	const char *way = message_get(reply, "way");
	struct vec carried = VEC_INIT;

	str_addf(note, "%" PRId64 " file%s", files, files == 1 ? "" : "s");
	if (way != NULL && strcmp(way, "fresh") != 0)
		str_addf(note, ", %" PRId64 " written",
		    message_int(reply, "written", 0));
	if (repaired > 0)
		str_addf(note, ", %" PRId64 " put right", repaired);
	message_all(reply, "carried", &carried);
	if (carried.n > 0) {
		str_add(note, ", carried over: ");
		vec_join(&carried, " ", note);
		/* What no commit has is to be known when it is sealed. */
		work->made_more = true;
	}
	vec_release(&carried);
}

static const struct err *
checkout(struct work *work, struct str *note)
{
	const struct vec *carry = &work->env->set.carry;
	struct message request = MESSAGE_INIT;
	const struct err *err, *unkept;

	message_add(&request, "verb", "checkout");
	message_add(&request, "release", work->deploy.release);
	add_spec(&request, work);
	for (size_t i = 0; i < carry->n; i++)
		message_add(&request, "carry", carry->v[i]);
	work_send(work, NULL, &request);
	message_release(&request);
	unkept = queue_keep(work->repo, &work->deploy);
	err = err_first(work_wait(work), unkept);
	if (err != NULL)
		return err;
	note_made(work, fleet_reply(work->fleet, 0), note);
	return work_hooks(work, work->deploy.release);
}

static const struct err *
configure(struct work *work, struct str *note)
{
	struct message request = MESSAGE_INIT;
	struct vec seeded = VEC_INIT, made = VEC_INIT;
	const struct err *err;

	message_add(&request, "verb", "configure");
	message_add(&request, "release", work->deploy.release);
	add_shared(&request, work);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	if (err != NULL)
		return err;
	str_addf(note, "%zu shared", work->env->set.shared.n);
	message_all(fleet_reply(work->fleet, 0), "seeded", &seeded);
	if (seeded.n > 0) {
		str_add(note, ", seeded from the release: ");
		vec_join(&seeded, " ", note);
	}
	message_all(fleet_reply(work->fleet, 0), "made", &made);
	for (size_t i = 0; i < made.n; i++)
		str_addf(note, ", shared/%s/ was made", made.v[i]);
	vec_release(&seeded);
	vec_release(&made);
	return NULL;
}

/* All that is missing, before anything happens. */
static const struct err *
check_shared(struct work *work)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	if (work->env->set.shared.n == 0)
		return NULL;
	message_add(&request, "verb", "check");
	message_add(&request, "commit", work->deploy.commit);
	add_shared(&request, work);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		struct vec missing = VEC_INIT;

		message_all(fleet_reply(work->fleet, i), "missing", &missing);
		if (missing.n > 0)
			err = missing_shared(work->env->set.root,
			    work->n_hosts == 1 ? NULL : work->hosts[i]->name,
			    &missing);
		vec_release(&missing);
	}
	return err;
}

static const struct err *
room_error(const struct work *work, const char *host,
    const struct message *reply)
{
	int64_t need_bytes = message_int(reply, "need-bytes", 0);
	int64_t need_inodes = message_int(reply, "need-inodes", 0);
	int64_t free_bytes = message_int(reply, "free-bytes", INT64_MAX);
	int64_t free_inodes = message_int(reply, "free-inodes", INT64_MAX);
	struct str need = STR_INIT, have = STR_INIT;
	const struct err *err;

	if (need_bytes <= free_bytes && need_inodes <= free_inodes)
		return NULL;
	room_add(&need, need_bytes, need_inodes);
	room_add(&have, free_bytes, free_inodes);
	err = err_new(ERR_FAILED, "checkout: no room in %s on %s: the release"
	    " needs %s, %s are free; remove releases (slipway cleanup -e %s,"
	    " keep = ...) or enlarge the file system", work->env->set.root,
	    host, need.s, have.s, work->env->name);
	str_release(&need);
	str_release(&have);
	return err;
}

void
prepare_ahead(struct work *work)
{
	const struct vec *writable = &work->env->set.writable;
	struct message request = MESSAGE_INIT;

	message_add(&request, "verb", "room");
	add_spec(&request, work);
	for (size_t i = 0; i < writable->n; i++)
		message_add(&request, "writable", writable->v[i]);
	work->asked_ms = clock_monotonic_ms();
	work_send(work, NULL, &request);
	message_release(&request);
}

/* "*lack" is the first host's that has too little, NULL when all have it. */
static const struct err *
await_room(struct work *work, const struct err **lack)
{
	const struct err *err = work_wait(work);

	*lack = NULL;
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		const struct message *reply = fleet_reply(work->fleet, i);

		*lack = err_first(*lack, room_error(work,
		    work->hosts[i]->name, reply));
		work->edited |= message_int(reply, "edits", -1) != 0;
	}
	return err;
}

/* What failed deploys left, the trash, and the spare go first. */
static const struct err *
drop_failed(struct work *work)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "fail");
	message_add(&request, "release", work->deploy.release);
	message_add_int(&request, "keep", 0);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	return err == NULL ? work_sweep(work, true) : err;
}

/* A disk that fills up in the middle costs more than one that was full. */
static const struct err *
check_room(struct work *work)
{
	const struct err *err, *lack, *hub;

	err = await_room(work, &lack);
	hub = hub_check_room(work->hub);
	if (hub != NULL)
		return err_add(hub, "checkout");
	if (err != NULL || lack == NULL)
		return err;
	err = drop_failed(work);
	if (err == NULL) {
		prepare_ahead(work);
		err = await_room(work, &lack);
	}
	if (err == NULL && lack == NULL)
		work_warn(work, "what failed deploys had left, and the old"
		    " release that was kept to be used again, were removed"
		    " to make room");
	return err_first(err, lack);
}

const struct err *
seal(struct work *work, const char *release)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", "seal");
	message_add(&request, "release", release);
	message_add_int(&request, "changed", work->made_more);
	err = work_ask(work, NULL, &request);
	message_release(&request);
	work->made_more = false;
	return err;
}

const struct err *
prepare(struct work *work)
{
	bool shares = work->env->set.shared.n > 0;
	const struct {
		enum phase phase;
		builtin_cb builtin;
	} phases[] = {
		{ PHASE_FETCH,	   fetch },
		{ PHASE_CHECKOUT,  checkout },
		{ PHASE_CONFIGURE, shares ? configure : NULL },
		{ PHASE_BUNDLE,	   NULL },
		{ PHASE_BUILD,	   NULL },
		{ PHASE_TEST,	   NULL },
		{ PHASE_BACKUP,	   NULL },
	};
	int64_t from_ms = clock_monotonic_ms();
	const struct err *err;

	err = check_room(work);
	if (err == NULL)
		err = check_shared(work);
	if (err == NULL)
		err = edits_check_counted(work);
	for (size_t i = 0; err == NULL &&
	    i < sizeof(phases) / sizeof(*phases); i++)
		err = stage_phase(work, phases[i].phase, phases[i].builtin);
	if (err == NULL)
		err = edits_check_again(work, true);
	if (err == NULL)
		err = seal(work, work->deploy.release);
	if (err == NULL)
		work->deploy.prepare_ms = clock_monotonic_ms() - from_ms;
	return err;
}
