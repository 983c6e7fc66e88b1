/*
 * vec - a list of strings that owns them, ended by NULL.
 *
 *	struct vec words = VEC_INIT;
 *
 *	vec_push(&words, "updb");
 *	for (size_t i = 0; i < words.n; i++)
 *		puts(words.v[i]);
 *	vec_release(&words);
 *
 * "v" is NULL while nothing was pushed, and v[n] is NULL afterwards, so
 * that a filled vec serves as an argv or an environment.
 */
#ifndef VEC_H
#define VEC_H

#include <stdbool.h>
#include <stddef.h>

#include "str.h"

struct vec {
	char **v;
	size_t n;
	size_t size;		/* allocated entries */
};

#define VEC_INIT { NULL, 0, 0 }

void vec_init(struct vec *vec);
void vec_release(struct vec *vec);

/* Drop all strings and keep the memory. */
void vec_clear(struct vec *vec);

/* Add a copy of "s". */
void vec_push(struct vec *vec, const char *s);

/* Add "s" itself: it is freed with the vec. */
void vec_push_take(struct vec *vec, char *s);

void vec_pushf(struct vec *vec, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Add a copy of "s" unless it is there. True when it was added. */
bool vec_push_new(struct vec *vec, const char *s);

/* Add every word of "text", separated by any byte of "separators". */
void vec_split(struct vec *vec, const char *text, const char *separators);

/* Put "NAME=value" in the place of what has that NAME, or at the end. */
void vec_put_variable(struct vec *vec, const char *assignment);

/* Replace the contents by copies of those of "from". */
void vec_copy(struct vec *vec, const struct vec *from);

bool vec_has(const struct vec *vec, const char *s);

/* In the order of strcmp. */
void vec_sort(struct vec *vec);

/* The same as vec_has() in one that is so sorted, for many searches. */
bool vec_has_sorted(const struct vec *sorted, const char *s);

/* Append the strings to "str" with "separator" between them. */
void vec_join(const struct vec *vec, const char *separator, struct str *str);

#endif
