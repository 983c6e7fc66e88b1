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
#define OWNER ".slipway/owner"

void
places_expect(struct vec *places, const char *path)
{
	char *up;

	if (file_exists(AT_FDCWD, path) || vec_has(places, path))
		return;
	up = path_dir(path);
	places_expect(places, up);
	free(up);
	vec_push(places, path);
}

static void
expect_root(struct vec *places, const char *root)
{
	static const char *const names[] = {
		"releases", "shared", ".slipway/manifest", ".slipway/record",
		".slipway/failed", ".slipway/trash", ".slipway/spare"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_join(root, names[i]);

		places_expect(places, path);
		free(path);
	}
}

void
places_add_tree(struct vec *places, const char *path)
{
	struct vec names = VEC_INIT;
	struct stat st;

	if (lstat(path, &st) == -1)
		return;
	if (!vec_has(places, path))
		vec_push(places, path);
	if (S_ISDIR(st.st_mode) && file_list(&names, AT_FDCWD, path) != NULL)
		vec_clear(&names);
	for (size_t i = 0; i < names.n; i++) {
		char *inner = path_join(path, names.v[i]);

		places_add_tree(places, inner);
		free(inner);
	}
	vec_release(&names);
}

void
places_remove(const struct vec *places)
{
	for (size_t i = places->n; i > 0; i--) {
		const char *path = places->v[i - 1];

		if (rmdir(path) == -1 && errno == ENOTDIR)
			unlink(path);
	}
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
	str_add_word(&text, root);
	err = err_new(failed->code, "%s", text.s);
	str_release(&text);
	return err;
}

const struct err *
places_make_root(const char *repo, const struct environment *env,
    struct vec *places, struct vec *done)
{
	bool there = file_exists(AT_FDCWD, env->set.root);
	char *owner = path_join(env->set.root, OWNER);
	bool owned = file_exists(AT_FDCWD, owner);
	struct store *store = NULL;
	const struct err *err;

	err = hub_check_root(repo, env);
	if (err == NULL)
		err = check_current(env->set.root);
	if (err == NULL)
		err = store_check_around(env->set.root, repo, env->name);
	if (err == NULL)
		expect_root(places, env->set.root);
	if (err == NULL)
		err = store_open(&store, env->set.root);
	if (err != NULL && err->sys_errno == EACCES)
		err = no_right(err, env->set.root);
	if (err == NULL)
		err = store_claim(store, repo, env->name);
	if (err == NULL && !owned)
		vec_push(places, owner);
	if (err == NULL && !there)
		vec_pushf(done, "created %s", env->set.root);
	store_close(store);
	free(owner);
	return err;
}
