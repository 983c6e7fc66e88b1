/*
 * Lines in git's framing: what comes out does not depend on how it came in,
 * is what a reader of another kind finds, and can be framed again.
 */
#include "pkt.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* Arriving in more parts than this tells nothing new. */
#define PARTS_MAX 8

/* A descriptor takes ten times as long as the rest: for one byte in 16. */
#define READ_AT 5

/* Take all that is there; false after an error or the end. */
static bool
take_all(struct pkt_reader *reader, struct str *seen)
{
	for (;;) {
		const struct err *err;
		enum pkt_kind kind;
		const char *bytes;
		size_t len;

		err = pkt_next(reader, &kind, &bytes, &len);
		if (err != NULL) {
			assert(err->code == ERR_PROTOCOL);
			str_add(seen, "error");
			return false;
		}
		if (kind == PKT_DATA) {
			assert(len <= PKT_MAX);
			pkt_add(seen, bytes, len);
		} else if (kind == PKT_FLUSH) {
			pkt_add_flush(seen);
		} else {
			str_add(seen, kind == PKT_END ? "end" : "");
			return kind == PKT_MORE;
		}
	}
}

static void
fill(struct pkt_reader *reader, const char *bytes, size_t len, bool read)
{
	int fds[2];

	if (!read) {
		str_add_bytes(&reader->buf, bytes, len);
		return;
	}
	fuzz_pipe(fds);
	if (write(fds[1], bytes, len) != (ssize_t)len)
		abort();
	assert(pkt_fill(reader, fds[0]) == NULL);
	/* Nothing more is there, which is no end. */
	assert(pkt_fill(reader, fds[0]) == NULL && !reader->closed);
}

static void
read_parts(const char *bytes, size_t len, size_t part, bool read,
    struct str *seen)
{
	struct pkt_reader reader = PKT_READER_INIT;
	bool more = true;

	while (len > 0 && more) {
		size_t n = part < len ? part : len;

		fill(&reader, bytes, n, read);
		more = take_all(&reader, seen);
		bytes += n;
		len -= n;
	}
	reader.closed = true;
	if (more)
		take_all(&reader, seen);
	pkt_reader_release(&reader);
}

/* The same, by looking at the bytes. */
static void
expect(const char *bytes, size_t len, struct str *seen)
{
	while (len >= 4) {
		char head[5] = { bytes[0], bytes[1], bytes[2], bytes[3] };
		size_t size;

		for (int i = 0; i < 4; i++) {
			if (!isxdigit((unsigned char)head[i]))
				goto wrong;
		}
		size = strtoul(head, NULL, 16);
		if ((size > 0 && size < 4) || size > PKT_MAX + 4 ||
		    size > len)
			goto wrong;
		str_addf(seen, "%04zx", size);
		if (size == 0)
			size = 4;
		str_add_bytes(seen, bytes + 4, size - 4);
		bytes += size;
		len -= size;
	}
	if (len == 0) {
		str_add(seen, "end");
		return;
	}
wrong:
	str_add(seen, "error");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str whole = STR_INIT, parts = STR_INIT, wanted = STR_INIT;
	size_t part = size == 0 ? 1 : data[0] % 16 + size / PARTS_MAX + 1;
	bool read = size > 0 && data[0] / 16 == READ_AT;
	char *bytes;

	/* How it arrives is in the first byte. */
	if (size > 0) {
		data++;
		size--;
	}
	bytes = fuzz_copy(data, size);
	read_parts(bytes, size, size + 1, read, &whole);
	read_parts(bytes, size, part, read, &parts);
	expect(bytes, size, &wanted);
	assert(whole.len == wanted.len &&
	    memcmp(whole.s, wanted.s, wanted.len) == 0);
	assert(parts.len == wanted.len &&
	    memcmp(parts.s, wanted.s, wanted.len) == 0);
	str_release(&whole);
	str_release(&parts);
	str_release(&wanted);
	free(bytes);
	return 0;
}
