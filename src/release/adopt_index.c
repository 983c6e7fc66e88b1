/*
 * git passes over a path that it does not want, says so on stderr, and is
 * content. So the index is looked into afterwards: what is not in it was not
 * kept.
 */
#include "release/adopt_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/drift.h"

/* git takes no path with ".git" in it, in any of its spellings. */
static bool
is_path_of_git(const char *path)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (!path_is_component(path, len))
			return false;
		path += len + (path[len] == '/');
	}
	return true;
}

enum fate {
	ADDED,
	GONE,
	LEFT_OUT,
	AS_IT_WAS
};

struct adopting {
	struct plumbing *git;
	const struct drift *found;
	enum fate *fates;	/* of each item */
};

/*
 * Of a mode a commit has one bit, and of what only commands had made it never
 * had anything.
 */
static bool
changes_nothing(const struct drift_item *item)
{
	if (item->kind == DRIFT_MODE)
		return !S_ISREG(item->st.st_mode) ||
		    (item->st.st_mode & 0100) == (item->mode & 0100);
	return item->kind == DRIFT_REMOVED && item->is_built &&
	    item->entry == -1;
}

/*
 * What becomes of a path in the commit. What a folder in the place of a file
 * has in it is told by itself.
 */
static enum fate
fate_of(int dirfd, const struct drift_item *item)
{
	const char *name = path_base(item->path);
	enum fate fate = LEFT_OUT;
	const struct err *err;
	struct stat st;
	int fd;

	/* What is in its place may be as secret as what is shared. */
	if (item->is_shared)
		return item->kind == DRIFT_REMOVED ? AS_IT_WAS : LEFT_OUT;
	if (*name == '\0' && item->kind == DRIFT_REMOVED)
		return AS_IT_WAS;
	if (*name == '\0' || !is_path_of_git(item->path) ||
	    changes_nothing(item))
		return LEFT_OUT;
	err = file_open_parent(&fd, dirfd, item->path);
	/* With its folder, or something else is in the place of that. */
	if (err != NULL)
		return err->sys_errno == EACCES ? LEFT_OUT : GONE;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		fate = errno == ENOENT ? GONE : LEFT_OUT;
	else if (S_ISDIR(st.st_mode) && item->kind != DRIFT_ADDED)
		fate = GONE;
	else if (S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) &&
	    faccessat(fd, name, R_OK, 0) == 0))
		fate = ADDED;
	file_close(&fd);
	return fate;
}

bool
adopt_is_part(const struct drift_item *item)
{
	return item->kind == DRIFT_MODE && !changes_nothing(item) &&
	    (((item->st.st_mode ^ item->mode) & 07777 & ~0111U) != 0 ||
	    item->st.st_uid != item->owner || item->right != NULL);
}

bool
adopt_is_left_out(int dirfd, const struct drift_item *item)
{
	return fate_of(dirfd, item) == LEFT_OUT;
}

/* Those of some items that have this fate, for git. */
static void
add_paths(struct str *in, const struct adopting *adopting, enum fate fate,
    size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const char *path = adopting->found->items[i].path;

		if (adopting->fates[i] == fate)
			str_add_bytes(in, path, strlen(path) + 1);
	}
}

static const struct err *
update(struct plumbing *git, const char *how, const struct str *paths)
{
	const char *args[] = { "update-index", "--add", "--replace", how,
	    "-z", "--stdin", NULL };
	struct str out = STR_INIT;
	const struct err *err = NULL;

	if (paths->len > 0)
		err = plumbing_run(git, args, paths, &out);
	str_release(&out);
	return err;
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *
file_mode(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & 0100) != 0 ? "100755" : "100644";
}

/* Where the two names are in a line of git diff-index, and its length. */
#define AT_OLD 15
#define AT_NEW 56
#define NAME_CHARS 40
#define LINE_MIN (AT_NEW + NAME_CHARS)

