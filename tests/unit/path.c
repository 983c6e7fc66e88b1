#include "path.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void
test_parts(void)
{
	static const struct {
		const char *path, *dir, *base;
		size_t depth;
	} cases[] = {
		{ "a", ".", "a", 1 },
		{ "a/", "a", "", 1 },
		{ "a/b/c", "a/b", "c", 3 },
		{ "a//b", "a", "b", 2 },
		{ "/x", "/", "x", 1 },
		{ "/", "/", "", 0 },
		{ "//x", "/", "x", 1 },
		{ "", ".", "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *dir = path_dir(cases[i].path);

		is_str(dir, cases[i].dir, "folder of '%s'", cases[i].path);
		is_str(path_base(cases[i].path), cases[i].base,
		    "base of '%s'", cases[i].path);
		is_int((int64_t)path_depth(cases[i].path),
		    (int64_t)cases[i].depth, "depth of '%s'",
		    cases[i].path);
		free(dir);
	}
}

static void
test_join(void)
{
	static const struct {
		const char *dir, *name, *path;
	} cases[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" },
		{ "/", "b", "/b" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *path = path_join(cases[i].dir, cases[i].name);

		is_str(path, cases[i].path, "%s", cases[i].path);
		free(path);
	}
}

static void
test_beneath(void)
{
	static const char *const good[] = {
		"a", "a/", "a/b", "a/b/", "...", "a/..b", ".a", "a b",
	};
	static const char *const bad[] = {
		"", "/", "/a", ".", "..", "./", "../", "a/..", "a/../b",
		"a/./b", "a//b", "a//", "../a", "./a", "a/.", "a/../",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(path_is_beneath(good[i]), "beneath: '%s'", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!path_is_beneath(bad[i]), "not beneath: '%s'", bad[i]);
}

static void
test_within(void)
{
	ok(path_is_within("/srv/shop/a", "/srv/shop"), "in a folder");
	ok(path_is_within("/srv/shop", "/srv/shop"), "the folder itself");
	ok(path_is_within("/srv", "/"), "all is in /");
	ok(!path_is_within("/srv/shop-2", "/srv/shop"), "not beside it");
	ok(!path_is_within("/srv", "/srv/shop"), "nor above it");
}

static void
test_component(void)
{
	static const char *const good[] = {
		"a", "...", ".gitignore", ".git2", "git", "git~2", "git~10",
		".gi", "a.git", ".git.x", "\xc3\xa4", "\xff\xfe", ".gi\xff",
		".git\xc3\xa4", "\xe2\x80\x8cgit",
	};
	static const char *const bad[] = {
		"", ".", "..", "a/b", "/", ".git", ".GIT", ".gIt", ".git.",
		".git ", ".git . .", "git~1", "GIT~1", "git~1 .",
		".g\xe2\x80\x8cit", "\xef\xbb\xbf.git", ".git\xe2\x80\x8d",
		".git::$INDEX_ALLOCATION", ".git. :x",
	};
	char longest[256];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(path_is_component(good[i], strlen(good[i])),
		    "good component %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!path_is_component(bad[i], strlen(bad[i])),
		    "bad component %zu", i);
	memset(longest, 'x', sizeof(longest));
	ok(path_is_component(longest, 255), "255 bytes");
	ok(!path_is_component(longest, 256), "256 bytes");
	ok(!path_is_component("a\0b", 3), "a NUL inside");
	ok(path_is_component("ab/c", 2), "no further than its length");
}

int
main(int argc, char **argv)
{
	char *dir, *real;

	test_parts();
	test_join();
	test_beneath();
	test_within();
	test_component();
	is_ok(path_of_program(&dir), "the folder of the program");
	real = realpath(argc > 0 ? argv[0] : "", NULL);
	if (real != NULL) {
		char *want = path_dir(real);

		is_str(dir, want, "... is where it was started from");
		free(want);
	}
	free(real);
	free(dir);
	return tap_done();
}
