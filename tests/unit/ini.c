/*
 * ini_parse_stream() is wrapped here: with "plain_build" set, the settings
 * of inih are put back to what its author ships, just before it runs, so
 * that the reader meets the build that other distributions have.
 */
#include "ini.h"

#include <dlfcn.h>
#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "tap.h"

static bool plain_build;

int
ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
    void *user)
{
	int (*real)(ini_reader, void *, ini_handler, void *);

	*(void **)&real = dlsym(RTLD_NEXT, "ini_parse_stream");
	if (plain_build) {
		ini_allow_multiline = true;
		ini_allow_inline_comments = true;
		ini_use_stack = true;
		ini_max_line = INI_MAX_LINE;
	}
	return real(reader, stream, handler, user);
}

/* "LINE[section]" and "LINE section.key=value", each ended by '|'. */
static const struct err *
collect(const char *section, const char *key, const char *value, int line,
    void *ctx)
{
	struct str *seen = ctx;

	if (key == NULL)
		str_addf(seen, "%d[%s]|", line, section);
	else
		str_addf(seen, "%d %s.%s=%s|", line, section, key, value);
	if (key != NULL && strcmp(key, "stop") == 0)
		return err_new(ERR_REFUSED, "stopped");
	return NULL;
}

/* The text is copied to its exact size, for the sanitizer's eyes. */
static const struct err *
read_text(const char *text, size_t len, struct str *seen)
{
	char *copy = malloc(len + (len == 0));
	const struct err *err;

	if (len > 0)
		memcpy(copy, text, len);
	str_clear(seen);
	err = ini_read("t.ini", copy, len, collect, seen);
	free(copy);
	return err;
}

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *name;
	const char *text;
	size_t len;
	const char *seen;
} good[] = {
	{ "nothing", TEXT(""), "" },
	{ "blank lines and comments", TEXT("\n  \n; a\n# b = c\n  ; d\n"),
	    "" },
	{ "a section without keys", TEXT("[a]\n[b]\n"), "1[a]|2[b]|" },
	{ "a pair", TEXT("[a]\nk = v\n"), "1[a]|2 a.k=v|" },
	{ "no newline at the end", TEXT("[a]\nk=v"), "1[a]|2 a.k=v|" },
	{ "CRLF", TEXT("[a]\r\nk = v\r\n\r\n"), "1[a]|2 a.k=v|" },
	{ "a byte order mark", TEXT("\xef\xbb\xbf[a]\nk = v\n"),
	    "1[a]|2 a.k=v|" },
	{ "white space around everything", TEXT(" \t[ a b ] \n\tk \t=\t v w "
	    "\n"), "1[a b]|2 a b.k=v w|" },
	{ "an indented line continues nothing", TEXT("[a]\nk = v\n  l = w\n"),
	    "1[a]|2 a.k=v|3 a.l=w|" },
	{ "an empty value", TEXT("[a]\nk =\n"), "1[a]|2 a.k=|" },
	{ "a comment sign in a value", TEXT("[a]\nk = ; v ; w # x\n"),
	    "1[a]|2 a.k=; v ; w # x|" },
	{ "quotes stay", TEXT("[a]\nk = \"x ; y\" 'z'\n"),
	    "1[a]|2 a.k=\"x ; y\" 'z'|" },
	{ "a comment sign in a key", TEXT("[a]\nk ;l = v\n"),
	    "1[a]|2 a.k ;l=v|" },
	{ "a comment sign in a section", TEXT("[a ;b]\nk = v\n"),
	    "1[a ;b]|2 a ;b.k=v|" },
	{ "'=' in a value", TEXT("[a]\nenv.A = b=c\n"),
	    "1[a]|2 a.env.A=b=c|" },
	/* inih's grammar: the first of '=' and ':' ends the key. */
	{ "':' ends a key too", TEXT("[a]\nk: v = w\n"),
	    "1[a]|2 a.k=v = w|" },
	{ "':' after '=' is part of the value", TEXT("[a]\nk = a:b\n"),
	    "1[a]|2 a.k=a:b|" },
	{ "a key twice is reported twice", TEXT("[a]\nk=1\nk=2\n"),
	    "1[a]|2 a.k=1|3 a.k=2|" },
	{ "a section twice is reported twice", TEXT("[a]\nk=1\n[a]\nk=2\n"),
	    "1[a]|2 a.k=1|3[a]|4 a.k=2|" },
	{ "UTF-8", TEXT("[\xc3\xa4]\n\xc3\xb6 = \xe2\x82\xac\n"),
	    "1[\xc3\xa4]|2 \xc3\xa4.\xc3\xb6=\xe2\x82\xac|" },
	{ "'[' inside a value", TEXT("[a]\nk = [b]\n"), "1[a]|2 a.k=[b]|" },
};

