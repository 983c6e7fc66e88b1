/*
 * repo - a git repository read through libgit2.
 *
 * Nothing above this file knows libgit2's types or codes. Object names are
 * 40 lower-case hexadecimal digits. Reading never runs a hook, a filter
 * driver or a network; the hash of an object is not recomputed (the side
 * that received it did).
 *
 * A repo belongs to one thread.
 */
#ifndef REPO_H
#define REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "err.h"
#include "str.h"
#include "vec.h"

#define REPO_OID_SIZE 41	/* 40 digits and a NUL */
#define REPO_ZERO_OID "0000000000000000000000000000000000000000"

struct repo;

struct repo_commit {
	char oid[REPO_OID_SIZE];
	char tree[REPO_OID_SIZE];
	char *author;		/* "Alice <a@example.org>", first NUL ends */
	char *subject;		/* first paragraph on one line; like the
				 * author, at most REPO_LINE_MAX bytes */
	char *message;		/* whole, at most REPO_MESSAGE_MAX bytes */
	int64_t author_at;
	int64_t committed_at;
};

/* Longer commit messages are cut here: longer than any that is meant. */
#define REPO_MESSAGE_MAX (16 * 1024 * 1024)

/*
 * A longer author or subject is cut, between characters, and ends with
 * "...": both are copied to wherever a deploy is told of.
 */
#define REPO_LINE_MAX 1024

/*
 * Open the bare repository at "path". With "quarantine", the object
 * folders that git names in the environment of a pre-receive hook are used
 * too. An object format that libgit2 does not know (sha256, partial
 * clones) is a clear error.
 */
const struct err *repo_open(struct repo **repo, const char *path,
    bool quarantine);
void repo_close(struct repo *repo);

/*
 * The variables by which git finds the same objects, pushed onto "env";
 * nothing unless the repository was opened with "quarantine".
 */
void repo_quarantine_env(const struct repo *repo, struct vec *env);

/* True when it was opened so. */
bool repo_is_quarantined(const struct repo *repo);

/* True for 40 lower-case hexadecimal digits. */
bool repo_is_oid(const char *text);
bool repo_is_zero(const char *oid);

/*
 * The three words of "OLD NEW REF", the line that git tells its hooks.
 * False for one that git would not say.
 */
bool repo_split_move(struct vec *words, const char *line, size_t len);

/*
 * A full name that git would give a ref: it begins with "refs/", and leads
 * nowhere else. git tells pre-receive any name, before it looks at it.
 */
bool repo_is_ref(const char *name);

/*
 * The commit that a name means: a full object name, an unambiguous
 * abbreviation of at least 4 digits, a branch, a tag, "HEAD", a full ref,
 * each with any number of "~N" and "^" behind it. Tags are peeled.
 * ERR_NOT_FOUND says which names were tried; ERR_USAGE is an ambiguous
 * abbreviation, or something else behind a name.
 */
const struct err *repo_resolve(struct repo *repo, const char *name,
    char oid[REPO_OID_SIZE]);

/*
 * The target of a full ref name, peeled to a commit; ERR_NOT_FOUND.
 */
const struct err *repo_ref(struct repo *repo, const char *ref,
    char oid[REPO_OID_SIZE]);

/* Which ref a symbolic one stands for, given; NULL: it is none. */
const struct err *repo_ref_alias(struct repo *repo, const char *ref,
    char **target);

/* All refs below "refs/heads/" or the like, without that, onto "names". */
const struct err *repo_refs(struct repo *repo, const char *prefix,
    struct vec *names);

/* What a full ref name says, not peeled: zeros where there is no ref. */
const struct err *repo_ref_value(struct repo *repo, const char *ref,
    char oid[REPO_OID_SIZE]);

/*
 * Whether it was git-receive-pack that moved a ref from "old" to "new", where
 * it is, as the reflog of that ref tells; true where nobody keeps one, or it
 * ends before that, as after a power cut.
 */
const struct err *repo_was_pushed(struct repo *repo, const char *ref,
    const char *old, const char *new, bool *was);

/*
 * Peel any object to a commit: false through "*is_commit" when it is a
 * tag of something else, a tree or a blob.
 */
const struct err *repo_peel(struct repo *repo, const char *oid,
    char commit[REPO_OID_SIZE], bool *is_commit);

const struct err *repo_commit_read(struct repo *repo, const char *oid,
    struct repo_commit *commit);
void repo_commit_release(struct repo_commit *commit);

typedef const struct err *(*repo_commit_cb)(const struct repo_commit *commit,
    void *ctx);

/*
 * Every commit reachable from "tip" and from none of the "n_hidden"
 * "hidden" ones, newest first in topological order. A hidden name that is
 * no commit here is skipped (its history was lost: nothing to hide).
 */
const struct err *repo_walk(struct repo *repo, const char *tip,
    const char *const *hidden, size_t n_hidden, repo_commit_cb cb,
    void *ctx);

/*
 * True through "*few" when such a walk from "tip" comes to at most "n" commits
 * before it is at "base" on each way, or at a beginning. Where others are
 * merged the ways lead past "base", and may be found long. ERR_NOT_FOUND
 * when there is no "tip".
 */
const struct err *repo_is_few(struct repo *repo, const char *tip,
    const char *base, size_t n, bool *few);

