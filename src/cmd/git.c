#include "cmd/git.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/fsynced.h"
#include "file.h"
#include "journal/hub.h"
#include "path.h"
#include "proc.h"
#include "vec.h"

#define OUTPUT_MAX (1024 * 1024)

/* What a value is for git: other words may mean the same, or more. */
enum kind {
	KIND_TEXT,
	KIND_BOOL,
	KIND_FSYNC
};

/* What else there may be with a value, and without Slipway. */
enum use {
	USE_ALONE,
	USE_SEVERAL,		/* the key may have other values, too */
	USE_OURS		/* it does harm without us */
};

/* What a repository that deploys needs of git, and why. */
static const struct setting {
	const char *key;
	enum kind kind;
	const char *value;
	const char *stricter;	/* is left as it is, too; NULL: nothing is;
				 * "": whatever it is */
	enum use use;
} settings[] = {
	/* Malformed objects are refused before a hook sees them. */
	{ "receive.fsckObjects", KIND_BOOL, "true", NULL, USE_ALONE },
	/* Nobody fills the disk with one push. */
	{ "receive.maxInputSize", KIND_TEXT, "2g", "", USE_ALONE },
	/* git push -o updb */
	{ "receive.advertisePushOptions", KIND_BOOL, "true", NULL, USE_ALONE },
	/* A ref that a client was told about survives a power cut. */
	{ "core.fsync", KIND_FSYNC, "committed,reference", NULL, USE_ALONE },
	/* Bare repositories keep no reflog by themselves. */
	{ "core.logAllRefUpdates", KIND_BOOL, "true", "always", USE_ALONE },
	/* The refs that keep deployed commits are nobody's business. */
	{ "transfer.hideRefs", KIND_TEXT, "refs/slipway", NULL, USE_SEVERAL },
	/*
	 * Whoever pushes does not wait for it, see deploy/packing.h; in a word
	 * that others hardly use, so that uninit takes out no value of theirs.
	 */
	{ "receive.autogc", KIND_BOOL, "off", "", USE_OURS },
};

/* git itself needs the administrator's own configuration. */
static void
git_env(struct vec *env)
{
	static const char *const kept[] = {
		"GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "XDG_CONFIG_HOME",
		"HOME"
	};

	/* Of two with one name, the first one counts. */
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		const char *value = getenv(kept[i]);

		if (value != NULL)
			vec_pushf(env, "%s=%s", kept[i], value);
	}
	proc_base_env(env);
}

/*
 * Run git, and append its answer; with another "*status" than 0 its words,
 * if it said any.
 */
static const struct err *
run(const char *const *argv, struct str *out, int *status)
{
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_result result;
	struct str said = STR_INIT;
	struct vec env = VEC_INIT;
	const struct err *err;

	git_env(&env);
	spec.argv = argv;
	spec.env = (const char *const *)env.v;
	err = proc_ask(&result, &spec, out, OUTPUT_MAX, &said);
	*status = result.exit_status;
	if (*status != 0)
		str_add(out, said.s);
	str_trim_end(out);
	str_release(&said);
	vec_release(&env);
	return err;
}

/*
 * Of several lines git gives the cause in the first that is an error, and
 * what came of it behind that.
 */
static void
keep_cause(struct str *out)
{
	static const char *const words[] = { "error: ", "fatal: " };
	const char *cause = NULL;
	struct str line = STR_INIT;

	for (const char *at = out->s; at != NULL && cause == NULL; ) {
		for (size_t i = 0; i < 2; i++) {
			if (str_starts_with(at, words[i]))
				cause = at + strlen(words[i]);
		}
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	if (cause == NULL)
		cause = out->s;
	str_add_bytes(&line, cause, strcspn(cause, "\n"));
	str_clear(out);
	str_add(out, line.s);
	str_release(&line);
}

/* git says nothing of some failures: there is the exit status, then. */
static const struct err *
failed(const char *what, const char *of, int status, struct str *said)
{
	keep_cause(said);
	return err_new(ERR_GIT, "git %s %s: exit %d%s%s", what, of, status,
	    said->len == 0 ? "" : ": ", said->s);
}

static const struct err *
must_run(const char *const *argv, const char *what, const char *of)
{
	struct str out = STR_INIT;
	const struct err *err;
	int status;

	err = run(argv, &out, &status);
	if (err == NULL && status != 0)
		err = failed(what, of, status, &out);
	str_release(&out);
	return err;
}

const struct err *
git_change(const char *repo, struct gitfile *file, const char *option,
    const char *key, const char *value)
{
	const struct err *err = gitfile_open(file, repo);

	return err != NULL ? err : must_run((const char *const[]){ "git",
	    "-C", repo, "config", "--file", file->lock, option, key, value,
	    NULL }, "config", key);
}

const struct err *
git_config_path(struct str *value, const char *repo, const char *key)
{
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "--git-dir", repo, "config",
	    "--type=path", "--get", key, NULL }, value, &status);
	if (err == NULL && status != 0 && status != 1)
		err = failed("config", key, status, value);
	if (status == 1)
		str_clear(value);
	return err;
}

