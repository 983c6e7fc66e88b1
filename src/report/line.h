/*
 * line - the pieces that lines for people are made of.
 *
 * Every text is taken to come from outside and is made visible, so that
 * no author, file name or command can steer a terminal. Widths count
 * characters, not bytes.
 */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

#include "str.h"

/* Labels of "  label         text" are padded to this many characters. */
#define LINE_LABEL_WIDTH 13

/* Characters of a commit's name that people are shown. */
#define LINE_COMMIT_DIGITS 7

/* Characters of a subject that people are shown. */
#define LINE_SUBJECT_MAX 72

/* Where to look at what is to be done with a broken deploy. */
#define LINE_BROKEN "A BROKEN DEPLOY in slipway-hooks(7)"

/* NULL adds nothing. */
void line_text(struct str *out, const char *text);

/* At most "max" characters; more is cut with "...". */
void line_cut(struct str *out, const char *text, size_t max);

/* The text, and spaces up to "width" and two more. */
void line_cell(struct str *out, const char *text, size_t width);

/* "  label        ". */
void line_label(struct str *out, const char *label);

/* One whole line; none when "text" is NULL. */
void line_pair(struct str *out, const char *label, const char *text);

/* "1a2b3c4". NULL adds nothing. */
void line_commit(struct str *out, const char *commit);

/*
 * A line that a command printed: tabs become spaces, and what a carriage
 * return would have overwritten is left out. Its colours stay where colours
 * are on, and end with it.
 */
void line_output(struct str *out, const char *text);

#endif
