#include "repo.h"

#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "alloc.h"

static const struct err *
lookup(git_commit **commit, struct repo *repo, const char *oid)
{
	git_oid id;
	int code;

	*commit = NULL;
	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_commit_lookup(commit, repo_handle(repo), &id);
	return code == 0 ? NULL : repo_error(code, "read commit %s", oid);
}

/* A commit may claim any time; one that milliseconds cannot hold is cut. */
static int64_t
milliseconds(git_time_t seconds)
{
	if (seconds > INT64_MAX / 1000)
		return INT64_MAX;
	if (seconds < INT64_MIN / 1000)
		return INT64_MIN;
	return seconds * 1000;
}

static char *
detach_line(struct str *line)
{
	static const char more[] = "...";
	size_t len = REPO_LINE_MAX - strlen(more), least = len - 3;

	if (line->len > REPO_LINE_MAX) {
		while (len > least && (line->s[len] & 0xc0) == 0x80)
			len--;
		str_truncate(line, len);
		str_add(line, more);
	}
	return str_detach(line);
}

static char *
author_of(const git_commit *commit)
{
	const git_signature *author = git_commit_author(commit);
	struct str line = STR_INIT;

	if (*author->name != '\0')
		str_addf(&line, "%s ", author->name);
	str_addf(&line, "<%s>", author->email);
	return detach_line(&line);
}

static char *
subject_of(const char *message)
{
	struct str subject = STR_INIT;

	message += strspn(message, " \t\r\n\v\f");
	while (*message != '\0' && subject.len <= REPO_LINE_MAX) {
		size_t len = strcspn(message, "\n");

		if (strspn(message, " \t\r\v\f") >= len)
			break;
		if (subject.len > 0)
			str_addch(&subject, ' ');
		str_add_bytes(&subject, message, len);
		str_trim_end(&subject);
		message += len + (message[len] == '\n');
	}
	return detach_line(&subject);
}

const struct err *
repo_commit_read(struct repo *repo, const char *oid,
    struct repo_commit *commit)
{
	const struct err *err;
	git_commit *found;

	memset(commit, 0, sizeof(*commit));
	err = lookup(&found, repo, oid);
	if (err != NULL)
		return err;
	git_oid_tostr(commit->oid, REPO_OID_SIZE, git_commit_id(found));
	git_oid_tostr(commit->tree, REPO_OID_SIZE,
	    git_commit_tree_id(found));
	commit->author = author_of(found);
	commit->message = xstrndup(git_commit_message_raw(found),
	    REPO_MESSAGE_MAX);
	commit->subject = subject_of(commit->message);
	commit->author_at = milliseconds(git_commit_author(found)->when.time);
	commit->committed_at = milliseconds(git_commit_time(found));
	git_commit_free(found);
	return NULL;
}

void
repo_commit_release(struct repo_commit *commit)
{
	free(commit->author);
	free(commit->subject);
	free(commit->message);
	memset(commit, 0, sizeof(*commit));
}

/* True when the commit is here, with its id through "id". */
static const struct err *
find_commit(struct repo *repo, const char *oid, git_oid *id, bool *found)
{
	git_commit *commit = NULL;
	int code;

	*found = false;
	if (!repo_is_oid(oid))
		return NULL;
	git_oid_fromstr(id, oid);
	code = git_commit_lookup(&commit, repo_handle(repo), id);
	git_commit_free(commit);
	*found = code == 0;
	if (code != 0 && code != GIT_ENOTFOUND)
		return repo_error(code, "read commit %s", oid);
	return NULL;
}

static const struct err *
hide(struct repo *repo, git_revwalk *walk, const char *oid)
{
	const struct err *err;
	git_oid id;
	bool found;
	int code;

	err = find_commit(repo, oid, &id, &found);
	if (err != NULL || !found)
		return err;
	code = git_revwalk_hide(walk, &id);
	return code == 0 ? NULL : repo_error(code, "hide commit %s", oid);
}

static const struct err *
start_walk(struct repo *repo, git_revwalk *walk, const char *tip,
    const char *const *hidden, size_t n_hidden)
{
	const struct err *err;
	git_commit *commit;
	int code;

	err = lookup(&commit, repo, tip);
	if (err != NULL)
		return err;
	code = git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL |
	    GIT_SORT_TIME);
	if (code == 0)
		code = git_revwalk_push(walk, git_commit_id(commit));
	git_commit_free(commit);
	if (code != 0)
		return repo_error(code, "walk from commit %s", tip);
	for (size_t i = 0; i < n_hidden && err == NULL; i++)
		err = hide(repo, walk, hidden[i]);
	return err;
}

