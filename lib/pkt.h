/*
 * pkt - git's pkt-line framing.
 *
 *	0004..fff0  four hexadecimal digits: length of the line, these four
 *	            included; then the bytes
 *	0000        flush: the end of a message
 *
 * Reading is buffered and incremental, so that a peer which stops in the
 * middle of a line holds up nobody who polls.
 */
#ifndef PKT_H
#define PKT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "str.h"

/* The longest payload of one line, in bytes. */
#define PKT_MAX 65516

enum pkt_kind {
	PKT_DATA,
	PKT_FLUSH,
	PKT_END,		/* the peer closed, between two messages */
	PKT_MORE		/* no whole line here yet */
};

/* Append one framed line to "out"; "len" is at most PKT_MAX. */
void pkt_add(struct str *out, const void *bytes, size_t len);
void pkt_add_flush(struct str *out);

struct pkt_reader {
	struct str buf;
	size_t start;		/* first unread byte of buf */
	bool closed;
};

#define PKT_READER_INIT { STR_INIT, 0, false }

void pkt_reader_release(struct pkt_reader *reader);

/*
 * Read once from the descriptor into the buffer. Would-block is no error;
 * the end of input is remembered.
 */
const struct err *pkt_fill(struct pkt_reader *reader, int fd);

/*
 * Take the next line out of the buffer: "*bytes" is lent until the next
 * call on the reader. Four digits that are no length, a length of 1 to 3
 * or above PKT_MAX + 4, and an end inside a line are ERR_PROTOCOL.
 */
const struct err *pkt_next(struct pkt_reader *reader, enum pkt_kind *kind,
    const char **bytes, size_t *len);

#endif
