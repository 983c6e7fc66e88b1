/*
 * The reader of INI texts: what it hands over is whole, in order and on its
 * line, and says the same when it is written down and read again. A fault
 * names a line of the text.
 */
#include "ini.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "str.h"

struct seen {
	struct str text;	/* as it would be written */
	int line;
	size_t left;		/* an error of ours after so many; 0: none */
};

/* White space around, or a newline within, would not come back. */
static void
check_trimmed(const char *s)
{
	size_t len = strlen(s);

	assert(strchr(s, '\n') == NULL);
	assert(len == 0 || strchr(" \t\r\v\f", s[0]) == NULL);
	assert(len == 0 || strchr(" \t\r\v\f", s[len - 1]) == NULL);
	assert(fuzz_is_utf8(s, len));
}

static const struct err *
take(const char *section, const char *key, const char *value, int line,
    void *ctx)
{
	struct seen *seen = ctx;

	assert(line > seen->line);
	seen->line = line;
	check_trimmed(section);
	assert(*section != '\0' && strlen(section) <= INI_SECTION_MAX);
	assert((key == NULL) == (value == NULL));
	if (key == NULL) {
		str_addf(&seen->text, "[%s]\n", section);
	} else {
		check_trimmed(key);
		check_trimmed(value);
		assert(*key != '\0' && strlen(key) <= INI_KEY_MAX);
		assert(strpbrk(key, "=:") == NULL);
		str_addf(&seen->text, "%s = %s\n", key, value);
	}
	if (seen->left > 0 && --seen->left == 0)
		return err_new(ERR_REFUSED, "enough");
	return NULL;
}

static int
count_lines(const char *text, size_t len)
{
	int n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void
check_fault(const struct err *err, const char *text, size_t len)
{
	int line = 0;

	assert(err->code == ERR_CONFIG);
	assert(sscanf(err->text, "fuzz.ini:%d: ", &line) == 1);
	assert(line >= 1 && line <= count_lines(text, len));
}

/* What was read comes again, without faults. */
static void
check_again(const struct str *text)
{
	struct seen seen = { .text = STR_INIT };

	assert(ini_read("fuzz.ini", text->s, text->len, take, &seen) ==
	    NULL);
	assert(strcmp(seen.text.s, text->s) == 0);
	str_release(&seen.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .text = STR_INIT };
	struct seen cut = { .text = STR_INIT, .left = size % 3 + 1 };
	char *text = fuzz_copy(data, size);
	const struct err *err;

	err = ini_read("fuzz.ini", text, size, take, &seen);
	if (err != NULL)
		check_fault(err, text, size);
	check_again(&seen.text);
	/* Our own error ends it, and comes as it is. */
	err = ini_read("fuzz.ini", text, size, take, &cut);
	assert(cut.left > 0 || err->code == ERR_REFUSED);
	assert(strncmp(seen.text.s, cut.text.s, cut.text.len) == 0);
	str_release(&seen.text);
	str_release(&cut.text);
	free(text);
	return 0;
}