#define N48 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"

static const struct {
	const char *name;
	const char *text;
	size_t len;
	const char *wanted;
} bad[] = {
	{ "NUL", TEXT("[a]\nk = v\0w\n"), "t.ini:2: the line has a NUL" },
	{ "NUL in a comment", TEXT("; a\0k = v\n"), "t.ini:1: the line has a"
	    " NUL" },
	{ "Latin-1", TEXT("[a]\nk = \xe4\n"), "t.ini:2: the line is not"
	    " UTF-8; save" },
	{ "a cut character at the end", TEXT("[a]\nk = \xe2\x82"),
	    "t.ini:2: the line is not UTF-8" },
	{ "no ']'", TEXT("\n[a\n"), "t.ini:2: the section has no ']'; write"
	    " [NAME]" },
	{ "'[' alone", TEXT("["), "t.ini:1: the section has no ']'" },
	{ "text after ']'", TEXT("[a] ; b\n"), "t.ini:1: text after the ']';"
	    " write" },
	{ "no name", TEXT("[a]\n[]\n"), "t.ini:2: the section has no name" },
	{ "a blank name", TEXT("[  ]\n"), "t.ini:1: the section has no"
	    " name" },
	{ "a long name", TEXT("[" N48 "w]\n"), "t.ini:1: the name of the"
	    " section has 49 bytes; write at most 48" },
	{ "a long key", TEXT("[a]\n" N48 "w = v\n"), "t.ini:2: the key has"
	    " 49 bytes; write at most 48" },
	{ "no '='", TEXT("[a]\r\nword\r\n"), "t.ini:2: the line has no '=';"
	    " write key = value" },
	{ "no key", TEXT("[a]\n = v\n"), "t.ini:2: no key before the '='" },
	{ "no key before ':'", TEXT("[a]\n: v\n"), "t.ini:2: no key before"
	    " the ':'" },
	{ "no section", TEXT("# x\nk = v\n[a]\n"), "t.ini:2: 'k' is before"
	    " any section; write [NAME]" },
	{ "a byte order mark later on", TEXT("[a]\n\xef\xbb\xbf[b]\n"),
	    "t.ini:2: the line has no '='" },
};

static void
test_tables(void)
{
	struct str seen = STR_INIT;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		is_ok(read_text(good[i].text, good[i].len, &seen), "%s",
		    good[i].name);
		is_str(seen.s, good[i].seen, "%s: what is seen",
		    good[i].name);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is_err(read_text(bad[i].text, bad[i].len, &seen),
		    ERR_CONFIG, bad[i].wanted, "%s is a fault", bad[i].name);
	is_ok(read_text(TEXT("[" N48 "]\n" N48 " = v\n"), &seen),
	    "the longest names");
	is_str(seen.s, "1[" N48 "]|2 " N48 "." N48 "=v|",
	    "the longest names arrive whole");
	str_release(&seen);
}

static void
test_stop(void)
{
	struct str seen = STR_INIT;
	const struct err *err;

	err = read_text(TEXT("[a]\nk = v\nstop = 1\nl = w\n[b\n"), &seen);
	is_err(err, ERR_REFUSED, "stopped", "the callback's error");
	is_str(err == NULL ? "" : err->text, "stopped", "it gets no prefix");
	is_str(seen.s, "1[a]|2 a.k=v|3 a.stop=1|", "reading stops there");
	is_err(read_text(TEXT("[a]\nk = v\nword\nl = w\n"), &seen),
	    ERR_CONFIG, "t.ini:3:", "a fault of the text");
	is_str(seen.s, "1[a]|2 a.k=v|", "reading stops at a fault");
	str_release(&seen);
}

