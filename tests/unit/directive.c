#include "plan/directive.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "nearest.h"
#include "plan/capitals.h"
#include "tap.h"

#define A10 "aaaaaaaaaa"
#define A40 A10 A10 A10 A10

/* What a message asks for, as "name" or "name:argument". */
static const struct {
	const char *message, *want;
} messages[] = {
	{ "", "" },
	{ "monthly updates -updb- -cc-", "updb cc" },
	{ "-updb-", "updb" },
	{ "-updb- x", "updb" },
	{ "x -updb-", "updb" },
	{ "a\n-updb-\nb", "updb" },
	{ "a\r\n-updb-\r\n", "updb" },
	{ "\t-updb-\t", "updb" },
	{ "\"-updb-\"", "updb" },
	{ "'-updb-'", "updb" },
	{ "`-updb-`", "updb" },
	{ "(-updb-)", "updb" },
	{ "[-updb-]", "updb" },
	{ "say (\"-updb-\")", "updb" },
	{ "-updb-.", "updb" },
	{ "-updb-, -cc-", "updb cc" },
	{ "-updb-,-cc-", "updb cc" },
	{ "-updb-/-cc-", "updb cc" },
	{ "-updb--cc-", "" },
	{ "-updb-cc-", "" },
	{ "-updb- -updb-", "updb" },
	{ "x-updb-", "" },
	{ "-updb-x", "" },
	{ "X-updb-", "" },
	{ "-updb-X", "" },
	{ "1-updb-", "" },
	{ "-updb-1", "" },
	{ "_-updb-", "" },
	{ "-updb-_", "" },
	{ "--updb-", "" },
	{ "-updb--", "" },
	{ "--updb--", "" },
	{ "-UPDB-", "" },
	{ "-upDb-", "" },
	{ "-a--b-", "" },
	{ "-", "" },
	{ "--", "" },
	{ "-----", "" },
	{ "- -", "" },
	{ "a-b-c", "" },
	{ "--force-", "" },
	{ "-updb", "" },
	{ "updb-", "" },
	{ "-up db-", "" },
	{ "-a_1-", "a_1" },
	{ "-7-", "7" },
	{ "2026-11-20", "" },
	{ "-up.db-", "" },
	{ "- item -x-", "x" },
	{ "-a -b-", "b" },
	{ "-skip-", "skip" },
	{ "-sync:files-", "sync:files" },
	{ "-sync:a-b-c-", "sync:a-b-c" },
	{ "-sync:a- b-", "sync:a" },
	{ "-sync:a--", "sync:a-" },
	{ "-sync:-", "" },
	{ "-sync:", "" },
	{ "-sync: x-", "" },
	{ "-sync:a b-", "" },
	{ "-sync:a\tb-", "" },
	{ "-sync:-x-", "sync:-x" },
	{ "-sync:- -cc-", "cc" },
	{ "-sync:a -cc-", "cc" },
	{ "-sync:a:b-", "sync:a:b" },
	{ "-sync:a-.", "sync:a" },
	{ "-sync:a-x", "" },
	{ "(-sync:a,b-)", "sync:a,b" },
	{ "-:a-", "" },
	{ "-a:1- -a:2- -a:1-", "a:1 a:2" },
	{ "-a:$(rm)-", "a:$(rm)" },
	{ "-a:\xc3\xa9-", "a:\xc3\xa9" },
	{ "-a:\xff-", "" },
	{ "-a:\x01-", "" },
	{ "-a:x\xe2\x80\xaey-", "" },
	{ "\xc3\xa9-updb-", "" },
	{ "-updb-\xc3\xa9", "" },
	{ "\xc3\xa9 -updb- \xc3\xa9", "updb" },
	{ "\xe6\x97\xa5-updb-", "" },
	{ "\xe2\x80\x9e-updb-\xe2\x80\x9c", "updb" },
	{ "\xe2\x80\x94-updb-\xe2\x80\xa6", "updb" },
	{ "\xc2\xa0-updb-\xc2\xa0", "updb" },
	{ "\xf0\x9f\x9a\x80-updb-\xf0\x9f\x9a\x80", "updb" },
	{ "\xff-updb-", "" },
	{ "-updb-\xff", "" },
	{ "\xff -updb- \xc3", "updb" },
	{ "-" A40 "-", A40 },
	{ "-" A40 "a-", "" },
	{ "-" A40 "a- -cc-", "cc" },
	{ "x\n\nDeploy: updb, cc\n", "updb cc" },
	{ "x\n\nDeploy: updb cc\n", "updb cc" },
	{ "x\n\ndeploy: sync:files,-cc-\n", "cc sync:files" },
	{ "x\n\nDeploy: Updb, cc!, ok\n", "ok" },
	{ "x -cc-\n\nDeploy: cc\n", "cc" },
	{ "x\n\nDeployed: cc\n", "" },
	{ "Deploy: cc\n\nbody\n", "" },
};

