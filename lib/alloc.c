#include "alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
die(void)
{
	static const char message[] = "slipway: out of memory\n";

	if (write(STDERR_FILENO, message, sizeof(message) - 1) == -1)
		_exit(1);
	_exit(1);
}

void *
xmalloc(size_t size_bytes)
{
	void *ptr = malloc(size_bytes == 0 ? 1 : size_bytes);

	if (ptr == NULL)
		die();
	return ptr;
}

void *
xcalloc(size_t count, size_t size_bytes)
{
	void *ptr = calloc(count == 0 ? 1 : count,
	    size_bytes == 0 ? 1 : size_bytes);

	if (ptr == NULL)
		die();
	return ptr;
}

void *
xreallocarray(void *ptr, size_t count, size_t size_bytes)
{
	void *grown = reallocarray(ptr, count == 0 ? 1 : count,
	    size_bytes == 0 ? 1 : size_bytes);

	if (grown == NULL)
		die();
	return grown;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrdup_null(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

char *
xstrndup(const char *s, size_t len)
{
	char *copy = strndup(s, len);

	if (copy == NULL)
		die();
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (len == -1)
		die();
	return s;
}
