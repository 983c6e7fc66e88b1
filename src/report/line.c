#include "report/line.h"

#include <string.h>

#include "report/paint.h"

#define TAB_WIDTH 8

/* How many characters a text has on a terminal. */
static size_t
width_of(const char *text, size_t len)
{
	size_t width = 0, step;

	for (size_t i = 0; i < len; i += step) {
		step = str_colour_length(text + i, len - i);
		if (step > 0)
			continue;
		str_decode(text + i, len - i, &step);
		width++;
	}
	return width;
}

void
line_text(struct str *out, const char *text)
{
	if (text != NULL)
		str_add_visible(out, text, strlen(text));
}

/* How many bytes the first "max" characters are. */
static size_t
prefix_bytes(const char *text, size_t len, size_t max)
{
	size_t at = 0, step;

	while (at < len && max-- > 0) {
		str_decode(text + at, len - at, &step);
		at += step;
	}
	return at;
}

void
line_cut(struct str *out, const char *text, size_t max)
{
	struct str visible = STR_INIT;

	line_text(&visible, text);
	if (width_of(visible.s, visible.len) > max) {
		str_truncate(&visible, prefix_bytes(visible.s, visible.len,
		    max < 3 ? 0 : max - 3));
		str_add(&visible, "...");
	}
	str_add_bytes(out, visible.s, visible.len);
	str_release(&visible);
}

static void
add_spaces(struct str *out, size_t n)
{
	while (n-- > 0)
		str_addch(out, ' ');
}

void
line_cell(struct str *out, const char *text, size_t width)
{
	size_t start = out->len, used;

	line_text(out, text);
	used = width_of(out->s + start, out->len - start);
	add_spaces(out, (used < width ? width - used : 0) + 2);
}

void
line_label(struct str *out, const char *label)
{
	str_addf(out, "  %-*s ", LINE_LABEL_WIDTH, label);
}

void
line_pair(struct str *out, const char *label, const char *text)
{
	if (text == NULL)
		return;
	line_label(out, label);
	line_text(out, text);
	str_addch(out, '\n');
}

void
line_commit(struct str *out, const char *commit)
{
	if (commit != NULL)
		str_add_visible(out, commit, strnlen(commit,
		    LINE_COMMIT_DIGITS));
}

void
line_output(struct str *out, const char *text)
{
	size_t len = strlen(text), start = out->len, column, upto;
	const char *last;

	while (len > 0 && text[len - 1] == '\r')
		len--;
	last = memrchr(text, '\r', len);
	if (last != NULL) {
		len -= (size_t)(last + 1 - text);
		text = last + 1;
	}
	while (len > 0) {
		const char *tab = memchr(text, '\t', len);

		upto = tab == NULL ? len : (size_t)(tab - text);
		if (paint_is_on())
			str_add_coloured(out, text, upto);
		else
			str_add_visible(out, text, upto);
		if (tab != NULL) {
			column = width_of(out->s + start, out->len - start);
			add_spaces(out, TAB_WIDTH - column % TAB_WIDTH);
			upto++;
		}
		text += upto;
		len -= upto;
	}
	if (memchr(out->s + start, '\x1b', out->len - start) != NULL)
		paint_end(out);
}
