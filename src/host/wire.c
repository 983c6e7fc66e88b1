/*
 * A value in parts stays under its "KEY+" until the last part comes, so
 * that half a message says by itself what has to follow.
 */
#include "host/wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "file.h"
#include "vec.h"

/* Bytes of the length in front of every pkt-line. */
#define PKT_HEAD 4

void
message_release(struct message *message)
{
	for (size_t i = 0; i < message->n; i++) {
		free(message->lines[i].key);
		free(message->lines[i].value);
	}
	free(message->lines);
	memset(message, 0, sizeof(*message));
}

/* The length of the key that "bytes" begins with, 0 when there is none. */
static size_t
key_length(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && ((bytes[n] >= 'a' && bytes[n] <= 'z') ||
	    (n > 0 && ((bytes[n] >= '0' && bytes[n] <= '9') ||
	    bytes[n] == '-'))))
		n++;
	return n <= WIRE_KEY_MAX ? n : 0;
}

static void
add_line(struct message *message, char *key, const char *value, size_t len)
{
	struct message_line *line;

	if (message->n == message->size) {
		message->size = message->size == 0 ? 8 : message->size * 2;
		message->lines = xreallocarray(message->lines, message->size,
		    sizeof(*message->lines));
	}
	line = &message->lines[message->n++];
	line->key = key;
	line->value = xstrndup(value, len);
	line->len = len;
}

void
message_add(struct message *message, const char *key, const char *value)
{
	size_t len = strlen(key);

	assert(len > 0 && key_length(key, len) == len);
	add_line(message, xstrdup(key), value, strlen(value));
}

void
message_addf(struct message *message, const char *key, const char *fmt, ...)
{
	struct str value = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&value, fmt, ap);
	va_end(ap);
	message_add(message, key, value.s);
	str_release(&value);
}

void
message_add_int(struct message *message, const char *key, int64_t value)
{
	message_addf(message, key, "%" PRId64, value);
}

const char *
message_get(const struct message *message, const char *key)
{
	for (size_t i = 0; i < message->n; i++) {
		if (strcmp(message->lines[i].key, key) == 0)
			return message->lines[i].value;
	}
	return NULL;
}

int64_t
message_int(const struct message *message, const char *key,
    int64_t otherwise)
{
	const char *text = message_get(message, key);
	long long value;
	char *end;

	if (text == NULL || (text[0] != '-' &&
	    (text[0] < '0' || text[0] > '9')))
		return otherwise;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return otherwise;
	return value;
}

void
message_all(const struct message *message, const char *key,
    struct vec *values)
{
	for (size_t i = 0; i < message->n; i++) {
		if (strcmp(message->lines[i].key, key) == 0)
			vec_push(values, message->lines[i].value);
	}
}

static void
frame_part(struct str *out, const char *key, const char *sign,
    const char *part, size_t len)
{
	struct str line = STR_INIT;

	str_addf(&line, "%s%s ", key, sign);
	str_add_bytes(&line, part, len);
	pkt_add(out, line.s, line.len);
	str_release(&line);
}

void
message_frame(const struct message *message, struct str *out)
{
	for (size_t i = 0; i < message->n; i++) {
		const struct message_line *line = &message->lines[i];
		size_t room = PKT_MAX - strlen(line->key) - strlen("+ ");
		const char *part = line->value;
		size_t left = line->len;

		while (left > room) {
			frame_part(out, line->key, "+", part, room);
			part += room;
			left -= room;
		}
		frame_part(out, line->key, "", part, left);
	}
	pkt_add_flush(out);
}

const struct err *
message_write(const struct message *message, int fd)
{
	struct str out = STR_INIT;
	const struct err *err;

	message_frame(message, &out);
	err = file_write_fd(fd, out.s, out.len);
	str_release(&out);
	return err;
}

/* The last line when it is a value that has more parts to come. */
static struct message_line *
open_line(const struct message *message)
{
	struct message_line *line;

	if (message->n == 0)
		return NULL;
	line = &message->lines[message->n - 1];
	return str_ends_with(line->key, "+") ? line : NULL;
}

static const struct err *
extend_line(struct message_line *line, const char *key, size_t key_len,
    bool more, const char *part, size_t len)
{
	if (strlen(line->key) != key_len + 1 ||
	    memcmp(line->key, key, key_len) != 0)
		return err_new(ERR_PROTOCOL,
		    "a value in parts was not continued");
	line->value = xreallocarray(line->value, line->len + len + 1, 1);
	memcpy(line->value + line->len, part, len);
	line->len += len;
	line->value[line->len] = '\0';
	if (!more)
		line->key[key_len] = '\0';
	return NULL;
}

static const struct err *
take_line(struct message *message, const char *bytes, size_t len)
{
	size_t key_len = key_length(bytes, len);
	bool more = key_len < len && bytes[key_len] == '+';
	size_t value_at = key_len + more + 1;
	struct message_line *line = open_line(message);

	message->taken_bytes += PKT_HEAD + len;
	if (message->taken_bytes > WIRE_MESSAGE_MAX)
		return err_new(ERR_PROTOCOL,
		    "a message of more than %d bytes", WIRE_MESSAGE_MAX);
	if (key_len == 0 || value_at > len || bytes[value_at - 1] != ' ')
		return err_new(ERR_PROTOCOL, "a line without a key");
	if (memchr(bytes, '\0', len) != NULL)
		return err_new(ERR_PROTOCOL, "a NUL byte in a value");
	if (line != NULL)
		return extend_line(line, bytes, key_len, more,
		    bytes + value_at, len - value_at);
	add_line(message, xstrndup(bytes, key_len + more), bytes + value_at,
	    len - value_at);
	return NULL;
}

const struct err *
message_take(struct message *message, struct pkt_reader *reader,
    bool *whole, bool *closed)
{
	*whole = false;
	*closed = false;
	for (;;) {
		const struct err *err;
		enum pkt_kind kind;
		const char *bytes;
		size_t len;

		err = pkt_next(reader, &kind, &bytes, &len);
		if (err == NULL && kind == PKT_DATA)
			err = take_line(message, bytes, len);
		if (err != NULL || kind == PKT_MORE)
			return err;
		if (kind == PKT_DATA)
			continue;
		if (kind == PKT_END && message->n == 0) {
			*closed = true;
			return NULL;
		}
		if (kind == PKT_END || open_line(message) != NULL)
			return err_new(ERR_PROTOCOL,
			    "a message was cut short");
		if (message->n == 0)
			return err_new(ERR_PROTOCOL, "an empty message");
		*whole = true;
		return NULL;
	}
}

const struct err *
message_read(struct message *message, struct pkt_reader *reader, int fd,
    bool *closed)
{
	const struct err *err;
	bool whole;

	for (;;) {
		err = message_take(message, reader, &whole, closed);
		if (err != NULL || whole || *closed)
			return err;
		err = pkt_fill(reader, fd);
		if (err != NULL)
			return err;
	}
}
