/*
 * Texts from outside on a terminal: nothing in them is obeyed, what is
 * harmless stays as it is, and no column gets wider than it is to be.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "report/line.h"

static void
check_visible(const char *bytes, size_t len)
{
	struct str once = STR_INIT, twice = STR_INIT;

	str_add_visible(&once, bytes, len);
	assert(fuzz_is_safe(once.s, once.len, false));
	str_add_visible(&twice, once.s, once.len);
	assert(strcmp(once.s, twice.s) == 0);
	if (fuzz_is_plain(bytes, len))
		assert(once.len == len && memcmp(once.s, bytes, len) == 0);
	str_release(&once);
	str_release(&twice);
}

/* Characters, by another way than the code's. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
check_columns(const char *text, size_t columns)
{
	struct str cut = STR_INIT, cell = STR_INIT, whole = STR_INIT;

	line_text(&whole, text);
	line_cut(&cut, text, columns);
	line_cell(&cell, text, columns);
	assert(fuzz_is_safe(whole.s, whole.len, false));
	assert(fuzz_is_safe(cut.s, cut.len, false));
	assert(fuzz_is_safe(cell.s, cell.len, false));
	assert(width(cut.s) <= (columns < 3 ? 3 : columns));
	assert(width(cell.s) >= columns + 2);
	if (width(whole.s) <= columns)
		assert(strcmp(whole.s, cut.s) == 0 &&
		    width(cell.s) == columns + 2);
	str_release(&whole);
	str_release(&cut);
	str_release(&cell);
}

static void
check_lines(const char *text)
{
	struct str out = STR_INIT;

	line_output(&out, text);
	assert(fuzz_is_safe(out.s, out.len, false));
	str_clear(&out);
	line_commit(&out, text);
	assert(fuzz_is_safe(out.s, out.len, false));
	str_clear(&out);
	line_pair(&out, "label", text);
	assert(fuzz_is_safe(out.s, out.len, true));
	assert(strchr(out.s, '\n') == out.s + out.len - 1);
	str_release(&out);
}

/* What a shell makes of a word, as far as str_add_word() quotes. */
static void
unquote(struct str *out, const char *word)
{
	bool quoted = false;

	for (; *word != '\0'; word++) {
		if (*word == '\'')
			quoted = !quoted;
		else if (*word == '\\' && !quoted)
			str_addch(out, *++word);
		else
			str_addch(out, *word);
		/* Nothing that a shell would act on stands free. */
		assert(quoted || *word == '\'' ||
		    strchr(" \t\n$`\"|&;<>()*?[]#~!{}", *word) == NULL);
	}
	assert(!quoted);
}

/* The same of one that has a command print it. */
static void
unprint(struct str *out, const char *word)
{
	for (word = strchr(word, '\'') + 1; *word != '\''; word++) {
		assert(*word != '\0' && *word != '!');
		if (*word == '\\' && word[1] != '\\') {
			str_addch(out, (char)((word[1] - '0') << 6 |
			    (word[2] - '0') << 3 | (word[3] - '0')));
			word += 3;
		} else {
			word += *word == '\\' || *word == '%';
			str_addch(out, *word);
		}
	}
	assert(strcmp(word, "')\"") == 0);
}

static void
check_word(const char *text)
{
	struct str word = STR_INIT, back = STR_INIT;

	str_add_word(&word, text);
	assert(fuzz_is_safe(word.s, word.len, false));
	if (str_starts_with(word.s, "\"$(printf -- '"))
		unprint(&back, word.s);
	else
		unquote(&back, word.s);
	assert(strcmp(back.s, text) == 0);
	str_release(&word);
	str_release(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	char *text = fuzz_string(data, size);

	check_visible(bytes, size);
	check_columns(text, size == 0 ? 0 : data[size - 1] % 80);
	check_lines(text);
	check_word(text);
	free(text);
	free(bytes);
	return 0;
}
