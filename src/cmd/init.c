#include "cmd/init.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/git.h"
#include "deploy/errand.h"
#include "deploy/tip.h"
#include "file.h"
#include "path.h"
#include "plan/option.h"
#include "plan/takes.h"
#include "repo.h"
#include "report/line.h"

/* What is meant by a command that does not say. */
#define BRANCH "main"
#define ENVIRONMENT "production"

/* Below the prefix; systemd looks for it in /usr and /usr/local. */
#define UNIT "lib/systemd/system/slipway-resume@.service"

const char *
init_branch(const struct init *init)
{
	return init->branch == NULL ? BRANCH : init->branch;
}

/* Nobody pushes to "main" where all the work is on "master". */
static const struct err *
check_branch(struct init *init)
{
	const char *branch = init_branch(init);
	struct str likely = STR_INIT;
	const struct err *err;
	bool has;

	err = git_has_branch(init->repo, branch, &has);
	if (err == NULL && !has)
		err = git_main_branch(&likely, init->repo);
	if (err == NULL && likely.len > 0 && init->branch == NULL)
		err = err_new(ERR_USAGE, "%s has no branch %s, but %s: say"
		    " --branch %s, or --branch %s for one that is to come",
		    init->repo, branch, likely.s, likely.s, branch);
	else if (err == NULL && likely.len > 0)
		vec_pushf(&init->done, "note: there is no branch %s yet, but"
		    " %s", branch, likely.s);
	str_release(&likely);
	return err;
}

/* The text of a new slipway.ini. */
static const struct err *
make_config(struct init *init, struct hub *hub)
{
	const struct err *err = NULL;

	if (init->root == NULL)
		return err_new(ERR_USAGE, "say where the site lives, as in"
		    " --root /srv/%s", init->app);
	if (init->branch != NULL && (takes_is_pattern(init->branch) ||
	    strpbrk(init->branch, " \t\r\n") != NULL))
		return err_new(ERR_USAGE, "--branch '%s': say the name of one"
		    " branch; several of them, and patterns, are written into"
		    " slipway.ini then", init->branch);
	if (!init->is_new)
		err = check_branch(init);
	if (err != NULL)
		return err;
	option_sample(&init->text, init->app, init->root,
	    init->environment == NULL ? ENVIRONMENT : init->environment,
	    init_branch(init), init->transactional);
	hub_name(hub, init->repo);
	err = config_parse(&hub->config, "slipway.ini", init->text.s,
	    init->text.len);
	if (err != NULL)
		err = err_recode(err_add(err, "these options make no valid"
		    " config"), ERR_USAGE);
	return err;
}

static bool
agrees(const char *said, const char *written)
{
	return said == NULL || strcmp(said, written) == 0;
}

static bool
has_branch(const struct init *init, const struct environment *env)
{
	return init->branch == NULL || takes_branch(env, init->branch);
}

static const struct err *
other_branch(const struct init *init, const struct environment *env)
{
	struct str takes = STR_INIT;
	const struct err *err;

	takes_add(&takes, env);
	err = err_new(ERR_USAGE, "%s/slipway.ini has branch = %s for %s, not"
	    " %s; edit it there", init->repo, takes.s, env->name,
	    init->branch);
	str_release(&takes);
	return err;
}

/*
 * A config that is there is the administrator's: it is left as it is, and
 * options that say something else are not passed over.
 */
static const struct err *
check_said(const struct init *init, const struct config *config)
{
	const struct environment *env = NULL;

	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *each = &config->environments[i];

		if (!agrees(init->environment, each->name))
			continue;
		if (agrees(init->root, each->set.root) &&
		    has_branch(init, each) &&
		    (!init->transactional || each->set.transactional))
			return NULL;
		env = each;
	}
	if (env == NULL)
		return err_new(ERR_USAGE, "%s/slipway.ini has no environment"
		    " %s; write [environment %s] there, with its branch and"
		    " its root", init->repo, init->environment,
		    init->environment);
	if (!agrees(init->root, env->set.root))
		return err_new(ERR_USAGE, "%s/slipway.ini has root = %s for"
		    " %s, not %s; edit it there", init->repo, env->set.root,
		    env->name, init->root);
	if (has_branch(init, env))
		return err_new(ERR_USAGE, "%s/slipway.ini has transactional"
		    " = no for %s; edit it there, then run: slipway init %s",
		    init->repo, env->name, init->word.s);
	return other_branch(init, env);
}

const struct err *
init_config(struct init *init, struct hub *hub)
{
	char *path = path_join(init->repo, "slipway.ini");
	bool there = file_exists(AT_FDCWD, path);
	const struct err *err;

	free(path);
	if (!there)
		return make_config(init, hub);
	err = hub_open(hub, init->repo);
	if (err == NULL)
		err = hub_config(hub);
	return err == NULL ? check_said(init, hub->config) : err;
}

const struct err *
init_write(struct init *init)
{
	char *path = path_join(init->repo, "slipway.ini");
	const struct err *err = NULL;

	if (init->text.len > 0) {
		err = file_replace(AT_FDCWD, path, init->text.s,
		    init->text.len, 0644);
		if (err == NULL) {
			vec_push(&init->places, path);
			vec_pushf(&init->done, "wrote %s", path);
		}
	}
	free(path);
	return err;
}

