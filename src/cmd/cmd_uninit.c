/*
 * slipway uninit - a repository forgets how to deploy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/git.h"
#include "cmd/hooks.h"
#include "path.h"
#include "report/line.h"

/* It need not have a slipway.ini any more: the hooks must come out. */
static const struct err *
find_repository(const struct call *call, char **repo)
{
	const struct err *err;
	const char *dir;

	err = cmd_repository(call, &dir);
	if (err != NULL)
		return err;
	*repo = realpath(dir, NULL);
	if (*repo == NULL && errno == ENOENT)
		return err_new(ERR_USAGE, "there is no folder %s; give the"
		    " path of the bare repository", dir);
	if (*repo == NULL)
		return err_system("open %s", dir);
	/* git lets root in where sudo says who asked for it. */
	err = geteuid() == 0 ? hub_check_owner(*repo) : NULL;
	return err == NULL ? git_check_bare(*repo, "give its path") : err;
}

/* "hooks" may be a link to the folder that others share. */
static void
note_others(const char *dir, const char *repo, struct vec *done)
{
	char *hooks = path_join(repo, "hooks");
	char *link = hooks_shared(hooks, repo);
	struct str line = STR_INIT;

	str_addf(&line, "note: the hooks were in %s, and other repositories"
	    " that use it do not deploy any more; for them to deploy again,"
	    " and this one not: git -C ", dir);
	str_add_word(&line, repo);
	str_addf(&line, " config core.hooksPath %s, and then slipway init"
	    " OTHER", link == NULL ? "hooks" : "own-hooks");
	vec_push_take(done, str_detach(&line));
	free(link);
	free(hooks);
}

/* Hooks that other repositories may share are gone for them, too. */
static const struct err *
remove_hooks(const char *dir, const char *repo, struct vec *done)
{
	char *shared = hooks_shared(dir, repo);
	size_t before = done->n;
	const struct err *err;

	err = hooks_remove(dir, done);
	if (done->n > before && shared != NULL)
		note_others(shared, repo, done);
	free(shared);
	return err;
}

static const struct err *
run_uninit(struct call *call)
{
	const struct vec none = VEC_INIT;
	struct gitfile file = GITFILE_INIT;
	struct vec done = VEC_INIT;
	struct str out = STR_INIT;
	const struct err *err;
	char *dir = NULL, *repo = NULL;

	err = find_repository(call, &repo);
	if (err == NULL)
		err = hooks_dir(&dir, repo);
	if (err == NULL && !hooks_answer_is_foreign(dir))
		err = git_leave_refs(repo, &file, &none, &done);
	if (err == NULL)
		err = git_unconfigure(repo, &file, &done);
	if (err == NULL)
		err = gitfile_commit(&file);
	if (err == NULL)
		err = remove_hooks(dir, repo, &done);
	if (err == NULL && done.n == 0) {
		str_addf(&out, "there are no hooks of Slipway in %s; nothing"
		    " was changed\n", dir);
		err = cmd_print(&out);
	} else if (err == NULL) {
		vec_push(&done, "the releases, the journal and slipway.ini"
		    " are left as they are\n");
		vec_join(&done, "\n", &out);
		err = cmd_print(&out);
	}
	gitfile_release(&file);
	str_release(&out);
	vec_release(&done);
	free(repo);
	free(dir);
	return err;
}

const struct cmd cmd_uninit = {
	.name = "uninit",
	.words = "[REPO]",
	.words_max = 1,
	.all_environments = true,
	.summary = "take the hooks out of a repository again",
	.help = "Remove the hooks of Slipway from REPO, or from the repository"
	    " that -C names, and restore those that were there before; git is"
	    " told again to take all refs by itself, and to pack them. What"
	    " was deployed, the journal and slipway.ini stay.",
	.example = "slipway uninit shop.git",
	.dir_help = "the bare repository, where REPO is not given (else"
	    " $GIT_DIR, or the current folder)",
	.run = run_uninit,
};
