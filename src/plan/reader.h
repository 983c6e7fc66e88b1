/*
 * reader - the sections and keys of slipway.ini, as they come.
 *
 * Each value is stored in its struct at once, so that its fault is told
 * with its line. What was set, and where, is remembered: config.c needs it
 * for what only the whole file can tell (defaults, names that refer to
 * another section). No other file needs this one.
 *
 *	err = ini_read(name, text, len, reader_take, &reader);
 *	if (err == NULL)
 *		err = reader_end(&reader);
 *	...
 *	reader_release(&reader);
 */
#ifndef READER_H
#define READER_H

#include <stddef.h>

#include "err.h"
#include "plan/config.h"
#include "plan/option.h"

struct section {
	enum option_section kind;
	char *name;		/* "" of [app] */
	char *title;		/* "[action updb]" */
	size_t index;		/* in the array of its kind */
	size_t first;		/* its settings begin here */
	int line;
};

struct setting {
	size_t section;
	char *key;
	int line;
};

struct reader {
	const char *file;	/* lent, for messages */
	struct config *config;	/* lent, filled */
	struct section *sections;
	size_t n_sections;
	struct setting *settings;
	size_t n_settings;
};

/* An ini_cb; "ctx" is the reader. */
const struct err *reader_take(const char *title, const char *key,
    const char *value, int line, void *ctx);

/* The last section is complete. */
const struct err *reader_end(struct reader *reader);

/* Frees what the reader remembers, not the config. */
void reader_release(struct reader *reader);

/* ERR_CONFIG, "FILE:LINE: TEXT". */
const struct err *reader_fault(const struct reader *reader, int line,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Where the value of a row is kept for this section. */
void *reader_field(const struct reader *reader,
    const struct section *section, const struct option *row);

/* Line of a key of a section, 0 when it is not set. */
int reader_line(const struct reader *reader, const struct section *section,
    const char *key);

#endif