/* Paths of which the index has other content than the tree, sorted. */
static const struct err *
list_changed(struct plumbing *git, struct vec *changed)
{
	const char *args[] = { "diff-index", "--cached", "--raw",
	    "--no-abbrev", "--no-renames", "-z", git->commit, NULL };
	struct str out = STR_INIT;
	const struct err *err = plumbing_run(git, args, NULL, &out);

	for (size_t at = 0; at < out.len && err == NULL;) {
		const char *line = out.s + at, *path;

		if (strlen(line) < LINE_MIN) {
			err = err_new(ERR_GIT, "git diff-index: \"%s\" is no"
			    " change", line);
			break;
		}
		at += strlen(line) + 1;
		path = out.s + at;
		at += strlen(path) + 1;
		if (memcmp(line + AT_OLD, line + AT_NEW, NAME_CHARS) != 0)
			vec_push(changed, path);
	}
	vec_sort(changed);
	str_release(&out);
	return err;
}

/* Paths whose content was to change, and did not. */
static const struct err *
find_undone(const struct adopting *adopting, struct vec *undone)
{
	const struct drift *found = adopting->found;
	struct vec changed = VEC_INIT;
	const struct err *err = list_changed(adopting->git, &changed);

	for (size_t i = 0; i < found->n && err == NULL; i++) {
		const struct drift_item *item = &found->items[i];

		if (item->kind == DRIFT_MODIFIED && S_ISREG(item->st.st_mode)
		    && (changed.n == 0 || bsearch(&item->path, changed.v,
		    changed.n, sizeof(*changed.v), by_bytes) == NULL) &&
		    adopting->fates[i] == ADDED)
			vec_push(undone, item->path);
	}
	vec_release(&changed);
	return err;
}

/* As git hash-object reads a path whatever is in it. */
static void
add_quoted(struct str *in, const char *path)
{
	str_addch(in, '"');
	for (; *path != '\0'; path++) {
		if (*path == '"' || *path == '\\' || *path == '\n' ||
		    *path == '\r')
			str_addf(in, "\\%03o", (unsigned int)*path);
		else
			str_addch(in, *path);
	}
	str_add(in, "\"\n");
}

/* Without a conversion. */
static const struct err *
store_raw(struct plumbing *git, const struct vec *paths)
{
	static const char *const hash[] = { "hash-object", "-w",
	    "--no-filters", "--stdin-paths", NULL };
	static const char *const put[] = { "update-index", "--add",
	    "--replace", "-z", "--index-info", NULL };
	struct str in = STR_INIT, out = STR_INIT, rows = STR_INIT;
	struct vec names = VEC_INIT;
	const struct err *err;

	for (size_t i = 0; i < paths->n; i++)
		add_quoted(&in, paths->v[i]);
	err = plumbing_run(git, hash, &in, &out);
	if (err != NULL)
		goto done;
	vec_split(&names, out.s, "\n");
	if (names.n != paths->n) {
		err = err_new(ERR_GIT, "git gave no object names");
		goto done;
	}
	for (size_t i = 0; i < paths->n; i++) {
		str_addf(&rows, "%s %s\t%s", file_mode(git->dirfd,
		    paths->v[i]), names.v[i], paths->v[i]);
		str_addch(&rows, '\0');
	}
	err = plumbing_run(git, put, &rows, &out);
done:
	vec_release(&names);
	str_release(&in);
	str_release(&out);
	str_release(&rows);
	return err;
}

/*
 * What git takes back when it adds a file may be all that was edited, such
 * as the ends of lines. Such files are stored as they are.
 */
static const struct err *
store_undone(const struct adopting *adopting)
{
	struct vec undone = VEC_INIT;
	const struct err *err = find_undone(adopting, &undone);

	if (err == NULL && undone.n > 0)
		err = store_raw(adopting->git, &undone);
	vec_release(&undone);
	return err;
}

static bool
is_file(int dirfd, const char *path, bool *is_there)
{
	struct stat st;
	int fd;

	*is_there = file_open_parent(&fd, dirfd, path) == NULL &&
	    fstatat(fd, path_base(path), &st, AT_SYMLINK_NOFOLLOW) == 0;
	file_close(&fd);
	return *is_there && S_ISREG(st.st_mode);
}

static bool
is_gone(int dirfd, const char *path)
{
	bool there;

	is_file(dirfd, path, &there);
	return !there;
}

/*
 * A filter may be there to keep something out of the repository: what one
 * would have to see is not stored without it.
 */
