#include "cmd/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/git.h"
#include "deploy/chained.h"
#include "file.h"
#include "path.h"
#include "repo.h"
#include "str.h"

static const char *const names[] = {
	"pre-receive", "proc-receive", "post-receive", "post-update"
};

/* git takes one answer for a ref, so this one cannot be run as well. */
#define ALONE "proc-receive"

#define N_NAMES (sizeof(names) / sizeof(*names))

_Static_assert(N_NAMES <= HOOKS_MAX, "all of them are noted");

const struct err *
hooks_dir(char **dir, const char *repo)
{
	struct str value = STR_INIT;
	const struct err *err;

	*dir = NULL;
	err = git_config_path(&value, repo, "core.hooksPath");
	if (err == NULL && value.len == 0)
		*dir = path_join(repo, "hooks");
	else if (err == NULL && value.s[0] == '/')
		*dir = xstrdup(value.s);
	else if (err == NULL)
		*dir = path_join(repo, value.s);
	str_release(&value);
	return err;
}

char *
hooks_shared(const char *dir, const char *repo)
{
	char *real = NULL, *real_repo = NULL;

	if (file_resolve(&real, dir) != NULL) {
		real = xstrdup(dir);
	} else if (file_resolve(&real_repo, repo) == NULL &&
	    path_is_within(real, real_repo)) {
		free(real);
		real = NULL;
	}
	free(real_repo);
	return real;
}

/* Beside this program (a build tree), or in libexec of its prefix. */
static const struct err *
program_path(const char *name, char **path)
{
	const struct err *err;
	char *dir, real[4096];

	*path = NULL;
	err = path_of_program(&dir);
	if (err != NULL)
		return err;
	*path = path_join(dir, name);
	if (!file_exists(AT_FDCWD, *path)) {
		free(*path);
		*path = xasprintf("%s/../libexec/slipway/%s", dir, name);
	}
	if (realpath(*path, real) == NULL)
		err = err_system("the hook program %s", *path);
	free(*path);
	*path = err == NULL ? xstrdup(real) : NULL;
	free(dir);
	return err;
}

/* Where "make install" puts the hooks, or beside this program. */
static bool
holds_hooks(const char *dir)
{
	char *own = NULL;
	bool holds = str_ends_with(dir, "/libexec/slipway") ||
	    (path_of_program(&own) == NULL && strcmp(dir, own) == 0);

	free(own);
	return holds;
}

/* The folder that a link leads into, given; NULL: to no such name. */
static char *
leads_into(const char *hook, const char *name)
{
	struct str target = STR_INIT;
	char *dir = NULL;

	if (file_readlink(&target, AT_FDCWD, hook) == NULL &&
	    strcmp(path_base(target.s), name) == 0)
		dir = path_dir(target.s);
	if (dir != NULL && dir[0] != '/') {
		char *folder = path_dir(hook), *relative = dir;

		dir = path_join(folder, relative);
		free(relative);
		free(folder);
	}
	str_release(&target);
	return dir;
}

/*
 * A link to a program of Slipway's, of this or of another installation:
 * slipway itself lies beside it. An installation that was taken away leaves
 * links that lead nowhere; any other one may lead to a file system that is
 * not mounted just now, and is somebody else's.
 */
static bool
is_ours(const char *hook, const char *name)
{
	char *dir = leads_into(hook, name), *sister;
	bool ours;

	if (dir == NULL)
		return false;
	sister = path_join(dir, "slipway");
	ours = file_exists(AT_FDCWD, sister) || (holds_hooks(dir) &&
	    access(hook, F_OK) == -1 && errno == ENOENT);
	free(sister);
	free(dir);
	return ours;
}

static const struct err *
set_aside(const char *hook, const char *name, struct vec *done)
{
	const struct err *err = NULL;
	char *aside = xasprintf("%s%s", hook, CHAINED_SUFFIX);

	if (strcmp(name, ALONE) == 0)
		err = err_new(ERR_FAILED, "%s is there already, and git"
		    " takes the answer of one such hook; remove it, or choose"
		    " another repository", hook);
	else if (file_exists(AT_FDCWD, aside))
		err = err_new(ERR_FAILED, "%s and %s are both there; remove"
		    " the one that is not wanted", hook, aside);
	else if (rename(hook, aside) == -1)
		err = err_system("rename %s", hook);
	else
		vec_pushf(done, "kept the %s hook that was there; it runs"
		    " too (%s)", name, aside);
	free(aside);
	return err;
}

static void
note(struct hooks_put *put, const char *name, struct str *target, bool aside)
{
	put->v[put->n].name = name;
	put->v[put->n].target = target->len == 0 || aside ? NULL :
	    xstrdup(target->s);
	put->v[put->n].aside = aside;
	put->n++;
}

/* A link of ours is replaced at one stroke: git is never without. */
static const struct err *
install_one(const char *dir, const char *name, struct vec *done,
    struct hooks_put *put)
{
	struct str target = STR_INIT;
	const struct err *err;
	char *hook, *program;
	bool aside = false;

	hook = path_join(dir, name);
	err = program_path(name, &program);
	if (err != NULL)
		goto out;
	if (file_readlink(&target, AT_FDCWD, hook) == NULL &&
	    strcmp(target.s, program) == 0)
		goto out;
	if (file_exists(AT_FDCWD, hook) && !is_ours(hook, name)) {
		err = set_aside(hook, name, done);
		aside = err == NULL;
	}
	if (aside)
		note(put, name, &target, true);
	if (err == NULL)
		err = file_symlink(AT_FDCWD, hook, program);
	if (err == NULL && !aside)
		note(put, name, &target, false);
	if (err == NULL)
		vec_pushf(done, "installed %s", hook);
out:
	str_release(&target);
	free(program);
	free(hook);
	return err;
}

