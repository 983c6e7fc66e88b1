#include "journal/hub.h"

#include <stdlib.h>
#include <unistd.h>

#include "file.h"
#include "path.h"
#include "tap.h"

static const struct {
	const char *root, *want;	/* beside "repo"; NULL: allowed */
} cases[] = {
	{ "srv", NULL },
	{ "", NULL },
	{ "repository", NULL },
	{ "repo", "in the repository" },
	{ "repo/site", "in the repository" },
	{ "link", "in the repository" },
	{ "link/site", "in the repository" },
};

static const struct {
	const char *repo, *want;
} among[] = {
	{ "srv/shop.git", NULL },
	{ "srv/releases.git", NULL },
	{ "srv/shared/shop.git", NULL },
	{ "srv/releases/shop.git", "among whose releases" },
	{ "srv/releases", "among whose releases" },
	{ "srv/.slipway/shop.git", "among whose releases" },
};

static void
check(const char *repo, const char *root, const char *want)
{
	struct environment env = { .name = (char *)"p" };
	char *repo_path, *joined = path_join(tap_folder(), repo);

	is_ok(file_resolve(&repo_path, joined), "%s", repo);
	env.set.root = path_join(tap_folder(), root);
	if (want == NULL)
		is_ok(hub_check_root(repo_path, &env), "%s and %s", repo,
		    root);
	else
		is_err(hub_check_root(repo_path, &env), ERR_CONFIG, want,
		    "%s and %s", repo, root);
	free(env.set.root);
	free(repo_path);
	free(joined);
}

int
main(void)
{
	char *link = path_join(tap_folder(), "link");

	if (symlink("repo", link) == -1)
		return 1;
	free(link);
	link = path_join(tap_folder(), "repo");
	is_ok(file_mkdirs(link, 0755), "a repository");
	free(link);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check("repo", cases[i].root, cases[i].want);
	for (size_t i = 0; i < sizeof(among) / sizeof(among[0]); i++)
		check(among[i].repo, "srv", among[i].want);
	return tap_done();
}
