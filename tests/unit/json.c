#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void
write_sample(struct json *json)
{
	json_object(json);
	json_key_string(json, "state", "live");
	json_key_string(json, "error", NULL);
	json_key_int(json, "deploy", -41);
	json_key_bool(json, "yes", true);
	json_key_bool(json, "no", false);
	json_key_time(json, "never_at", 0);
	json_key(json, "steps");
	json_array(json);
	json_int(json, INT64_MIN);
	json_object(json);
	json_key(json, "none");
	json_null(json);
	json_end(json);
	json_bool(json, true);
	json_end(json);
	json_key(json, "empty");
	json_array(json);
	json_end(json);
	json_key(json, "bare");
	json_object(json);
	json_end(json);
	json_end(json);
}

static void
test_layout(void)
{
	struct str out = STR_INIT;
	struct json line = JSON_INIT(&out);
	struct json pretty = JSON_INIT(&out);
	struct json list = JSON_INIT(&out);

	write_sample(&line);
	is_str(out.s, "{\"state\":\"live\",\"error\":null,\"deploy\":-41,"
	    "\"yes\":true,\"no\":false,\"never_at\":null,"
	    "\"steps\":[-9223372036854775808,{\"none\":null},true],"
	    "\"empty\":[],\"bare\":{}}", "on one line");
	str_clear(&out);
	pretty.pretty = true;
	write_sample(&pretty);
	is_str(out.s, "{\n  \"state\": \"live\",\n  \"error\": null,\n"
	    "  \"deploy\": -41,\n  \"yes\": true,\n  \"no\": false,\n"
	    "  \"never_at\": null,\n  \"steps\": [\n"
	    "    -9223372036854775808,\n    {\n      \"none\": null\n    },\n"
	    "    true\n  ],\n  \"empty\": [],\n  \"bare\": {}\n}", "pretty");
	str_clear(&out);
	list.pretty = true;
	json_array(&list);
	json_end(&list);
	is_str(out.s, "[]", "an empty array, pretty");
	str_release(&out);
}