/* A command of exactly "len" bytes, full of what inih cuts at. */
static void
add_command(struct str *str, size_t len)
{
	static const char part[] = "echo \"a ; b\" ; c='#d' ; ";
	size_t start = str->len;

	while (str->len - start < len)
		str_add(str, part);
	str_truncate(str, start + len - 1);
	str_addch(str, '.');
}

static const struct err *
read_command(size_t len, struct str *seen, struct str *wanted)
{
	struct str text = STR_INIT;
	const struct err *err;

	str_clear(wanted);
	str_add(wanted, "1[a]|2 a.run=");
	add_command(wanted, len);
	str_add(wanted, "|3 a.next=v|");
	str_add(&text, "[a]\nrun = ");
	add_command(&text, len);
	str_add(&text, "\nnext = v\n");
	err = read_text(text.s, text.len, seen);
	str_release(&text);
	return err;
}

static void
test_long(void)
{
	static const size_t lengths[] = {
		1, 190, 191, 192, 193, 194, 195, 199, 200, 5000, 32000,
		INI_LINE_MAX - 6
	};
	struct str seen = STR_INIT, wanted = STR_INIT;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		is_ok(read_command(lengths[i], &seen, &wanted),
		    "a command of %zu bytes", lengths[i]);
		ok(strcmp(seen.s, wanted.s) == 0,
		    "a command of %zu bytes arrives whole", lengths[i]);
	}
	is_err(read_command(INI_LINE_MAX - 5, &seen, &wanted), ERR_CONFIG,
	    "t.ini:2: the line has 32769 bytes; write at most 32768",
	    "a byte more than a line has");
	is_str(seen.s, "1[a]|", "nothing of the over-long line is seen");
	str_release(&seen);
	str_release(&wanted);
}

static void
test_plain_build(void)
{
	static const char refusal[] = "t.ini:2: the inih of this system would"
	    " cut this line short; write at most 197 bytes";
	struct str seen = STR_INIT, wanted = STR_INIT, text = STR_INIT;

	plain_build = true;
	is_err(read_command(5000, &seen, &wanted), ERR_CONFIG, refusal,
	    "plain inih: a long command is refused");
	is_str(seen.s, "1[a]|", "plain inih: nothing of it is seen");
	is_err(read_text(TEXT("[a]\nk = drush updb ; drush cr\nl = w\n"),
	    &seen), ERR_CONFIG, refusal, "plain inih: ' ;' is refused");
	is_str(seen.s, "1[a]|", "plain inih: nothing of that is seen");
	is_err(read_text(TEXT("[a]\nk ;l = v"), &seen), ERR_CONFIG, refusal,
	    "plain inih: ' ;' in the last key is refused");
	str_addf(&text, "[a]\nk%300s= v\n", "");
	is_err(read_text(text.s, text.len, &seen), ERR_CONFIG, refusal,
	    "plain inih: a key far from its value is refused");
	str_clear(&text);
	str_addf(&text, "[a]\n%300s\n# %0300d = 1\n  k = v\n  l = w;x\n", "",
	    0);
	is_ok(read_text(text.s, text.len, &seen),
	    "plain inih: white space and comments may be long");
	is_str(seen.s, "1[a]|4 a.k=v|5 a.l=w;x|",
	    "plain inih: what it can read is read");
	is_ok(read_text(TEXT("[a]\nk = v\n[b ;c]\nk = v\n"), &seen),
	    "plain inih: ' ;' in a section");
	is_str(seen.s, "1[a]|2 a.k=v|3[b ;c]|4 b ;c.k=v|",
	    "plain inih: the section is not mistaken");
	plain_build = false;
	str_release(&text);
	str_release(&seen);
	str_release(&wanted);
}

int
main(void)
{
	test_tables();
	test_stop();
	test_long();
	test_plain_build();
	return tap_done();
}
