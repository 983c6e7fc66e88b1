/*
 * ini - read an INI text with inih, and let nothing be cut short.
 *
 * inih as distributions build it cuts long lines and hands the rest over
 * as another line, takes " ;" for a comment even inside quotes, cuts long
 * section names, and joins indented lines to the key above, all without an
 * error. Where the library exports its run-time settings (Debian's does)
 * they are set; where it does not, the reader refuses every line that such
 * a build would mistreat. Either way a value arrives whole or not at all.
 *
 * The rules that remain: a line is a comment (first character ';' or '#'),
 * a [section], or "key = value"; white space around each is dropped, an
 * indented line is like any other, and nothing continues on a second line.
 */
#ifndef INI_READER_H
#define INI_READER_H

#include <stddef.h>

#include "err.h"

/* The longest line, in bytes without its newline. */
#define INI_LINE_MAX 32768

/* The longest name of a section, in bytes. */
#define INI_SECTION_MAX 48

/* The longest key, in bytes. */
#define INI_KEY_MAX 48

/*
 * One "key = value", or the start of a section when "key" is NULL (a
 * section without keys is reported too). "line" counts from 1.
 */
typedef const struct err *(*ini_cb)(const char *section, const char *key,
    const char *value, int line, void *ctx);

/*
 * Read a whole text. Faults of the text itself are ERR_CONFIG, worded
 * "NAME:LINE: what is wrong; what to write instead". The first error of
 * the callback is passed on and gets no prefix.
 */
const struct err *ini_read(const char *name, const char *text, size_t len,
    ini_cb cb, void *ctx);

#endif
