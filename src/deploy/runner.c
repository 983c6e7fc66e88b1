#include "deploy/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/branch.h"
#include "deploy/level.h"
#include "deploy/notes.h"
#include "deploy/packing.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "deploy/recover.h"
#include "deploy/returned.h"
#include "deploy/rollback.h"
#include "deploy/stage.h"
#include "deploy/undo.h"
#include "file.h"
#include "journal/release.h"
#include "lock.h"
#include "release/store.h"

/* How often a deploy is picked up before somebody else must look. */
#define PICK_UPS_MAX 3

/* See choose(). */
#define YOUNG_MS 5000

/* How long to wait for a lock that a dying runner holds. */
#define LOCK_WAIT_MS 200

/*
 * A name that the journal does not have may be a folder all the same, which a
 * journal that was lost has left.
 */
static const struct err *
choose_name(const struct work *work, char name[CLOCK_STAMP_SIZE])
{
	const struct err *err;
	bool taken = true;
	int64_t at;

	err = release_new_name(work->hub->journal, name);
	while (err == NULL && taken) {
		char *path = xasprintf("%s/releases/%s", work->env->set.root,
		    name);

		taken = file_exists(AT_FDCWD, path);
		free(path);
		if (taken)
			err = clock_parse_stamp(&at, name);
		if (err == NULL && taken)
			clock_stamp(name, at + 1000);
	}
	return err;
}

/*
 * What the journal does not have as live visitors get all the same: a deploy
 * that fails goes back to it.
 */
static char *
unknown_live(const struct environment *env)
{
	struct str current = STR_INIT;
	struct store *store;

	if (store_look(&store, env->set.root) != NULL)
		return NULL;
	/* The agent will tell what is wrong with it. */
	if (store_current(store, &current) != NULL)
		str_clear(&current);
	store_close(store);
	if (current.len > 0)
		return str_detach(&current);
	str_release(&current);
	return NULL;
}

/* Give the release its name and make the plan. */
static const struct err *
plan(struct work *work)
{
	char name[CLOCK_STAMP_SIZE];
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(work->hub->journal, work->env->name, &live);
	if (err == NULL)
		err = branch_begin(work);
	if (err == NULL)
		err = choose_name(work, name);
	if (err == NULL) {
		work->deploy.release = xstrdup(name);
		work->deploy.previous = live.number == 0 ?
		    unknown_live(work->env) : xstrdup(live.release);
		if (live.number != 0)
			memcpy(work->live_commit, live.commit,
			    sizeof(work->live_commit));
		err = work_plan(work);
	}
	deploy_release(&live);
	if (err == NULL)
		err = work_write_plan(work);
	if (err == NULL)
		event_add(work->log, "started", "sssss", "release",
		    work->deploy.release, "previous", work->deploy.previous,
		    "commit", work->deploy.commit, "subject",
		    work->deploy.subject, "author", work->deploy.author);
	return err;
}

/* The hosts, which look at what they have meanwhile, change nothing. */
static const struct err *
begin(struct work *work)
{
	struct err_kept unready = ERR_KEPT_INIT;
	const struct err *err;

	err_keep(&unready, work_hosts(work));
	if (!unready.is)
		prepare_ahead(work);
	err = plan(work);
	if (err != NULL && !unready.is)
		(void)work_wait(work);
	return err_first(err, err_kept(&unready));
}

/*
 * Nothing of the live site was touched: the release goes, the rest stays.
 * Where no host is left to clear it away, the deploy has failed, and has not
 * ended: who comes next finds it so, and does that.
 */
static const struct err *
give_up(struct work *work, const struct err *why)
{
	enum deploy_state state = why->code == ERR_CANCELLED ?
	    DEPLOY_CANCELLED : DEPLOY_FAILED;
	const struct err *err, *unwritten;

	/* Who picks this up after a crash must know why it failed. */
	work_blame(work, why);
	err = work_update(work);
	if (err == NULL)
		err = work_interrupt_steps(work);
	if (err == NULL)
		err = work_hosts_again(work);
	if (err == NULL && strcmp(work->deploy.kind, "deploy") == 0)
		err = work_set_aside(work);
	if (err == NULL && work->fleet != NULL)
		err = work_sweep(work, false);
	if (err != NULL && work_is_cut(work))
		return err_new(ERR_INTERRUPTED, "%s", err->text);
	if (err != NULL)
		work_warn(work, "%s", err->text);
	unwritten = work_move(work, state);
	if (unwritten != NULL || err == NULL)
		return unwritten;
	return work->fleet == NULL || work_is_cut(work) ? err : NULL;
}

