/*
 * slipway init - a repository learns to deploy.
 *
 * What can fail for a reason outside of the repository comes first, and an
 * init that fails takes back what it has made, so that the corrected
 * command finds everything as the first one did.
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/git.h"
#include "cmd/hooks.h"
#include "cmd/init.h"
#include "cmd/places.h"
#include "cmd/signing.h"
#include "cmd/traces.h"
#include "deploy/errand.h"
#include "file.h"
#include "journal/deploy.h"
#include "path.h"
#include "repo.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "0123456789-_."

static const struct err *
set_repo(struct init *init, const struct call *call)
{
	const struct err *err;
	const char *dir;

	err = cmd_repository(call, &dir);
	if (err == NULL)
		err = file_resolve(&init->repo, dir);
	if (err == NULL && strchr(init->repo, ':') != NULL)
		err = err_new(ERR_USAGE, "%s: git cannot quarantine a push to"
		    " a path with a ':' in it; choose another", init->repo);
	return err;
}

/* "shop" of "/srv/git/shop.git". */
static char *
app_name(const char *repo)
{
	char *name = xstrdup(path_base(repo));

	if (str_ends_with(name, ".git") && strlen(name) > 4)
		name[strlen(name) - 4] = '\0';
	/* A name has fewer characters than a path may have. */
	for (char *p = name; *p != '\0'; p++) {
		if (strchr(NAME_BYTES, *p) == NULL)
			*p = '-';
	}
	if (name[0] == '-' || name[0] == '.')
		name[0] = '_';
	return name;
}

/*
 * Symlinks on the way to the site are the administrator's, and stay, but
 * for a path with dots: only where it leads has a name without them.
 */
static const struct err *
set_root(struct init *init, const char *given)
{
	struct vec parts = VEC_INIT;
	struct str root = STR_INIT;
	const struct err *err = NULL;

	if (given == NULL)
		return NULL;
	vec_split(&parts, given, "/");
	if (given[0] != '/') {
		err = err_new(ERR_USAGE, "--root %s: say the absolute path,"
		    " as in --root /srv/%s", given, init->app);
	} else if (vec_has(&parts, ".") || vec_has(&parts, "..")) {
		err = file_resolve(&init->root, given);
	} else {
		str_addch(&root, '/');
		vec_join(&parts, "/", &root);
		init->root = str_detach(&root);
	}
	vec_release(&parts);
	return err;
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

/* What every push would fail on is said now. */
static const struct err *
check_objects(const struct init *init)
{
	char *shallow = path_join(init->repo, "shallow");
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, init->repo, false);
	if (err == NULL && file_exists(AT_FDCWD, shallow))
		err = err_new(ERR_USAGE, "%s is a shallow clone, and the"
		    " commits that a deploy asks for may be missing; run: git"
		    " -C %s fetch --unshallow", init->repo, init->word.s);
	repo_close(repo);
	free(shallow);
	return err;
}

static const struct err *
check_repository(struct init *init)
{
	const struct err *err;

	err = is_empty(init->repo, &init->is_new);
	if (err == NULL && geteuid() == 0 &&
	    file_exists(AT_FDCWD, init->repo))
		err = hub_check_owner(init->repo);
	if (err == NULL && !init->is_new)
		err = git_check_bare(init->repo, "give its path, or the path"
		    " of a new one");
	return err == NULL && !init->is_new ? check_objects(init) : err;
}

/*
 * One init at a time, which may take back what it has made. The lock is on
 * the folder itself.
 */