static void
list_text(struct str *out, const struct directives *list)
{
	for (size_t i = 0; i < list->n; i++) {
		str_addf(out, "%s%s", i > 0 ? " " : "", list->v[i].name);
		if (list->v[i].argument[0] != '\0')
			str_addf(out, ":%s", list->v[i].argument);
	}
}

static void
test_messages(void)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct directives list = DIRECTIVES_INIT;
		struct str got = STR_INIT, name = STR_INIT;
		const struct err *err = directives_scan(&list,
		    messages[i].message, "c1");

		str_add_visible(&name, messages[i].message,
		    strlen(messages[i].message));
		list_text(&got, &list);
		is_str(err == NULL ? got.s : err->text, messages[i].want,
		    "scan %s", name.s);
		str_release(&got);
		str_release(&name);
		directives_release(&list);
	}
}

/* A megabyte of one piece, well within the time a quadratic scan needs. */
static void
test_long(const char *piece, const char *end, size_t want)
{
	struct directives list = DIRECTIVES_INIT;
	struct str text = STR_INIT;
	clock_t start;

	while (text.len < 1000000)
		str_add(&text, piece);
	str_add(&text, end);
	start = clock();
	is_ok(directives_scan(&list, text.s, "c1"), "1 MB of %s", piece);
	ok(clock() - start < 2 * CLOCKS_PER_SEC, "1 MB of %s: quick", piece);
	is_int((int64_t)list.n, (int64_t)want, "1 MB of %s: found", piece);
	str_release(&text);
	directives_release(&list);
}

static void
test_many(void)
{
	struct directives list = DIRECTIVES_INIT;
	struct str text = STR_INIT, out = STR_INIT;

	for (int i = 0; i < 100000; i++)
		str_addf(&text, "-a:%d- ", i);
	is_ok(directives_scan(&list, text.s, "c1"), "100000 directives");
	is_int((int64_t)list.n, 100000, "each of them is kept");
	directives_argument(&list, "a", &out);
	ok(str_starts_with(out.s, "0 1 2 ") &&
	    str_ends_with(out.s, " 99999"), "arguments are joined in order");
	str_release(&text);
	str_release(&out);
	directives_release(&list);
}

static void
test_limits(void)
{
	for (size_t len = DIRECTIVE_ARGUMENT_MAX;
	    len <= DIRECTIVE_ARGUMENT_MAX + 1; len++) {
		struct directives list = DIRECTIVES_INIT;
		char *argument = xcalloc(len + 1, 1), *text;

		memset(argument, 'x', len);
		text = xasprintf("-a:%s- -cc-", argument);
		is_ok(directives_scan(&list, text, "c1"), "long argument");
		ok(directives_has(&list, "a") ==
		    (len <= DIRECTIVE_ARGUMENT_MAX), "%zu bytes", len);
		ok(directives_has(&list, "cc"), "what follows is found");
		free(text);
		free(argument);
		directives_release(&list);
	}
}

