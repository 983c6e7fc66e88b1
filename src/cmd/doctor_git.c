/*
 * git: how it is configured here, and what a git that was killed has left.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/doctor.h"
#include "cmd/git.h"
#include "deploy/errand.h"
#include "file.h"
#include "lock.h"
#include "path.h"
#include "repo.h"
#include "report/line.h"

/* git holds no lock of its own for so long, in seconds. */
#define LOCK_AGE_S 60

/* No push takes so long, in seconds. */
#define QUARANTINE_AGE_S (24 * 60 * 60)

/* More of what git has to say of a packing is not read. */
#define GC_LOG_MAX (64 * 1024)

/* git looks at it for so long, in seconds. */
#define GC_LOG_AGE_S (24 * 60 * 60)

char *
doctor_init_remedy(const struct doctor *doctor)
{
	struct str remedy = STR_INIT;

	str_add(&remedy, "slipway init ");
	str_add(&remedy, doctor->hub->word);
	return str_detach(&remedy);
}

/* git config changes no file that is included. */
static char *
remove_remedy(const struct doctor *doctor, const char *key)
{
	return xasprintf("remove it from the file that git -C %s config"
	    " --show-origin --get-all %s names", doctor->hub->word, key);
}

char *
doctor_unset(const struct doctor *doctor, const char *key, size_t n,
    const char *otherwise)
{
	struct vec local = VEC_INIT, own = VEC_INIT;
	char *remedy;

	git_own_values(&local, doctor->hub->path, key, true);
	git_own_values(&own, doctor->hub->path, key, false);
	if (own.n < local.n)
		remedy = remove_remedy(doctor, key);
	else if (own.n == n)
		remedy = xasprintf("git -C %s config --unset-all %s",
		    doctor->hub->word, key);
	else
		remedy = xasprintf("git -C %s config --replace-all %s %s",
		    doctor->hub->word, key, otherwise);
	vec_release(&local);
	vec_release(&own);
	return remedy;
}

/* Settings that are nobody's mistake but do harm here. */
static const struct setting {
	const char *key;
	const char *bad;	/* NULL: any value */
	enum level level;
	const char *why;
	const char *otherwise;	/* NULL: nothing is to be done, or only the
				 * repository's own value counts */
} settings[] = {
	{ "gc.pruneExpire", "now", LEVEL_WARNING, "objects of a push that is"
	    " under way can be pruned", "2.weeks.ago" },
	{ "core.bare", "false", LEVEL_FAULT, "only a bare repository deploys",
	    NULL },
	{ "core.worktree", NULL, LEVEL_FAULT, "only a repository without a"
	    " work tree deploys", NULL },
	{ "receive.unpackLimit", NULL, LEVEL_NOTE, "pushes of fewer objects"
	    " are kept loose", NULL },
	{ "gc.auto", "0", LEVEL_NOTE, "git never packs by itself; have git gc"
	    " run now and then", NULL },
};

static void
look_at_setting(struct doctor *doctor, struct repo *repo,
    const struct setting *setting)
{
	struct vec values = VEC_INIT;
	char *remedy = NULL;
	const char *last;

	if (setting->level != LEVEL_NOTE && setting->otherwise == NULL)
		git_own_values(&values, doctor->hub->path, setting->key,
		    false);
	else
		repo_config_all(repo, setting->key, &values);
	last = values.n == 0 ? NULL : values.v[values.n - 1];
	if (last != NULL &&
	    (setting->bad == NULL || strcmp(last, setting->bad) == 0)) {
		if (setting->level != LEVEL_NOTE)
			remedy = doctor_unset(doctor, setting->key, values.n,
			    setting->otherwise);
		doctor_tell(doctor, setting->level, setting->key, remedy,
		    "it is %s: %s", last, setting->why);
		free(remedy);
	}
	vec_release(&values);
}

static bool
has_branch(struct repo *repo, const char *branch)
{
	char *ref = xasprintf("refs/heads/%s", branch);
	char oid[REPO_OID_SIZE];
	bool has;

	has = repo_ref_value(repo, ref, oid) == NULL &&
	    strcmp(oid, REPO_ZERO_OID) != 0;
	free(ref);
	return has;
}