static const struct err *
take_repository(struct init *init)
{
	const struct err *err;
	bool is_new = init->is_new;

	places_expect(&init->places, init->repo);
	err = file_mkdirs(init->repo, 0755);
	if (err != NULL)
		return err;
	init->lock = open(init->repo, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (init->lock == -1)
		return err_system("open %s", init->repo);
	if (flock(init->lock, LOCK_EX | LOCK_NB) == 0)
		err = is_empty(init->repo, &init->is_new);
	else if (errno == EWOULDBLOCK)
		err = err_new(ERR_BUSY, "another slipway init is at work in"
		    " %s; wait for it, and run this again", init->repo);
	else
		err = err_system("lock %s", init->repo);
	if (err == NULL && is_new && !init->is_new)
		err = err_new(ERR_BUSY, "somebody else has just made %s; run"
		    " this again", init->repo);
	return err;
}

static const struct err *
make_roots(struct init *init, const struct config *config)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < config->n_environments; i++)
		err = places_make_root(init->repo, &config->environments[i],
		    &init->places, &init->done);
	return err;
}

static const struct err *
make_repository(struct init *init)
{
	const struct err *err;

	if (!init->is_new)
		return NULL;
	err = git_init_bare(init->repo, init_branch(init));
	places_add_tree(&init->places, init->repo);
	if (err == NULL)
		vec_pushf(&init->done, "created %s", init->repo);
	return err;
}

/* It is expected to be there from now on. */
static char *
place(struct init *init, const struct hub *hub, const char *name)
{
	char *path = hub_file(hub, name);

	places_expect(&init->places, path);
	return path;
}

static const struct err *
make_folder(struct init *init, const struct hub *hub, const char *name,
    mode_t mode)
{
	char *path = place(init, hub, name);
	const struct err *err;

	err = file_mkdirs(path, mode);
	free(path);
	return err;
}

/* What an older journal knew is not in this one. */
static void
tell_journal(struct init *init, int64_t number)
{
	struct str line = STR_INIT;

	if (init->text.len > 0 && number == 0)
		return;
	str_addf(&line, "made a new journal, %s/slipway/journal.db",
	    init->repo);
	if (number > 0)
		str_addf(&line, ", which does not know what was deployed"
		    " before; the next deploy is number %" PRId64,
		    number + 1);
	vec_push_take(&init->done, str_detach(&line));
}

/* The journal, and its rollback journal; see traces.h for its number. */
static const struct err *
make_journal(struct init *init, struct hub *hub)
{
	char *path = hub_file(hub, "slipway/journal.db");
	bool there = file_exists(AT_FDCWD, path);
	const struct err *err;
	int64_t number;

	free(path);
	free(place(init, hub, "slipway/journal.db"));
	free(place(init, hub, "slipway/journal.db-journal"));
	err = hub_journal(hub, DB_CREATE);
	if (err == NULL)
		err = traces_highest(&number, hub);
	if (err == NULL)
		err = deploy_number_above(hub->journal, number);
	if (err == NULL && !there)
		tell_journal(init, number);
	return err;
}

/* The state folder and the journal. */
static const struct err *
make_state(struct init *init, struct hub *hub)
{
	const struct err *err;

	err = make_folder(init, hub, "slipway/log", 0755);
	if (err == NULL)
		err = make_folder(init, hub, "slipway/backup", 0700);
	return err == NULL ? make_journal(init, hub) : err;
}

static const struct err *
leave_refs(struct init *init, const struct config *config)
{
	struct vec refs = VEC_INIT;
	const struct err *err;

	vec_push(&refs, ERRAND_PREFIX);
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (env->set.transactional)
			vec_pushf(&refs, "refs/heads/%s", env->branch);
	}
	err = git_leave_refs(init->repo, &init->config, &refs, &init->done);
	vec_release(&refs);
	return err;
}

static const struct err *
take_signed(struct init *init, const struct hub *hub)
{
	const struct config *config = hub->config;
	bool wanted = false;

	for (size_t i = 0; i < config->n_environments; i++)
		wanted |= config->environments[i].set.require_signed_push;
	if (!wanted)
		return NULL;
	free(place(init, hub, "allowed_signers"));
	return signing_configure(init->repo, &init->config, &init->done);
}

static const struct err *
install_hooks(struct init *init)
{
	const struct err *err;
	char *shared;

	err = hooks_dir(&init->hooks, init->repo);
	if (err != NULL)
		return err;
	places_expect(&init->places, init->hooks);
	err = hooks_install(init->hooks, &init->done, &init->put);
	shared = hooks_shared(init->hooks, init->repo);
	if (err == NULL && shared != NULL)
		vec_pushf(&init->done, "note: the hooks are in %s, which"
		    " other repositories may use, too", shared);
	free(shared);
	return err;
}

