/*
 * slipway init, uninit - a repository learns to deploy, and forgets it.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/git.h"
#include "cmd/hooks.h"
#include "file.h"
#include "path.h"
#include "plan/option.h"
#include "release/store.h"

/* What a repository that deploys needs of git, and why. */
static const struct {
	const char *key;
	const char *value;
	bool several;		/* the key may have other values, too */
} settings[] = {
	/* Malformed objects are refused before a hook sees them. */
	{ "receive.fsckObjects",	  "true",		  false },
	/* git push -o updb */
	{ "receive.advertisePushOptions", "true",		  false },
	/* A ref that a client was told about survives a power cut. */
	{ "core.fsync",			  "committed,reference",  false },
	/* Bare repositories keep no reflog by themselves. */
	{ "core.logAllRefUpdates",	  "true",		  false },
	/* The refs that keep deployed commits are nobody's business. */
	{ "transfer.hideRefs",		  "refs/slipway",	  true },
};

/* What init was told and what it found. */
struct plan_init {
	char *repo;		/* absolute */
	char *root;
	char *app;
	const char *branch;
	const char *environment;
	struct str config;	/* to be written; empty: one is there */
	struct vec done;
};

static const struct err *
absolute(char **path, const char *dir, const char *given)
{
	char cwd[PATH_MAX];

	if (given[0] == '/') {
		*path = xstrdup(given);
		return NULL;
	}
	if (realpath(dir == NULL ? "." : dir, cwd) == NULL)
		return err_system("open %s", dir == NULL ? "." : dir);
	*path = path_join(cwd, given);
	return NULL;
}

/* "shop" of "/srv/git/shop.git". */
static char *
app_name(const char *repo)
{
	char *name = xstrdup(path_base(repo));

	if (str_ends_with(name, ".git") && strlen(name) > 4)
		name[strlen(name) - 4] = '\0';
	return name;
}

static const struct err *
check_paths(struct plan_init *init)
{
	size_t len = strlen(init->repo);

	while (len > 1 && init->repo[len - 1] == '/')
		init->repo[--len] = '\0';
	if (strchr(init->repo, ':') != NULL)
		return err_new(ERR_USAGE, "%s: git cannot quarantine a push to"
		    " a path with a ':' in it; choose another", init->repo);
	if (init->root != NULL && init->root[0] != '/')
		return err_new(ERR_USAGE, "--root %s: say the absolute path,"
		    " as in --root /srv/%s", init->root, init->app);
	return NULL;
}

/* A folder that holds something is not taken for a new repository. */
static const struct err *
is_empty(const char *path, bool *empty)
{
	struct vec names = VEC_INIT;
	const struct err *err;

	*empty = true;
	if (!file_exists(AT_FDCWD, path))
		return NULL;
	err = file_list(&names, AT_FDCWD, path);
	*empty = names.n == 0;
	vec_release(&names);
	return err;
}

static const struct err *
make_repository(struct plan_init *init)
{
	const struct err *err;
	bool empty, bare = false;

	err = is_empty(init->repo, &empty);
	if (err != NULL)
		return err;
	if (empty) {
		err = git_init_bare(init->repo, init->branch);
		if (err == NULL)
			vec_pushf(&init->done, "created %s", init->repo);
		return err;
	}
	err = git_is_bare(init->repo, &bare);
	if (err == NULL && !bare)
		err = err_new(ERR_USAGE, "%s is not a bare repository; give"
		    " its path, or the path of a new one", init->repo);
	return err;
}

static const struct err *
configure_git(struct plan_init *init)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL &&
	    i < sizeof(settings) / sizeof(*settings); i++) {
		bool changed;

		err = settings[i].several ?
		    git_config_add(init->repo, settings[i].key,
		    settings[i].value, &changed) :
		    git_config_set(init->repo, settings[i].key,
		    settings[i].value, &changed);
		if (err == NULL && changed)
			vec_pushf(&init->done, "set %s = %s",
			    settings[i].key, settings[i].value);
	}
	return err;
}

/* What stands in the way of the symlink would fail every deploy. */
static const struct err *
check_current(const char *root)
{
	char *path = path_join(root, "current");
	const struct err *err = NULL;
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISLNK(st.st_mode))
		err = err_new(ERR_USAGE, "%s is there and no symlink; move it"
		    " away, since deploys make that link", path);
	free(path);
	return err;
}

/*
 * The text of a new slipway.ini. A config that is there is the
 * administrator's: it is left as it is, and the text stays empty.
 */
static const struct err *
make_config(struct plan_init *init)
{
	char *path = path_join(init->repo, "slipway.ini");
	struct config *config = NULL;
	bool there = file_exists(AT_FDCWD, path);
	const struct err *err;

	free(path);
	if (there)
		return NULL;
	if (init->root == NULL)
		return err_new(ERR_USAGE, "say where the site lives, as in"
		    " --root /srv/%s", init->app);
	option_sample(&init->config, init->app, init->root,
	    init->environment, init->branch);
	err = config_parse(&config, "slipway.ini", init->config.s,
	    init->config.len);
	config_free(config);
	if (err != NULL)
		return err_recode(err_add(err, "these options make no valid"
		    " config"), ERR_USAGE);
	return check_current(init->root);
}

static const struct err *
write_config(struct plan_init *init)
{
	char *path = path_join(init->repo, "slipway.ini");
	const struct err *err = NULL;

	if (init->config.len > 0) {
		err = file_replace(AT_FDCWD, path, init->config.s,
		    init->config.len, 0644);
		if (err == NULL)
			vec_pushf(&init->done, "wrote %s", path);
	}
	free(path);
	return err;
}

static const struct err *
make_folder(const struct hub *hub, const char *name, mode_t mode)
{
	char *path = hub_file(hub, name);
	const struct err *err;

	err = file_mkdirs(path, mode);
	free(path);
	return err;
}

