/*
 * paint - sober colours, for a terminal that is to have them.
 *
 * They are off until a command line or a terminal says otherwise, which
 * only slipway itself asks: what hooks say is plain, and whether its first
 * word is coloured is git's business, by color.remote.
 *
 *	err = paint_choose("auto");
 *	paint_begin(out, PAINT_GOOD);
 *	line_text(out, "live");
 *	paint_end(out);
 */
#ifndef PAINT_H
#define PAINT_H

#include <stdbool.h>

#include "err.h"
#include "str.h"

enum paint {
	PAINT_NONE,
	PAINT_GOOD,		/* live */
	PAINT_BAD,		/* failed, an error */
	PAINT_BUSY		/* not over yet, a warning */
};

/* The words of --color, ended by NULL. */
extern const char *const paint_whens[];

/*
 * "always", "never", or "auto": on when standard output is a terminal that
 * is not dumb and NO_COLOR is not set. ERR_USAGE for any other word.
 */
const struct err *paint_choose(const char *when);

bool paint_is_on(void);

/* Between the two, what is added has the colour; nothing when it is off. */
void paint_begin(struct str *out, enum paint paint);
void paint_end(struct str *out);

/* A word of ours, painted; and the same before a text, with a space. */
void paint_word(struct str *out, enum paint paint, const char *word);
void paint_lead(struct str *out, enum paint paint, const char *word);

/* The colour of a deploy's state, by its name. */
enum paint paint_of_state(const char *state);

/*
 * The same text, ready for a terminal: whatever is in it, it obeys nothing
 * but colours, and those only when they are on. Newlines stay.
 */
void paint_guard(struct str *out, const struct str *text);

#endif
