/*
 * table - deploys as lines and as JSON.
 *
 * The JSON objects are the contract with scripts: keys are only added,
 * never renamed.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "journal/deploy.h"
#include "json.h"
#include "str.h"

/* What the columns of "slipway log" go by. */
struct table_columns {
	size_t environment_width;	/* of the longest name; 0: no matter */
	bool refs;			/* tell the ref before the subject */
};

/*
 * One line of "slipway log": number, time, environment, state, release,
 * commit, pusher, subject, in columns, what is too long for its own being
 * cut; a second, indented line for an error. A rollback is told before its
 * subject, and a release that is gone is in parentheses.
 */
const struct err *table_log_line(struct str *out,
    const struct table_columns *columns, struct journal *journal,
    const struct deploy *deploy);

/* The column titles of those lines. */
void table_log_head(struct str *out, const struct table_columns *columns);

/*
 * Everything about one deploy for "slipway show": what was asked by which
 * commit, the steps with their times, what it superseded, how it ended.
 * "abandoned": its runner is gone.
 */
const struct err *table_show(struct str *out, struct journal *journal,
    const struct deploy *deploy, bool abandoned);

/* The JSON object of a deploy, with its steps. */
const struct err *table_json(struct json *json, struct journal *journal,
    const struct deploy *deploy);

struct leaving;

/* An environment, and what was found out about it besides the journal. */
struct table_place {
	const char *environment;
	const char *root;
	const char *not_live;	/* of tip_add(); NULL: all is well */
	const struct leaving *leaving;	/* of leaving_find_live() */
	const struct vec *left;	/* of left_find() */
	const char *handmade;	/* of handmade_add(); "": nothing is */
	int64_t n_handmade;	/* -1: not known */
	const char *which;	/* of config_which(), with -C */
	const char *claim;	/* of store_check_root(); NULL: it is ours */
	bool refs;		/* it deploys several: tell which is live */
};

/*
 * The lines of "slipway status" for one environment: what is live, since
 * when, by whom; what is under way; what waits; whether the last deploy
 * failed. With "json", an object instead. Whose the root is, if it is not
 * ours, or what current_look() finds wrong, is appended to "fault", too.
 */
const struct err *table_status(struct str *out, struct journal *journal,
    const struct table_place *place, struct str *fault);
const struct err *table_status_json(struct json *json,
    struct journal *journal, const struct table_place *place,
    struct str *fault);

/*
 * A line about the newest push that was refused since the last deploy was
 * asked for; nothing when there is none. It left no deploy that would tell.
 */
const struct err *table_refused(struct str *out, struct journal *journal);

#endif
