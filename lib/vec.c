#include "vec.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

void
vec_init(struct vec *vec)
{
	memset(vec, 0, sizeof(*vec));
}

void
vec_release(struct vec *vec)
{
	vec_clear(vec);
	free(vec->v);
	vec_init(vec);
}

void
vec_clear(struct vec *vec)
{
	for (size_t i = 0; i < vec->n; i++)
		free(vec->v[i]);
	vec->n = 0;
	if (vec->v != NULL)
		vec->v[0] = NULL;
}

void
vec_push_take(struct vec *vec, char *s)
{
	if (vec->n + 1 >= vec->size) {
		vec->size = vec->size == 0 ? 8 : vec->size * 2;
		vec->v = xreallocarray(vec->v, vec->size, sizeof(*vec->v));
	}
	vec->v[vec->n++] = s;
	vec->v[vec->n] = NULL;
}

void
vec_push(struct vec *vec, const char *s)
{
	vec_push_take(vec, xstrdup(s));
}

void
vec_pushf(struct vec *vec, const char *fmt, ...)
{
	struct str str = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&str, fmt, ap);
	va_end(ap);
	vec_push_take(vec, str_detach(&str));
}

bool
vec_push_new(struct vec *vec, const char *s)
{
	if (vec_has(vec, s))
		return false;
	vec_push(vec, s);
	return true;
}

void
vec_split(struct vec *vec, const char *text, const char *separators)
{
	for (;;) {
		size_t len;

		text += strspn(text, separators);
		len = strcspn(text, separators);
		if (len == 0)
			return;
		vec_push_take(vec, xstrndup(text, len));
		text += len;
	}
}

void
vec_put_variable(struct vec *vec, const char *assignment)
{
	size_t len = strcspn(assignment, "=") + 1;

	for (size_t i = 0; i < vec->n; i++) {
		if (strncmp(vec->v[i], assignment, len) == 0) {
			free(vec->v[i]);
			vec->v[i] = xstrdup(assignment);
			return;
		}
	}
	vec_push(vec, assignment);
}

void
vec_copy(struct vec *vec, const struct vec *from)
{
	vec_clear(vec);
	for (size_t i = 0; i < from->n; i++)
		vec_push(vec, from->v[i]);
}

bool
vec_has(const struct vec *vec, const char *s)
{
	for (size_t i = 0; i < vec->n; i++) {
		if (strcmp(vec->v[i], s) == 0)
			return true;
	}
	return false;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
vec_sort(struct vec *vec)
{
	if (vec->n > 1)
		qsort(vec->v, vec->n, sizeof(*vec->v), compare);
}

bool
vec_has_sorted(const struct vec *sorted, const char *s)
{
	return sorted->n > 0 && bsearch(&s, sorted->v, sorted->n,
	    sizeof(*sorted->v), compare) != NULL;
}

void
vec_join(const struct vec *vec, const char *separator, struct str *str)
{
	for (size_t i = 0; i < vec->n; i++) {
		if (i > 0)
			str_add(str, separator);
		str_add(str, vec->v[i]);
	}
}
