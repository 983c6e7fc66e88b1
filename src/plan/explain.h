/*
 * explain - every key of slipway.ini: what holds, and where that is said.
 *
 * The rows of the option table are gone through for [app], and for each
 * environment, host and action of a config. A key that may have any name
 * (env.NAME) is told once for each name that is set.
 *
 *	explain(config, NULL, print_one, &out);
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "plan/config.h"
#include "plan/option.h"

enum source {
	SOURCE_LINE,		/* it stands in its own section */
	SOURCE_APP,		/* it stands in [app] */
	SOURCE_DEFAULT,
	SOURCE_OTHERS,		/* it follows from other keys */
	SOURCE_NONE		/* it is not set, and has no default */
};

struct explained {
	const struct option *row;
	const char *section;	/* "production"; "" of [app] */
	enum option_section kind;
	const char *key;	/* "env.APP_ENV" */
	const char *value;	/* as written; NULL of SOURCE_NONE */
	enum source source;
	int line;		/* of the first two; else 0 */
};

typedef void (*explain_cb)(const struct explained *explained, void *ctx);

/* All of it; with "env", what is said of that one, without [app]. */
void explain(const struct config *config, const struct environment *env,
    explain_cb cb, void *ctx);

/* "line", "app", "default", "others", "none". */
const char *explain_source_name(enum source source);

#endif
