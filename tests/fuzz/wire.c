/*
 * Messages between runner and agent: what comes out does not depend on how
 * it came in, and says the same when it is framed and taken again.
 */
#include "host/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "vec.h"

#define PARTS_MAX 8

static void
check_line(const struct message_line *line)
{
	size_t len = strlen(line->key);

	assert(len > 0 && len <= WIRE_KEY_MAX);
	assert(line->key[0] >= 'a' && line->key[0] <= 'z');
	assert(line->key[strspn(line->key, "abcdefghijklmnopqrstuvwxyz"
	    "0123456789-")] == '\0');
	assert(strlen(line->value) == line->len);
}

static void
check_same(const struct message *a, const struct message *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert(strcmp(a->lines[i].key, b->lines[i].key) == 0);
		assert(strcmp(a->lines[i].value, b->lines[i].value) == 0);
	}
}

/* There and back again, all of it in one piece. */
static void
check_again(const struct message *message)
{
	struct pkt_reader reader = PKT_READER_INIT;
	struct message again = MESSAGE_INIT;
	bool whole, closed;

	message_frame(message, &reader.buf);
	assert(message_take(&again, &reader, &whole, &closed) == NULL);
	assert(whole && !closed && reader.start == reader.buf.len);
	check_same(message, &again);
	message_release(&again);
	pkt_reader_release(&reader);
}

static void
check_message(const struct message *message)
{
	assert(message->n > 0);
	for (size_t i = 0; i < message->n; i++) {
		const struct message_line *line = &message->lines[i];
		const char *first = message_get(message, line->key);
		struct vec all = VEC_INIT;

		check_line(line);
		message_all(message, line->key, &all);
		assert(all.n > 0 && strcmp(all.v[0], first) == 0);
		assert(vec_has(&all, line->value));
		vec_release(&all);
		message_int(message, line->key, 0);
	}
	check_again(message);
}

/* False after an error or the end. */
static bool
take_all(struct message *message, struct pkt_reader *reader,
    struct str *seen)
{
	const struct err *err;
	bool whole, closed;

	for (;;) {
		err = message_take(message, reader, &whole, &closed);
		if (err != NULL) {
			assert(err->code == ERR_PROTOCOL);
			str_addf(seen, "error: %s", err->text);
			return false;
		}
		if (!whole)
			return !closed;
		check_message(message);
		message_frame(message, seen);
		message_release(message);
	}
}

static void
read_parts(const char *bytes, size_t len, size_t part, struct str *seen)
{
	struct pkt_reader reader = PKT_READER_INIT;
	struct message message = MESSAGE_INIT;
	bool more = true;

	while (len > 0 && more) {
		size_t n = part < len ? part : len;

		str_add_bytes(&reader.buf, bytes, n);
		more = take_all(&message, &reader, seen);
		bytes += n;
		len -= n;
	}
	reader.closed = true;
	if (more)
		take_all(&message, &reader, seen);
	message_release(&message);
	pkt_reader_release(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str whole = STR_INIT, parts = STR_INIT;
	size_t part = size == 0 ? 1 : data[0] % 16 + size / PARTS_MAX + 1;
	char *bytes;

	if (size > 0) {
		data++;
		size--;
	}
	bytes = fuzz_copy(data, size);
	read_parts(bytes, size, size + 1, &whole);
	read_parts(bytes, size, part, &parts);
	assert(whole.len == parts.len &&
	    memcmp(whole.s, parts.s, parts.len) == 0);
	str_release(&whole);
	str_release(&parts);
	free(bytes);
	return 0;
}