/* The state folder, the journal, and the root of every environment. */
static const struct err *
make_places(struct plan_init *init, struct hub *hub)
{
	const struct err *err;

	err = hub_open(hub, init->repo);
	if (err == NULL)
		err = hub_config(hub);
	if (err == NULL)
		err = make_folder(hub, "slipway/log", 0755);
	if (err == NULL)
		err = make_folder(hub, "slipway/backup", 0700);
	if (err == NULL)
		err = hub_journal(hub, DB_CREATE);
	for (size_t i = 0; err == NULL && i < hub->config->n_environments;
	    i++) {
		const struct environment *env = &hub->config->environments[i];
		bool there = file_exists(AT_FDCWD, env->set.root);
		struct store *store;

		err = store_open(&store, env->set.root);
		if (err == NULL && !there)
			vec_pushf(&init->done, "created %s",
			    env->set.root);
		store_close(store);
	}
	return err;
}

static const struct err *
install_hooks(struct plan_init *init)
{
	const struct err *err;
	char *dir;

	err = hooks_dir(&dir, init->repo);
	if (err == NULL)
		err = hooks_install(dir, &init->done);
	if (err == NULL && !str_starts_with(dir, init->repo))
		vec_pushf(&init->done, "note: core.hooksPath is %s, which"
		    " other repositories may use, too", dir);
	free(dir);
	return err;
}

static const struct err *
print_done(const struct vec *done)
{
	struct str out = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < done->n; i++)
		str_addf(&out, "%s\n", done->v[i]);
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static const struct err *
print_next(const struct plan_init *init, const struct hub *hub)
{
	const struct environment *env = &hub->config->environments[0];
	struct str out = STR_INIT;
	const struct err *err;

	str_addf(&out, "%s deploys pushes to branch %s into %s.\n"
	    "On the developer's machine:\n\n"
	    "  git remote add %s %s\n"
	    "  git push %s %s\n\n"
	    "(over ssh the remote is USER@HOST:%s). Commands to run at each"
	    " deploy go into\n%s/slipway.ini.\n", init->repo, env->branch,
	    env->set.root, env->name, init->repo, env->name, env->branch,
	    init->repo, init->repo);
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static const struct err *
do_init(struct plan_init *init, struct hub *hub)
{
	const struct err *err;

	err = check_paths(init);
	if (err == NULL)
		err = make_config(init);
	if (err == NULL)
		err = make_repository(init);
	if (err == NULL)
		err = write_config(init);
	if (err == NULL)
		err = make_places(init, hub);
	if (err == NULL)
		err = configure_git(init);
	if (err == NULL)
		err = install_hooks(init);
	if (err == NULL && init->done.n == 0)
		vec_pushf(&init->done, "%s is set up already; nothing was"
		    " changed", init->repo);
	if (err == NULL)
		err = print_done(&init->done);
	return err == NULL ? print_next(init, hub) : err;
}

static const char *
value_or(const struct call *call, const char *name, const char *otherwise)
{
	const char *value = call_value(call, name);

	return value == NULL ? otherwise : value;
}

static const struct err *
run_init(struct call *call)
{
	struct plan_init init = {
		.config = STR_INIT,
		.done = VEC_INIT,
	};
	const struct err *err;

	err = absolute(&init.repo, call->dir, call->words.v[0]);
	if (err != NULL)
		return err;
	init.root = xstrdup_null(call_value(call, "root"));
	init.branch = value_or(call, "branch", "main");
	init.environment = call->environment == NULL ? "production" :
	    call->environment;
	init.app = app_name(init.repo);
	err = do_init(&init, &call->hub);
	vec_release(&init.done);
	str_release(&init.config);
	free(init.repo);
	free(init.root);
	free(init.app);
	return err;
}

static const struct cmd_option init_options[] = {
	{ 0, "root", "DIR", "where the site lives: DIR/current,"
	    " DIR/releases, DIR/shared" },
	{ 0, "branch", "BRANCH", "the branch that is deployed (main)" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_init = {
	.name = "init",
	.words = "REPO",
	.words_min = 1,
	.words_max = 1,
	.summary = "make a bare repository deploy what is pushed to it",
	.help = "Create the bare repository REPO, or take one that exists:"
	    " write its slipway.ini,\ninstall the hooks (a hook that is there"
	    " is kept and run, too), set the git\nconfiguration that is"
	    " needed, and create the folders. The environment is called\n"
	    "\"production\" unless -e names it. Running it again changes"
	    " nothing.",
	.example = "slipway init shop.git --root /srv/shop --branch main"
	    " --environment production",
	.options = init_options,
	.run = run_init,
};

static const struct err *
run_uninit(struct call *call)
{
	struct vec done = VEC_INIT;
	const struct err *err;
	char *dir = NULL;

	err = hub_open(&call->hub, call->words.n > 0 ? call->words.v[0] :
	    call->dir);
	if (err == NULL)
		err = hooks_dir(&dir, call->hub.path);
	if (err == NULL)
		err = hooks_remove(dir, &done);
	if (err == NULL)
		vec_pushf(&done, "the releases, the journal and slipway.ini"
		    " are left as they are");
	if (err == NULL)
		err = print_done(&done);
	vec_release(&done);
	free(dir);
	return err;
}

const struct cmd cmd_uninit = {
	.name = "uninit",
	.words = "[REPO]",
	.words_max = 1,
	.summary = "take the hooks out of a repository again",
	.help = "Remove the hooks of Slipway from REPO and restore those that"
	    " were there before.\nWhat was deployed, the journal and"
	    " slipway.ini stay.",
	.example = "slipway uninit shop.git",
	.run = run_uninit,
};
