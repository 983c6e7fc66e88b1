#include "plumbing.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/repository.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "proc.h"
#include "repo.h"

#define OUTPUT_MAX ((size_t)1 << 31)
#define COMPLAINT_MAX 4096

/*
 * What a commit's files look like must not depend on settings meant for
 * somebody's work tree, and nothing in the repository is to be run.
 */
static const char *const settings[] = {
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"core.splitIndex=false",
	"core.sparseCheckout=false",
	"core.bigFileThreshold=1m",
	"core.packedGitWindowSize=16m",
	"core.packedGitLimit=64m",
	"core.fileMode=true",
	"core.fsync=all",
};

#define N_SETTINGS (sizeof(settings) / sizeof(*settings))

void
plumbing_init(struct plumbing *git, struct repo *repo, const char *commit,
    int dirfd, const char *index)
{
	const char *path = git_repository_path(repo_handle(repo));
	char *full = realpath(path, NULL);

	vec_init(&git->env);
	proc_base_env(&git->env);
	vec_pushf(&git->env, "GIT_DIR=%s", full == NULL ? path : full);
	vec_push(&git->env, "GIT_WORK_TREE=.");
	vec_pushf(&git->env, "GIT_INDEX_FILE=%s", index == NULL ?
	    ".git/index" : index);
	vec_push(&git->env, "GIT_OPTIONAL_LOCKS=0");
	vec_push(&git->env, "GIT_LITERAL_PATHSPECS=1");
	/* libgit2 knows no replaced objects; both must see one commit. */
	vec_push(&git->env, "GIT_NO_REPLACE_OBJECTS=1");
	/* Nor is what a partial clone lacks fetched, by a program it names. */
	vec_push(&git->env, "GIT_ALLOW_PROTOCOL=none");
	repo_quarantine_env(repo, &git->env);
	git->commit = commit;
	git->dirfd = dirfd;
	git->index = index;
	git->has_index = false;
	free(full);
}

const struct err *
plumbing_release(struct plumbing *git)
{
	const struct err *err = NULL;

	vec_release(&git->env);
	if (git->has_index && git->index != NULL)
		err = file_remove_tree(AT_FDCWD, git->index);
	else if (git->has_index)
		err = file_remove_tree(git->dirfd, ".git");
	git->has_index = false;
	return err;
}

const struct err *
plumbing_index(struct plumbing *git)
{
	const char *args[] = { "read-tree", git->commit, NULL };
	struct str out = STR_INIT;
	const struct err *err;

	if (git->has_index)
		return NULL;
	if (git->index == NULL && mkdirat(git->dirfd, ".git", 0700) == -1)
		return err_system("create .git");
	git->has_index = true;
	err = plumbing_run(git, args, NULL, &out);
	str_release(&out);
	return err;
}

static const struct err *
keep_complaint(const char *bytes, size_t len, void *ctx)
{
	struct str *complaint = ctx;

	if (len > COMPLAINT_MAX) {
		bytes += len - COMPLAINT_MAX;
		len = COMPLAINT_MAX;
	}
	if (complaint->len + len > COMPLAINT_MAX)
		str_clear(complaint);
	str_add_bytes(complaint, bytes, len);
	return NULL;
}

static const struct err *
failure(const char *command, const struct proc_result *result,
    struct str *complaint)
{
	struct str how = STR_INIT;
	const struct err *err;
	const char *line;

	proc_describe(&how, result);
	str_trim_end(complaint);
	line = memrchr(complaint->s, '\n', complaint->len);
	line = line == NULL ? complaint->s : line + 1;
	err = err_new(ERR_GIT, "git %s: %s%s%s", command, how.s,
	    *line == '\0' ? "" : ": ", line);
	str_release(&how);
	return err;
}

const struct err *
plumbing_run_fd(struct plumbing *git, const char *const *args,
    const struct str *input, int out_fd)
{
	struct proc_spec spec = PROC_SPEC_INIT;
	struct str complaint = STR_INIT;
	struct vec argv = VEC_INIT;
	struct proc_result result;
	const struct err *err;

	vec_push(&argv, "git");
	for (size_t i = 0; i < N_SETTINGS; i++) {
		vec_push(&argv, "-c");
		vec_push(&argv, settings[i]);
	}
	for (size_t i = 0; args[i] != NULL; i++)
		vec_push(&argv, args[i]);
	spec.argv = (const char *const *)argv.v;
	spec.env = (const char *const *)git->env.v;
	spec.dirfd = git->dirfd;
	spec.out_fd = out_fd;
	if (input != NULL) {
		spec.input = input->s;
		spec.input_len = input->len;
	}
	err = proc_run(&result, &spec, keep_complaint, &complaint);
	while (strcmp(args[0], "-c") == 0)
		args += 2;
	if (err == NULL && result.exit_status != 0)
		err = failure(args[0], &result, &complaint);
	vec_release(&argv);
	str_release(&complaint);
	return err;
}

/*
 * Not through a pipe, because proc mixes what a child says on stderr into
 * it, and git warns about odd attribute files there.
 */
const struct err *
plumbing_run(struct plumbing *git, const char *const *args,
    const struct str *input, struct str *out)
{
	const struct err *err;
	int fd;

	str_clear(out);
	fd = memfd_create("git", MFD_CLOEXEC);
	if (fd == -1)
		return err_system("create a memory file");
	err = plumbing_run_fd(git, args, input, fd);
	if (err == NULL && lseek(fd, 0, SEEK_SET) == -1)
		err = err_system("seek");
	if (err == NULL)
		err = file_read_fd(out, fd, OUTPUT_MAX);
	file_close(&fd);
	return err;
}

const char *
plumbing_getenv(const struct plumbing *git, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < git->env.n; i++) {
		if (strncmp(git->env.v[i], name, len) == 0 &&
		    git->env.v[i][len] == '=')
			return git->env.v[i] + len + 1;
	}
	return NULL;
}
