#include "cmd/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "journal/hub.h"
#include "path.h"
#include "release/store.h"
#include "report/line.h"

#define RELEASES "releases/"

/* The largest file that is saved, in bytes. */
#define SAVED_MAX (4 * 1024 * 1024)

void
places_expect(struct vec *places, const char *path)
{
	char *missing = NULL, *here = xstrdup(path);

	while (!file_exists(AT_FDCWD, here) && strcmp(here, "/") != 0) {
		free(missing);
		missing = here;
		here = path_dir(missing);
	}
	if (missing != NULL)
		vec_push_new(places, missing);
	free(missing);
	free(here);
}

void
places_expect_root(struct vec *places, const char *root)
{
	static const char *const names[] = {
		"releases", "shared", ".slipway", ".slipway/owner"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_join(root, names[i]);

		places_expect(places, path);
		free(path);
	}
}

void
places_remove(const struct vec *places)
{
	for (size_t i = 0; i < places->n; i++)
		file_remove_tree(AT_FDCWD, places->v[i]);
}

const struct err *
saved_read(struct saved *saved, const char *path)
{
	const struct err *err;
	struct stat st;

	if (stat(path, &st) == -1)
		return errno == ENOENT ? NULL : err_system("stat %s", path);
	saved->mode = st.st_mode & 07777;
	err = file_resolve(&saved->path, path);
	return err != NULL ? err : file_read(&saved->text, path, SAVED_MAX);
}

void
saved_restore(const struct saved *saved)
{
	struct str now = STR_INIT;

	if (saved->path == NULL)
		return;
	if (file_read(&now, saved->path, SAVED_MAX) != NULL ||
	    strcmp(now.s, saved->text.s) != 0)
		file_replace(AT_FDCWD, saved->path, saved->text.s,
		    saved->text.len, saved->mode);
	str_release(&now);
}

void
saved_release(struct saved *saved)
{
	free(saved->path);
	str_release(&saved->text);
}

static const struct err *
check_target(const char *path)
{
	struct str target = STR_INIT;
	const struct err *err = file_readlink(&target, AT_FDCWD, path);

	if (err == NULL && (!str_starts_with(target.s, RELEASES) ||
	    !store_is_release(target.s + strlen(RELEASES))))
		err = err_new(ERR_USAGE, "%s points to %s, which is no"
		    " release of this root; move it away, since deploys make"
		    " that link", path, target.s);
	str_release(&target);
	return err;
}

/* What stands in the way of the symlink would fail every deploy. */
static const struct err *
check_current(const char *root)
{
	char *path = path_join(root, "current");
	const struct err *err = NULL;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		err = check_target(path);
	else if (lstat(path, &st) == 0)
		err = err_new(ERR_USAGE, "%s is there and no symlink; move it"
		    " away, since deploys make that link", path);
	free(path);
	return err;
}

/* Where the folders above are somebody else's. */
static const struct err *
no_right(const struct err *failed, const char *root)
{
	struct str text = STR_INIT;
	const struct err *err;

	str_addf(&text, "%s; have it made for you: sudo install -d -o %u ",
	    failed->text, (unsigned int)geteuid());
	line_word(&text, root);
	err = err_new(failed->code, "%s", text.s);
	str_release(&text);
	return err;
}

const struct err *
places_make_root(const char *repo, const struct environment *env,
    struct vec *done)
{
	bool there = file_exists(AT_FDCWD, env->set.root);
	struct store *store = NULL;
	const struct err *err;

	err = hub_check_root(repo, env);
	if (err == NULL)
		err = check_current(env->set.root);
	if (err == NULL)
		err = store_check_above(env->set.root, repo, env->name);
	if (err == NULL)
		err = store_open(&store, env->set.root);
	if (err != NULL && err->sys_errno == EACCES)
		err = no_right(err, env->set.root);
	if (err == NULL)
		err = store_claim(store, repo, env->name);
	if (err == NULL && !there)
		vec_pushf(done, "created %s", env->set.root);
	store_close(store);
	return err;
}
