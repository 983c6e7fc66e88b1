/*
 * The reader of flat JSON: what it takes can be written and read again and
 * is the same; what the writer wrote it takes, text for text.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json.h"

static void
check_pairs(const struct json_flat *flat)
{
	for (size_t i = 0; i < flat->n; i++) {
		const char *key = flat->pairs[i].key;
		const char *value = flat->pairs[i].value;

		assert(json_flat_get(flat, key) == value);
		assert(fuzz_is_utf8(key, strlen(key)));
		assert(value == NULL || fuzz_is_utf8(value, strlen(value)));
		if (value == NULL)
			assert(json_flat_int(flat, key, 7) == 7);
	}
}

static void
check_same(const struct json_flat *a, const struct json_flat *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		const char *x = a->pairs[i].value, *y = b->pairs[i].value;

		assert(strcmp(a->pairs[i].key, b->pairs[i].key) == 0);
		assert((x == NULL) == (y == NULL));
		assert(x == NULL || strcmp(x, y) == 0);
	}
}

/* All values as texts; what a number was does not matter then. */
static void
check_again(const struct json_flat *flat)
{
	struct json_flat again = JSON_FLAT_INIT;
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);

	json_object(&json);
	for (size_t i = 0; i < flat->n; i++)
		json_key_string(&json, flat->pairs[i].key,
		    flat->pairs[i].value);
	json_end(&json);
	assert(json_flat_parse(&again, out.s, out.len) == NULL);
	check_same(flat, &again);
	json_flat_release(&again);
	str_release(&out);
}

/* Any bytes as a value; those that are UTF-8 come back. */
static void
check_bytes(const char *bytes, size_t len)
{
	struct json_flat flat = JSON_FLAT_INIT;
	struct str out = STR_INIT;
	struct json json = JSON_INIT(&out);
	const char *back;

	json_object(&json);
	json_key(&json, "text");
	json_bytes(&json, bytes, len);
	json_key_int(&json, "len", (int64_t)len);
	json_end(&json);
	assert(json_flat_parse(&flat, out.s, out.len) == NULL);
	assert(json_flat_int(&flat, "len", -1) == (int64_t)len);
	back = json_flat_get(&flat, "text");
	if (fuzz_is_utf8(bytes, len) && memchr(bytes, '\0', len) == NULL)
		assert(strlen(back) == len && memcmp(back, bytes, len) == 0);
	json_flat_release(&flat);
	str_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_flat flat = JSON_FLAT_INIT;
	char *line = fuzz_copy(data, size);
	const struct err *err;

	err = json_flat_parse(&flat, line, size);
	assert(err == NULL || (err->code == ERR_CORRUPT && flat.n == 0));
	check_pairs(&flat);
	if (err == NULL)
		check_again(&flat);
	check_bytes(line, size);
	json_flat_release(&flat);
	free(line);
	return 0;
}
