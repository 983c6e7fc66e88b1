/*
 * What a terminal would obey, or would not show, is looked up in one table:
 * control characters, what turns the direction of text, separators of lines,
 * and the characters of Unicode that format and have no shape of their own.
 */
#include "str.h"

#include <string.h>

/* The longest colour sequence that is passed on, in bytes. */
#define SGR_MAX 32

/* In ascending order. */
static const struct {
	long first, last;
} unseen[] = {
	{ 0x00, 0x1f },		/* C0 */
	{ 0x7f, 0x9f },		/* DEL, C1 */
	{ 0xad, 0xad },		/* soft hyphen */
	{ 0x34f, 0x34f },	/* combining grapheme joiner */
	{ 0x61c, 0x61c },	/* Arabic letter mark */
	{ 0x115f, 0x1160 },	/* Hangul fillers */
	{ 0x17b4, 0x17b5 },	/* Khmer vowels that are not shown */
	{ 0x180b, 0x180f },	/* Mongolian selectors and separator */
	{ 0x200b, 0x200f },	/* zero width, marks of direction */
	{ 0x2028, 0x202e },	/* lines, embeddings, overrides */
	{ 0x2060, 0x206f },	/* joiner, invisible operators, isolates */
	{ 0x3164, 0x3164 },	/* Hangul filler */
	{ 0xfe00, 0xfe0f },	/* variation selectors */
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0xffa0, 0xffa0 },	/* Hangul filler, half width */
	{ 0xfff0, 0xfffb },	/* annotation */
	{ 0x1bca0, 0x1bca3 },	/* shorthand */
	{ 0x1d173, 0x1d17a },	/* music */
	{ 0xe0000, 0xe0fff },	/* tags, more selectors */
};

bool
str_is_unseen(long code)
{
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
		if (code <= unseen[i].last)
			return code >= unseen[i].first;
	}
	return false;
}

/* Signs and pictures, which two of the unseen characters give a shape. */
static bool
is_picture(long code)
{
	return code == 0xa9 || code == 0xae || code == 0xfe0f ||
	    (code >= 0x203c && code <= 0x3299) ||
	    (code >= 0x1f000 && code <= 0x1faff);
}

/* Commit messages are full of them: a heart, a developer at her desk. */
static bool
is_shown(long code, long before)
{
	if (code == 0xfe0f)
		return before != 0xfe0f && is_picture(before);
	return code == 0x200d ? is_picture(before) : !str_is_unseen(code);
}

static void
add_hex(struct str *str, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		char text[] = { '\\', 'x', digits[byte >> 4],
		    digits[byte & 15] };

		str_add_bytes(str, text, sizeof(text));
	}
}

/* How many bytes at the start are plain: most of them are. */
static size_t
plain_length(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] >= 0x20 && bytes[n] < 0x7f)
		n++;
	return n;
}

void
str_add_visible(struct str *str, const char *bytes, size_t len)
{
	long before = 0;

	for (size_t i = 0; i < len; ) {
		size_t n = plain_length(bytes + i, len - i);
		bool shown;
		long c;

		if (n > 0) {
			str_add_bytes(str, bytes + i, n);
			before = bytes[i + n - 1];
			i += n;
			continue;
		}
		c = str_decode(bytes + i, len - i, &n);
		shown = c != -1 && is_shown(c, before);
		if (shown)
			str_add_bytes(str, bytes + i, n);
		else
			add_hex(str, bytes + i, n);
		/* What is escaped shapes nothing behind it. */
		before = shown ? c : 0;
		i += n;
	}
}

size_t
str_colour_length(const char *bytes, size_t len)
{
	size_t n = 2;

	if (len < 3 || bytes[0] != '\x1b' || bytes[1] != '[')
		return 0;
	while (n < len && n < SGR_MAX && ((bytes[n] >= '0' &&
	    bytes[n] <= '9') || bytes[n] == ';' || bytes[n] == ':'))
		n++;
	return n < len && bytes[n] == 'm' ? n + 1 : 0;
}

void
str_add_coloured(struct str *str, const char *bytes, size_t len)
{
	size_t start = 0, i = 0;

	while (i < len) {
		size_t n = str_colour_length(bytes + i, len - i);

		if (n == 0) {
			i++;
			continue;
		}
		str_add_visible(str, bytes + start, i - start);
		str_add_bytes(str, bytes + i, n);
		i += n;
		start = i;
	}
	str_add_visible(str, bytes + start, len - start);
}

/*
 * For any shell: dash has no $'...'. A "!" between double quotes means
 * something to bash, where somebody types.
 */
static void
add_printf(struct str *out, const char *word)
{
	str_add(out, "\"$(printf -- '");
	for (; *word != '\0'; word++) {
		if (*word < ' ' || *word > '~' || *word == '!' ||
		    *word == '\'') {
			str_addf(out, "\\%03o", (unsigned char)*word);
			continue;
		}
		if (*word == '\\' || *word == '%')
			str_addch(out, *word);
		str_addch(out, *word);
	}
	str_add(out, "')\"");
}

void
str_add_word(struct str *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789/._-+@%:=,";
	struct str quoted = STR_INIT, visible = STR_INIT;
	const char *p = word;

	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		str_add(out, word);
		return;
	}
	str_addch(&quoted, '\'');
	for (; *p != '\0'; p++) {
		if (*p == '\'')
			str_add(&quoted, "'\\''");
		else
			str_addch(&quoted, *p);
	}
	str_addch(&quoted, '\'');
	str_add_visible(&visible, quoted.s, quoted.len);
	if (strcmp(visible.s, quoted.s) == 0)
		str_add(out, quoted.s);
	else
		add_printf(out, word);
	str_release(&quoted);
	str_release(&visible);
}
