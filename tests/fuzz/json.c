/*
 * The writer of JSON: whatever is written with it, in whatever order its
 * rules allow, is one value as RFC 8259 has it, in UTF-8, and on a terminal
 * harmless.
 */
#include "json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Deep enough to meet the limit of the writer's depth is not tried. */
#define DEPTH_MAX 6

enum act {
	ACT_OBJECT, ACT_ARRAY, ACT_END, ACT_BYTES, ACT_INT, ACT_BOOL,
	ACT_NULL, ACT_STRING, ACT_TIME, ACT_COUNT
};

static int64_t
take_number(struct fuzz *fuzz)
{
	uint64_t n = 0;

	for (unsigned int i = fuzz_byte(fuzz) % 9; i > 0; i--)
		n = n << 8 | fuzz_byte(fuzz);
	return (int64_t)n;
}

static void
write_scalar(struct json *json, struct fuzz *fuzz, enum act act)
{
	const char *bytes;
	char *text;
	size_t len;

	switch (act) {
	case ACT_BYTES:
		bytes = fuzz_bytes(fuzz, &len);
		json_bytes(json, bytes, len);
		break;
	case ACT_INT:
		json_int(json, take_number(fuzz));
		break;
	case ACT_BOOL:
		json_bool(json, fuzz_byte(fuzz) % 2 == 1);
		break;
	case ACT_STRING:
		text = fuzz_text(fuzz);
		json_string(json, text);
		free(text);
		break;
	default:
		json_null(json);
		break;
	}
}

/* Keys in objects, none in arrays; one value at the top. */
static void
write_value(struct json *json, struct fuzz *fuzz)
{
	do {
		enum act act = fuzz_byte(fuzz) % ACT_COUNT;
		bool in_object = json->depth > 0 &&
		    json->close[json->depth - 1] == '}';

		if (fuzz->left == 0 || act == ACT_END) {
			if (json->depth > 0)
				json_end(json);
			else
				json_null(json);
			continue;
		}
		if (in_object) {
			char *key = fuzz_text(fuzz);

			if (act == ACT_TIME)
				json_key_time(json, key, take_number(fuzz) %
				    253402300800000);
			else
				json_key(json, key);
			free(key);
			if (act == ACT_TIME)
				continue;
		}
		if (act == ACT_OBJECT && json->depth < DEPTH_MAX)
			json_object(json);
		else if (act == ACT_ARRAY && json->depth < DEPTH_MAX)
			json_array(json);
		else
			write_scalar(json, fuzz, act);
	} while (json->depth > 0);
}

/* A reader of its own, which takes nothing that is not in the grammar. */
static const char *skip_value(const char *at, int depth);

static const char *
skip_white(const char *at)
{
	return at + strspn(at, " \n");
}

static const char *
skip_string(const char *at)
{
	assert(*at++ == '"');
	while (*at != '"') {
		assert((unsigned char)*at >= 0x20 && *at != 0x7f);
		if (*at++ != '\\')
			continue;
		if (*at == 'u') {
			assert(strspn(at + 1, "0123456789abcdef") >= 4);
			at += 5;
		} else {
			assert(*at != '\0' && strchr("\"\\bfnrt", *at));
			at++;
		}
	}
	return at + 1;
}

static const char *
skip_members(const char *at, char close, int depth)
{
	at = skip_white(at + 1);
	if (*at == close)
		return at + 1;
	for (;;) {
		if (close == '}') {
			at = skip_white(skip_string(at));
			assert(*at == ':');
			at = skip_white(at + 1);
		}
		at = skip_white(skip_value(at, depth + 1));
		if (*at == close)
			return at + 1;
		assert(*at == ',');
		at = skip_white(at + 1);
	}
}

static const char *
skip_value(const char *at, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t digits;

	assert(depth <= DEPTH_MAX);
	if (*at == '{' || *at == '[')
		return skip_members(at, *at == '{' ? '}' : ']', depth);
	if (*at == '"')
		return skip_string(at);
	for (size_t i = 0; i < 3; i++) {
		if (str_starts_with(at, words[i]))
			return at + strlen(words[i]);
	}
	at += *at == '-';
	digits = strspn(at, "0123456789");
	assert(digits == 1 || (digits > 1 && *at != '0'));
	return at + digits;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = { data, size };
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);

	json.pretty = fuzz_byte(&fuzz) % 2 == 1;
	write_value(&json, &fuzz);
	assert(json.depth == 0 && strlen(out.s) == out.len);
	assert(*skip_white(skip_value(out.s, 0)) == '\0');
	assert(fuzz_is_safe(out.s, out.len, json.pretty));
	str_release(&out);
	return 0;
}
