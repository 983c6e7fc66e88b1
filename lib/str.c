#include "str.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

char str_empty[1];

void
str_init(struct str *str)
{
	str->s = str_empty;
	str->len = 0;
	str->size = 0;
}

void
str_release(struct str *str)
{
	if (str->size != 0)
		free(str->s);
	str_init(str);
}

void
str_clear(struct str *str)
{
	str_truncate(str, 0);
}

void
str_reserve(struct str *str, size_t more_bytes)
{
	size_t need, size;

	assert(more_bytes < SIZE_MAX - str->len - 1);
	need = str->len + more_bytes + 1;
	if (need <= str->size)
		return;
	size = str->size < SIZE_MAX / 2 ? str->size * 2 : need;
	if (size < need)
		size = need;
	if (size < 64)
		size = 64;
	str->s = xreallocarray(str->size == 0 ? NULL : str->s, size, 1);
	str->s[str->len] = '\0';
	str->size = size;
}

void
str_truncate(struct str *str, size_t len)
{
	if (len < str->len) {
		str->len = len;
		str->s[len] = '\0';
	}
}

void
str_add(struct str *str, const char *s)
{
	str_add_bytes(str, s, strlen(s));
}

void
str_add_bytes(struct str *str, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	str_reserve(str, len);
	memcpy(str->s + str->len, bytes, len);
	str->len += len;
	str->s[str->len] = '\0';
}

void
str_addch(struct str *str, char c)
{
	str_add_bytes(str, &c, 1);
}

void
str_addf(struct str *str, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addv(str, fmt, ap);
	va_end(ap);
}

void
str_addv(struct str *str, const char *fmt, va_list ap)
{
	size_t room = str->size == 0 ? 0 : str->size - str->len;
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(room == 0 ? NULL : str->s + str->len, room, fmt, ap);
	assert(len >= 0);
	if ((size_t)len >= room) {
		str_reserve(str, (size_t)len);
		vsnprintf(str->s + str->len, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	str->len += (size_t)len;
}

long
str_decode(const char *bytes, size_t len, size_t *len_out)
{
	const unsigned char *p = (const unsigned char *)bytes;
	static const long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;
	long c;

	*len_out = 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return -1;
	if (n > len)
		return -1;
	c = p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = (c << 6) | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*len_out = n;
	return c;
}

/* The last place up to "max" at which "end" stands; 0: it does not. */
static size_t
last_end(const char *text, size_t max, const char *end)
{
	size_t len = max;

	while (len > 0 && !str_starts_with(text + len, end))
		len--;
	return len;
}

size_t
str_fit(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	len = last_end(text, max, "; ");
	if (len == 0)
		len = last_end(text, max, " ");
	for (len = len == 0 ? max : len;
	    len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

void
str_trim_end(struct str *str)
{
	size_t len = str->len;

	while (len > 0 && isspace((unsigned char)str->s[len - 1]))
		len--;
	str_truncate(str, len);
}

char *
str_detach(struct str *str)
{
	char *s;

	str_reserve(str, 0);
	s = str->s;
	str_init(str);
	return s;
}

bool
str_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}