const struct err *
git_config_default(const char *repo, struct gitfile *file, const char *key,
    const char *value, struct vec *done)
{
	struct str old = STR_INIT;
	const struct err *err;

	err = git_config_path(&old, repo, key);
	if (err == NULL && old.len == 0) {
		err = git_change(repo, file, "--replace-all", key, value);
		vec_pushf(done, "set %s = %s", key, value);
	}
	str_release(&old);
	return err;
}

/*
 * Who deploys may have another global config than who runs init. With
 * --git-dir git tells the values to somebody else, too, for whom it would
 * not look for a repository.
 */
const struct err *
git_own_values(struct vec *values, const char *repo, const char *key,
    bool included)
{
	struct str text = STR_INIT;
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "--git-dir", repo, "config",
	    "--local", included ? "--includes" : "--no-includes", "--get-all",
	    key, NULL }, &text, &status);
	if (err == NULL && status != 0 && status != 1)
		err = failed("config", key, status, &text);
	if (err == NULL && status == 0)
		vec_split(values, text.s, "\n");
	str_release(&text);
	return err;
}

/* git knows many words for true; what is no boolean at all is not set. */
static const struct err *
is_bool_set(const char *repo, const struct setting *setting, bool *is)
{
	bool any = setting->stricter != NULL && *setting->stricter == '\0';
	struct str text = STR_INIT;
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "--git-dir", repo, "config",
	    "--local", "--includes", "--type=bool", "--get", setting->key,
	    NULL }, &text, &status);
	*is = err == NULL && status == 0 &&
	    (any || strcmp(text.s, setting->value) == 0);
	str_release(&text);
	return err;
}

/* Of several values git takes the last one. */
static const struct err *
is_text_set(const char *repo, const struct setting *setting, bool *is)
{
	struct vec values = VEC_INIT;
	const char *last = NULL;
	const struct err *err;

	err = git_own_values(&values, repo, setting->key, true);
	*is = setting->use == USE_SEVERAL &&
	    vec_has(&values, setting->value);
	if (setting->use != USE_SEVERAL && values.n > 0)
		last = values.v[values.n - 1];
	if (last != NULL)
		*is = strcmp(last, setting->value) == 0 ||
		    (setting->stricter != NULL &&
		    (*setting->stricter == '\0' ||
		    strcmp(last, setting->stricter) == 0)) ||
		    (setting->kind == KIND_FSYNC &&
		    fsynced_covers(last, setting->value));
	vec_release(&values);
	return err;
}

static const struct err *
is_set(const char *repo, const struct setting *setting, bool *is)
{
	const struct err *err = NULL;

	*is = false;
	if (setting->kind == KIND_BOOL)
		err = is_bool_set(repo, setting, is);
	/* "always" is a word where git wants a boolean, and more than one. */
	if (err == NULL && !*is && (setting->kind != KIND_BOOL ||
	    (setting->stricter != NULL && *setting->stricter != '\0')))
		err = is_text_set(repo, setting, is);
	return err;
}

static const struct err *
set(const char *repo, struct gitfile *file, const struct setting *setting,
    struct vec *done)
{
	const struct err *err;
	bool is;

	err = is_set(repo, setting, &is);
	if (err == NULL && !is) {
		err = git_change(repo, file, setting->use == USE_SEVERAL ?
		    "--add" : "--replace-all", setting->key, setting->value);
		vec_pushf(done, "set %s = %s", setting->key, setting->value);
	}
	return err;
}

const struct err *
git_configure(const char *repo, struct gitfile *file, struct vec *done)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL &&
	    i < sizeof(settings) / sizeof(*settings); i++)
		err = set(repo, file, &settings[i], done);
	return err;
}