/* The branch that HEAD is to be; NULL: it may stay, or nobody knows. */
static const char *
wanted_head(const struct config *config, const char *head)
{
	const char *wanted = NULL;

	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (takes_branch(env, head))
			return NULL;
		if (wanted == NULL)
			wanted = env->branch;
	}
	return wanted;
}

const struct err *
init_head(struct init *init, const struct config *config)
{
	struct str head = STR_INIT;
	const char *wanted = NULL;
	const struct err *err;
	bool has = true;

	err = git_has_refs(init->repo, &has);
	if (err == NULL && !has)
		err = git_head(&head, init->repo);
	if (head.len > 0)
		wanted = wanted_head(config, head.s);
	if (err == NULL && wanted != NULL)
		err = git_set_head(init->repo, wanted);
	if (err == NULL && wanted != NULL) {
		init->head = xstrdup(head.s);
		vec_pushf(&init->done, "set HEAD to the branch %s", wanted);
	}
	str_release(&head);
	return err;
}

void
init_head_back(const struct init *init)
{
	/* There is another error to be told. */
	if (init->head != NULL)
		(void)git_set_head(init->repo, init->head);
}

/*
 * A config that was edited may have left its branch behind, and what was
 * pushed before is not live. A branch that a new config lacks was told.
 */
void
init_note_tips(struct init *init, const struct hub *hub)
{
	size_t n = hub->config->n_environments;
	bool has = true;

	if (init->text.len > 0 && git_has_branch(init->repo,
	    init_branch(init), &has) != NULL)
		has = false;
	for (size_t i = 0; has && i < n; i++) {
		const struct environment *env = &hub->config->environments[i];
		struct str text = STR_INIT, where = STR_INIT;
		const struct err *err;

		str_add(&where, " -C ");
		str_add(&where, hub->word);
		err = tip_add(&text, hub, env, where.s);
		if (err != NULL)
			str_add(&text, err->text);
		if (text.len > 0)
			vec_pushf(&init->done, "note: %s%s%s", n == 1 ? "" :
			    env->name, n == 1 ? "" : ": ", text.s);
		str_release(&text);
		str_release(&where);
	}
}

void
init_note_errands(struct init *init)
{
	struct vec names = VEC_INIT;
	struct repo *repo;

	if (repo_open(&repo, init->repo, false) == NULL)
		(void)repo_refs(repo, ERRAND_PREFIX, &names);
	repo_close(repo);
	for (size_t i = 0; i < names.n; i++) {
		char *ref = xasprintf(ERRAND_PREFIX "%s", names.v[i]);
		struct str rest = STR_INIT;

		git_add_drop_ref(&rest, ref);
		vec_pushf(&init->done, "note: there is a ref %s, pushed when"
		    " no hook was here, so that a push to it may do nothing;"
		    " remove it: git -C %s%s", ref, init->word.s, rest.s);
		str_release(&rest);
		free(ref);
	}
	vec_release(&names);
}

/* One remote, whose branches go into one environment or another. */
static void
add_next(struct str *out, const struct init *init,
    const struct config *config)
{
	const char *remote = config->environments[0].name;

	str_addf(out, "\nOn the developer's machine:\n\n  git remote add %s ",
	    remote);
	str_add_word(out, init->repo);
	str_addch(out, '\n');
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (config->n_environments > 1)
			str_addf(out, "\nTo deploy to %s:\n\n", env->name);
		str_addf(out, "  git push %s ", remote);
		str_add_word(out, env->branch == NULL ? "BRANCH-OR-TAG" :
		    env->branch);
		str_addch(out, '\n');
	}
	str_addch(out, '\n');
}

/* Where systemd runs, what finishes deploys after a power cut; else nothing. */
static void
add_unit(struct str *out, const struct init *init)
{
	char *dir, *unit;

	if (!file_exists(AT_FDCWD, "/run/systemd/system") ||
	    path_of_program(&dir) != NULL)
		return;
	unit = path_dir(dir);
	free(dir);
	dir = path_join(unit, UNIT);
	free(unit);
	if (file_exists(AT_FDCWD, dir)) {
		str_add(out, "\nTo have deploys finished after a power cut, as"
		    " root:\n");
		if (!str_starts_with(dir, "/usr/")) {
			str_add(out, "  systemctl link ");
			str_add_word(out, dir);
			str_addch(out, '\n');
		}
		str_add(out, "  systemctl enable \"slipway-resume@"
		    "$(systemd-escape -p ");
		str_add_word(out, init->repo);
		str_add(out, ")\"\n");
	}
	free(dir);
}

const struct err *
init_print(const struct init *init, const struct config *config)
{
	char *remote = xasprintf("USER@HOST:%s", init->repo);
	struct str out = STR_INIT;
	const struct err *err;

	vec_join(&init->done, "\n", &out);
	str_addf(&out, "\n\n%s deploys\n", init->repo);
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		str_addf(&out, "  %s", env->branches.n > 0 ? "branch " : "");
		takes_add(&out, env);
		str_addf(&out, " into %s (%s)\n", env->set.root, env->name);
	}
	add_next(&out, init, config);
	str_add(&out, "Over ssh the remote is\n  ");
	str_add_word(&out, remote);
	str_addf(&out, "\nCommands to run at each deploy go into\n"
	    "  %s/slipway.ini\n", init->repo);
	add_unit(&out, init);
	err = cmd_print(&out);
	str_release(&out);
	free(remote);
	return err;
}
