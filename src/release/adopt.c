#include "release/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "path.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/plumbing.h"
#include "release/store.h"
#include "repo.h"

/* So many edits are named in the message of a commit. */
#define NAMED_MAX 200

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
	LEFT_OUT
};

/*
 * What becomes of a path in the commit. What a folder in the place of a file
 * has in it is told by itself.
 */
static enum fate
fate_of(int dirfd, const struct drift_item *item)
{
	const char *name = path_base(item->path);
	enum fate fate = LEFT_OUT;
	struct stat st;
	int fd;

	if (*name == '\0' || !is_path_of_git(item->path))
		return LEFT_OUT;
	/* With its folder, or something else is in the place of that. */
	if (file_open_parent(&fd, dirfd, item->path) != NULL)
		return GONE;
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

static const struct err *
take_name(const struct str *out, char name[41])
{
	size_t len = strcspn(out->s, "\n");

	if (len != 40)
		return err_new(ERR_GIT, "git gave no object name");
	memcpy(name, out->s, len);
	name[len] = '\0';
	return NULL;
}

static const struct err *
update_index(struct plumbing *git, const struct drift *found,
    struct vec *left_out)
{
	static const char *const add[] = { "update-index", "--add",
	    "--replace", "-z", "--stdin", NULL };
	static const char *const drop[] = { "update-index",
	    "--force-remove", "-z", "--stdin", NULL };
	struct str added = STR_INIT, gone = STR_INIT, out = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < found->n; i++) {
		const char *path = found->items[i].path;
		enum fate fate = fate_of(git->dirfd, &found->items[i]);

		if (fate == LEFT_OUT)
			vec_push(left_out, path);
		else
			str_add_bytes(fate == GONE ? &gone : &added, path,
			    strlen(path) + 1);
	}
	err = plumbing_run(git, drop, &gone, &out);
	if (err == NULL)
		err = plumbing_run(git, add, &added, &out);
	str_release(&added);
	str_release(&gone);
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
find_undone(struct plumbing *git, const struct drift *found,
    struct vec *undone)
{
	struct vec changed = VEC_INIT;
	const struct err *err = list_changed(git, &changed);

	for (size_t i = 0; i < found->n && err == NULL; i++) {
		const struct drift_item *item = &found->items[i];

		if (item->kind == DRIFT_MODIFIED && S_ISREG(item->st.st_mode)
		    && (changed.n == 0 || bsearch(&item->path, changed.v,
		    changed.n, sizeof(*changed.v), by_bytes) == NULL) &&
		    fate_of(git->dirfd, item) == ADDED)
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

/*
 * What git takes back when it adds a file may be all that was edited, such
 * as the ends of lines. Such files are stored as they are.
 */
static const struct err *
store_undone(struct plumbing *git, const struct drift *found)
{
	static const char *const hash[] = { "hash-object", "-w",
	    "--no-filters", "--stdin-paths", NULL };
	static const char *const put[] = { "update-index", "-z",
	    "--index-info", NULL };
	struct str in = STR_INIT, out = STR_INIT, rows = STR_INIT;
	struct vec undone = VEC_INIT, names = VEC_INIT;
	const struct err *err;

	err = find_undone(git, found, &undone);
	if (err != NULL || undone.n == 0)
		goto done;
	for (size_t i = 0; i < undone.n; i++)
		add_quoted(&in, undone.v[i]);
	err = plumbing_run(git, hash, &in, &out);
	if (err != NULL)
		goto done;
	vec_split(&names, out.s, "\n");
	if (names.n != undone.n) {
		err = err_new(ERR_GIT, "git gave no object names");
		goto done;
	}
	for (size_t i = 0; i < undone.n; i++) {
		str_addf(&rows, "%s %s\t%s", file_mode(git->dirfd,
		    undone.v[i]), names.v[i], undone.v[i]);
		str_addch(&rows, '\0');
	}
	err = plumbing_run(git, put, &rows, &out);
done:
	vec_release(&undone);
	vec_release(&names);
	str_release(&in);
	str_release(&out);
	str_release(&rows);
	return err;
}

static const struct err *
write_tree(struct plumbing *git, const struct drift *found,
    struct vec *left_out, char tree[41])
{
	static const char *const write[] = { "write-tree", NULL };
	struct str out = STR_INIT;
	const struct err *err;

	err = plumbing_index(git);
	if (err == NULL)
		err = update_index(git, found, left_out);
	if (err == NULL)
		err = store_undone(git, found);
	if (err == NULL)
		err = plumbing_run(git, write, NULL, &out);
	if (err == NULL)
		err = take_name(&out, tree);
	str_release(&out);
	return err;
}

/* The message tells who and when, as far as files do. */
static void
add_line(struct str *out, const struct drift_item *item)
{
	char since[CLOCK_ISO_SIZE];

	str_addf(out, "%s ", drift_kind_name(item->kind));
	str_add_visible(out, item->path, strlen(item->path));
	if (item->st.st_ino != 0) {
		clock_iso(since, (int64_t)item->st.st_ctim.tv_sec * 1000 +
		    item->st.st_ctim.tv_nsec / 1000000);
		str_addf(out, " (owner %u, since %s)",
		    (unsigned int)item->st.st_uid, since);
	}
	str_addch(out, '\n');
}

/* Those that are in the commit, or those that are not: both in one order. */
static void
add_lines(struct str *out, const struct drift *found,
    const struct vec *left_out, bool left)
{
	size_t at = 0, named = 0;

	for (size_t i = 0; i < found->n && named <= NAMED_MAX; i++) {
		bool is = at < left_out->n &&
		    strcmp(found->items[i].path, left_out->v[at]) == 0;

		at += is;
		if (is != left)
			continue;
		if (named++ < NAMED_MAX)
			add_line(out, &found->items[i]);
		else
			str_add(out, "and others\n");
	}
}

static void
add_message(struct str *out, const char *title, const struct drift *found,
    const struct vec *left_out)
{
	str_addf(out, "%s\n\n", title);
	add_lines(out, found, left_out, false);
	if (left_out->n > 0)
		str_add(out, "\nno commit can hold this, and it is not in"
		    " here:\n\n");
	add_lines(out, found, left_out, true);
}

static const struct err *
write_commit(struct plumbing *git, const char *tree, const char *text,
    char commit[41])
{
	const char *args[] = { "commit-tree", tree, "-p", git->commit, "-F",
	    "-", NULL };
	struct str in = STR_INIT, out = STR_INIT;
	const struct err *err;

	vec_push(&git->env, "GIT_AUTHOR_NAME=Slipway");
	vec_push(&git->env, "GIT_AUTHOR_EMAIL=slipway@localhost");
	vec_push(&git->env, "GIT_COMMITTER_NAME=Slipway");
	vec_push(&git->env, "GIT_COMMITTER_EMAIL=slipway@localhost");
	str_add(&in, text);
	err = plumbing_run(git, args, &in, &out);
	if (err == NULL)
		err = take_name(&out, commit);
	str_release(&in);
	str_release(&out);
	return err;
}

const struct err *
adopt_edits(struct store *store, const char *release, struct repo *repo,
    const struct drift *found, const char *title, struct vec *left_out,
    char commit[41], char parent[41])
{
	char *index = xasprintf("%s/.slipway/trash/adopt.%ld",
	    store_root(store), (long)getpid());
	char *lock = xasprintf("%s.lock", index);
	struct manifest *manifest = NULL;
	struct str text = STR_INIT;
	char tree[41];
	const struct err *err;
	struct plumbing git;
	int fd;

	err = store_open_release(store, release, &fd);
	if (err == NULL)
		err = manifest_open(&manifest, store->manifest_fd, release);
	if (err == NULL) {
		manifest_commit(manifest, parent);
		plumbing_init(&git, repo, parent, fd, index);
		err = write_tree(&git, found, left_out, tree);
		add_message(&text, title, found, left_out);
		if (err == NULL)
			err = write_commit(&git, tree, text.s, commit);
		err = err_first(err, plumbing_release(&git));
	}
	str_release(&text);
	unlink(lock);
	manifest_close(manifest);
	file_close(&fd);
	free(lock);
	free(index);
	return err == NULL ? NULL : err_add(err, "adopt the edits of %s",
	    release);
}