static void
test_time(void)
{
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);

	json_object(&json);
	json_key_time(&json, "at", INT64_C(1795169698120));
	json_end(&json);
	is_str(out.s, "{\"at\":\"2026-11-20T10:14:58.120Z\"}", "an instant");
	str_release(&out);
}

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *bytes;
	size_t len;
	const char *json;
} strings[] = {
	{ TEXT(""), "\"\"" },
	{ TEXT("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"" },
	{ TEXT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
	{ TEXT("\0\x01\x1b\x1f\x7f"),
	    "\"\\u0000\\u0001\\u001b\\u001f\\u007f\"" },
	{ TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
	    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ TEXT("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8"),
	    "\"\\u009b\\u202e\\u2028\"" },
	{ TEXT("\xf3\xa0\x81\x81\xe2\x80\x8b"),
	    "\"\\udb40\\udc41\\u200b\"" },
	{ TEXT("a\xff" "b\xc3"), "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"" },
	{ TEXT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

static void
test_strings(void)
{
	struct str out = STR_INIT;

	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		struct json json = JSON_INIT(&out);

		str_clear(&out);
		json_bytes(&json, strings[i].bytes, strings[i].len);
		is_str(out.s, strings[i].json, "string %zu", i);
	}
	str_release(&out);
}

/* A copy of the exact size, so that a sanitizer sees a read beyond it. */
static const struct err *
parse(struct json_flat *flat, const char *bytes, size_t len)
{
	char *copy = malloc(len + (len == 0));
	const struct err *err;

	if (len > 0)
		memcpy(copy, bytes, len);
	err = json_flat_parse(flat, copy, len);
	free(copy);
	return err;
}

/* "key=value|" for each pair. */
static const struct {
	const char *line;
	size_t len;
	const char *pairs;
} good[] = {
	{ TEXT("{}"), "" },
	{ TEXT(" { } \r\n"), "" },
	{ TEXT("{\"a\":\"b\"}"), "a=b|" },
	{ TEXT("\t{ \"a\" : \"b\" , \"c\" : -12 }\n"), "a=b|c=-12|" },
	{ TEXT("{\"a\":true,\"b\":false,\"c\":null}"),
	    "a=true|b=false|c=(null)|" },
	{ TEXT("{\"a\":0,\"b\":-0,\"c\":1234567890123456789012}"),
	    "a=0|b=-0|c=1234567890123456789012|" },
	{ TEXT("{\"\":\"\"}"), "=|" },
	{ TEXT("{\"a\":1,\"b\":2,\"a\":\"3\"}"), "a=3|b=2|" },
	{ TEXT("{\"a\":1,\"a\":null}"), "a=(null)|" },
	{ TEXT("{\"\\u0061\":1,\"a\":2}"), "a=2|" },
	{ TEXT("{\"a\":\"\\b\\f\\n\\r\\t\\\"\\\\\\/\"}"),
	    "a=\b\f\n\r\t\"\\/|" },
	{ TEXT("{\"a\":\"\\u00e4\\u20AC\\u007f\\u07ff\\u0800\\uffff\"}"),
	    "a=\xc3\xa4\xe2\x82\xac\x7f\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf|" },
	{ TEXT("{\"a\":\"\\ud83d\\ude00\\uDBFF\\uDFFF\\ud800\\udc00\"}"),
	    "a=\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80|" },
	{ TEXT("{\"a\":\"\\ud83d\"}"), "a=\xef\xbf\xbd|" },
	{ TEXT("{\"a\":\"\\ud83dx\"}"), "a=\xef\xbf\xbdx|" },
	{ TEXT("{\"a\":\"\\ud83d\\n\"}"), "a=\xef\xbf\xbd\n|" },
	{ TEXT("{\"a\":\"\\ud83d\\u0041\"}"), "a=\xef\xbf\xbd" "A|" },
	{ TEXT("{\"a\":\"\\ud83d\\ud83d\\ude00\"}"),
	    "a=\xef\xbf\xbd\xf0\x9f\x98\x80|" },
	{ TEXT("{\"a\":\"\\ude00\"}"), "a=\xef\xbf\xbd|" },
	{ TEXT("{\"a\":\"x\\u0000y\"}"), "a=x\xef\xbf\xbdy|" },
	{ TEXT("{\"a\":\"\xc3\xa4\x7f\"}"), "a=\xc3\xa4\x7f|" },
};

static const struct {
	const char *line;
	size_t len;
	const char *part;
} bad[] = {
	{ TEXT(""), "byte 0: '{' expected" },
	{ TEXT("[]"), "byte 0: '{' expected" },
	{ TEXT("1"), "byte 0: '{' expected" },
	{ TEXT("{"), "a string expected" },
	{ TEXT("{,}"), "byte 1: a string expected" },
	{ TEXT("{\"a\"}"), "byte 4: ':' expected" },
	{ TEXT("{\"a\":}"), "a string, an integer" },
	{ TEXT("{\"a\":1,}"), "byte 7: a string expected" },
	{ TEXT("{\"a\":1 \"b\":2}"), "',' or '}' expected" },
	{ TEXT("{\"a\":1"), "',' or '}' expected" },
	{ TEXT("{\"a\":1}}"), "byte 7: the end expected" },
	{ TEXT("{}\0"), "byte 2: the end expected" },
	{ TEXT("\0{}"), "byte 0: '{' expected" },
	{ TEXT("{a:1}"), "a string expected" },
	{ TEXT("{\"a\":{}}"), "a string, an integer" },
	{ TEXT("{\"a\":[1]}"), "a string, an integer" },
	{ TEXT("{\"a\":nul}"), "a string, an integer" },
	{ TEXT("{\"a\":nullx}"), "',' or '}' expected" },
	{ TEXT("{\"a\":-}"), "a digit expected" },
	{ TEXT("{\"a\":+1}"), "a string, an integer" },
	{ TEXT("{\"a\":01}"), "',' or '}' expected" },
	{ TEXT("{\"a\":1.5}"), "',' or '}' expected" },
	{ TEXT("{\"a\":1e3}"), "',' or '}' expected" },
	{ TEXT("{\"a"), "'\"' expected" },
	{ TEXT("{\"a\\"), "an escape expected" },
	{ TEXT("{\"a\":\"\\x\"}"), "an escape expected" },
	{ TEXT("{\"a\":\"\\\0\"}"), "an escape expected" },
	{ TEXT("{\"a\":\"\\u12"), "a hexadecimal digit expected" },
	{ TEXT("{\"a\":\"\\u12g4\"}"), "a hexadecimal digit expected" },
	{ TEXT("{\"a\":\"\\ud83d\\u12"), "a hexadecimal digit expected" },
	{ TEXT("{\"a\":\"x\ny\"}"), "an escaped control character" },
	{ TEXT("{\"a\":\"x\0y\"}"), "an escaped control character" },
	{ TEXT("{\"a\":\"\xff\"}"), "UTF-8 expected" },
	{ TEXT("{\"a\":\"\xe2\x82"), "UTF-8 expected" },
};

static void
test_flat(void)
{
	struct json_flat flat = JSON_FLAT_INIT;
	struct str pairs = STR_INIT;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		is_ok(parse(&flat, good[i].line, good[i].len),
		    "flat %zu is good", i);
		str_clear(&pairs);
		for (size_t j = 0; j < flat.n; j++)
			str_addf(&pairs, "%s=%s|", flat.pairs[j].key,
			    flat.pairs[j].value == NULL ? "(null)" :
			    flat.pairs[j].value);
		is_str(pairs.s, good[i].pairs, "flat %zu: its pairs", i);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		is_ok(parse(&flat, TEXT("{\"old\":1}")), "something before");
		is_err(parse(&flat, bad[i].line, bad[i].len), ERR_CORRUPT,
		    bad[i].part, "flat %zu is bad", i);
		ok(flat.n == 0 && flat.pairs == NULL,
		    "flat %zu leaves nothing", i);
	}
	json_flat_release(&flat);
	str_release(&pairs);
}

static void
test_get(void)
{
	struct json_flat flat = JSON_FLAT_INIT;

	is_ok(parse(&flat, TEXT("{\"text\":\"12a\",\"none\":null,\"n\":-7,"
	    "\"space\":\" 1\",\"empty\":\"\",\"most\":9223372036854775807,"
	    "\"more\":9223372036854775808,\"dash\":\"-\"}")), "a line");
	is_str(json_flat_get(&flat, "text"), "12a", "a text");
	is_str(json_flat_get(&flat, "none"), NULL, "null");
	is_str(json_flat_get(&flat, "missing"), NULL, "a missing key");
	is_int(json_flat_int(&flat, "n", 5), -7, "an integer");
	is_int(json_flat_int(&flat, "most", 5), INT64_MAX, "the greatest");
	is_int(json_flat_int(&flat, "more", 5), 5, "one more");
	is_int(json_flat_int(&flat, "text", 5), 5, "a text is no integer");
	is_int(json_flat_int(&flat, "space", 5), 5, "nor with a space");
	is_int(json_flat_int(&flat, "dash", 5), 5, "nor is a dash");
	is_int(json_flat_int(&flat, "empty", 5), 5, "nor is nothing");
	is_int(json_flat_int(&flat, "none", 5), 5, "nor is null");
	is_int(json_flat_int(&flat, "missing", 5), 5, "nor a missing key");
	json_flat_release(&flat);
	is_str(json_flat_get(&flat, "n"), NULL, "nothing after a release");
}

/* What is written can be read, whatever the bytes. */
static void
test_round_trip(void)
{
	struct str out = STR_INIT, text = STR_INIT;
	struct json json = JSON_INIT(&out);
	struct json_flat flat = JSON_FLAT_INIT;
	size_t accepted = 0;

	for (long c = 1; c < 0x80; c++)
		str_addch(&text, (char)c);
	str_add(&text, "\xc2\x80\xe2\x80\xa8\xef\xbf\xbf\xf4\x8f\xbf\xbf");
	json_object(&json);
	json_key_string(&json, text.s, text.s);
	json_end(&json);
	is_ok(parse(&flat, out.s, out.len), "every character");
	is_str(json_flat_get(&flat, text.s), text.s, "comes back");
	for (size_t len = 0; len < out.len; len++)
		accepted += parse(&flat, out.s, len) == NULL;
	is_int((int64_t)accepted, 0, "no shorter part of it is taken");
	for (size_t at = 0; at < out.len; at++) {
		char was = out.s[at];

		for (int c = 0; c < 256; c++) {
			out.s[at] = (char)c;
			accepted += parse(&flat, out.s, out.len) == NULL;
		}
		out.s[at] = was;
	}
	ok(accepted > out.len, "every byte in every place is survived");
	json_flat_release(&flat);
	str_release(&text);
	str_release(&out);
}

int
main(void)
{
	test_layout();
	test_time();
	test_strings();
	test_flat();
	test_get();
	test_round_trip();
	return tap_done();
}