/* The first branch that is deployed and there; NULL: none is. */
static const char *
deployed_branch(const struct doctor *doctor, struct repo *repo)
{
	const struct config *config = doctor->hub->config;

	for (size_t i = 0; config != NULL && i < config->n_environments;
	    i++) {
		const char *branch = config->environments[i].branch;

		if (branch != NULL && has_branch(repo, branch))
			return branch;
	}
	return NULL;
}

/* Who clones it then has nothing checked out. */
static const struct err *
look_at_head(struct doctor *doctor, struct repo *repo)
{
	struct str head = STR_INIT, rest = STR_INIT;
	const char *branch = NULL;
	const struct err *err;
	char *remedy;

	err = git_head(&head, doctor->hub->path);
	if (err == NULL && head.len > 0 && !has_branch(repo, head.s))
		branch = deployed_branch(doctor, repo);
	if (branch != NULL) {
		str_add(&rest, " symbolic-ref HEAD refs/heads/");
		str_add_word(&rest, branch);
		remedy = doctor_command("git -C ", doctor->hub->path, rest.s);
		doctor_tell(doctor, LEVEL_WARNING, "HEAD", remedy, "it is the"
		    " branch %s, which is not there: a clone has nothing"
		    " checked out", head.s);
		free(remedy);
	}
	str_release(&head);
	str_release(&rest);
	return err;
}

/* To push it again then is to change nothing, of which git tells nobody. */
static const struct err *
look_at_errands(struct doctor *doctor, struct repo *repo)
{
	struct vec names = VEC_INIT;
	const struct err *err = repo_refs(repo, ERRAND_PREFIX, &names);

	for (size_t i = 0; err == NULL && i < names.n; i++) {
		char *ref = xasprintf(ERRAND_PREFIX "%s", names.v[i]);
		struct str rest = STR_INIT;
		char *remedy;

		git_add_drop_ref(&rest, ref);
		remedy = doctor_command("git -C ", doctor->hub->path, rest.s);
		doctor_tell(doctor, LEVEL_FAULT, ref, remedy, "there is such"
		    " a ref, pushed when no hook was here: a push to it may"
		    " do nothing, and succeeds");
		free(remedy);
		str_release(&rest);
		free(ref);
	}
	vec_release(&names);
	return err;
}

/* As gc.logExpiry has it, where that is said; who says so knows it. */
static bool
is_heeded(const char *path, struct repo *repo)
{
	struct vec values = VEC_INIT;
	struct stat st;
	bool is;

	repo_config_all(repo, "gc.logExpiry", &values);
	is = values.n > 0 || stat(path, &st) == -1 ||
	    time(NULL) - st.st_mtime < GC_LOG_AGE_S;
	vec_release(&values);
	return is;
}

/* git leaves it where a packing failed, and then does none for a day. */
static void
look_at_packing(struct doctor *doctor, struct repo *repo)
{
	char *path = hub_file(doctor->hub, "gc.log"), *remedy;
	struct str text = STR_INIT, line = STR_INIT;

	if (file_read(&text, path, GC_LOG_MAX) == NULL && text.len > 0 &&
	    is_heeded(path, repo)) {
		str_add_visible(&line, text.s, strcspn(text.s, "\n"));
		remedy = xasprintf("git -C %s gc", doctor->hub->word);
		doctor_tell(doctor, LEVEL_WARNING, path, remedy, "git packs"
		    " nothing until that is mended: %s", line.s);
		free(remedy);
	}
	str_release(&text);
	str_release(&line);
	free(path);
}

const struct err *
doctor_git(struct doctor *doctor)
{
	char *remedy = doctor_init_remedy(doctor);
	struct vec lacking = VEC_INIT;
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, doctor->hub->path, false);
	if (err == NULL)
		err = git_lacking(doctor->hub->path, &lacking);
	for (size_t i = 0; i < lacking.n; i++)
		doctor_tell(doctor, LEVEL_FAULT, doctor->hub->path, remedy,
		    "git is not told that %s", lacking.v[i]);
	for (size_t i = 0; err == NULL &&
	    i < sizeof(settings) / sizeof(*settings); i++)
		look_at_setting(doctor, repo, &settings[i]);
	if (err == NULL)
		err = look_at_head(doctor, repo);
	if (err == NULL)
		err = look_at_errands(doctor, repo);
	if (err == NULL)
		look_at_packing(doctor, repo);
	repo_close(repo);
	vec_release(&lacking);
	free(remedy);
	return err;
}

