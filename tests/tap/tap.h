/*
 * tap - what a C test says to prove(1): TAP, the Test Anything Protocol.
 *
 *	int
 *	main(void)
 *	{
 *		ok(1 + 1 == 2, "addition");
 *		is_str(name, "shop", "the name is read");
 *		return tap_done();
 *	}
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* Each returns whether it passed; the format names the case. */
bool ok(bool passed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool is_str(const char *got, const char *want, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool is_int(int64_t got, int64_t want, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Passes when "err" is NULL; shows its text otherwise. */
bool is_ok(const struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Passes when "err" has that code and its text contains "part". */
bool is_err(const struct err *err, enum err_code code, const char *part,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A comment in the output. */
void diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Leave with "1..0 # SKIP reason". */
void skip_all(const char *reason) __attribute__((noreturn));

/* A fresh folder that is removed when the test ends. */
const char *tap_folder(void);

/* Run a line of shell in it, silently; true when that exits with 0. */
bool sh(const char *line);

/* Print the plan; the exit status for main(). */
int tap_done(void);

#endif
