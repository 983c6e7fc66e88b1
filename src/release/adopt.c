#include "release/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/layout.h"
#include "release/manifest.h"
#include "release/plumbing.h"
#include "release/store.h"
#include "repo.h"

/* True for what git can add, and for what is not there any more. */
static bool
can_add(int dirfd, const char *path)
{
	struct stat st;
	bool can = false;
	int fd;

	if (path[strlen(path) - 1] == '/' ||
	    file_open_parent(&fd, dirfd, path) != NULL)
		return false;
	if (fstatat(fd, path_base(path), &st, AT_SYMLINK_NOFOLLOW) == -1)
		can = errno == ENOENT;
	else if (S_ISREG(st.st_mode))
		can = faccessat(fd, path_base(path), R_OK, 0) == 0;
	else
		can = S_ISLNK(st.st_mode);
	file_close(&fd);
	return can;
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
write_tree(struct plumbing *git, int dirfd, const struct vec *paths,
    char tree[41])
{
	static const char *const add[] = { "update-index", "--add",
	    "--remove", "--replace", "-z", "--stdin", NULL };
	static const char *const write[] = { "write-tree", NULL };
	struct str in = STR_INIT, out = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < paths->n; i++) {
		if (can_add(dirfd, paths->v[i]))
			str_add_bytes(&in, paths->v[i],
			    strlen(paths->v[i]) + 1);
	}
	err = plumbing_index(git);
	if (err == NULL)
		err = plumbing_run(git, add, &in, &out);
	if (err == NULL)
		err = plumbing_run(git, write, NULL, &out);
	if (err == NULL)
		err = take_name(&out, tree);
	str_release(&in);
	str_release(&out);
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

const struct err *
adopt_edits(struct store *store, const char *release, struct repo *repo,
    const struct vec *paths, const char *text, char commit[41],
    char parent[41])
{
	char *index = xasprintf("%s/.slipway/trash/adopt.%s",
	    store_root(store), release);
	struct manifest *manifest = NULL;
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
		err = write_tree(&git, fd, paths, tree);
		if (err == NULL)
			err = write_commit(&git, tree, text, commit);
		err = err_first(err, plumbing_release(&git));
	}
	manifest_close(manifest);
	file_close(&fd);
	free(index);
	return err == NULL ? NULL : err_add(err, "adopt the edits of %s",
	    release);
}
