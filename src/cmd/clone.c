#include "cmd/clone.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "proc.h"

extern char **environ;

/* More than this git does not say of a range, in bytes. */
#define OUTPUT_MAX (1024 * 1024 * 1024)

/* With -C DIR they would speak of another repository than that one. */
static bool
is_of_another(const char *variable)
{
	static const char *const names[] = {
		"GIT_DIR=", "GIT_WORK_TREE=", "GIT_INDEX_FILE=",
		"GIT_COMMON_DIR=", "GIT_PREFIX="
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (str_starts_with(variable, names[i]))
			return true;
	}
	return false;
}

/* What git says on standard error is its error, the rest the answer. */
static const struct err *
run(const struct clone *clone, const char *const *argv, struct str *out,
    struct str *said, int *status)
{
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_result result = { .exit_status = -1 };
	const struct err *err;

	spec.argv = argv;
	spec.env = (const char *const *)clone->env.v;
	spec.dir = clone->dir;
	err = proc_ask(&result, &spec, out, OUTPUT_MAX, said);
	*status = result.exit_status;
	return err;
}

/* The same where every status but 0 is a failure. */
static const struct err *
must_run(const struct clone *clone, const char *const *argv,
    struct str *out)
{
	struct str said = STR_INIT;
	const struct err *err;
	int status;

	err = run(clone, argv, out, &said, &status);
	if (err == NULL && status != 0)
		err = err_new(ERR_GIT, "git: %s", said.len > 0 ? said.s :
		    "it failed without a word");
	str_release(&said);
	return err;
}

/* Lines with a path each; the last may be missing. */
static char *
take_line(struct str *out, const char *dir)
{
	size_t len = strcspn(out->s, "\n");
	char *line;

	if (len == 0)
		return NULL;
	line = xstrndup(out->s, len);
	if (line[0] != '/' && dir != NULL) {
		char *path = path_join(dir, line);

		free(line);
		line = path;
	}
	return line;
}

const struct err *
clone_open(struct clone *clone, const char *dir)
{
	static const char *const common[] = { "git", "rev-parse",
	    "--git-common-dir", NULL };
	static const char *const top[] = { "git", "rev-parse",
	    "--show-toplevel", NULL };
	struct str out = STR_INIT, said = STR_INIT;
	const struct err *err;
	int status;

	memset(clone, 0, sizeof(*clone));
	clone->dir = dir;
	for (char **p = environ; *p != NULL; p++) {
		if (dir == NULL || !is_of_another(*p))
			vec_push(&clone->env, *p);
	}
	err = must_run(clone, common, &out);
	if (err != NULL && strstr(err->text, "not a git repo") != NULL)
		err = err_new(ERR_USAGE, "%s; name a clone with -C DIR, or go"
		    " there", err->text);
	if (err == NULL)
		clone->common = take_line(&out, dir);
	str_clear(&out);
	/* In a bare repository, or in a git folder, it fails. */
	if (err == NULL)
		err = run(clone, top, &out, &said, &status);
	if (err == NULL && status == 0)
		clone->top = take_line(&out, dir);
	str_release(&out);
	str_release(&said);
	return err;
}

void
clone_release(struct clone *clone)
{
	free(clone->common);
	free(clone->top);
	vec_release(&clone->env);
}

const struct err *
clone_name(const struct clone *clone, const char *name, bool short_name,
    struct str *out, bool *found)
{
	const char *argv[] = { "git", "rev-parse", short_name ?
	    "--abbrev-ref" : "--verify", "--quiet", name, NULL };
	struct str answer = STR_INIT, said = STR_INIT;
	const struct err *err;
	int status;

	err = run(clone, argv, &answer, &said, &status);
	*found = err == NULL && status == 0;
	if (*found)
		str_add_bytes(out, answer.s, strcspn(answer.s, "\n"));
	str_release(&answer);
	str_release(&said);
	return err;
}

static bool
is_range(const char *name)
{
	return strstr(name, "..") != NULL || strstr(name, "^!") != NULL ||
	    strstr(name, "^@") != NULL || strstr(name, "^-") != NULL;
}

/* What git log takes for a commit or a range. */
static bool
is_known(const struct clone *clone, const char *range)
{
	const char *argv[] = { "git", "rev-parse", "--quiet",
	    "--end-of-options", range, "--", NULL };
	struct str out = STR_INIT, said = STR_INIT;
	int status;
	bool is;

	is = run(clone, argv, &out, &said, &status) == NULL && status == 0;
	str_release(&out);
	str_release(&said);
	return is;
}

