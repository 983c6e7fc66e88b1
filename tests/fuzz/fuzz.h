/*
 * fuzz - what the fuzz targets are written with.
 *
 * A target is a function of bytes that asserts what has to be true of any.
 * libFuzzer calls it with bytes that it makes up, as "make fuzz" does, and
 * replay.c with those that are kept in corpus/.
 *
 *	int
 *	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *	{
 *		char *text = fuzz_string(data, size);
 *
 *		assert(parse(text) != WRONG);
 *		free(text);
 *		return 0;
 *	}
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

/* Always 0; what is wrong ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The bytes up to the first NUL, given, in memory that ends with them, so
 * that a look beyond the end is seen.
 */
char *fuzz_string(const uint8_t *data, size_t size);

/* All of the bytes, given, and no more than them. */
char *fuzz_copy(const uint8_t *data, size_t size);

/* Bytes that decide what is done next, from the front. */
struct fuzz {
	const uint8_t *at;
	size_t left;
};

/* One byte; 0 when there is none. */
unsigned int fuzz_byte(struct fuzz *fuzz);

/* So many bytes as the next one says, or as there are; lent. */
const char *fuzz_bytes(struct fuzz *fuzz, size_t *len);

/* The same as a string, given. */
char *fuzz_text(struct fuzz *fuzz);

/* True for UTF-8 as RFC 3629 has it. */
bool fuzz_is_utf8(const char *bytes, size_t len);

/*
 * True for UTF-8 without anything that a terminal would obey or that would
 * make it show something else than what is there: C0, DEL, C1, directions
 * of text, separators of lines. With "lines", newlines are allowed.
 */
bool fuzz_is_safe(const char *bytes, size_t len, bool lines);

/*
 * True for text that is shown as it is, whatever stands beside it: ASCII, and
 * letters of Latin.
 */
bool fuzz_is_plain(const char *bytes, size_t len);

/* A file without a name, empty. */
int fuzz_file(void);

/* Give such a file these contents, and be at its start again. */
void fuzz_rewrite(int fd, const void *bytes, size_t len);

/* Be at the start; then append what has been written since. */
void fuzz_rewind(int fd);
void fuzz_read(struct str *out, int fd);

/*
 * A pipe whose ends do not block, made once: to what is written into
 * fds[1], what reads from fds[0] is as good as a peer.
 */
void fuzz_pipe(int fds[2]);

#endif
