/*
 * inih asks for lines, so the reader that it asks is where a text is
 * checked: every fault is found, and worded, before inih sees the line.
 * The other half of the promise is kept on the way back: the reader knows
 * what the line holds, and whatever inih hands over must equal it. So a
 * build that cuts is caught whatever its reason, also where none of its
 * settings can be set.
 *
 * Comments and blank lines are never handed over: the rest of a long one
 * cannot be taken for a line then.
 */
#include "ini.h"

#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "str.h"

/* Debian's settings: weak, as other builds of inih do not have them. */
extern bool ini_allow_multiline __attribute__((weak));
extern bool ini_allow_inline_comments __attribute__((weak));
extern bool ini_allow_no_value __attribute__((weak));
extern bool ini_allow_realloc __attribute__((weak));
extern bool ini_use_stack __attribute__((weak));
extern int ini_max_line __attribute__((weak));
extern int ini_initial_alloc __attribute__((weak));
extern char *ini_start_comment_prefixes __attribute__((weak));

/* What inih reads with: room for "\r\n" and the NUL. */
#define BUFFER_BYTES (INI_LINE_MAX + 3)

static const char white[] = " \t\r\n\v\f";
static const char bom[] = "\xef\xbb\xbf";

/* A part of the text. */
struct span {
	const char *s;
	size_t len;
};

struct source {
	const char *name;
	struct span text;		/* what was not read yet */
	struct span pending;		/* of the line that inih is reading */
	bool newline_due;
	int line;
	char section[INI_SECTION_MAX + 1];	/* "": none yet */
	struct span key;		/* "s" NULL: inih owes us no pair */
	struct span value;
	ini_cb cb;
	void *ctx;
	const struct err *err;
};

