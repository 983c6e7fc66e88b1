/*
 * The reader half of json.h. It never recurses and never looks beyond the
 * end, so no line can hurt it.
 */
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define REPLACEMENT 0xfffdL

struct cursor {
	const char *start, *at, *end;
};

static const struct err *
corrupt(const struct cursor *cursor, const char *wanted)
{
	return err_new(ERR_CORRUPT, "JSON, byte %zu: %s expected",
	    (size_t)(cursor->at - cursor->start), wanted);
}

/* The present byte; NUL, which no JSON has outside a string, at the end. */
static char
peek(const struct cursor *cursor)
{
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

static void
skip_white(struct cursor *cursor)
{
	while (cursor->at < cursor->end &&
	    (*cursor->at == ' ' || *cursor->at == '\t' ||
	    *cursor->at == '\n' || *cursor->at == '\r'))
		cursor->at++;
}

/* Pass over "c" and the white space around it. */
static bool
accept(struct cursor *cursor, char c)
{
	skip_white(cursor);
	if (peek(cursor) != c || cursor->at == cursor->end)
		return false;
	cursor->at++;
	skip_white(cursor);
	return true;
}

static void
add_utf8(struct str *out, long code)
{
	if (code < 0x80) {
		str_addch(out, (char)code);
		return;
	}
	if (code < 0x800) {
		str_addch(out, (char)(0xc0 | code >> 6));
	} else {
		if (code < 0x10000) {
			str_addch(out, (char)(0xe0 | code >> 12));
		} else {
			str_addch(out, (char)(0xf0 | code >> 18));
			str_addch(out, (char)(0x80 | (code >> 12 & 0x3f)));
		}
		str_addch(out, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	str_addch(out, (char)(0x80 | (code & 0x3f)));
}

/* The four digits of \uXXXX, or -1. */
static long
parse_hex4(struct cursor *cursor)
{
	static const char digits[] = "0123456789abcdef";
	long code = 0;

	if (cursor->end - cursor->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *cursor->at;
		const char *digit;

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		digit = c == '\0' ? NULL : strchr(digits, c);
		if (digit == NULL)
			return -1;
		code = code * 16 + (digit - digits);
		cursor->at++;
	}
	return code;
}

/* The second half of a surrogate pair, if it follows; nothing else moves. */
static long
parse_low_surrogate(struct cursor *cursor)
{
	struct cursor ahead = *cursor;
	long low;

	if (ahead.end - ahead.at < 6 || memcmp(ahead.at, "\\u", 2) != 0)
		return -1;
	ahead.at += 2;
	low = parse_hex4(&ahead);
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	*cursor = ahead;
	return low;
}

static const struct err *
parse_unicode(struct cursor *cursor, struct str *out)
{
	long code = parse_hex4(cursor), low = -1;

	if (code == -1)
		return corrupt(cursor, "a hexadecimal digit");
	if (code >= 0xd800 && code <= 0xdbff)
		low = parse_low_surrogate(cursor);
	if (low != -1)
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	else if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
		code = REPLACEMENT;
	add_utf8(out, code);
	return NULL;
}

/* The backslash was passed over. */
static const struct err *
parse_escape(struct cursor *cursor, struct str *out)
{
	static const char letters[] = "bfnrt\"\\/";
	static const char codes[] = "\b\f\n\r\t\"\\/";
	char c = peek(cursor);
	const char *at = c == '\0' ? NULL : strchr(letters, c);

	if (c != 'u' && at == NULL)
		return corrupt(cursor, "an escape");
	cursor->at++;
	if (c == 'u')
		return parse_unicode(cursor, out);
	str_addch(out, codes[at - letters]);
	return NULL;
}

/* One character of a string that is not its closing quote. */
static const struct err *
parse_char(struct cursor *cursor, struct str *out)
{
	size_t used;
	long code;

	if (cursor->at == cursor->end)
		return corrupt(cursor, "'\"'");
	if (*cursor->at == '\\') {
		cursor->at++;
		return parse_escape(cursor, out);
	}
	code = str_decode(cursor->at, (size_t)(cursor->end - cursor->at),
	    &used);
	if (code == -1)
		return corrupt(cursor, "UTF-8");
	if (code < 0x20)
		return corrupt(cursor, "an escaped control character");
	str_add_bytes(out, cursor->at, used);
	cursor->at += used;
	return NULL;
}

static const struct err *
parse_string(struct cursor *cursor, char **out)
{
	struct str str = STR_INIT;
	const struct err *err = NULL;

	*out = NULL;
	if (peek(cursor) != '"')
		return corrupt(cursor, "a string");
	cursor->at++;
	while (err == NULL && peek(cursor) != '"')
		err = parse_char(cursor, &str);
	if (err == NULL) {
		cursor->at++;
		*out = str_detach(&str);
	}
	str_release(&str);
	return err;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct err *
parse_int(struct cursor *cursor, char **out)
{
	const char *start = cursor->at;

	if (peek(cursor) == '-')
		cursor->at++;
	if (!is_digit(peek(cursor)))
		return corrupt(cursor, "a digit");
	if (peek(cursor) == '0')
		cursor->at++;
	else
		while (is_digit(peek(cursor)))
			cursor->at++;
	*out = xstrndup(start, (size_t)(cursor->at - start));
	return NULL;
}

static bool
accept_word(struct cursor *cursor, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(cursor->end - cursor->at) < len ||
	    memcmp(cursor->at, word, len) != 0)
		return false;
	cursor->at += len;
	return true;
}

static const struct err *
parse_value(struct cursor *cursor, char **out)
{
	*out = NULL;
	if (peek(cursor) == '"')
		return parse_string(cursor, out);
	if (peek(cursor) == '-' || is_digit(peek(cursor)))
		return parse_int(cursor, out);
	if (accept_word(cursor, "null"))
		return NULL;
	if (accept_word(cursor, "true"))
		*out = xstrdup("true");
	else if (accept_word(cursor, "false"))
		*out = xstrdup("false");
	else
		return corrupt(cursor, "a string, an integer, a boolean or"
		    " null");
	return NULL;
}

static struct json_pair *
find(const struct json_flat *flat, const char *key)
{
	for (size_t i = 0; i < flat->n; i++) {
		if (strcmp(flat->pairs[i].key, key) == 0)
			return &flat->pairs[i];
	}
	return NULL;
}

static void
put_take(struct json_flat *flat, char *key, char *value)
{
	struct json_pair *pair = find(flat, key);

	if (pair != NULL) {
		free(key);
		free(pair->value);
		pair->value = value;
		return;
	}
	if (flat->n == flat->size) {
		flat->size = flat->size == 0 ? 16 : flat->size * 2;
		flat->pairs = xreallocarray(flat->pairs, flat->size,
		    sizeof(*flat->pairs));
	}
	flat->pairs[flat->n].key = key;
	flat->pairs[flat->n].value = value;
	flat->n++;
}

static const struct err *
parse_member(struct cursor *cursor, struct json_flat *flat)
{
	const struct err *err;
	char *key, *value;

	err = parse_string(cursor, &key);
	if (err != NULL)
		return err;
	if (accept(cursor, ':'))
		err = parse_value(cursor, &value);
	else
		err = corrupt(cursor, "':'");
	if (err != NULL) {
		free(key);
		return err;
	}
	put_take(flat, key, value);
	return NULL;
}

static const struct err *
parse_object(struct cursor *cursor, struct json_flat *flat)
{
	const struct err *err;

	if (!accept(cursor, '{'))
		return corrupt(cursor, "'{'");
	if (!accept(cursor, '}')) {
		do {
			err = parse_member(cursor, flat);
			if (err != NULL)
				return err;
		} while (accept(cursor, ','));
		if (!accept(cursor, '}'))
			return corrupt(cursor, "',' or '}'");
	}
	return cursor->at == cursor->end ? NULL : corrupt(cursor, "the end");
}

const struct err *
json_flat_parse(struct json_flat *flat, const char *line, size_t len)
{
	struct cursor cursor = { line, line, line + len };
	const struct err *err;

	json_flat_release(flat);
	err = parse_object(&cursor, flat);
	if (err != NULL)
		json_flat_release(flat);
	return err;
}

void
json_flat_release(struct json_flat *flat)
{
	for (size_t i = 0; i < flat->n; i++) {
		free(flat->pairs[i].key);
		free(flat->pairs[i].value);
	}
	free(flat->pairs);
	flat->pairs = NULL;
	flat->n = 0;
	flat->size = 0;
}

const char *
json_flat_get(const struct json_flat *flat, const char *key)
{
	const struct json_pair *pair = find(flat, key);

	return pair == NULL ? NULL : pair->value;
}

int64_t
json_flat_int(const struct json_flat *flat, const char *key,
    int64_t otherwise)
{
	const char *text = json_flat_get(flat, key);
	char *end;
	long long value;

	if (text == NULL || (text[0] != '-' && !is_digit(text[0])))
		return otherwise;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return otherwise;
	return value;
}
