#include "release/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "path.h"
#include "release/adopt_index.h"
#include "release/drift.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/plumbing.h"
#include "release/store.h"
#include "repo.h"

/* So many edits are named in the message of a commit. */
#define NAMED_MAX 200

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
write_tree(struct plumbing *git, const struct drift *found,
    struct vec *left_out, char tree[41])
{
	static const char *const write[] = { "write-tree", NULL };
	struct str out = STR_INIT;
	const struct err *err;

	err = plumbing_index(git);
	if (err == NULL)
		err = adopt_index(git, found, left_out);
	/* To git, no index is an empty one. */
	if (err == NULL && !file_exists(AT_FDCWD, git->index))
		err = err_new(ERR_FAILED, "%s is gone", git->index);
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
	if (item->kind == DRIFT_MODE && item->st.st_ino != 0) {
		str_add(out, " ");
		drift_add_mode(out, item);
	}
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
is_tree_of(struct repo *repo, const char *oid, const char *tree, bool *is)
{
	struct repo_commit commit;
	const struct err *err = repo_commit_read(repo, oid, &commit);

	*is = err == NULL && strcmp(commit.tree, tree) == 0;
	if (err == NULL)
		repo_commit_release(&commit);
	return err;
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

/*
 * A folder in the trash for the index, under a lock for as long as this
 * process lives, so that no sweep takes it away.
 */
static const struct err *
make_desk(struct store *store, char **desk, int *fd)
{
	struct stat st;

	*fd = -1;
	do {
		file_close(fd);
		free(*desk);
		*desk = xasprintf("%s/.slipway/trash/" LAYOUT_ADOPT "XXXXXX",
		    store_root(store));
		if (mkdtemp(*desk) == NULL)
			return err_system("create %s", *desk);
		*fd = open(*desk, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		if (*fd == -1 && errno == ENOENT)
			continue;
		if (*fd == -1 || flock(*fd, LOCK_EX) == -1 ||
		    fstat(*fd, &st) == -1)
			return err_system("lock %s", *desk);
		/* It may have been swept just before. */
	} while (*fd == -1 || st.st_nlink == 0);
	return NULL;
}

const struct err *
adopt_edits(struct store *store, const char *release, struct repo *repo,
    const struct drift *found, const char *title, struct vec *left_out,
    char commit[41], char parent[41])
{
	char *desk = NULL, *index = NULL, tree[41];
	struct manifest *manifest = NULL;
	struct str text = STR_INIT;
	int fd, desk_fd = -1;
	const struct err *err;
	struct plumbing git;
	bool same = false;

	commit[0] = '\0';
	err = store_open_release(store, release, &fd);
	if (err == NULL)
		err = manifest_open(&manifest, store->manifest_fd, release);
	if (err == NULL)
		err = make_desk(store, &desk, &desk_fd);
	if (err == NULL) {
		index = path_join(desk, "index");
		manifest_commit(manifest, parent);
		plumbing_init(&git, repo, parent, fd, index);
		err = write_tree(&git, found, left_out, tree);
		if (err == NULL)
			err = is_tree_of(repo, parent, tree, &same);
		add_message(&text, title, found, left_out);
		if (err == NULL && !same)
			err = write_commit(&git, tree, text.s, commit);
		err = err_first(err, plumbing_release(&git));
	}
	if (desk_fd != -1)
		err = err_first(err, file_remove_tree(AT_FDCWD, desk));
	str_release(&text);
	manifest_close(manifest);
	file_close(&desk_fd);
	file_close(&fd);
	free(index);
	free(desk);
	return err == NULL ? NULL : err_add(err, "adopt the edits of %s",
	    release);
}
