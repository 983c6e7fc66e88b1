#include "host/wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "tap.h"
#include "vec.h"

/* A string constant with its length, NULs inside included. */
#define BYTES(s) s, sizeof(s) - 1

static char *
letters(size_t len)
{
	char *s = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = (char)('a' + i % 26);
	s[len] = '\0';
	return s;
}

/* What a reader makes of these bytes when nothing follows. */
static const struct err *
take(struct message *message, const void *bytes, size_t len, bool closed,
    bool *whole, bool *ended)
{
	struct pkt_reader reader = PKT_READER_INIT;
	const struct err *err;

	str_add_bytes(&reader.buf, bytes, len);
	reader.closed = closed;
	err = message_take(message, &reader, whole, ended);
	pkt_reader_release(&reader);
	return err;
}

static void
test_values(void)
{
	static const char *const values[] = {
		"", " ", "x", "two words", "line\nline\n", "+", "k+ v",
		"\xff\xfe\x01", "0000",
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct message sent = MESSAGE_INIT, got = MESSAGE_INIT;
		struct str out = STR_INIT;
		bool whole, ended;

		message_add(&sent, "verb", "run");
		message_add(&sent, "timed-out2", values[i]);
		message_frame(&sent, &out);
		is_ok(take(&got, out.s, out.len, false, &whole, &ended),
		    "value %zu is taken", i);
		ok(whole && !ended && got.n == 2, "it is one message");
		is_str(message_get(&got, "timed-out2"), values[i],
		    "value %zu arrives", i);
		message_release(&sent);
		message_release(&got);
		str_release(&out);
	}
}

static void
test_long_values(void)
{
	static const size_t sizes[] = { PKT_MAX - 3, PKT_MAX - 2,
	    PKT_MAX - 1, PKT_MAX, PKT_MAX + 1, 2 * PKT_MAX, 1024 * 1024 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct message sent = MESSAGE_INIT, got = MESSAGE_INIT;
		struct str out = STR_INIT;
		char *value = letters(sizes[i]);
		bool whole, ended;

		message_add(&sent, "k", value);
		message_add(&sent, "after", "x");
		message_frame(&sent, &out);
		is_ok(take(&got, out.s, out.len, false, &whole, &ended),
		    "%zu bytes are taken", sizes[i]);
		ok(whole && got.n == 2 &&
		    strcmp(message_get(&got, "k"), value) == 0 &&
		    got.lines[0].len == sizes[i] &&
		    strcmp(message_get(&got, "after"), "x") == 0,
		    "%zu bytes arrive", sizes[i]);
		message_release(&sent);
		message_release(&got);
		str_release(&out);
		free(value);
	}
}

static void
test_bytewise(void)
{
	struct message sent = MESSAGE_INIT, got = MESSAGE_INIT;
	struct pkt_reader reader = PKT_READER_INIT;
	struct vec values = VEC_INIT;
	struct str out = STR_INIT;
	bool whole = false, ended = false, early = false;
	const struct err *err = NULL;

	message_add(&sent, "type", "result");
	message_addf(&sent, "hook", "before_%s", "build");
	message_add(&sent, "hook", "after_build");
	message_frame(&sent, &out);
	for (size_t i = 0; i < out.len && err == NULL; i++) {
		str_add_bytes(&reader.buf, out.s + i, 1);
		err = message_take(&got, &reader, &whole, &ended);
		early = early || ended || (whole && i + 1 < out.len);
	}
	is_ok(err, "byte after byte is taken");
	ok(whole && !early, "the message is whole with its last byte");
	message_all(&got, "hook", &values);
	is_int((int64_t)values.n, 2, "a repeated key has all its values");
	is_str(values.n == 2 ? values.v[1] : NULL, "after_build",
	    "in their order");
	is_str(message_get(&got, "hook"), "before_build",
	    "the first value is the one that is got");
	ok(message_get(&got, "none") == NULL, "a key that is not there");
	message_release(&sent);
	message_release(&got);
	pkt_reader_release(&reader);
	vec_release(&values);
	str_release(&out);
}