static const struct err *
make_all(struct init *init, struct hub *hub)
{
	const struct err *err;

	err = take_repository(init);
	if (err == NULL)
		err = make_roots(init, hub->config);
	if (err == NULL)
		err = make_repository(init);
	if (err == NULL)
		err = init_write(init);
	if (err == NULL)
		err = make_state(init, hub);
	if (err == NULL)
		err = git_configure(init->repo, &init->config, &init->done);
	if (err == NULL)
		err = take_signed(init, hub);
	if (err == NULL)
		err = leave_refs(init, hub->config);
	if (err == NULL)
		err = init_head(init, hub->config);
	/* Hooks first: git fails a push whose hook is not there. */
	if (err == NULL)
		err = install_hooks(init);
	if (err == NULL)
		err = gitfile_commit(&init->config);
	if (err != NULL) {
		init_head_back(init);
		hooks_take_back(init->hooks, &init->put);
		gitfile_release(&init->config);
		places_remove(&init->places);
	}
	return err;
}

static const struct err *
do_init(struct init *init, struct hub *hub)
{
	const struct err *err;

	err = check_repository(init);
	if (err == NULL)
		err = init_config(init, hub);
	if (err == NULL)
		err = make_all(init, hub);
	if (err == NULL && init->done.n == 0)
		vec_pushf(&init->done, "%s is set up already; nothing was"
		    " changed", init->repo);
	if (err == NULL)
		init_note_tips(init, hub);
	if (err == NULL)
		init_note_errands(init);
	return err == NULL ? init_print(init, hub->config) : err;
}

static const struct err *
run_init(struct call *call)
{
	struct init init = {
		.word = STR_INIT,
		.text = STR_INIT,
		.places = VEC_INIT,
		.config = GITFILE_INIT,
		.done = VEC_INIT,
		.lock = -1,
	};
	const struct err *err;

	err = set_repo(&init, call);
	if (err != NULL)
		goto done;
	str_add_word(&init.word, init.repo);
	init.app = app_name(init.repo);
	init.branch = call_value(call, "branch");
	init.environment = call->environment;
	init.transactional = call_has(call, "transactional");
	err = set_root(&init, call_value(call, "root"));
	if (err == NULL)
		err = do_init(&init, &call->hub);
done:
	vec_release(&init.done);
	vec_release(&init.places);
	gitfile_release(&init.config);
	hooks_put_release(&init.put);
	file_close(&init.lock);
	free(init.hooks);
	free(init.head);
	str_release(&init.text);
	str_release(&init.word);
	free(init.repo);
	free(init.root);
	free(init.app);
	return err;
}

static const struct cmd_option init_options[] = {
	{ 0, "root", "DIR", "where the site lives: DIR/current,"
	    " DIR/releases, DIR/shared" },
	{ 0, "branch", "BRANCH", "the branch that is deployed (main)" },
	{ 0, "transactional", NULL, "a push fails when its deploy does: the"
	    " branch moves when the release is live" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_init = {
	.name = "init",
	.words = "[REPO]",
	.words_max = 1,
	.summary = "make a bare repository deploy what is pushed to it",
	.help = "Create the bare repository REPO, or the one that -C names,"
	    " or take one that exists:"
	    " write its slipway.ini, install the hooks (a hook that is there"
	    " is kept and run, too), set the git configuration that is"
	    " needed, and create the folders. The environment is called "
	    "\"production\" unless -e names it. Running it again changes"
	    " nothing.",
	.example = "slipway init shop.git --root /srv/shop --branch main"
	    " --environment production",
	.options = init_options,
	.dir_help = "the bare repository, where REPO is not given (else"
	    " $GIT_DIR, or the current folder)",
	.environment_help = "what the environment is called (production)",
	.run = run_init,
};