/* True through "*is" when "old" is reachable from "new". */
const struct err *repo_is_ancestor(struct repo *repo, const char *old,
    const char *new, bool *is);

/*
 * Which of "n" commits, at least one, contains all others: its index, the
 * last one of equal ones; "n" when none does. What is walked through are the
 * commits between them, however many there are of them.
 */
const struct err *repo_newest(struct repo *repo, const char *const *commits,
    size_t n, size_t *newest);

/*
 * Paths that differ between two commits, pushed onto "paths", sorted,
 * both names of a rename. "old" NULL: every path of "new".
 */
const struct err *repo_changed_paths(struct repo *repo, const char *old,
    const char *new, struct vec *paths);

/* The name that a tag object gives itself, given; NULL: it is no tag. */
const struct err *repo_tag_name(struct repo *repo, const char *oid,
    char **name);

/* What stands at a path of a commit. */
enum repo_kind {
	REPO_ABSENT,
	REPO_FOLDER,
	REPO_FILE,
	REPO_SYMLINK,
	REPO_SUBMODULE
};

const struct err *repo_path_kind(struct repo *repo, const char *commit,
    const char *path, enum repo_kind *kind);

/*
 * True through "*is" when two commits have the same at a path: the same
 * object with the same mode, or nothing. "old" NULL: a commit without files.
 */
const struct err *repo_path_is_same(struct repo *repo, const char *old,
    const char *new, const char *path, bool *is);

/* True through "*is" for a regular file that is executable. */
const struct err *repo_path_is_program(struct repo *repo,
    const char *commit, const char *path, bool *is);

/*
 * Point a ref at a commit, whatever it was, with a reflog line where the
 * configuration wants one.
 */
const struct err *repo_set_ref(struct repo *repo, const char *ref,
    const char *oid, const char *why);

/*
 * The bytes of a blob, appended; ERR_REFUSED when there are more than that.
 */
const struct err *repo_blob(struct repo *repo, const char *oid,
    size_t max_bytes, struct str *text);

/* Point a ref at an object of any kind, so that gc leaves it. */
const struct err *repo_keep(struct repo *repo, const char *ref,
    const char *oid);

/* From where to where a ref moves; all zeros: it is not there. */
struct repo_move {
	const char *ref;
	const char *old;
	const char *new;
	const char *why;	/* for the reflog */
};

/*
 * Could a ref of this name be made, as far as its neighbours go?
 * ERR_REFUSED names the one in its way: a/b and a/b/c cannot both be.
 */
const struct err *repo_check_new_ref(struct repo *repo, const char *ref);

/*
 * Move a ref, under its lock and durably, if it still is at "old"; one that
 * is at "new" already stays. ERR_REFUSED when it is elsewhere; ERR_BUSY
 * when somebody else held its lock for seconds.
 */
const struct err *repo_move_ref(struct repo *repo,
    const struct repo_move *move);

/*
 * When a ref is locked, wait until it is free; a lock that has been there
 * for 5 seconds is one that a dead process left, and is removed. Nothing is
 * touched for what is neither HEAD nor the name of a ref. The caller sees to
 * it that no living git holds it while a hook of its runs.
 */
const struct err *repo_free_lock(struct repo *repo, const char *ref);

/*
 * The same for a ref that gits move: the lock stays while, as far as /proc
 * shows, a process called git lives that is older than it and is at work in
 * this repository; git then says of what it moves that it is locked. One that
 * waits for a pre-receive, proc-receive or post-receive hook holds none, nor
 * does one whose command writes no ref, as upload-pack and cat-file.
 */
const struct err *repo_free_lock_of_git(struct repo *repo, const char *ref);

/*
 * For who holds the lock of a ref: what it is, false when it is not there;
 * and once it should be gone, remove that very one if it is not. What cannot
 * be removed stays for repo_free_lock().
 */
bool repo_lock_look(struct repo *repo, const char *ref, struct stat *held);
void repo_lock_drop(struct repo *repo, const char *ref,
    const struct stat *held);

/*
 * repo_free_lock_of_git() for the lock on the packed refs, which a git that
 * packs many may well hold for longer.
 */
const struct err *repo_free_packed(struct repo *repo);

/*
 * Append a line to the note that each of these commits has under a notes
 * ref, as one commit of that ref. A note that has the line already stays as
 * it is, so this may be done again. Several processes may do it at once.
 */
const struct err *repo_note_add(struct repo *repo, const char *ref,
    const struct vec *oids, const char *line);

/*
 * The line that was appended last to notes of that ref, of those that begin
 * so, given; NULL when there is none among the last "most".
 */
char *repo_note_last(struct repo *repo, const char *ref, const char *prefix,
    int most);

/* A value of the repository's git configuration, given; NULL: not set. */
const struct err *repo_config_get(struct repo *repo, const char *key,
    char **value);

/* All values of such a key, pushed onto "values". */
const struct err *repo_config_all(struct repo *repo, const char *key,
    struct vec *values);

/*
 * The trailers of a message, "Key: value" each, pushed onto "trailers".
 * Folded values become one line.
 */
const struct err *repo_trailers(const char *message, struct vec *trailers);

/*
 * The libgit2 handle, for src/release/checkout.c alone, which reads trees
 * and blobs by the ten thousand.
 */
struct git_repository;
struct git_repository *repo_handle(struct repo *repo);

/* Translate libgit2's last error; "code" is what its function returned. */
const struct err *repo_error(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