static void
test_words(void)
{
	static const struct {
		const char *word, *want;	/* NULL: an error */
	} words[] = {
		{ "updb", "updb" }, { "-updb-", "updb" },
		{ "sync:files", "sync:files" }, { "-sync:a-b-", "sync:a-b" },
		{ "sync:a-", "sync:a-" }, { "", NULL }, { "-", NULL },
		{ "--", NULL }, { "---", NULL }, { "Updb", NULL },
		{ "-updb", NULL }, { "updb-", NULL }, { "sync:", NULL },
		{ "sync:a b", NULL }, { ":a", NULL }, { "a\n", NULL },
		{ A40, A40 }, { A40 "a", NULL }, { "\xff", NULL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct directives list = DIRECTIVES_INIT;
		struct str got = STR_INIT;
		const struct err *err = directives_add_word(&list,
		    words[i].word, "", "cli");

		if (words[i].want == NULL) {
			is_err(err, ERR_USAGE, "is no directive", "word %zu",
			    i);
			is_int((int64_t)list.n, 0, "word %zu adds none", i);
		} else {
			list_text(&got, &list);
			is_ok(err, "word %zu is one", i);
			is_str(got.s, words[i].want, "word %zu", i);
		}
		str_release(&got);
		directives_release(&list);
	}
}

static void
test_nearest(void)
{
	static const char *const known[] = { "updb", "cc", "sync", "build" };
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "updb", "updb" }, { "udpb", "updb" }, { "upd", "updb" },
		{ "updbb", "updb" }, { "snyc", "sync" }, { "c", "cc" },
		{ "biuld", "build" }, { "zzzz", NULL }, { "", NULL },
		{ "builder_of_things", NULL }, { A40 A40, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(nearest_word(cases[i].word, known, 4), cases[i].want,
		    "nearest to '%s'", cases[i].word);
	ok(nearest_word("x", NULL, 0) == NULL, "nothing to choose from");
}

static void
test_sources(void)
{
	struct directives list = DIRECTIVES_INIT;

	directives_add(&list, "a", "", "c1", "message");
	directives_add(&list, "a", "", "c1", "trailer");
	directives_add(&list, "a", "", "c2", "message");
	is_int((int64_t)list.n, 2, "one for each commit");
	is_str(list.v[0].source, "message", "the first source is kept");
	is_str(list.v[1].commit, "c2", "with its commit");
	ok(!directives_has(&list, "b"), "b was not asked for");
	directives_release(&list);
	directives_release(&list);
	is_int((int64_t)list.n, 0, "released twice is released");
}

/* Words in capitals, as they stand in a message. */
static void
test_capitals(void)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{ "-CC-", "CC" },
		{ "-cc-", "" },
		{ "x -Cc- -UPDB-", "Cc UPDB" },
		{ "-cc- -CC-", "" },
		{ "-Sync:Files-", "Sync" },
		{ "-SYNC:a b-", "" },
		{ "a-CC-", "" },
		{ "-CC-b", "" },
		{ "--CC-", "" },
		{ "-A--B-", "" },
		{ "x-CC- -CC-", "CC" },
		{ "\xc3\x84-CC- \xc3\x84", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct directives list = DIRECTIVES_INIT;
		struct str got = STR_INIT;

		capitals_scan(&list, cases[i].message, "c1");
		list_text(&got, &list);
		is_str(got.s, cases[i].want, "capitals of '%s'",
		    cases[i].message);
		str_release(&got);
		directives_release(&list);
	}
}

int
main(void)
{
	test_messages();
	test_long("-a:", "", 0);
	test_long("-a:", "-", 0);
	test_long("-a:-", "", 0);
	test_long("-", "", 0);
	test_long("-a", "", 0);
	test_long("-a:b- ", "", 1);
	test_many();
	test_limits();
	test_words();
	test_nearest();
	test_sources();
	test_capitals();
	return tap_done();
}
