/*
 * str - bytes that grow, UTF-8, and text made safe for a terminal.
 */
#include "str.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void
test_growing(void)
{
	struct str str = STR_INIT;
	char *detached;

	is_str(str.s, "", "an empty str is a string");
	str_add(&str, "");
	ok(str.size == 0, "adding nothing allocates nothing");
	for (int i = 0; i < 1000; i++)
		str_addf(&str, "%03d,", i);
	is_int((int64_t)str.len, 4000, "it grows");
	ok(strncmp(str.s + 3996, "999,", 5) == 0, "and ends with a NUL");
	str_truncate(&str, 5000);
	is_int((int64_t)str.len, 4000, "truncate never grows it");
	str_truncate(&str, 3);
	is_str(str.s, "000", "it is cut");
	str_add_bytes(&str, "a\0b", 3);
	is_int((int64_t)str.len, 6, "a NUL is a byte like others");
	str_clear(&str);
	is_str(str.s, "", "it is cleared");
	ok(str.size > 0, "and keeps its memory");
	str_add(&str, "x");
	detached = str_detach(&str);
	is_str(detached, "x", "the bytes are given away");
	is_int((int64_t)str.size, 0, "and are its own no more");
	free(detached);
	detached = str_detach(&str);
	is_str(detached, "", "an empty one gives bytes to free, too");
	free(detached);
	str_release(&str);
}

static void
test_decode(void)
{
	static const struct {
		const char *bytes;
		long c;
		size_t len;
	} cases[] = {
		{ "a",			'a',	  1 },
		{ "\xc2\x80",		0x80,	  2 },
		{ "\xdf\xbf",		0x7ff,	  2 },
		{ "\xe0\xa0\x80",	0x800,	  3 },
		{ "\xed\x9f\xbf",	0xd7ff,	  3 },
		{ "\xef\xbf\xbf",	0xffff,	  3 },
		{ "\xf0\x90\x80\x80",	0x10000,  4 },
		{ "\xf4\x8f\xbf\xbf",	0x10ffff, 4 },
		{ "\x80",		-1,	  1 },	/* continuation */
		{ "\xc0\x80",		-1,	  1 },	/* overlong NUL */
		{ "\xc1\xbf",		-1,	  1 },
		{ "\xe0\x9f\xbf",	-1,	  1 },	/* overlong */
		{ "\xf0\x8f\xbf\xbf",	-1,	  1 },
		{ "\xed\xa0\x80",	-1,	  1 },	/* a surrogate */
		{ "\xf4\x90\x80\x80",	-1,	  1 },	/* beyond */
		{ "\xf5\x80\x80\x80",	-1,	  1 },
		{ "\xff",		-1,	  1 },
		{ "\xe2\x82",		-1,	  1 },	/* cut off */
		{ "\xe2\x82x",		-1,	  1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len;

		is_int(str_decode(cases[i].bytes, strlen(cases[i].bytes),
		    &len), cases[i].c, "character %zu", i);
		is_int((int64_t)len, (int64_t)cases[i].len, "its length");
	}
}

static void
test_visible(void)
{
	static const struct {
		const char *bytes;
		const char *want;
	} cases[] = {
		{ "plain text",		 "plain text" },
		{ "\xc3\xa9t\xc3\xa9",	 "\xc3\xa9t\xc3\xa9" },
		{ "\xf0\x9f\x9a\x80",	 "\xf0\x9f\x9a\x80" },
		{ "\x1b[2J",		 "\\x1b[2J" },
		{ "a\nb\tc\rd",		 "a\\x0ab\\x09c\\x0dd" },
		{ "\x7f",		 "\\x7f" },
		{ "\xc2\x9b" "2J",	 "\\xc2\\x9b2J" },	/* C1 */
		{ "\xe2\x80\xae" "gpj",	 "\\xe2\\x80\\xaegpj" }, /* RLO */
		{ "\xe2\x81\xa6",	 "\\xe2\\x81\\xa6" },	/* LRI */
		{ "\xe2\x80\xa8",	 "\\xe2\\x80\\xa8" },	/* line */
		{ "\xd8\x9c",		 "\\xd8\\x9c" },	/* ALM */
		{ "\xef\xbb\xbf",	 "\\xef\\xbb\\xbf" },	/* BOM */
		{ "caf\xe9",		 "caf\\xe9" },		/* Latin-1 */
		{ "a\xe2\x80\x8b" "b",	 "a\\xe2\\x80\\x8bb" }, /* ZWSP */
		{ "main\xe2\x80\x8d",	 "main\\xe2\\x80\\x8d" }, /* ZWJ */
		{ "a\xc2\xad" "b",	 "a\\xc2\\xadb" },	/* hyphen */
		{ "\xe3\x85\xa4",	 "\\xe3\\x85\\xa4" }, /* filler */
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* a tag */
		{ "a\xef\xb8\x8f",	 "a\\xef\\xb8\\x8f" },
		{ "\xe2\x9d\xa4\xef\xb8\x8f",	/* a red heart */
		    "\xe2\x9d\xa4\xef\xb8\x8f" },
		{ "\xe2\x9d\xa4\xef\xb8\x8f\xef\xb8\x8f",
		    "\xe2\x9d\xa4\xef\xb8\x8f\\xef\\xb8\\x8f" },
		{ "\xf0\x9f\xa7\x91\xe2\x80\x8d\xf0\x9f\x92\xbb",
		    "\xf0\x9f\xa7\x91\xe2\x80\x8d\xf0\x9f\x92\xbb" },
	};
	struct str out = STR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		str_clear(&out);
		str_add_visible(&out, cases[i].bytes,
		    strlen(cases[i].bytes));
		is_str(out.s, cases[i].want, "visible text %zu", i);
	}
	str_clear(&out);
	str_add_visible(&out, "a\0b", 3);
	is_str(out.s, "a\\x00b", "a NUL is seen");
	str_release(&out);
}