static const struct err *
remove_one(const char *dir, const char *name, struct vec *done)
{
	char *hook = path_join(dir, name);
	char *aside = xasprintf("%s%s", hook, CHAINED_SUFFIX);
	const struct err *err = NULL;

	if (is_ours(hook, name)) {
		if (unlink(hook) == -1)
			err = err_system("remove %s", hook);
		else
			vec_pushf(done, "removed %s", hook);
	}
	if (err == NULL && file_exists(AT_FDCWD, aside) &&
	    !file_exists(AT_FDCWD, hook)) {
		if (rename(aside, hook) == -1)
			err = err_system("rename %s", aside);
		else
			vec_pushf(done, "restored the %s hook that was there"
			    " before", name);
	}
	free(aside);
	free(hook);
	return err;
}

bool
hooks_answer_is_foreign(const char *dir)
{
	char *hook = path_join(dir, ALONE);
	bool foreign = file_exists(AT_FDCWD, hook) && !is_ours(hook, ALONE);

	free(hook);
	return foreign;
}

/* One hook alone would refuse pushes that nothing deploys. */
const struct err *
hooks_install(const char *dir, struct vec *done,
    struct hooks_put *put)
{
	const struct err *err;

	err = file_mkdirs(dir, 0755);
	for (size_t i = 0; err == NULL && i < N_NAMES; i++)
		err = install_one(dir, names[i], done, put);
	if (err != NULL)
		hooks_take_back(dir, put);
	return err;
}

/* Not what somebody else has put there meanwhile. */
static void
take_back_one(const char *dir, const char *name, const char *target,
    bool aside)
{
	char *hook = path_join(dir, name);
	char *other = xasprintf("%s%s", hook, CHAINED_SUFFIX);

	if (file_exists(AT_FDCWD, hook) && !is_ours(hook, name))
		;
	else if (aside)
		rename(other, hook);
	else if (target != NULL)
		file_symlink(AT_FDCWD, hook, target);
	else
		unlink(hook);
	free(other);
	free(hook);
}

void
hooks_take_back(const char *dir, struct hooks_put *put)
{
	for (size_t i = 0; i < put->n; i++)
		take_back_one(dir, put->v[i].name, put->v[i].target,
		    put->v[i].aside);
	hooks_put_release(put);
}

void
hooks_put_release(struct hooks_put *put)
{
	for (size_t i = 0; i < put->n; i++)
		free(put->v[i].target);
	put->n = 0;
}

const struct err *
hooks_remove(const char *dir, struct vec *done)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < N_NAMES; i++)
		err = remove_one(dir, names[i], done);
	return err;
}

const char *
hooks_name(size_t i)
{
	return i < N_NAMES ? names[i] : NULL;
}

enum hook_state
hooks_state(const char *dir, const char *name)
{
	char *hook = path_join(dir, name), *program = NULL;
	char *aside = xasprintf("%s%s", hook, CHAINED_SUFFIX);
	enum hook_state state = HOOK_OURS;
	char real[4096];

	if (!file_exists(AT_FDCWD, hook))
		state = HOOK_MISSING;
	else if (!is_ours(hook, name))
		state = strcmp(name, ALONE) == 0 ||
		    file_exists(AT_FDCWD, aside) ? HOOK_STAYS : HOOK_FOREIGN;
	else if (realpath(hook, real) == NULL)
		state = HOOK_DANGLING;
	else if (access(real, X_OK) == -1)
		state = HOOK_IDLE;
	else if (program_path(name, &program) == NULL &&
	    strcmp(program, real) != 0)
		state = HOOK_ELSEWHERE;
	free(program);
	free(aside);
	free(hook);
	return state;
}

/* Does git have configs that libgit2 does not read? */
static bool
has_other_configs(const char *path)
{
	char *worktree = path_join(path, "config.worktree");
	bool has = getenv("GIT_CONFIG_GLOBAL") != NULL ||
	    getenv("GIT_CONFIG_SYSTEM") != NULL ||
	    getenv("GIT_CONFIG_COUNT") != NULL ||
	    getenv("GIT_CONFIG_PARAMETERS") != NULL ||
	    file_exists(AT_FDCWD, worktree);

	free(worktree);
	return has;
}

/* hooks_dir(), without git where nobody has set another one. */
static const struct err *
look_for_dir(char **dir, const char *path)
{
	const struct err *err;
	struct repo *repo;
	char *value = NULL;

	*dir = NULL;
	if (has_other_configs(path))
		return hooks_dir(dir, path);
	err = repo_open(&repo, path, false);
	if (err == NULL)
		err = repo_config_get(repo, "core.hooksPath", &value);
	repo_close(repo);
	if (err == NULL && value == NULL)
		*dir = path_join(path, "hooks");
	else if (err == NULL)
		err = hooks_dir(dir, path);
	free(value);
	return err;
}

void
hooks_add_fault(struct str *out, const struct hub *hub)
{
	struct vec lost = VEC_INIT;
	char *dir = NULL;

	if (hub_check_owner(hub->path) == NULL &&
	    look_for_dir(&dir, hub->path) == NULL) {
		for (size_t i = 0; i < N_NAMES; i++) {
			enum hook_state state = hooks_state(dir, names[i]);

			if (state != HOOK_OURS && state != HOOK_ELSEWHERE)
				vec_push(&lost, names[i]);
		}
	}
	if (lost.n > 0) {
		vec_join(&lost, ", ", out);
		str_addf(out, " in %s: missing, or not Slipway's, and what is"
		    " pushed is not deployed as it should be; slipway init ",
		    dir);
		str_add(out, hub->word);
	}
	vec_release(&lost);
	free(dir);
}