static void
tell_extra(struct doctor *doctor, const struct vec *refs, const char *remedy)
{
	for (size_t i = 0; i < refs->n; i++)
		doctor_tell(doctor, LEVEL_FAULT, "receive.procReceiveRefs",
		    remedy, "%s is among its values, and nothing in"
		    " slipway.ini is transactional there", refs->v[i]);
}

/* Which refs git leaves to us, and which it should. */
const struct err *
doctor_refs(struct doctor *doctor)
{
	const struct config *config = doctor->hub->config;
	struct git_refs left = GIT_REFS_INIT;
	struct vec wanted = VEC_INIT;
	char *remedy = doctor_init_remedy(doctor), *included;
	const struct err *err = NULL;

	vec_push(&wanted, ERRAND_PREFIX);
	for (size_t i = 0; config != NULL && i < config->n_environments;
	    i++) {
		if (config->environments[i].set.transactional)
			vec_pushf(&wanted, "refs/heads/%s",
			    config->environments[i].branch);
	}
	if (config != NULL)
		err = git_left_refs(doctor->hub->path, &wanted, &left);
	for (size_t i = 0; i < left.lacking.n; i++)
		doctor_tell(doctor, LEVEL_FAULT, "receive.procReceiveRefs",
		    remedy, "%s is not among its values: pushes to it are"
		    " refused, or do not wait for their deploy",
		    left.lacking.v[i]);
	tell_extra(doctor, &left.extra, remedy);
	included = remove_remedy(doctor, "receive.procReceiveRefs");
	tell_extra(doctor, &left.included, included);
	git_refs_release(&left);
	vec_release(&wanted);
	free(included);
	free(remedy);
	return err;
}

static bool
is_older(const char *path, time_t age_s)
{
	struct stat st;

	return lstat(path, &st) == 0 && time(NULL) - st.st_mtime > age_s;
}

static void
look_at_lock(struct doctor *doctor, const char *path)
{
	char *remedy;

	if (!is_older(path, LOCK_AGE_S))
		return;
	remedy = doctor_command("rm ", path, ", when no git is at work"
	    " there");
	doctor_tell(doctor, LEVEL_WARNING, path, remedy, "a git that was"
	    " killed has left it, and what it locks cannot change");
	free(remedy);
}

/* nftw(3) has no argument of its caller's. */
static struct doctor *visitor;

static int
visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type == FTW_F && S_ISREG(st->st_mode) &&
	    str_ends_with(path, ".lock"))
		look_at_lock(visitor, path);
	return 0;
}

static void
look_at_quarantine(struct doctor *doctor)
{
	char *objects = hub_file(doctor->hub, "objects");
	struct vec names = VEC_INIT;

	if (file_list(&names, AT_FDCWD, objects) != NULL)
		vec_clear(&names);
	for (size_t i = 0; i < names.n; i++) {
		char *path = path_join(objects, names.v[i]);
		char *remedy = doctor_command("rm -rf ", path, "");

		if (str_starts_with(names.v[i], "tmp_objdir-") &&
		    is_older(path, QUARANTINE_AGE_S))
			doctor_tell(doctor, LEVEL_WARNING, path, remedy,
			    "a push that was killed has left its objects");
		free(remedy);
		free(path);
	}
	vec_release(&names);
	free(objects);
}

/* Who is at work is worth knowing, and nothing is wrong with it. */
static const struct err *
look_at_holder(struct doctor *doctor, const struct environment *env)
{
	char *path = hub_lock_path(doctor->hub, env->name);
	struct str text = STR_INIT;

	if (lock_is_held(path) && file_read(&text, path, 4096) == NULL) {
		str_trim_end(&text);
		doctor_tell(doctor, LEVEL_NOTE, path, NULL, "a runner holds"
		    " it: %s", text.s);
	}
	str_release(&text);
	free(path);
	return NULL;
}

const struct err *
doctor_locks(struct doctor *doctor)
{
	static const char *const names[] = {
		"HEAD.lock", "config.lock", "packed-refs.lock",
		"shallow.lock"
	};
	char *refs = hub_file(doctor->hub, "refs");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = hub_file(doctor->hub, names[i]);

		look_at_lock(doctor, path);
		free(path);
	}
	visitor = doctor;
	nftw(refs, visit, 16, FTW_PHYS);
	look_at_quarantine(doctor);
	free(refs);
	return doctor_each(doctor, look_at_holder);
}