/* The last moment at which nothing was touched. "*over": it was stopped. */
static const struct err *
begin_activation(struct work *work, bool *over)
{
	const struct err *err = work_activate(work);

	*over = err != NULL && err->code == ERR_CANCELLED;
	return *over ? give_up(work, err) : err;
}

static const struct err *
deploy_commit(struct work *work)
{
	const struct err *err;
	bool over;

	err = begin(work);
	/*
	 * Others have come, or it failed, which is for one that is taken. Of
	 * one of which that is not known, recover() will know.
	 */
	if (!work_is_taken(work))
		return err != NULL && err->code == ERR_INTERRUPTED ? err :
		    NULL;
	if (err == NULL)
		err = prepare(work);
	if (err != NULL)
		return give_up(work, err);
	err = begin_activation(work, &over);
	if (err != NULL || over)
		return err;
	err = activate(work);
	if (err != NULL)
		return take_back(work, err);
	return finish(work);
}

static const struct err *
roll_back(struct work *work)
{
	const struct err *err;
	bool over;

	err = work_hosts(work);
	if (err == NULL)
		err = rollback_prepare(work);
	if (err != NULL)
		return give_up(work, err);
	err = begin_activation(work, &over);
	if (err != NULL || over)
		return err;
	return rollback_activate(work);
}

/* Who pushed has gone by now: what fails is tried again, see level.h. */
static void
write_notes(struct work *work)
{
	const struct err *err = NULL;

	if (work->deploy.state == DEPLOY_LIVE)
		err = notes_write(work->hub, work->env, work->repo,
		    &work->deploy);
	if (err != NULL)
		err_print("slipway", err);
}

/*
 * One deploy from the queue to its last line, and its notes; "*left" when it
 * waits as before, or was stopped, and who looks again takes it first.
 */
static const struct err *
serve_one(const struct hub *hub, const struct environment *env,
    struct deploy *next, struct fleet *started, bool *left)
{
	struct work work;
	const struct err *err;

	err = work_open(&work, hub, env, next, started);
	if (err == NULL && work_is_taken(&work))
		err = work_tell_taken(&work);
	if (err == NULL)
		err = strcmp(work.deploy.kind, "rollback") == 0 ?
		    roll_back(&work) : deploy_commit(&work);
	*left = err == NULL && !work_is_taken(&work);
	if (err == NULL && !*left)
		err = work_end(&work);
	if (err == NULL && !*left)
		write_notes(&work);
	work_close(&work);
	return err;
}

/* A commit that cannot be read contains nothing. */
static bool
contains(const char *newer, const char *older, void *ctx)
{
	bool is;

	return strcmp(newer, older) == 0 ||
	    (repo_is_ancestor(ctx, older, newer, &is) == NULL && is);
}

/*
 * Nobody is put off with a deploy that does not have his commit where the
 * answer to a push is whether it is live.
 */
static const struct err *
take(const struct hub *hub, const struct environment *env,
    struct deploy *taken)
{
	struct repo *repo;
	const struct err *err;

	if (!env->set.transactional)
		return deploy_take(hub->journal, env->name, taken);
	*taken = (struct deploy)DEPLOY_INIT;
	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = deploy_take_chain(hub->journal, env->name, contains,
		    repo, taken);
	repo_close(repo);
	return err;
}

static bool
is_young(const struct deploy *deploy)
{
	int64_t age_ms = clock_now_ms() - deploy->requested_at;

	return age_ms >= 0 && age_ms < YOUNG_MS;
}

