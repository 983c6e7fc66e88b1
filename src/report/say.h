/*
 * say - what a hook tells the one who pushes, on standard error.
 *
 * The lines start with words that git's client colours: "error:", "hint:".
 */
#ifndef SAY_H
#define SAY_H

#include "err.h"
#include "vec.h"

/* One line for each note, up to a hundred; then how many more. */
void say_notes(const struct vec *notes);

/*
 * One line, at once. A client that did not read it in time gets no other
 * one: "gone" points at a bool that remembers.
 */
void say_line(const char *line, void *gone);

/* "error: TEXT"; nothing for NULL. */
void say_error(const struct err *err);

/* The same for a push that is refused: that nothing has changed. */
void say_refused(const struct err *err);

#endif
