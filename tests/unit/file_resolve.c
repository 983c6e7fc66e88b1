#include "file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"
#include "tap.h"

static const struct {
	const char *path, *want;	/* in the folder of the test */
} cases[] = {
	{ "a", "/a" },
	{ "a/", "/a" },
	{ "./a//b/.", "/a/b" },
	{ "a/../a/b", "/a/b" },
	{ "link", "/a/b" },
	{ "link/..", "/a" },
	{ "link/new/x", "/a/b/new/x" },
	{ "new/../a", "/a" },
	{ "new/../link/../y", "/a/y" },
	{ "dangling", "/dangling" },
	{ "file/x", "/file/x" },
	{ ".", "" },
};

static void
test_cases(const char *folder, bool absolute)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *given = absolute ? path_join(folder, cases[i].path) :
		    xstrdup(cases[i].path);
		char *want = xasprintf("%s%s", folder, cases[i].want);
		char *got;

		is_ok(file_resolve(&got, given), "%s", given);
		is_str(got, want, "%s: what it is", given);
		free(got);
		free(want);
		free(given);
	}
}

int
main(void)
{
	char *folder, *got;

	if (chdir(tap_folder()) == -1 || system("mkdir -p a/b && ln -s a/b"
	    " link && ln -s nowhere dangling && touch file") != 0)
		return 1;
	is_ok(file_resolve(&folder, "."), "the folder");
	test_cases(folder, true);
	test_cases(folder, false);
	is_ok(file_resolve(&got, "/../.."), "above everything");
	is_str(got, "/", "is everything");
	free(got);
	is_ok(file_resolve(&got, "/../no-such-folder/x"), "missing there");
	is_str(got, "/no-such-folder/x", "is beneath it");
	free(got);
	free(folder);
	return tap_done();
}