static void
test_coloured(void)
{
	static const struct {
		const char *bytes;
		const char *want;
	} cases[] = {
		{ "plain",		 "plain" },
		{ "\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m" },
		{ "\x1b[1;38:5:8mred",	 "\x1b[1;38:5:8mred" },
		{ "\x1b[2J",		 "\\x1b[2J" },
		{ "\x1b[31",		 "\\x1b[31" },
		{ "\x1b[?1m",		 "\\x1b[?1m" },
		{ "\x1b]8;;x\a",	 "\\x1b]8;;x\\x07" },
		{ "\x1b\x1b[m\x1b[H",	 "\\x1b\x1b[m\\x1b[H" },
		{ "\x1b[000000000000000000000000000000000m",
		    "\\x1b[000000000000000000000000000000000m" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str out = STR_INIT;

		str_add_coloured(&out, cases[i].bytes,
		    strlen(cases[i].bytes));
		is_str(out.s, cases[i].want, "coloured text %zu", i);
		str_release(&out);
	}
}

static void
test_ends(void)
{
	struct str str = STR_INIT;

	ok(str_starts_with("refs/heads/main", "refs/heads/"), "a prefix");
	ok(!str_starts_with("refs", "refs/"), "longer than the text");
	ok(str_starts_with("x", ""), "the empty prefix");
	ok(str_ends_with("shop.git", ".git"), "an end");
	ok(!str_ends_with("git", ".git"), "longer than the text");
	str_add(&str, " a b \t\r\n");
	str_trim_end(&str);
	is_str(str.s, " a b", "white space goes at the end alone");
	str_clear(&str);
	str_add(&str, " \n ");
	str_trim_end(&str);
	is_str(str.s, "", "also when there is nothing else");
	str_release(&str);
}

static void
test_fit(void)
{
	static const struct {
		const char *text;
		size_t max;
		size_t want;
	} cases[] = {
		{ "", 5, 0 },
		{ "abcde", 5, 5 },
		{ "abc; def; ghi", 12, 8 },
		{ "abc; def; ghi", 8, 8 },
		{ "abc; rm a/b.c, d", 15, 3 },
		{ "a;b cd efg", 8, 6 },
		{ "abcdefg", 5, 5 },
		{ "a\xc3\xa4\xc3\xa4", 4, 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_int((int64_t)str_fit(cases[i].text, cases[i].max),
		    (int64_t)cases[i].want, "what fits %zu", i);
}

int
main(void)
{
	test_growing();
	test_decode();
	test_visible();
	test_coloured();
	test_ends();
	test_fit();
	return tap_done();
}