static const struct err *
visit(struct repo *repo, const git_oid *id, repo_commit_cb cb, void *ctx)
{
	char oid[REPO_OID_SIZE];
	struct repo_commit commit;
	const struct err *err;

	git_oid_tostr(oid, sizeof(oid), id);
	err = repo_commit_read(repo, oid, &commit);
	if (err == NULL)
		err = cb(&commit, ctx);
	repo_commit_release(&commit);
	return err;
}

/* Ids of commits, each once, and no more than there is room for. */
struct few {
	git_oid *ids;
	size_t n;
	size_t room;
	git_oid base;		/* zeros: there is none */
};

/* False where there is no room for one more. */
static bool
add_few(struct few *few, const git_oid *id)
{
	bool known = git_oid_equal(id, &few->base);

	for (size_t i = 0; i < few->n && !known; i++)
		known = git_oid_equal(id, &few->ids[i]);
	if (known)
		return true;
	if (few->n == few->room)
		return false;
	few->ids[few->n++] = *id;
	return true;
}

const struct err *
repo_is_few(struct repo *repo, const char *tip, const char *base, size_t n,
    bool *few)
{
	struct few all = { .ids = xcalloc(n, sizeof(git_oid)), .room = n };
	const struct err *err = NULL;
	git_commit *commit;

	*few = true;
	if (git_oid_fromstr(&all.base, base) != 0)
		memset(&all.base, 0, sizeof(all.base));
	if (strcmp(tip, base) != 0) {
		err = lookup(&commit, repo, tip);
		if (err == NULL)
			*few = add_few(&all, git_commit_id(commit));
		git_commit_free(commit);
	}
	for (size_t at = 0; err == NULL && *few && at < all.n; at++) {
		if (git_commit_lookup(&commit, repo_handle(repo),
		    &all.ids[at]) != 0) {
			*few = false;
			break;
		}
		for (unsigned int i = 0; *few &&
		    i < git_commit_parentcount(commit); i++)
			*few = add_few(&all, git_commit_parent_id(commit, i));
		git_commit_free(commit);
	}
	free(all.ids);
	return err;
}

const struct err *
repo_walk(struct repo *repo, const char *tip, const char *const *hidden,
    size_t n_hidden, repo_commit_cb cb, void *ctx)
{
	const struct err *err;
	git_revwalk *walk;
	git_oid id;
	int code;

	code = git_revwalk_new(&walk, repo_handle(repo));
	if (code != 0)
		return repo_error(code, "walk from commit %s", tip);
	err = start_walk(repo, walk, tip, hidden, n_hidden);
	while (err == NULL) {
		code = git_revwalk_next(&id, walk);
		if (code == GIT_ITEROVER)
			break;
		if (code == 0)
			err = visit(repo, &id, cb, ctx);
		else
			err = repo_error(code, "walk from commit %s", tip);
	}
	git_revwalk_free(walk);
	return err;
}

const struct err *
repo_is_ancestor(struct repo *repo, const char *old, const char *new,
    bool *is)
{
	const struct err *err;
	git_oid old_id, new_id;
	bool found;
	int code;

	*is = false;
	err = find_commit(repo, new, &new_id, &found);
	if (err == NULL && !found)
		err = err_new(ERR_NOT_FOUND, "there is no commit %s", new);
	if (err == NULL)
		err = find_commit(repo, old, &old_id, &found);
	if (err != NULL || !found)
		return err;
	if (git_oid_equal(&old_id, &new_id)) {
		*is = true;
		return NULL;
	}
	code = git_graph_descendant_of(repo_handle(repo), &new_id, &old_id);
	if (code < 0)
		return repo_error(code, "compare %s with %s", old, new);
	*is = code == 1;
	return NULL;
}

/* One of the newest that "hidden" does not contain; "" when it has all. */
static const struct err *
find_beyond(struct repo *repo, const char *const *commits, size_t n,
    const char *hidden, char beyond[REPO_OID_SIZE])
{
	const struct err *err = NULL;
	git_revwalk *walk;
	git_oid id;
	int code;

	beyond[0] = '\0';
	code = git_revwalk_new(&walk, repo_handle(repo));
	if (code != 0)
		return repo_error(code, "walk from commit %s", hidden);
	code = git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL |
	    GIT_SORT_TIME);
	for (size_t i = 0; code == 0 && i < n; i++) {
		code = git_oid_fromstr(&id, commits[i]);
		if (code == 0)
			code = git_revwalk_push(walk, &id);
	}
	if (code == 0)
		err = hide(repo, walk, hidden);
	if (code == 0 && err == NULL)
		code = git_revwalk_next(&id, walk);
	if (code == 0 && err == NULL)
		git_oid_tostr(beyond, REPO_OID_SIZE, &id);
	else if (code != GIT_ITEROVER && err == NULL)
		err = repo_error(code, "walk from commit %s", hidden);
	git_revwalk_free(walk);
	return err;
}