static void
test_bad(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *part;
	} cases[] = {
		{ BYTES("0000"), "an empty message" },
		{ BYTES("0004"), "without a key" },
		{ BYTES("0008verb0000"), "without a key" },
		{ BYTES("0009 hell0000"), "without a key" },
		{ BYTES("000aVerb x0000"), "without a key" },
		{ BYTES("000a1erb x0000"), "without a key" },
		{ BYTES("000ave_b x0000"), "without a key" },
		{ BYTES("000ak++ xx0000"), "without a key" },
		{ BYTES("0006k+0000"), "without a key" },
		{ BYTES("004ckkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
		    "kkkkkkkkkkkkkkkkkkkkkk x0000"), "without a key" },
		{ BYTES("0009k \0xx0000"), "a NUL byte" },
		{ BYTES("0008k+ x0000"), "cut short" },
		{ BYTES("0008k+ x0007j x0000"), "not continued" },
		{ BYTES("0008k+ x0008kk x0000"), "not continued" },
		{ BYTES("0008k+ x0008j+ x0000"), "not continued" },
		{ BYTES("zzzz"), "no length" },
		{ BYTES("0001"), "no length" },
		{ BYTES("0007k x"), "cut short" },
		{ BYTES("0007k "), "in the middle" },
		{ BYTES("0007k x00"), "in the middle" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message got = MESSAGE_INIT;
		bool whole, ended;

		is_err(take(&got, cases[i].bytes, cases[i].len, true, &whole,
		    &ended), ERR_PROTOCOL, cases[i].part, "bad input %zu: %s",
		    i, cases[i].part);
		ok(!whole && !ended, "it is no message");
		message_release(&got);
	}
}

/* In one line after the other, and in the parts of one value. */
static void
test_too_large(void)
{
	static const char *const keys[] = { "k", "k+" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct message got = MESSAGE_INIT;
		struct str line = STR_INIT, out = STR_INIT;
		char *value = letters(PKT_MAX - 8);
		bool whole, ended;

		str_addf(&line, "%s %s", keys[i], value);
		while (out.len <= WIRE_MESSAGE_MAX)
			pkt_add(&out, line.s, line.len);
		pkt_add_flush(&out);
		is_err(take(&got, out.s, out.len, false, &whole, &ended),
		    ERR_PROTOCOL, "more than 16777216 bytes",
		    "too large a message of '%s' lines", keys[i]);
		message_release(&got);
		str_release(&line);
		str_release(&out);
		free(value);
	}
}

static void
test_int(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {
		{ "0", 0 }, { "42", 42 }, { "-1", -1 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", 77 }, { "", 77 }, { " 1", 77 },
		{ "+1", 77 }, { "1 ", 77 }, { "1x", 77 }, { "-", 77 },
		{ "0x10", 77 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message message = MESSAGE_INIT;

		message_add(&message, "n", cases[i].text);
		is_int(message_int(&message, "n", 77), cases[i].value,
		    "'%s' as a number", cases[i].text);
		message_release(&message);
	}
}

static void
test_descriptors(void)
{
	struct message sent = MESSAGE_INIT, got = MESSAGE_INIT;
	struct pkt_reader reader = PKT_READER_INIT;
	const struct err *err;
	bool closed;
	int fds[2];

	if (pipe(fds) == -1)
		abort();
	message_add(&sent, "verb", "list");
	message_add_int(&sent, "n", -5);
	is_ok(message_write(&sent, fds[1]), "write");
	is_ok(message_write(&sent, fds[1]), "write another");
	is_ok(message_read(&got, &reader, fds[0], &closed), "read");
	is_int(message_int(&got, "n", 0), -5, "the number arrives");
	message_release(&got);
	is_ok(message_read(&got, &reader, fds[0], &closed), "read another");
	is_int((int64_t)got.n, 2, "it has its two lines");
	message_release(&got);
	file_close(&fds[1]);
	is_ok(message_read(&got, &reader, fds[0], &closed), "read the end");
	ok(closed && got.n == 0, "the peer has closed");
	pkt_reader_release(&reader);
	file_close(&fds[0]);

	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds) == -1)
		abort();
	file_close(&fds[0]);
	err = message_write(&sent, fds[1]);
	ok(err != NULL && err->sys_errno == EPIPE, "write to nobody");
	file_close(&fds[1]);
	err = message_read(&got, &reader, -1, &closed);
	ok(err != NULL && err->sys_errno == EBADF, "read from nothing");
	pkt_reader_release(&reader);
	message_release(&sent);
}

int
main(void)
{
	test_values();
	test_long_values();
	test_bytewise();
	test_bad();
	test_too_large();
	test_int();
	test_descriptors();
	return tap_done();
}
