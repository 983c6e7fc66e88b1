#include "pkt.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The four digits in front of every line. */
#define HEAD 4

/* What one read fills the buffer up to: a whole line of the longest kind. */
#define FILL (PKT_MAX + HEAD)

void
pkt_add(struct str *out, const void *bytes, size_t len)
{
	assert(len <= PKT_MAX);
	str_addf(out, "%04zx", len + HEAD);
	str_add_bytes(out, bytes, len);
}

void
pkt_add_flush(struct str *out)
{
	str_add(out, "0000");
}

void
pkt_reader_release(struct pkt_reader *reader)
{
	str_release(&reader->buf);
	reader->start = 0;
	reader->closed = false;
}

/* Lines that were taken leave, so that the buffer stays small. */
static void
drop_read(struct pkt_reader *reader)
{
	size_t left = reader->buf.len - reader->start;

	if (reader->start == 0)
		return;
	memmove(reader->buf.s, reader->buf.s + reader->start, left);
	str_truncate(&reader->buf, left);
	reader->start = 0;
}

const struct err *
pkt_fill(struct pkt_reader *reader, int fd)
{
	struct str *buf = &reader->buf;
	size_t room;
	ssize_t n;

	drop_read(reader);
	room = buf->len < FILL ? FILL - buf->len : FILL;
	str_reserve(buf, room);
	do {
		n = read(fd, buf->s + buf->len, room);
	} while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NULL;
	if (n == -1)
		return err_system("read");
	if (n == 0)
		reader->closed = true;
	buf->len += (size_t)n;
	buf->s[buf->len] = '\0';
	return NULL;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const struct err *
parse_head(const char *head, size_t *size)
{
	struct str shown = STR_INIT;
	const struct err *err = NULL;
	bool valid = true;

	*size = 0;
	for (int i = 0; i < HEAD; i++) {
		int value = digit(head[i]);

		valid = valid && value != -1;
		*size = *size * 16 + (value == -1 ? 0 : (size_t)value);
	}
	if (valid && (*size == 0 ||
	    (*size >= HEAD && *size <= PKT_MAX + HEAD)))
		return NULL;
	str_add_visible(&shown, head, HEAD);
	err = err_new(ERR_PROTOCOL, "'%s' is no length of a line", shown.s);
	str_release(&shown);
	return err;
}

const struct err *
pkt_next(struct pkt_reader *reader, enum pkt_kind *kind,
    const char **bytes, size_t *len)
{
	const char *head = reader->buf.s + reader->start;
	size_t left = reader->buf.len - reader->start, size = 0;
	const struct err *err;

	*kind = PKT_MORE;
	*bytes = NULL;
	*len = 0;
	if (left >= HEAD) {
		err = parse_head(head, &size);
		if (err != NULL)
			return err;
	}
	if (left < HEAD || left < size) {
		if (reader->closed && left != 0)
			return err_new(ERR_PROTOCOL,
			    "the peer closed in the middle of a line");
		*kind = reader->closed ? PKT_END : PKT_MORE;
		return NULL;
	}
	reader->start += size == 0 ? HEAD : size;
	*kind = size == 0 ? PKT_FLUSH : PKT_DATA;
	if (size != 0) {
		*bytes = head + HEAD;
		*len = size - HEAD;
	}
	return NULL;
}