const struct err *
git_unconfigure(const char *repo, struct gitfile *file, struct vec *done)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL &&
	    i < sizeof(settings) / sizeof(*settings); i++) {
		const struct setting *setting = &settings[i];
		struct vec own = VEC_INIT;

		if (setting->use == USE_OURS)
			err = git_own_values(&own, repo, setting->key, false);
		if (err == NULL && vec_has(&own, setting->value)) {
			err = git_drop_value(repo, file, setting->key,
			    setting->value);
			vec_pushf(done, "removed %s = %s", setting->key,
			    setting->value);
		}
		vec_release(&own);
	}
	return err;
}

const struct err *
git_lacking(const char *repo, struct vec *lacking)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL &&
	    i < sizeof(settings) / sizeof(*settings); i++) {
		bool is;

		/* Without ours all works as it does elsewhere. */
		if (settings[i].use == USE_OURS)
			continue;
		err = is_set(repo, &settings[i], &is);
		if (err == NULL && !is)
			vec_pushf(lacking, "%s is %s", settings[i].key,
			    settings[i].value);
	}
	return err;
}

const struct err *
git_version(struct str *version)
{
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "--version", NULL }, version,
	    &status);
	return err;
}

const struct err *
git_init_bare(const char *repo, const char *branch)
{
	const struct err *err;
	char *initial;

	initial = xasprintf("--initial-branch=%s", branch);
	err = must_run((const char *const[]){ "git", "init", "--quiet",
	    "--bare", initial, "--", repo, NULL }, "init", repo);
	free(initial);
	return err;
}

/* git does not say whether what belongs to somebody else is bare. */
const struct err *
git_check_bare(const char *path, const char *advice)
{
	char *head = path_join(path, "HEAD");
	struct str out = STR_INIT;
	const struct err *err;
	bool bare;
	int status;

	err = run((const char *const[]){ "git", "-C", path, "rev-parse",
	    "--is-bare-repository", "--git-dir", NULL }, &out, &status);
	bare = status == 0 && strcmp(out.s, "true\n.") == 0;
	if (err == NULL && !bare && file_exists(AT_FDCWD, head))
		err = hub_check_owner(path);
	if (err == NULL && !bare)
		err = err_new(ERR_USAGE, "%s is not a bare repository; %s",
		    path, advice);
	str_release(&out);
	free(head);
	return err;
}

const struct err *
git_has_branch(const char *repo, const char *branch, bool *has)
{
	char *ref = xasprintf("refs/heads/%s", branch);
	struct str out = STR_INIT;
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "-C", repo, "show-ref",
	    "--verify", "--quiet", ref, NULL }, &out, &status);
	*has = err == NULL && status == 0;
	str_release(&out);
	free(ref);
	return err;
}

const struct err *
git_head(struct str *branch, const char *repo)
{
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "--git-dir", repo,
	    "symbolic-ref", "--quiet", "--short", "HEAD", NULL }, branch,
	    &status);
	if (err != NULL || status != 0)
		str_clear(branch);
	return err;
}

const struct err *
git_set_head(const char *repo, const char *branch)
{
	char *ref = xasprintf("refs/heads/%s", branch);
	const struct err *err;

	err = must_run((const char *const[]){ "git", "-C", repo,
	    "symbolic-ref", "HEAD", ref, NULL }, "symbolic-ref", "HEAD");
	free(ref);
	return err;
}

const struct err *
git_has_refs(const char *repo, bool *has)
{
	struct str out = STR_INIT;
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "-C", repo, "for-each-ref",
	    "--count=1", NULL }, &out, &status);
	*has = err != NULL || status != 0 || out.len > 0;
	str_release(&out);
	return err;
}

const struct err *
git_main_branch(struct str *branch, const char *repo)
{
	const struct err *err;
	bool has = false;
	int status;

	err = git_head(branch, repo);
	if (err == NULL && branch->len > 0)
		err = git_has_branch(repo, branch->s, &has);
	if (err != NULL || has)
		return err;
	str_clear(branch);
	err = run((const char *const[]){ "git", "-C", repo, "for-each-ref",
	    "--sort=-committerdate", "--count=1",
	    "--format=%(refname:lstrip=2)", "refs/heads/", NULL }, branch,
	    &status);
	if (err == NULL && status != 0)
		err = err_new(ERR_GIT, "git for-each-ref: %s", branch->s);
	return err;
}
