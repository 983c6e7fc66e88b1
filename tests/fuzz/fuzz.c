#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"

/*
 * Where memory was had is not noted, and what is freed waits less long to
 * be used again: either takes more time than the targets do.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "malloc_context_size=0:quarantine_size_mb=1:"
	    "thread_local_quarantine_size_kb=64";
}

char *
fuzz_copy(const uint8_t *data, size_t size)
{
	char *copy = xmalloc(size);

	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *
fuzz_string(const uint8_t *data, size_t size)
{
	return xstrndup(size == 0 ? "" : (const char *)data, size);
}

unsigned int
fuzz_byte(struct fuzz *fuzz)
{
	if (fuzz->left == 0)
		return 0;
	fuzz->left--;
	return *fuzz->at++;
}

const char *
fuzz_bytes(struct fuzz *fuzz, size_t *len)
{
	const char *bytes;

	*len = fuzz_byte(fuzz);
	if (*len > fuzz->left)
		*len = fuzz->left;
	bytes = *len == 0 ? "" : (const char *)fuzz->at;
	fuzz->at += *len;
	fuzz->left -= *len;
	return bytes;
}

char *
fuzz_text(struct fuzz *fuzz)
{
	size_t len;
	const char *bytes = fuzz_bytes(fuzz, &len);

	return xstrndup(bytes, len);
}

/* The forms of RFC 3629, section 4, by what each byte may be. */
static const struct {
	size_t n;
	struct {
		uint8_t low, high;
	} byte[4];
} forms[] = {
	{ 1, { { 0x00, 0x7f } } },
	{ 2, { { 0xc2, 0xdf }, { 0x80, 0xbf } } },
	{ 3, { { 0xe0, 0xe0 }, { 0xa0, 0xbf }, { 0x80, 0xbf } } },
	{ 3, { { 0xe1, 0xec }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
	{ 3, { { 0xed, 0xed }, { 0x80, 0x9f }, { 0x80, 0xbf } } },
	{ 3, { { 0xee, 0xef }, { 0x80, 0xbf }, { 0x80, 0xbf } } },
	{ 4, { { 0xf0, 0xf0 }, { 0x90, 0xbf }, { 0x80, 0xbf },
	    { 0x80, 0xbf } } },
	{ 4, { { 0xf1, 0xf3 }, { 0x80, 0xbf }, { 0x80, 0xbf },
	    { 0x80, 0xbf } } },
	{ 4, { { 0xf4, 0xf4 }, { 0x80, 0x8f }, { 0x80, 0xbf },
	    { 0x80, 0xbf } } },
};

/* The length of the character in front, 0 for none. */
static size_t
form_length(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t n = 0;

		while (n < forms[i].n && n < len &&
		    p[n] >= forms[i].byte[n].low &&
		    p[n] <= forms[i].byte[n].high)
			n++;
		if (n == forms[i].n)
			return n;
	}
	return 0;
}

bool
fuzz_is_utf8(const char *bytes, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes;

	for (size_t i = 0, n; i < len; i += n) {
		n = form_length(p + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Those of three bytes, as one number. */
static bool
is_treacherous_3(uint32_t bytes)
{
	return bytes == 0xe2808e || bytes == 0xe2808f ||
	    (bytes >= 0xe280a8 && bytes <= 0xe280ae) ||
	    (bytes >= 0xe281a6 && bytes <= 0xe281a9) || bytes == 0xefbbbf;
}

static bool
is_treacherous(const uint8_t *p, size_t n, bool lines)
{
	if (n == 1)
		return (p[0] < 0x20 && !(lines && p[0] == '\n')) ||
		    p[0] == 0x7f;
	if (n == 2)
		return (p[0] == 0xc2 && p[1] < 0xa0) ||
		    (p[0] == 0xd8 && p[1] == 0x9c);
	return n == 3 && is_treacherous_3((uint32_t)p[0] << 16 |
	    (uint32_t)p[1] << 8 | p[2]);
}

bool
fuzz_is_safe(const char *bytes, size_t len, bool lines)
{
	const uint8_t *p = (const uint8_t *)bytes;

	for (size_t i = 0, n; i < len; i += n) {
		n = form_length(p + i, len - i);
		if (n == 0 || is_treacherous(p + i, n, lines))
			return false;
	}
	return true;
}

int
fuzz_file(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd == -1)
		abort();
	return fd;
}

/* The page stays, which is a good deal faster than a new one. */
void
fuzz_rewrite(int fd, const void *bytes, size_t len)
{
	if (pwrite(fd, bytes, len, 0) != (ssize_t)len ||
	    ftruncate(fd, (off_t)len) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
}

void
fuzz_rewind(int fd)
{
	if (lseek(fd, 0, SEEK_SET) == -1)
		abort();
}

void
fuzz_read(struct str *out, int fd)
{
	off_t len = lseek(fd, 0, SEEK_CUR);

	str_reserve(out, (size_t)len);
	if (pread(fd, out->s + out->len, (size_t)len, 0) != len)
		abort();
	out->len += (size_t)len;
	out->s[out->len] = '\0';
}

void
fuzz_pipe(int fds[2])
{
	static int ends[2] = { -1, -1 };

	if (ends[0] == -1 && pipe2(ends, O_NONBLOCK | O_CLOEXEC) == -1)
		abort();
	fds[0] = ends[0];
	fds[1] = ends[1];
}

bool
fuzz_is_plain(const char *bytes, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes;

	for (size_t i = 0; i < len; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f)
			continue;
		/* U+00C0 to U+024F */
		if (p[i] < 0xc3 || p[i] > 0xc9 || i + 1 == len ||
		    p[i + 1] < 0x80 || p[i + 1] > 0xbf ||
		    (p[i] == 0xc9 && p[i + 1] > 0x8f))
			return false;
		i++;
	}
	return true;
}
