/*
 * alloc - memory or death.
 *
 * Every instant is a safe instant to die, by design, so running out of
 * memory ends the process with a message and status 1; no caller checks.
 * What these functions return is freed with free(3).
 */
#ifndef ALLOC_H
#define ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size_bytes);
void *xcalloc(size_t count, size_t size_bytes);

/* Like reallocarray(3): the product is checked for overflow. */
void *xreallocarray(void *ptr, size_t count, size_t size_bytes);

char *xstrdup(const char *s);

/* NULL stays NULL. */
char *xstrdup_null(const char *s);

/* At most "len" bytes of "s", and a NUL. */
char *xstrndup(const char *s, size_t len);

char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
