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

/* What a repository that deploys needs of git, and why. */
static const struct setting {
	const char *key;
	enum kind kind;
	const char *value;
	const char *stricter;	/* is left as it is, too; NULL: nothing is;
				 * "": whatever it is */
	bool several;		/* the key may have other values, too */
} settings[] = {
	/* Malformed objects are refused before a hook sees them. */
	{ "receive.fsckObjects", KIND_BOOL, "true", NULL, false },
	/* Nobody fills the disk with one push. */
	{ "receive.maxInputSize", KIND_TEXT, "2g", "", false },
	/* git push -o updb */
	{ "receive.advertisePushOptions", KIND_BOOL, "true", NULL, false },
	/* A ref that a client was told about survives a power cut. */
	{ "core.fsync", KIND_FSYNC, "committed,reference", NULL, false },
	/* Bare repositories keep no reflog by themselves. */
	{ "core.logAllRefUpdates", KIND_BOOL, "true", "always", false },
	/* The refs that keep deployed commits are nobody's business. */
	{ "transfer.hideRefs", KIND_TEXT, "refs/slipway", NULL, true },
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

/* "git config OPTION KEY VALUE" of what is to be the repository's own. */
static const struct err *
change(const char *repo, struct gitfile *file, const char *option,
    const char *key, const char *value)
{
	const struct err *err = gitfile_open(file, repo);
	struct str out = STR_INIT;
	int status = 0;

	if (err == NULL)
		err = run((const char *const[]){ "git", "-C", repo, "config",
		    "--file", file->lock, option, key, value, NULL }, &out,
		    &status);
	if (err == NULL && status != 0)
		err = failed("config", key, status, &out);
	str_release(&out);
	return err;
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
		err = change(repo, file, "--replace-all", key, value);
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

/* git knows many words for true; what is no boolean at all is not. */
static const struct err *
is_true(const char *repo, const char *key, bool *is)
{
	struct str text = STR_INIT;
	const struct err *err;
	int status;

	err = run((const char *const[]){ "git", "--git-dir", repo, "config",
	    "--local", "--includes", "--type=bool", "--get", key, NULL },
	    &text, &status);
	*is = err == NULL && status == 0 && strcmp(text.s, "true") == 0;
	str_release(&text);
	return err;
}

/* Of several values git takes the last one. */
static const struct err *
is_set(const char *repo, const struct setting *setting, bool *is)
{
	struct vec values = VEC_INIT;
	const char *last = NULL;
	const struct err *err;

	err = git_own_values(&values, repo, setting->key, true);
	*is = setting->several && vec_has(&values, setting->value);
	if (!setting->several && values.n > 0)
		last = values.v[values.n - 1];
	if (last != NULL)
		*is = strcmp(last, setting->value) == 0 ||
		    (setting->stricter != NULL &&
		    (*setting->stricter == '\0' ||
		    strcmp(last, setting->stricter) == 0)) ||
		    (setting->kind == KIND_FSYNC &&
		    fsynced_covers(last, setting->value));
	if (err == NULL && !*is && setting->kind == KIND_BOOL)
		err = is_true(repo, setting->key, is);
	vec_release(&values);
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
		err = change(repo, file, setting->several ? "--add" :
		    "--replace-all", setting->key, setting->value);
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
git_lacking(const char *repo, struct vec *lacking)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL &&
	    i < sizeof(settings) / sizeof(*settings); i++) {
		bool is;

		err = is_set(repo, &settings[i], &is);
		if (err == NULL && !is)
			vec_pushf(lacking, "%s is %s", settings[i].key,
			    settings[i].value);
	}
	return err;
}

/* What init may have written before: nobody else has use for it. */
static bool
is_ours(const char *value)
{
	return str_starts_with(value, "refs/deploy") ||
	    str_starts_with(value, "refs/heads/");
}

/* git takes the value to drop as a regular expression. */
static const struct err *
drop_value(const char *repo, struct gitfile *file, const char *key,
    const char *value)
{
	struct str pattern = STR_INIT;
	const struct err *err;

	str_addch(&pattern, '^');
	for (const char *p = value; *p != '\0'; p++) {
		if (strchr(".[]\\*^$+?(){}|", *p) != NULL)
			str_addch(&pattern, '\\');
		str_addch(&pattern, *p);
	}
	str_addch(&pattern, '$');
	err = change(repo, file, "--unset-all", key, pattern.s);
	str_release(&pattern);
	return err;
}

#define LEAVE_REFS "receive.procReceiveRefs"

/* Values of init's that are not wanted, of these, each once. */
static void
add_unwanted(struct vec *unwanted, const struct vec *values,
    const struct vec *refs)
{
	for (size_t i = 0; i < values->n; i++) {
		const char *value = values->v[i];

		if (is_ours(value) && !vec_has(refs, value) &&
		    !vec_has(unwanted, value))
			vec_push(unwanted, value);
	}
}

const struct err *
git_left_refs(const char *repo, const struct vec *refs, struct git_refs *left)
{
	struct vec all = VEC_INIT, own = VEC_INIT, unwanted = VEC_INIT;
	const struct err *err;

	err = git_own_values(&all, repo, LEAVE_REFS, true);
	if (err == NULL)
		err = git_own_values(&own, repo, LEAVE_REFS, false);
	add_unwanted(&left->extra, &own, refs);
	add_unwanted(&unwanted, &all, refs);
	for (size_t i = 0; err == NULL && i < unwanted.n; i++) {
		if (!vec_has(&own, unwanted.v[i]))
			vec_push(&left->included, unwanted.v[i]);
	}
	for (size_t i = 0; err == NULL && i < refs->n; i++) {
		if (!vec_has(&all, refs->v[i]))
			vec_push(&left->lacking, refs->v[i]);
	}
	vec_release(&all);
	vec_release(&own);
	vec_release(&unwanted);
	return err;
}

void
git_refs_release(struct git_refs *left)
{
	vec_release(&left->lacking);
	vec_release(&left->extra);
	vec_release(&left->included);
}

const struct err *
git_leave_refs(const char *repo, struct gitfile *file,
    const struct vec *refs, struct vec *done)
{
	struct git_refs left = GIT_REFS_INIT;
	const struct err *err;

	err = git_left_refs(repo, refs, &left);
	for (size_t i = 0; err == NULL && i < left.extra.n; i++) {
		err = drop_value(repo, file, LEAVE_REFS, left.extra.v[i]);
		vec_pushf(done, "removed " LEAVE_REFS " = %s",
		    left.extra.v[i]);
	}
	for (size_t i = 0; err == NULL && i < left.lacking.n; i++) {
		err = change(repo, file, "--add", LEAVE_REFS,
		    left.lacking.v[i]);
		vec_pushf(done, "set " LEAVE_REFS " = %s", left.lacking.v[i]);
	}
	for (size_t i = 0; err == NULL && i < left.included.n; i++)
		vec_pushf(done, "note: " LEAVE_REFS " = %s stays, for it is in"
		    " a file that %s/config includes; remove it there",
		    left.included.v[i], repo);
	git_refs_release(&left);
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
	struct str out = STR_INIT;
	const struct err *err;
	char *initial;
	int status;

	initial = xasprintf("--initial-branch=%s", branch);
	err = run((const char *const[]){ "git", "init", "--quiet", "--bare",
	    initial, "--", repo, NULL }, &out, &status);
	if (err == NULL && status != 0)
		err = failed("init", repo, status, &out);
	str_release(&out);
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
	    "symbolic-ref", "HEAD", ref, NULL });
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
