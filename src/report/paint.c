#include "report/paint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_on;

static const char *const codes[] = {
	[PAINT_NONE] = "",
	[PAINT_GOOD] = "\x1b[32m",
	[PAINT_BAD] = "\x1b[31m",
	[PAINT_BUSY] = "\x1b[33m",
};

static const struct {
	const char *state;
	enum paint paint;
} states[] = {
	{ "queued",	 PAINT_BUSY },
	{ "preparing",	 PAINT_BUSY },
	{ "prepared",	 PAINT_BUSY },
	{ "activating",	 PAINT_BUSY },
	{ "live",	 PAINT_GOOD },
	{ "failed",	 PAINT_BAD },
	{ "rolled-back", PAINT_BAD },
	{ "broken",	 PAINT_BAD },
};

enum { AUTO, ALWAYS, NEVER };

const char *const paint_whens[] = {
	[AUTO] = "auto",
	[ALWAYS] = "always",
	[NEVER] = "never",
	NULL
};

static bool
is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0';
}

static bool
terminal_has_colours(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !is_set("NO_COLOR") &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

const struct err *
paint_choose(const char *when)
{
	for (int i = AUTO; i <= NEVER; i++) {
		if (strcmp(when, paint_whens[i]) != 0)
			continue;
		is_on = i == ALWAYS || (i == AUTO && terminal_has_colours());
		return NULL;
	}
	return err_new(ERR_USAGE, "--color %s: say auto, always or never",
	    when);
}

bool
paint_is_on(void)
{
	return is_on;
}

void
paint_begin(struct str *out, enum paint paint)
{
	if (is_on)
		str_add(out, codes[paint]);
}

void
paint_end(struct str *out)
{
	if (is_on)
		str_add(out, STR_COLOUR_END);
}

void
paint_word(struct str *out, enum paint paint, const char *word)
{
	if (paint == PAINT_NONE) {
		str_add(out, word);
		return;
	}
	paint_begin(out, paint);
	str_add(out, word);
	paint_end(out);
}

void
paint_lead(struct str *out, enum paint paint, const char *word)
{
	paint_word(out, paint, word);
	str_addch(out, ' ');
}

enum paint
paint_of_state(const char *state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].state, state) == 0)
			return states[i].paint;
	}
	return PAINT_NONE;
}

/* Lines and columns are ours; what came from outside is escaped already. */
void
paint_guard(struct str *out, const struct str *text)
{
	for (size_t at = 0; at < text->len; at++) {
		const char *part = text->s + at;
		size_t len = 0;

		while (at + len < text->len && part[len] != '\n' &&
		    part[len] != '\t')
			len++;
		if (is_on)
			str_add_coloured(out, part, len);
		else
			str_add_visible(out, part, len);
		at += len;
		if (at < text->len)
			str_addch(out, text->s[at]);
	}
}
