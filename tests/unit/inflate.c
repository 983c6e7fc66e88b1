/*
 * The inflate() that libgit2 is given, see lib/repo_inflate.c: whatever it is
 * fed, and however it is cut, the bytes are those that zlib gives.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "alloc.h"
#include "tap.h"

#define SIZE_MAX_BYTES 300000

/* Text that shrinks, and some that does not. */
static void
fill(unsigned char *bytes, size_t len)
{
	unsigned int state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1103515245u + 12345u;
		bytes[i] = i % 4096 < 1024 ? (unsigned char)(state >> 16) :
		    (unsigned char)('a' + i / 7 % 26);
	}
}

/*
 * Inflate in pieces of so many bytes in and out (0: all at once); the end of
 * the stream, or what zlib says, through "*code".
 */
static size_t
inflate_by(const unsigned char *in, size_t in_len, unsigned char *out,
    size_t out_len, size_t in_step, size_t out_step, int *code)
{
	z_stream stream = { 0 };
	size_t fed = 0, n;

	inflateInit(&stream);
	stream.next_out = out;
	do {
		if (stream.avail_in == 0 && fed < in_len) {
			n = in_step == 0 || in_step > in_len - fed ?
			    in_len - fed : in_step;
			stream.next_in = (unsigned char *)(uintptr_t)in + fed;
			stream.avail_in = (uInt)n;
			fed += n;
		}
		n = out_len - stream.total_out;
		if (out_step != 0 && n > out_step)
			n = out_step;
		stream.avail_out = (uInt)n;
		*code = inflate(&stream, Z_NO_FLUSH);
	} while (*code == Z_OK && (stream.total_out < out_len ||
	    stream.avail_in > 0 || fed < in_len));
	n = stream.total_out;
	inflateEnd(&stream);
	return n;
}

static void
test_sizes(const unsigned char *bytes)
{
	static const size_t sizes[] = { 0, 1, 63, 64, 1000, 65536,
	    SIZE_MAX_BYTES };
	static const struct {
		size_t in, out;
		const char *name;
	} steps[] = {
		{ 0, 0, "at once" },
		{ 100, 0, "fed in pieces" },
		{ 0, 100, "taken in pieces" },
		{ 7, 11, "both in pieces" },
	};
	unsigned char *out = xmalloc(SIZE_MAX_BYTES + 1);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uLongf len = compressBound(sizes[i]);
		unsigned char *in = xmalloc(len);

		compress2(in, &len, bytes, sizes[i], 6);
		for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
			int code;
			size_t n = inflate_by(in, len, out, sizes[i] + 1,
			    steps[k].in, steps[k].out, &code);

			ok(code == Z_STREAM_END && n == sizes[i] &&
			    memcmp(out, bytes, n) == 0, "%zu bytes, %s",
			    sizes[i], steps[k].name);
		}
		free(in);
	}
	free(out);
}

static void
test_faults(const unsigned char *bytes)
{
	uLongf len = compressBound(5000);
	unsigned char *in = xmalloc(len), out[5000];
	int code;
	size_t n;

	compress2(in, &len, bytes, 5000, 6);
	n = inflate_by(in, len - 1, out, 5000, 0, 0, &code);
	ok(code != Z_STREAM_END && n == 5000, "a cut end is not an end");
	in[len - 1] ^= 1;
	inflate_by(in, len, out, 5000, 0, 0, &code);
	is_int(code, Z_DATA_ERROR, "a wrong checksum");
	in[len - 1] ^= 1;
	in[0] ^= 0x0f;
	inflate_by(in, len, out, 5000, 0, 0, &code);
	is_int(code, Z_DATA_ERROR, "a wrong header");
	free(in);
}

/* What lies behind the stream is not taken. */
static void
test_rest(const unsigned char *bytes)
{
	uLongf len = compressBound(1000);
	unsigned char *in = xmalloc(len + 9), out[1000];
	z_stream stream = { 0 };

	compress2(in, &len, bytes, 1000, 6);
	memcpy(in + len, "the next", 9);
	inflateInit(&stream);
	stream.next_in = in;
	stream.avail_in = (uInt)len + 9;
	stream.next_out = out;
	stream.avail_out = sizeof(out);
	is_int(inflate(&stream, Z_NO_FLUSH), Z_STREAM_END, "the end");
	is_int(stream.avail_in, 9, "the rest is left");
	is_str((const char *)stream.next_in, "the next", "it is the next");
	is_int((int64_t)stream.total_in, (int64_t)len, "so much was taken");
	is_int(stream.avail_out, 0, "and given");
	inflateEnd(&stream);
	free(in);
}

int
main(void)
{
	unsigned char *bytes = xmalloc(SIZE_MAX_BYTES);

	fill(bytes, SIZE_MAX_BYTES);
	test_sizes(bytes);
	test_faults(bytes);
	test_rest(bytes);
	free(bytes);
	return tap_done();
}
