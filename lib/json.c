#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "clock.h"

static void
add_line_start(struct json *json)
{
	if (!json->pretty)
		return;
	str_addch(json->out, '\n');
	for (int i = 0; i < json->depth; i++)
		str_add(json->out, "  ");
}

static void
add_separator(struct json *json)
{
	if (json->depth == 0)
		return;
	if (json->filled[json->depth - 1])
		str_addch(json->out, ',');
	json->filled[json->depth - 1] = true;
	add_line_start(json);
}

static void
start_value(struct json *json)
{
	if (json->after_key) {
		json->after_key = false;
		return;
	}
	assert(json->depth == 0 || json->close[json->depth - 1] == ']');
	add_separator(json);
}

static void
open_level(struct json *json, const char *open, char close)
{
	start_value(json);
	assert(json->depth < JSON_DEPTH_MAX);
	str_add(json->out, open);
	json->close[json->depth] = close;
	json->filled[json->depth] = false;
	json->depth++;
}

void
json_object(struct json *json)
{
	open_level(json, "{", '}');
}

void
json_array(struct json *json)
{
	open_level(json, "[", ']');
}

void
json_end(struct json *json)
{
	assert(json->depth > 0 && !json->after_key);
	json->depth--;
	if (json->filled[json->depth])
		add_line_start(json);
	str_addch(json->out, json->close[json->depth]);
}

static void
add_escape(struct str *out, long code)
{
	static const char codes[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	const char *at = NULL;

	if (code > 0 && code < 0x7f)
		at = strchr(codes, (int)code);
	if (at != NULL)
		str_addf(out, "\\%c", letters[at - codes]);
	else if (code > 0xffff)
		str_addf(out, "\\u%04lx\\u%04lx", 0xd7c0 + (code >> 10),
		    0xdc00 + (code & 0x3ff));
	else
		str_addf(out, "\\u%04lx", code);
}

/*
 * Besides what RFC 8259 wants escaped, whatever a terminal would obey or
 * not show, or a line reader would split at: people look at --json too.
 */
static void
add_quoted(struct str *out, const char *bytes, size_t len)
{
	str_addch(out, '"');
	while (len > 0) {
		size_t used;
		long code = str_decode(bytes, len, &used);

		if (code == -1)
			str_add(out, "\xef\xbf\xbd");
		else if (code == '"' || code == '\\' || str_is_unseen(code))
			add_escape(out, code);
		else
			str_add_bytes(out, bytes, used);
		bytes += used;
		len -= used;
	}
	str_addch(out, '"');
}

void
json_key(struct json *json, const char *key)
{
	assert(json->depth > 0 && json->close[json->depth - 1] == '}');
	assert(!json->after_key);
	add_separator(json);
	add_quoted(json->out, key, strlen(key));
	str_add(json->out, json->pretty ? ": " : ":");
	json->after_key = true;
}

void
json_string(struct json *json, const char *s)
{
	if (s == NULL)
		json_null(json);
	else
		json_bytes(json, s, strlen(s));
}

void
json_bytes(struct json *json, const char *bytes, size_t len)
{
	start_value(json);
	add_quoted(json->out, bytes, len);
}

void
json_int(struct json *json, int64_t value)
{
	start_value(json);
	str_addf(json->out, "%" PRId64, value);
}

void
json_bool(struct json *json, bool value)
{
	start_value(json);
	str_add(json->out, value ? "true" : "false");
}

void
json_null(struct json *json)
{
	start_value(json);
	str_add(json->out, "null");
}

void
json_key_string(struct json *json, const char *key, const char *s)
{
	json_key(json, key);
	json_string(json, s);
}

void
json_key_int(struct json *json, const char *key, int64_t value)
{
	json_key(json, key);
	json_int(json, value);
}

void
json_key_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

void
json_key_time(struct json *json, const char *key, int64_t at)
{
	char iso[CLOCK_ISO_SIZE];

	json_key(json, key);
	if (at == 0) {
		json_null(json);
		return;
	}
	clock_iso(iso, at);
	json_string(json, iso);
}
