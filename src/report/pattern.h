/*
 * pattern - a deploy as a line of a form that somebody chose, for scripts.
 *
 *	{deploy} {state} {commit}
 *
 * A name in braces stands for a value; the names are those of the JSON
 * object and "short", the commit's first digits. Everything else stands for
 * itself, and so does a brace that is written twice. What is not known is
 * nothing. Values come from outside: they are made visible as for a
 * terminal, so that a record is one line whatever a subject holds, and a tab
 * between two placeholders is the only one.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include "err.h"
#include "journal/deploy.h"
#include "str.h"

/* ERR_USAGE names the placeholder that there is not, and the nearest. */
const struct err *pattern_check(const char *pattern);

/* Append one line. The pattern has been checked. */
const struct err *pattern_add(struct str *out, const char *pattern,
    struct journal *journal, const struct deploy *deploy);

/* "{deploy} {environment} ...": all of them, appended. */
void pattern_names(struct str *out);

#endif
