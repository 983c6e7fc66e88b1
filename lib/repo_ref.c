/*
 * Refs are written here. Like git itself, libgit2 writes REF.lock beside
 * the ref and renames it, so both keep out of each other's way.
 */
#include "repo.h"

#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "alloc.h"
#include "clock.h"
#include "str.h"

/* So long is tried again when one after the other holds a ref. */
#define LOCK_WAIT_MS 3000

/* Somebody may move a ref between a look at it and its lock. */
#define SET_ATTEMPTS 5

static const struct err *
in_the_way(const char *ref, const char *other)
{
	return err_new(ERR_REFUSED, "%s cannot be made while there is %s;"
	    " delete one of them", ref, other);
}

/* Above it: a ref where a folder would have to be. */
static const struct err *
check_above(struct repo *repo, const char *ref)
{
	const struct err *err = NULL;
	char *name = xstrdup(ref), *slash = strrchr(name, '/');

	for (; err == NULL && slash != NULL; slash = strrchr(name, '/')) {
		char now[REPO_OID_SIZE];

		*slash = '\0';
		if (strchr(name, '/') == NULL)
			break;
		err = repo_ref_value(repo, name, now);
		if (err == NULL && !repo_is_zero(now))
			err = in_the_way(ref, name);
	}
	free(name);
	return err;
}

const struct err *
repo_check_new_ref(struct repo *repo, const char *ref)
{
	git_reference_iterator *below = NULL;
	char *glob = xasprintf("%s/*", ref);
	const struct err *err = NULL;
	const char *name;
	int code;

	code = git_reference_iterator_glob_new(&below, repo_handle(repo),
	    glob);
	if (code == 0)
		code = git_reference_next_name(&name, below);
	if (code == 0)
		err = in_the_way(ref, name);
	else if (code != GIT_ITEROVER)
		err = repo_error(code, "list the refs below %s", ref);
	git_reference_iterator_free(below);
	free(glob);
	return err != NULL ? err : check_above(repo, ref);
}

static int
change_locked(git_transaction *change, const char *ref, const char *new,
    const char *why)
{
	git_oid id;
	int code;

	if (repo_is_zero(new))
		return git_transaction_remove(change, ref);
	code = git_oid_fromstr(&id, new);
	if (code == 0)
		code = git_transaction_set_target(change, ref, &id, NULL,
		    why);
	return code;
}

/* With the lock in hand: move it, unless it is elsewhere, or there. */
static const struct err *
move_locked(struct repo *repo, git_transaction *change,
    const struct repo_move *move)
{
	char now[REPO_OID_SIZE];
	const struct err *err;
	int code;

	err = repo_ref_value(repo, move->ref, now);
	if (err != NULL || strcmp(now, move->new) == 0)
		return err;
	if (strcmp(now, move->old) != 0)
		return err_new(ERR_REFUSED, "%s is at %.7s, not at %.7s:"
		    " somebody else has moved it", move->ref, now,
		    move->old);
	code = change_locked(change, move->ref, move->new, move->why);
	if (code == 0)
		code = git_transaction_commit(change);
	return code == 0 ? NULL : repo_error(code, "move %s to %.7s",
	    move->ref, move->new);
}

static const struct err *
try_move(struct repo *repo, const struct repo_move *move)
{
	git_transaction *change = NULL;
	struct stat held;
	const struct err *err;
	bool holds;
	int code;

	code = git_transaction_new(&change, repo_handle(repo));
	if (code == 0)
		code = git_transaction_lock_ref(change, move->ref);
	err = code == 0 ? move_locked(repo, change, move) :
	    repo_error(code, "move %s to %.7s", move->ref, move->new);
	holds = code == 0 && repo_lock_look(repo, move->ref, &held);
	git_transaction_free(change);
	/* It asks first whether its lock is there, and may not be told so. */
	if (holds)
		repo_lock_drop(repo, move->ref, &held);
	return err;
}

const struct err *
repo_move_ref(struct repo *repo, const struct repo_move *move)
{
	int64_t until_ms = clock_monotonic_ms() + LOCK_WAIT_MS;
	const struct err *err;

	for (;;) {
		err = try_move(repo, move);
		if (err == NULL || err->code != ERR_BUSY ||
		    clock_monotonic_ms() >= until_ms)
			return err;
		err = repo_free_lock(repo, move->ref);
		if (err != NULL)
			return err;
	}
}

/* Looked up first: a transaction takes whatever it is given. */
static const struct err *
check_commit(struct repo *repo, const char *ref, const char *oid)
{
	git_commit *commit = NULL;
	git_oid id;
	int code;

	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_commit_lookup(&commit, repo_handle(repo), &id);
	git_commit_free(commit);
	return code == 0 ? NULL : repo_error(code, "set %s to %s", ref, oid);
}

/* To an object, from wherever it is. */
static const struct err *
point(struct repo *repo, const char *ref, const char *oid, const char *why)
{
	char now[REPO_OID_SIZE];
	struct repo_move move = { ref, now, oid, why };
	const struct err *err = NULL;

	for (int i = 0; i < SET_ATTEMPTS; i++) {
		err = repo_ref_value(repo, ref, now);
		if (err == NULL)
			err = repo_move_ref(repo, &move);
		if (err == NULL || err->code != ERR_REFUSED)
			break;
	}
	return err;
}

const struct err *
repo_set_ref(struct repo *repo, const char *ref, const char *oid,
    const char *why)
{
	const struct err *err;

	if (!repo_is_ref(ref))
		return err_new(ERR_GIT, "%s is no name for a ref", ref);
	err = check_commit(repo, ref, oid);
	return err == NULL ? point(repo, ref, oid, why) : err;
}

const struct err *
repo_keep(struct repo *repo, const char *ref, const char *oid)
{
	return point(repo, ref, oid, "keep");
}

const struct err *
repo_was_pushed(struct repo *repo, const char *ref, const char *old,
    const char *new, bool *was)
{
	git_oid from, to;
	git_reflog *log;
	size_t n;
	int code;

	*was = false;
	code = git_oid_fromstr(&from, old);
	if (code == 0)
		code = git_oid_fromstr(&to, new);
	if (code == 0)
		code = git_reflog_read(&log, repo_handle(repo), ref);
	if (code != 0)
		return repo_error(code, "read the reflog of %s", ref);
	n = git_reflog_entrycount(log);
	/* git syncs a ref, and not its log: that may have lost its end. */
	*was = n == 0 || !git_oid_equal(&to, git_reflog_entry_id_new(
	    git_reflog_entry_byindex(log, 0)));
	for (size_t i = 0; i < n && !*was; i++) {
		const git_reflog_entry *entry =
		    git_reflog_entry_byindex(log, i);
		const char *why = git_reflog_entry_message(entry);

		*was = why != NULL && str_starts_with(why, "push") &&
		    git_oid_equal(git_reflog_entry_id_old(entry), &from) &&
		    git_oid_equal(git_reflog_entry_id_new(entry), &to);
	}
	git_reflog_free(log);
	return NULL;
}