static const struct err *
has_filter(struct plumbing *git, const char *path, bool *has)
{
	const char *args[] = { "check-attr", "-z", "filter", "--", path,
	    NULL };
	struct str out = STR_INIT;
	const struct err *err = plumbing_run(git, args, NULL, &out);
	const char *value;

	*has = true;
	if (err == NULL) {
		/* The path and "filter" come before it. */
		value = out.len > strlen(path) + strlen("filter") + 2 ?
		    out.s + strlen(path) + strlen("filter") + 2 : "";
		*has = strcmp(value, "unspecified") != 0 &&
		    strcmp(value, "unset") != 0;
	}
	str_release(&out);
	return err;
}

/* One that git could not add: it has gone, or cannot be converted. */
static const struct err *
add_alone(struct adopting *adopting, size_t i, const struct err *why)
{
	struct plumbing *git = adopting->git;
	const char *path = adopting->found->items[i].path;
	struct vec alone = VEC_INIT;
	struct str gone = STR_INIT;
	const struct err *err = NULL;
	bool there, has = false;

	if (is_file(git->dirfd, path, &there)) {
		err = has_filter(git, path, &has);
		vec_push(&alone, path);
		if (err == NULL)
			err = has ? why : store_raw(git, &alone);
		vec_release(&alone);
		if (err != NULL)
			is_file(git->dirfd, path, &there);
	} else if (there) {
		err = why;
	}
	if (!there) {
		adopting->fates[i] = GONE;
		add_paths(&gone, adopting, GONE, i, i + 1);
		err = update(git, "--force-remove", &gone);
	}
	str_release(&gone);
	return err;
}

/*
 * One after the other would take long, and git takes all of them or none:
 * what it does not take is looked for by halves.
 */
static const struct err *
add_some(struct adopting *adopting, size_t from, size_t to)
{
	size_t half = from + (to - from) / 2;
	struct str paths = STR_INIT;
	const struct err *err;

	add_paths(&paths, adopting, ADDED, from, to);
	err = update(adopting->git, "--remove", &paths);
	str_release(&paths);
	if (err == NULL)
		return NULL;
	if (to - from == 1)
		return add_alone(adopting, from, err);
	err = add_some(adopting, from, half);
	return err == NULL ? add_some(adopting, half, to) : err;
}

/* "100644 NAME 0\tPATH" is the file that was to be added. */
static bool
is_entry_of(const char *entry, const struct drift_item *item)
{
	const char *tab = strchr(entry, '\t');

	return tab != NULL && strcmp(tab + 1, item->path) == 0 &&
	    str_starts_with(entry, "120000") == S_ISLNK(item->st.st_mode);
}

/* The index and what was found are in one order. */
static const struct err *
check_index(struct adopting *adopting)
{
	static const char *const list[] = { "ls-files", "--stage", "-z",
	    NULL };
	const struct drift *found = adopting->found;
	struct str out = STR_INIT;
	const struct err *err = plumbing_run(adopting->git, list, NULL, &out);
	size_t at = 0;

	for (size_t i = 0; i < found->n && err == NULL; i++) {
		const struct drift_item *item = &found->items[i];

		if (adopting->fates[i] != ADDED)
			continue;
		while (at < out.len) {
			const char *tab = strchr(out.s + at, '\t');

			if (tab == NULL || strcmp(tab + 1, item->path) >= 0)
				break;
			at += strlen(out.s + at) + 1;
		}
		if (at >= out.len || !is_entry_of(out.s + at, item))
			adopting->fates[i] = is_gone(adopting->git->dirfd,
			    item->path) ? GONE : LEFT_OUT;
	}
	str_release(&out);
	return err;
}

const struct err *
adopt_index(struct plumbing *git, const struct drift *found,
    struct vec *left_out)
{
	struct adopting adopting = { .git = git, .found = found };
	struct str gone = STR_INIT;
	const struct err *err;

	adopting.fates = xcalloc(found->n + 1, sizeof(*adopting.fates));
	for (size_t i = 0; i < found->n; i++)
		adopting.fates[i] = fate_of(git->dirfd, &found->items[i]);
	add_paths(&gone, &adopting, GONE, 0, found->n);
	err = update(git, "--force-remove", &gone);
	if (err == NULL && found->n > 0)
		err = add_some(&adopting, 0, found->n);
	if (err == NULL)
		err = check_index(&adopting);
	if (err == NULL)
		err = store_undone(&adopting);
	for (size_t i = 0; i < found->n; i++) {
		if (adopting.fates[i] == LEFT_OUT)
			vec_push(left_out, found->items[i].path);
	}
	str_release(&gone);
	free(adopting.fates);
	return err;
}
