/*
 * forecast - what a deploy would do, without doing it.
 *
 * It is the deploy's own plan: the same commits, the same directives, the
 * same actions in the same order, by the functions that the deploy calls.
 * Around that stands what is known beforehand: what changes, what is linked
 * and carried over, how much room there is, how long it took last time.
 * Nothing is written.
 *
 *	err = forecast_make(&forecast, hub, env, commit, options);
 *	if (err == NULL)
 *		forecast_text(&out, &forecast);
 *	forecast_release(&forecast);
 */
#ifndef FORECAST_H
#define FORECAST_H

#include <stdbool.h>

#include "deploy/commits.h"
#include "deploy/edits.h"
#include "deploy/leaving.h"
#include "deploy/work.h"
#include "err.h"
#include "journal/hub.h"
#include "json.h"
#include "plan/directive.h"
#include "release/store.h"
#include "str.h"

/* One command: an action of the plan, or a hook of the release. */
struct forecast_step {
	enum phase phase;
	const struct plan_item *item;	/* NULL: a hook */
	char *name;			/* "updb", "before_migrate" */
	int64_t took_ms;		/* the last time; -1: not known */
};

struct forecast {
	struct work work;		/* planned and never begun */
	struct deploy live;		/* number 0: nothing is */
	struct deploy last;		/* what was deployed last; likewise */
	struct commits commits;		/* that go live */
	struct leaving leaving;
	struct vec changed;		/* paths */
	bool everything;		/* they are all there are */
	struct vec carried;		/* paths, as in the config */
	struct vec missing;		/* of what is to be linked */
	struct forecast_step *steps;	/* in their order */
	size_t n_steps;
	struct store_room room;
	bool has_root;			/* "room" is known */
	struct edits edits;		/* of what is live, by hand */
	char *edits_fault;		/* why they are not known, or NULL */
	char *lost;			/* of missing_add_live(), or NULL */
};

/*
 * Find out what a deploy of "commit" would do now. "options" are directives
 * that do not stand in a commit. To be released after an error, too.
 */
const struct err *forecast_make(struct forecast *forecast,
    const struct hub *hub, const struct environment *env,
    const char *commit, const struct directives *options);
void forecast_release(struct forecast *forecast);

/*
 * What would end such a deploy before it begins: ERR_REFUSED for what is
 * missing in shared/, for edits of the live release with "drift = refuse", and
 * for too little room.
 */
const struct err *forecast_check(const struct forecast *forecast);

/* As lines for people. */
void forecast_text(struct str *out, const struct forecast *forecast);

/* As an object. */
void forecast_json(struct json *json, const struct forecast *forecast);

/* The lines alone, and what forecast_check() has to say. */
const struct err *forecast_add(struct str *out, const struct err **check,
    const struct hub *hub, const struct environment *env,
    const char *commit, const struct directives *options);

#endif