/*
 * What contains all others is in front of them when those that the first one
 * contains are left out, and then has nothing beyond it.
 */
const struct err *
repo_newest(struct repo *repo, const char *const *commits, size_t n,
    size_t *newest)
{
	char best[REPO_OID_SIZE], beyond[REPO_OID_SIZE];
	const struct err *err;

	*newest = n;
	err = find_beyond(repo, commits, n, commits[0], best);
	if (err != NULL)
		return err;
	if (best[0] == '\0')
		memcpy(best, commits[0], REPO_OID_SIZE);
	err = find_beyond(repo, commits, n, best, beyond);
	for (size_t i = 0; err == NULL && beyond[0] == '\0' && i < n; i++) {
		if (strcmp(commits[i], best) == 0)
			*newest = i;
	}
	return err;
}

const struct err *
repo_tag_name(struct repo *repo, const char *oid, char **name)
{
	git_tag *tag = NULL;
	git_oid id;
	int code;

	*name = NULL;
	code = git_oid_fromstr(&id, oid);
	if (code == 0)
		code = git_tag_lookup(&tag, repo_handle(repo), &id);
	if (code == 0)
		*name = xstrdup(git_tag_name(tag));
	git_tag_free(tag);
	if (code != 0 && code != GIT_ENOTFOUND)
		return repo_error(code, "read tag %s", oid);
	return NULL;
}

static const struct err *
read_tree(git_tree **tree, struct repo *repo, const char *oid)
{
	const struct err *err;
	git_commit *commit;
	int code;

	*tree = NULL;
	err = lookup(&commit, repo, oid);
	if (err != NULL)
		return err;
	code = git_commit_tree(tree, commit);
	git_commit_free(commit);
	return code == 0 ? NULL : repo_error(code, "read tree of %s", oid);
}

static enum repo_kind
kind_of(const git_tree_entry *entry)
{
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return REPO_FOLDER;
	case GIT_FILEMODE_LINK:
		return REPO_SYMLINK;
	case GIT_FILEMODE_COMMIT:
		return REPO_SUBMODULE;
	default:
		return REPO_FILE;
	}
}

/* NULL through "*entry" when nothing stands there. */
static const struct err *
find_entry(git_tree_entry **entry, struct repo *repo, const char *commit,
    const char *path)
{
	const struct err *err;
	git_tree *tree;
	int code;

	*entry = NULL;
	err = read_tree(&tree, repo, commit);
	if (err != NULL)
		return err;
	code = git_tree_entry_bypath(entry, tree, path);
	if (code != 0 && code != GIT_ENOTFOUND)
		err = repo_error(code, "find %s in %s", path, commit);
	git_tree_free(tree);
	return err;
}

const struct err *
repo_path_kind(struct repo *repo, const char *commit, const char *path,
    enum repo_kind *kind)
{
	git_tree_entry *entry;
	const struct err *err = find_entry(&entry, repo, commit, path);

	*kind = entry == NULL ? REPO_ABSENT : kind_of(entry);
	git_tree_entry_free(entry);
	return err;
}

const struct err *
repo_path_is_program(struct repo *repo, const char *commit,
    const char *path, bool *is)
{
	git_tree_entry *entry;
	const struct err *err = find_entry(&entry, repo, commit, path);

	*is = entry != NULL && git_tree_entry_filemode(entry) ==
	    GIT_FILEMODE_BLOB_EXECUTABLE;
	git_tree_entry_free(entry);
	return err;
}

static bool
is_same(const git_tree_entry *one, const git_tree_entry *other)
{
	if (one == NULL || other == NULL)
		return one == other;
	return git_tree_entry_filemode(one) ==
	    git_tree_entry_filemode(other) &&
	    git_oid_equal(git_tree_entry_id(one), git_tree_entry_id(other));
}

const struct err *
repo_path_is_same(struct repo *repo, const char *old, const char *new,
    const char *path, bool *is)
{
	git_tree_entry *one = NULL, *other = NULL;
	const struct err *err = NULL;

	if (old != NULL)
		err = find_entry(&one, repo, old, path);
	if (err == NULL)
		err = find_entry(&other, repo, new, path);
	*is = err == NULL && is_same(one, other);
	git_tree_entry_free(one);
	git_tree_entry_free(other);
	return err;
}
