/*
 * forecast - what a deploy would do, in words, without doing it.
 *
 * It is the deploy's own plan: the same commits, the same directives, the
 * same actions in the same order. Nothing is written.
 */
#ifndef FORECAST_H
#define FORECAST_H

#include "err.h"
#include "journal/hub.h"
#include "plan/directive.h"
#include "str.h"

/*
 * Append lines about what a deploy of "commit" would do now: what is live,
 * the commits that would go live, the directives and who asks for them,
 * the actions phase by phase, and what no action takes. "options" are
 * directives that do not stand in a commit.
 */
const struct err *forecast_add(struct str *out, const struct hub *hub,
    const struct environment *env, const char *commit,
    const struct directives *options);

#endif
