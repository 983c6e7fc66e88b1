/*
 * json - write JSON (RFC 8259), and read back the flat lines of the log.
 *
 * The writer sets the commas. Strings are bytes with a length: what is not
 * UTF-8 becomes U+FFFD, control characters are escaped, so that any bytes
 * make valid JSON.
 *
 *	struct json json = JSON_INIT(&out);
 *
 *	json_object(&json);
 *	json_key_string(&json, "state", "live");
 *	json_key_int(&json, "deploy", 41);
 *	json_end(&json);
 *
 * The reader understands what a log line is: one object whose values are
 * strings, integers, booleans and null. Anything else is ERR_CORRUPT.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

#define JSON_DEPTH_MAX 32

struct json {
	struct str *out;
	int depth;
	bool pretty;			/* two spaces a level, else one line */
	bool after_key;
	char close[JSON_DEPTH_MAX];	/* '}' or ']' */
	bool filled[JSON_DEPTH_MAX];
};

#define JSON_INIT(out_str) { .out = (out_str) }

void json_object(struct json *json);
void json_array(struct json *json);
void json_end(struct json *json);	/* closes the innermost of the two */
void json_key(struct json *json, const char *key);
void json_string(struct json *json, const char *s);	/* NULL: null */
void json_bytes(struct json *json, const char *bytes, size_t len);
void json_int(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

void json_key_string(struct json *json, const char *key, const char *s);
void json_key_int(struct json *json, const char *key, int64_t value);
void json_key_bool(struct json *json, const char *key, bool value);

/* An instant as ISO 8601, null for 0. */
void json_key_time(struct json *json, const char *key, int64_t at);

/*
 * A parsed flat object: pairs of key and value as text. Of a key that comes
 * twice the last value stays. Lone surrogates and NUL become U+FFFD.
 */
struct json_flat {
	struct json_pair {
		char *key;
		char *value;		/* NULL: null; "true", "-12", text */
	} *pairs;
	size_t n;
	size_t size;
};

#define JSON_FLAT_INIT { NULL, 0, 0 }

/* Replace "flat" with the object in "line". */
const struct err *json_flat_parse(struct json_flat *flat, const char *line,
    size_t len);
void json_flat_release(struct json_flat *flat);

/* The value of a key, lent; NULL when it is missing or null. */
const char *json_flat_get(const struct json_flat *flat, const char *key);

/* The integer of a key; "otherwise" when it is missing or no integer. */
int64_t json_flat_int(const struct json_flat *flat, const char *key,
    int64_t otherwise);

#endif