static void fault(struct source *source, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fault(struct source *source, const char *fmt, ...)
{
	struct str what = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	source->err = err_new(ERR_CONFIG, "%s:%d: %s", source->name,
	    source->line, what.s);
	str_release(&what);
}

static void
apply_settings(void)
{
	static char comments[] = ";#";

	if (&ini_allow_multiline != NULL)
		ini_allow_multiline = false;
	if (&ini_allow_inline_comments != NULL)
		ini_allow_inline_comments = false;
	if (&ini_allow_no_value != NULL)
		ini_allow_no_value = false;
	if (&ini_allow_realloc != NULL)
		ini_allow_realloc = false;
	if (&ini_use_stack != NULL)
		ini_use_stack = false;
	if (&ini_max_line != NULL)
		ini_max_line = BUFFER_BYTES;
	if (&ini_initial_alloc != NULL)
		ini_initial_alloc = BUFFER_BYTES;
	if (&ini_start_comment_prefixes != NULL)
		ini_start_comment_prefixes = comments;
}

static bool
is_white(char c)
{
	return c != '\0' && strchr(white, c) != NULL;
}

static struct span
trim(const char *s, size_t len)
{
	while (len > 0 && is_white(s[0])) {
		s++;
		len--;
	}
	while (len > 0 && is_white(s[len - 1]))
		len--;
	return (struct span){ s, len };
}

static struct span
take_line(struct source *source)
{
	struct span line = source->text;
	const char *end = memchr(line.s, '\n', line.len);
	size_t used = line.len;

	if (end != NULL) {
		line.len = (size_t)(end - line.s);
		used = line.len + 1;
	}
	source->text.s += used;
	source->text.len -= used;
	source->line++;
	if (line.len > 0 && line.s[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool
is_utf8(const char *s, size_t len)
{
	while (len > 0) {
		size_t used;

		if (str_decode(s, len, &used) == -1)
			return false;
		s += used;
		len -= used;
	}
	return true;
}

static void
check_bytes(struct source *source, struct span line)
{
	if (line.len > INI_LINE_MAX)
		fault(source, "the line has %zu bytes; write at most %d, or"
		    " put the commands into a script and name that",
		    line.len, INI_LINE_MAX);
	else if (memchr(line.s, '\0', line.len) != NULL)
		fault(source, "the line has a NUL byte; write plain text in"
		    " UTF-8");
	else if (!is_utf8(line.s, line.len))
		fault(source, "the line is not UTF-8; save the file as"
		    " UTF-8");
}

static void
start_section(struct source *source, struct span line)
{
	const char *end = memchr(line.s, ']', line.len);
	struct span name;

	if (end == NULL) {
		fault(source, "the section has no ']'; write [NAME]");
		return;
	}
	if (end != line.s + line.len - 1) {
		fault(source, "text after the ']'; write [NAME] alone, and a"
		    " comment on a line of its own");
		return;
	}
	name = trim(line.s + 1, line.len - 2);
	if (name.len == 0) {
		fault(source, "the section has no name; write [NAME]");
		return;
	}
	if (name.len > INI_SECTION_MAX) {
		fault(source, "the name of the section has %zu bytes; write"
		    " at most %d", name.len, INI_SECTION_MAX);
		return;
	}
	memcpy(source->section, name.s, name.len);
	source->section[name.len] = '\0';
	source->err = source->cb(source->section, NULL, NULL, source->line,
	    source->ctx);
}

static void
expect_pair(struct source *source, struct span line)
{
	struct span key, value;
	size_t at = 0;

	while (at < line.len && line.s[at] != '=' && line.s[at] != ':')
		at++;
	if (at == line.len) {
		fault(source, "the line has no '='; write key = value, or"
		    " start a comment with '#'");
		return;
	}
	key = trim(line.s, at);
	value = trim(line.s + at + 1, line.len - at - 1);
	if (key.len == 0)
		fault(source, "no key before the '%c'; write key = value",
		    line.s[at]);
	else if (key.len > INI_KEY_MAX)
		fault(source, "the key has %zu bytes; write at most %d",
		    key.len, INI_KEY_MAX);
	else if (source->section[0] == '\0')
		fault(source, "'%.*s' is before any section; write [NAME]"
		    " above it", (int)key.len, key.s);
	source->key = key;
	source->value = value;
}

static void
fault_of_inih(struct source *source)
{
	fault(source, "the inih of this system would cut this line short;"
	    " write at most %d bytes and no \" ;\" on it", INI_MAX_LINE - 3);
}

/* Find the next line that inih has to see. False at the end, or a fault. */
static bool
next_line(struct source *source)
{
	if (source->key.s != NULL)
		fault_of_inih(source);
	while (source->err == NULL && source->text.len > 0) {
		struct span line = take_line(source);

		check_bytes(source, line);
		if (source->err != NULL)
			return false;
		line = trim(line.s, line.len);
		if (line.len == 0 || line.s[0] == ';' || line.s[0] == '#')
			continue;
		if (line.s[0] == '[')
			start_section(source, line);
		else
			expect_pair(source, line);
		source->pending = line;
		source->newline_due = true;
		return source->err == NULL;
	}
	return false;
}

/* What fgets(3) does, for inih. */
static char *
read_line(char *out, int size, void *stream)
{
	struct source *source = stream;
	size_t room, n;

	if (source->err != NULL || size < 2)
		return NULL;
	if (!source->newline_due && !next_line(source))
		return NULL;
	room = (size_t)size - 1;
	n = source->pending.len < room ? source->pending.len : room;
	memcpy(out, source->pending.s, n);
	source->pending.s += n;
	source->pending.len -= n;
	if (n < room) {
		out[n++] = '\n';
		source->newline_due = false;
	}
	out[n] = '\0';
	return out;
}

static bool
equals(struct span span, const char *s)
{
	return s != NULL && strlen(s) == span.len &&
	    memcmp(s, span.s, span.len) == 0;
}

static int
take_pair(void *user, const char *section, const char *key,
    const char *value)
{
	struct source *source = user;

	(void)section;
	/* Some builds announce sections; ours are announced already. */
	if (source->err != NULL || key == NULL)
		return 1;
	if (source->key.s == NULL || !equals(source->key, key) ||
	    !equals(source->value, value)) {
		fault_of_inih(source);
		return 1;
	}
	source->key.s = NULL;
	source->err = source->cb(source->section, key, value, source->line,
	    source->ctx);
	return 1;
}

const struct err *
ini_read(const char *name, const char *text, size_t len, ini_cb cb,
    void *ctx)
{
	struct source source = {
		.name = name, .text = { text, len }, .cb = cb, .ctx = ctx
	};

	if (len >= sizeof(bom) - 1 && memcmp(text, bom, sizeof(bom) - 1) == 0) {
		source.text.s += sizeof(bom) - 1;
		source.text.len -= sizeof(bom) - 1;
	}
	apply_settings();
	if (ini_parse_stream(read_line, &source, take_pair, &source) == -2)
		return err_new(ERR_FAILED, "%s: out of memory", name);
	if (source.err == NULL && source.key.s != NULL)
		fault_of_inih(&source);
	return source.err;
}
