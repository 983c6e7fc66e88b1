/*
 * value - one value of slipway.ini, from its words to its type.
 *
 * What a field is in C follows from the type of its row in the option
 * table: bool for OPTION_BOOL; int64_t for numbers, durations and sizes;
 * enum phase for OPTION_PHASE; struct vec for OPTION_WORDS, OPTION_PATHS,
 * OPTION_BRANCHES, OPTION_TAGS and OPTION_ENV ("NAME=value"); char *, given,
 * for all others. The field
 * of OPTION_WHEN is a struct value_when that lends two.
 *
 * An error is ERR_CONFIG, worded "KEY = VALUE: what is wrong; write ...,
 * for example ...", without file and line, which the caller knows.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>

#include "err.h"
#include "plan/config.h"
#include "plan/option.h"

struct value_when {
	enum when *when;
	struct vec *globs;
};

/*
 * True for what may name an environment, a host, an action, a role:
 * letters, digits, '-', '_' and '.', fit for a file and for a part of a
 * ref (no '-' or '.' in front, no "..", no "." or ".lock" at the end).
 */
bool value_is_name(const char *text);

/*
 * Set a field. "key" is as it stands in the file, "env.NAME" for instance.
 * On failure the field is as it was or empty.
 */
const struct err *value_set(const struct option *row, const char *key,
    const char *text, void *field);

/*
 * Copy a field that was not set from another of the same type; "set" is
 * true for one that was, which changes only OPTION_ENV: the variables of
 * both, its own winning.
 */
void value_inherit(const struct option *row, void *field, const void *from,
    bool set);

#endif
