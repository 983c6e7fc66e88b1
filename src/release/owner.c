/*
 * Whose a root is. Two repositories with one root would take the site from
 * each other by turns, and clean up each other's releases.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/layout.h"
#include "release/store.h"

#define OWNER ".slipway/owner"

/* A path, a space, the name of an environment, a newline. */
#define OWNER_MAX_BYTES (PATH_MAX + 256)

/* "REPOSITORY ENVIRONMENT" in two; a path may have spaces, a name has none. */
struct owner {
	char *repo;
	char *environment;
};

static struct owner
parse(const char *text)
{
	size_t len = strcspn(text, "\n");
	char *line = xstrndup(text, len), *space = strrchr(line, ' ');
	struct owner owner;

	owner.environment = xstrdup(space == NULL ? "?" : space + 1);
	if (space != NULL)
		*space = '\0';
	owner.repo = line;
	return owner;
}

/* Where nobody else can be meant, what has changed its name is named. */
static void
add_remedy(struct str *out, const struct owner *owner,
    const struct owner *wanted, const char *root)
{
	const char *choose = "choose another root (root in slipway.ini,"
	    " --root of slipway init)";

	if (strcmp(owner->repo, wanted->repo) == 0)
		str_addf(out, "if it was renamed, put the name %s back in"
		    " slipway.ini, or, for a first deploy as %s, remove"
		    " %s/%s; else %s", owner->environment,
		    wanted->environment, root, OWNER, choose);
	else if (access(owner->repo, F_OK) == -1 && errno == ENOENT)
		str_addf(out, "that repository is not there: if it is %s now,"
		    " remove %s/%s; else %s", wanted->repo, root, OWNER,
		    choose);
	else
		str_addf(out, "%s, or, if that does not deploy there any"
		    " more, remove %s/%s", choose, root, OWNER);
}

/* What "root" is called is told before it. */
static const struct err *
belongs_to(const char *what, const char *root, const char *found,
    const char *mine)
{
	struct owner owner = parse(found), wanted = parse(mine);
	struct str text = STR_INIT;
	const struct err *err;

	add_remedy(&text, &owner, &wanted, root);
	err = err_new(ERR_CONFIG, "%s %s belongs to %s, environment %s; %s",
	    what, root, owner.repo, owner.environment, text.s);
	str_release(&text);
	free(owner.repo);
	free(owner.environment);
	free(wanted.repo);
	free(wanted.environment);
	return err;
}

static const struct err *
check(const struct store *store, const char *wanted)
{
	struct str found = STR_INIT;
	const struct err *err;

	err = file_read_at(&found, store->root_fd, OWNER, OWNER_MAX_BYTES);
	if (err == NULL && strcmp(found.s, wanted) != 0)
		err = belongs_to("the root", store->root, found.s, wanted);
	str_release(&found);
	return err;
}

const struct err *
store_check_owner(const struct store *store, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	const struct err *err = check(store, wanted);

	free(wanted);
	return err != NULL && err->sys_errno == ENOENT ? NULL : err;
}

const struct err *
store_claim(struct store *store, const char *repo, const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	const struct err *err = check(store, wanted);

	if (err != NULL && err->sys_errno == ENOENT)
		err = file_replace(store->root_fd, OWNER, wanted,
		    strlen(wanted), 0644);
	free(wanted);
	return err;
}

/* Nothing through "*found" where no root is. Whose folder it is is unknown. */
static const struct err *
read_owner(struct str *found, const char *path)
{
	const struct err *err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return NULL;
	if (fd == -1)
		return err_system("open %s", path);
	err = file_read_fd(found, fd, OWNER_MAX_BYTES);
	close(fd);
	return err == NULL ? NULL : err_add(err, "%s", path);
}

static const struct err *
check_folder(const char *folder, const char *root, const char *how,
    const char *wanted)
{
	char *path = path_join(folder, OWNER);
	struct str found = STR_INIT;
	const struct err *err;

	err = read_owner(&found, path);
	if (err == NULL && found.len > 0 && strcmp(found.s, wanted) != 0) {
		char *what = xasprintf("%s %s", root, how);

		err = belongs_to(what, folder, found.s, wanted);
		free(what);
	}
	str_release(&found);
	free(path);
	return err;
}

const struct err *
store_check_above(const char *root, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment), *at;
	const struct err *err = file_resolve(&at, root);

	while (err == NULL && strcmp(at, "/") != 0) {
		char *up = path_dir(at);

		err = check_folder(up, root, "is in the root of another"
		    " environment:", wanted);
		free(at);
		at = up;
	}
	free(wanted);
	free(at);
	return err;
}

const struct err *
store_check_root(const char *root, const char *repo, const char *environment)
{
	struct store *store;
	const struct err *err;

	err = store_look(&store, root);
	/* One that is not there is nobody's. */
	if (err != NULL)
		return NULL;
	err = store_check_owner(store, repo, environment);
	if (err == NULL)
		err = store_check_above(root, repo, environment);
	store_close(store);
	return err != NULL && err->code == ERR_CONFIG ? err : NULL;
}

/* A walk down from a root that is new. */
struct below {
	const char *root;
	const char *wanted;
	int left;		/* names that may still be looked at */
};

/* Releases are many, and no root is in one. */
static bool
is_passed_over(const struct dirent *entry)
{
	return (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
	    strcmp(entry->d_name, ".") == 0 ||
	    strcmp(entry->d_name, "..") == 0 ||
	    strcmp(entry->d_name, ".slipway") == 0 ||
	    store_is_release(entry->d_name);
}

/* What cannot be read is nobody's root as far as one can see. */
static const struct err *
look_below(struct below *below, const char *folder, int depth)
{
	const struct err *err = NULL;
	struct dirent *entry;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		file_close(&fd);
		return NULL;
	}
	while (err == NULL && below->left > 0 &&
	    (entry = readdir(dir)) != NULL) {
		char *path;

		below->left--;
		if (is_passed_over(entry))
			continue;
		path = path_join(folder, entry->d_name);
		err = check_folder(path, below->root, "would have the root"
		    " of another environment in it:", below->wanted);
		if (err != NULL && err->sys_errno != 0)
			err = NULL;
		if (err == NULL && depth < STORE_BELOW_DEPTH)
			err = look_below(below, path, depth + 1);
		free(path);
	}
	closedir(dir);
	return err;
}

const struct err *
store_check_around(const char *root, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	struct below below = { root, wanted, STORE_BELOW_NAMES };
	char *owner = path_join(root, OWNER);
	const struct err *err;

	err = store_check_above(root, repo, environment);
	if (err == NULL && !file_exists(AT_FDCWD, owner)) {
		char *real = realpath(root, NULL);

		if (real != NULL)
			err = look_below(&below, real, 1);
		free(real);
	}
	free(owner);
	free(wanted);
	return err;
}
