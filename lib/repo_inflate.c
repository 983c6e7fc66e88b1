/*
 * What libgit2 inflates, several times faster. Half of the work of a first
 * release is to inflate blobs; libgit2 has all of one in its window of the
 * pack, and knows how long it becomes, which is what libdeflate wants. The
 * Makefile has the linker send libgit2's calls of inflate() here; what does
 * not fit goes on to zlib, which begins anew. Where there is only the shared
 * libgit2, this file is left out.
 */
#include <libdeflate.h>
#include <pthread.h>
#include <zlib.h>

int __real_inflate(z_streamp stream, int flush);
int __wrap_inflate(z_streamp stream, int flush);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int has_key;

static void
release(void *decompressor)
{
	libdeflate_free_decompressor(decompressor);
}

static void
make_key(void)
{
	has_key = pthread_key_create(&key, release) == 0;
}

/* The thread's own; NULL when there is no memory for one. */
static struct libdeflate_decompressor *
decompressor(void)
{
	struct libdeflate_decompressor *mine;

	pthread_once(&once, make_key);
	if (!has_key)
		return NULL;
	mine = pthread_getspecific(key);
	if (mine == NULL) {
		mine = libdeflate_alloc_decompressor();
		if (mine != NULL && pthread_setspecific(key, mine) != 0) {
			libdeflate_free_decompressor(mine);
			mine = NULL;
		}
	}
	return mine;
}

/* True when all of the stream was there, with room for what it becomes. */
static int
inflate_whole(z_streamp stream)
{
	struct libdeflate_decompressor *mine = decompressor();
	size_t in, out;

	if (mine == NULL || libdeflate_zlib_decompress_ex(mine,
	    stream->next_in, stream->avail_in, stream->next_out,
	    stream->avail_out, &in, &out) != LIBDEFLATE_SUCCESS)
		return 0;
	stream->next_in += in;
	stream->avail_in -= (uInt)in;
	stream->total_in += in;
	stream->next_out += out;
	stream->avail_out -= (uInt)out;
	stream->total_out += out;
	return 1;
}

int
__wrap_inflate(z_streamp stream, int flush)
{
	if (stream->total_in == 0 && stream->total_out == 0 &&
	    stream->avail_in > 0 && inflate_whole(stream))
		return Z_STREAM_END;
	return __real_inflate(stream, flush);
}
