/*
 * str - bytes that grow, always followed by a NUL.
 *
 * "s" is never NULL, so an empty str prints as "". Bytes may include NUL;
 * "len" is the truth.
 *
 *	struct str line = STR_INIT;
 *
 *	str_addf(&line, "%d files", n);
 *	puts(line.s);
 *	str_release(&line);
 */
#ifndef STR_H
#define STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *s;
	size_t len;		/* without the NUL */
	size_t size;		/* allocated bytes, 0: nothing to free */
};

extern char str_empty[1];

#define STR_INIT { str_empty, 0, 0 }

void str_init(struct str *str);

/* Free the bytes; the str is empty and usable again. */
void str_release(struct str *str);

/* Make it empty and keep the memory. */
void str_clear(struct str *str);

/* Make room for "more_bytes" beyond "len". */
void str_reserve(struct str *str, size_t more_bytes);

/* Cut to "len" bytes; never grows. */
void str_truncate(struct str *str, size_t len);

void str_add(struct str *str, const char *s);
void str_add_bytes(struct str *str, const void *bytes, size_t len);
void str_addch(struct str *str, char c);
void str_addf(struct str *str, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void str_addv(struct str *str, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/*
 * Add text from outside so that it is safe on a terminal, and can be told
 * from any other: control characters (C0, C1, DEL), what turns the direction
 * of text, separators of lines, characters that are not seen, and bytes that
 * are not UTF-8 appear as \xNN; everything else as it is. Two unseen ones
 * stay behind a picture, which is another one with them.
 */
void str_add_visible(struct str *str, const char *bytes, size_t len);

/*
 * One word as a shell reads it, quoted only when it must be, and safe on a
 * terminal: what cannot be shown is printed by a command in it, which loses
 * newlines at the end of the word.
 */
void str_add_word(struct str *str, const char *word);

/* Ends what colour sequences began. */
#define STR_COLOUR_END "\x1b[m"

/* The length of a colour sequence (ESC [ digits ; m) at the start, or 0. */
size_t str_colour_length(const char *bytes, size_t len);

/* The same as str_add_visible(), but colour sequences stay as they are. */
void str_add_coloured(struct str *str, const char *bytes, size_t len);

/* True for a code point that a terminal obeys, or does not show. */
bool str_is_unseen(long code);

/*
 * Decode one UTF-8 character: its code point, its length through "len_out".
 * -1 and a length of 1 for a byte that starts no valid character (overlong
 * forms, surrogates and what lies beyond U+10FFFF are invalid). "len" is at
 * least 1.
 */
long str_decode(const char *bytes, size_t len, size_t *len_out);

/*
 * How many bytes of a text to say where there is room for "max": all of
 * them, or up to where a clause ends (before "; "), so that nothing that is
 * to be done is told by half; else a word, else a character.
 */
size_t str_fit(const char *text, size_t max);

/* Drop white space at the end. */
void str_trim_end(struct str *str);

/* Give the bytes away (free them with free); the str is empty again. */
char *str_detach(struct str *str);

bool str_starts_with(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);

#endif