/*
 * What waits alone is left to be taken with its plan, which saves the journal
 * a transaction, or before that where it takes long: see work_take(). A plan
 * that kills its runner is tried again so only as long as the request is
 * young: then the journal has it first that somebody is at it, and the deploy
 * fails.
 */
static const struct err *
choose(const struct hub *hub, const struct environment *env, bool anew,
    struct deploy *next)
{
	const struct err *err;

	if (anew || env->set.transactional)
		return take(hub, env, next);
	err = deploy_get_alone(hub->journal, env->name, next);
	if (err != NULL || (next->number != 0 && is_young(next)))
		return err;
	deploy_release(next);
	return take(hub, env, next);
}

static const struct err *
serve_queue(const struct hub *hub, const struct environment *env,
    struct fleet **started)
{
	const struct err *err = NULL;
	struct deploy next;
	bool left = false;

	while (err == NULL && !hub_config_is_old(hub)) {
		err = choose(hub, env, left, &next);
		if (err != NULL || next.number == 0)
			break;
		err = serve_one(hub, env, &next, *started, &left);
		*started = NULL;
		deploy_release(&next);
	}
	return err;
}

/* What fails of this stops nobody: the site is as it should be. */
static void
tell(const struct err *err)
{
	if (err != NULL)
		err_print("slipway", err);
}

/* Nobody waits for it; whoever cleans up by hand is told the same. */
static void
settle_returned(const struct hub *hub, const struct environment *env)
{
	struct vec removed = VEC_INIT, stays = VEC_INIT;

	tell(returned_settle(hub, env, &removed, &stays));
	for (size_t i = 0; i < stays.n; i++)
		tell(err_new(ERR_FAILED, "%s", stays.v[i]));
	vec_release(&removed);
	vec_release(&stays);
}

/* What a lost host interrupted is recovered like what a crash did. */
static const struct err *
serve(const struct hub *hub, const struct environment *env,
    struct fleet **started)
{
	const struct err *err;
	int pick_ups = 0;

	do {
		err = recover(hub, env);
		if (err == NULL) {
			tell(level_refs(hub, env));
			err = serve_queue(hub, env, started);
		}
		if (err == NULL)
			settle_returned(hub, env);
	} while (err != NULL && err->code == ERR_INTERRUPTED &&
	    pick_ups++ < PICK_UPS_MAX);
	return err;
}

/* What it cannot finish stays for the next to come, and stops nobody. */
static void
settle(struct hub *hub)
{
	const struct err *err = receive_settle(hub);

	if (err != NULL)
		err_print("slipway", err);
}

/* Whoever holds it writes a request meanwhile, and says nothing else. */
static const struct err *
wait_for_end(int fd)
{
	char bytes[64];
	ssize_t n;

	do {
		n = read(fd, bytes, sizeof(bytes));
	} while (n > 0 || (n == -1 && errno == EINTR));
	return n == 0 ? NULL : err_system("read what holds the runner");
}

static const struct err *
serve_locked(struct hub *hub, const struct environment *env,
    struct fleet **started)
{
	char *path = hub_lock_path(hub, env->name);
	const struct err *err;
	struct lock *lock;
	bool more = true, served = false;

	err = NULL;
	while (err == NULL && more) {
		err = lock_take(&lock, path, "runner", LOCK_WAIT_MS);
		if (err != NULL && err->code == ERR_BUSY) {
			err = NULL;
			break;
		}
		if (err == NULL) {
			served = true;
			settle(hub);
			err = serve(hub, env, started);
		}
		lock_release(lock);
		/* A request may have come in while it was held. */
		if (err == NULL)
			err = queue_waits(hub, env->name, &more);
		if (err == NULL && more && hub_config_is_old(hub)) {
			err = queue_wake(hub, env->name);
			break;
		}
	}
	free(path);
	if (err == NULL && served && !more)
		packing_start(hub);
	return err;
}

const struct err *
runner_serve(struct hub *hub, const struct environment *env,
    struct fleet **started, int hold_fd)
{
	const struct err *err = NULL;

	if (hold_fd != -1)
		err = wait_for_end(hold_fd);
	return err != NULL ? err : serve_locked(hub, env, started);
}
