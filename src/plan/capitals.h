/*
 * capitals - words that would be directives in lower case.
 *
 * "-CC-" asks for nothing: words in capitals between dashes are common in
 * prose. Where an action takes "cc", whoever wrote it is told all the same.
 *
 *	capitals_scan(&list, message, commit);
 *	...
 *	capitals_lower(&name, list.v[0].name);
 */
#ifndef CAPITALS_H
#define CAPITALS_H

#include <stdbool.h>

#include "plan/directive.h"
#include "str.h"

/*
 * Add those of a message, as they stand there and without their arguments,
 * unless it has the same word in lower case, too.
 */
void capitals_scan(struct directives *list, const char *message,
    const char *commit);

bool capitals_has(const char *name);

/* Append the name in lower case. */
void capitals_lower(struct str *out, const char *name);

#endif