/* "format" without its newline; -z ends each answer with a NUL. */
static const struct err *
log_range(const struct clone *clone, const char *range, bool all,
    const char *format, const char *paths, struct str *out)
{
	const char *argv[] = { "git", "-c", "log.showSignature=false", "-c",
	    "log.showRoot=true", "log", "-z", "--no-color", "--no-notes",
	    "--no-renames", "--encoding=UTF-8", format, paths,
	    all || is_range(range) ? "--do-walk" : "--no-walk",
	    "--end-of-options", range, "--", NULL };

	const struct err *err = must_run(clone, argv, out);

	if (err == NULL || is_known(clone, range))
		return err;
	return err_new(ERR_USAGE, "'%s' names no commits of this clone; write"
	    " a commit, branch or tag that it has, or a range of them, as in"
	    " main..topic", range);
}

const struct err *
clone_log(const struct clone *clone, const char *range, bool all,
    clone_cb cb, void *ctx)
{
	struct str out = STR_INIT;
	const struct err *err;

	err = log_range(clone, range, all, "--format=%H%n%B", "--no-patch",
	    &out);
	for (size_t at = 0; err == NULL && at < out.len; ) {
		char *commit = out.s + at, *message;

		at += strlen(commit) + 1;
		message = strchr(commit, '\n');
		if (message == NULL)
			continue;
		*message = '\0';
		err = cb(commit, message + 1, ctx);
	}
	str_release(&out);
	return err;
}

const struct err *
clone_tracked(const struct clone *clone, const char *branch,
    struct vec *names)
{
	char *pattern = branch == NULL ? xstrdup("refs/remotes") :
	    xasprintf("refs/remotes/*/%s", branch);
	const char *argv[] = { "git", "for-each-ref",
	    "--format=%(refname:short)", pattern, NULL };
	struct str out = STR_INIT;
	const struct err *err = must_run(clone, argv, &out);

	if (err == NULL)
		vec_split(names, out.s, "\n");
	str_release(&out);
	free(pattern);
	return err;
}

const struct err *
clone_remotes(const struct clone *clone, struct vec *urls)
{
	static const char *const argv[] = { "git", "config", "--get-regexp",
	    "^remote\\..*\\.(push)?url$", NULL };
	struct str out = STR_INIT, said = STR_INIT;
	struct vec lines = VEC_INIT;
	const struct err *err;
	int status;

	/* Without any it fails. */
	err = run(clone, argv, &out, &said, &status);
	if (err == NULL)
		vec_split(&lines, out.s, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *space = strchr(lines.v[i], ' ');

		if (space != NULL)
			vec_push(urls, space + 1);
	}
	vec_release(&lines);
	str_release(&out);
	str_release(&said);
	return err;
}

const struct err *
clone_changed(const struct clone *clone, const char *range, bool all,
    struct vec *paths)
{
	struct str out = STR_INIT;
	const struct err *err;

	err = log_range(clone, range, all, "--format=", "--name-only",
	    &out);
	for (size_t at = 0; err == NULL && at < out.len; ) {
		const char *path = out.s + at;

		at += strlen(path) + 1;
		if (*path == '\n')
			path++;
		if (*path != '\0')
			vec_push(paths, path);
	}
	str_release(&out);
	return err;
}

/* Whoever may write it runs commands as this user. */
static const struct err *
check_trusted(const char *path, const struct stat *st)
{
	const struct err *err = NULL;
	struct str word = STR_INIT;

	str_add_word(&word, path);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		err = err_new(ERR_CONFIG, "%s belongs to user %u, and its"
		    " commands would run as you; run: sudo chown %u %s", path,
		    (unsigned int)st->st_uid, (unsigned int)geteuid(),
		    word.s);
	else if ((st->st_mode & 022) != 0)
		err = err_new(ERR_CONFIG, "%s can be written by others"
		    " (mode %04o); run: chmod go-w %s", path,
		    (unsigned int)st->st_mode & 07777, word.s);
	str_release(&word);
	return err;
}

const struct err *
clone_config(const struct clone *clone, struct config **config)
{
	char *path = path_join(clone->common, "slipway.ini");
	struct str text = STR_INIT;
	const struct err *err = NULL;
	struct stat st;
	int fd;

	*config = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		goto done;
	if (fd == -1)
		err = err_recode(err_system("open %s", path), ERR_CONFIG);
	else if (fstat(fd, &st) == -1)
		err = err_system("stat %s", path);
	else if (!S_ISREG(st.st_mode))
		err = err_new(ERR_CONFIG, "%s is not a regular file", path);
	else
		err = check_trusted(path, &st);
	if (err == NULL)
		err = file_read_fd(&text, fd, CONFIG_SIZE_MAX);
	if (err == NULL)
		err = config_parse_clone(config, path, text.s, text.len,
		    clone->top == NULL ? clone->common : clone->top);
done:
	file_close(&fd);
	str_release(&text);
	free(path);
	return err;
}
