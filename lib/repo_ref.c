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

/* So long is tried again when one after the other holds a ref. */
#define LOCK_WAIT_MS 3000

static const struct err *
remove_ref(struct repo *repo, const char *ref)
{
	int code = git_reference_remove(repo_handle(repo), ref);

	if (code == GIT_ELOCKED && repo_free_lock(repo, ref) == NULL)
		code = git_reference_remove(repo_handle(repo), ref);
	if (code != 0 && code != GIT_ENOTFOUND)
		return repo_error(code, "delete %s", ref);
	return NULL;
}

/*
 * Add a line to the log unless libgit2 did: it does as the configuration
 * says, which for a bare repository is usually not at all.
 */
static int
add_log_line(git_repository *git, const char *ref, const git_oid *id,
    const char *why, size_t lines_before)
{
	const char *name, *email;
	git_signature *who = NULL;
	git_reflog *log = NULL;
	int code;

	code = git_repository_ident(&name, &email, git);
	if (code == 0)
		code = git_reflog_read(&log, git, ref);
	if (code == 0 && git_reflog_entrycount(log) == lines_before) {
		code = git_signature_now(&who, name, email);
		if (code == 0)
			code = git_reflog_append(log, id, who, why);
		if (code == 0)
			code = git_reflog_write(log);
	}
	git_signature_free(who);
	git_reflog_free(log);
	return code;
}

static int
write_logged(git_repository *git, const char *ref, const git_oid *id,
    const char *why)
{
	git_reference *made = NULL;
	git_reflog *log = NULL;
	size_t lines = 0;
	int code;

	code = git_reflog_read(&log, git, ref);
	if (code == 0) {
		lines = git_reflog_entrycount(log);
		code = git_reference_create(&made, git, ref, id, 1, why);
	}
	if (code == 0)
		code = add_log_line(git, ref, id, why, lines);
	git_reflog_free(log);
	git_reference_free(made);
	return code;
}

/* The commit is looked up first, so that a refused one leaves no log. */
static const struct err *
write_ref(struct repo *repo, const char *ref, const char *oid,
    const char *why)
{
	git_commit *commit = NULL;
	git_oid id;
	int code;

	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_commit_lookup(&commit, repo_handle(repo), &id);
	if (code == 0)
		code = write_logged(repo_handle(repo), ref, &id, why);
	if (code == GIT_ELOCKED && repo_free_lock(repo, ref) == NULL)
		code = write_logged(repo_handle(repo), ref, &id, why);
	git_commit_free(commit);
	return code == 0 ? NULL : repo_error(code, "set %s to %s", ref, oid);
}

const struct err *
repo_set_ref(struct repo *repo, const char *ref, const char *oid,
    const char *why)
{
	int valid = 0;

	if (git_reference_name_is_valid(&valid, ref) != 0 || !valid ||
	    !str_starts_with(ref, "refs/"))
		return err_new(ERR_GIT, "%s is no name for a ref", ref);
	if (*oid == '\0')
		return remove_ref(repo, ref);
	return write_ref(repo, ref, oid, why);
}

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
	const struct err *err;
	int code;

	code = git_transaction_new(&change, repo_handle(repo));
	if (code == 0)
		code = git_transaction_lock_ref(change, move->ref);
	err = code == 0 ? move_locked(repo, change, move) :
	    repo_error(code, "move %s to %.7s", move->ref, move->new);
	git_transaction_free(change);
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
