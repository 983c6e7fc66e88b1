/*
 * The scanner goes forward once. What a directive needs to know of its
 * left neighbour is carried along; where an argument ends does not depend
 * on where it began, so that place is searched for once and kept.
 */
#include "plan/directive.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct scan {
	const char *s;
	size_t len;
	size_t at;
	size_t stop;		/* end of an argument, if not before "at" */
	struct directives *list;
	const char *commit;
};

/* Punctuation, spaces and symbols beyond ASCII; the rest are letters. */
static const struct {
	long first, last;
} marks[] = {
	{ 0x80, 0xa9 }, { 0xab, 0xb4 }, { 0xb6, 0xb9 }, { 0xbb, 0xbf },
	{ 0xd7, 0xd7 }, { 0xf7, 0xf7 }, { 0x1680, 0x1680 },
	{ 0x2000, 0x206f }, { 0x20a0, 0x20cf }, { 0x2190, 0x2bff },
	{ 0x2e00, 0x2e7f }, { 0x3000, 0x3004 }, { 0x3008, 0x3020 },
	{ 0xfe00, 0xfe1f }, { 0xfe30, 0xfe6f }, { 0xfeff, 0xfeff },
	{ 0xff01, 0xff0f }, { 0xff1a, 0xff20 }, { 0xff3b, 0xff40 },
	{ 0xff5b, 0xff65 }, { 0xfff9, 0xfffd }, { 0x1f000, 0x1faff },
};

/* White space and what cannot be seen, beyond ASCII. */
static const struct {
	long first, last;
} unseen[] = {
	{ 0x80, 0xa0 }, { 0xad, 0xad }, { 0x61c, 0x61c },
	{ 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f },
	{ 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
	{ 0xe0000, 0xe0fff },
};

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* True for what must not touch a directive. */
static bool
touches(long c)
{
	if (c == -1)
		return true;
	if (c < 0x80)
		return is_name_byte((char)c) || (c >= 'A' && c <= 'Z') ||
		    c == '-';
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (c >= marks[i].first && c <= marks[i].last)
			return false;
	}
	return true;
}

static bool
is_printable(long c)
{
	if (c < 0x80)
		return c > ' ' && c < 0x7f;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
		if (c >= unseen[i].first && c <= unseen[i].last)
			return false;
	}
	return true;
}

static uint32_t
hash_text(uint32_t hash, const char *text)
{
	do {
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	} while (*text++ != '\0');
	return hash;
}

/* The slot of an equal entry, or the free one where it belongs. */
static size_t *
find_slot(const struct directives *list, const char *name,
    const char *argument, const char *commit)
{
	uint32_t hash = hash_text(hash_text(hash_text(2166136261u, name),
	    argument), commit);

	for (size_t i = hash;; i++) {
		size_t *slot = &list->slots[i & (list->n_slots - 1)];
		const struct directive *d;

		if (*slot == 0)
			return slot;
		d = &list->v[*slot - 1];
		if (strcmp(d->name, name) == 0 &&
		    strcmp(d->argument, argument) == 0 &&
		    strcmp(d->commit, commit) == 0)
			return slot;
	}
}

/* At least half of the slots stay free. */
static void
grow(struct directives *list)
{
	if (list->n == list->size) {
		list->size = list->size == 0 ? 8 : list->size * 2;
		list->v = xreallocarray(list->v, list->size,
		    sizeof(*list->v));
	}
	if (list->n * 2 < list->n_slots)
		return;
	free(list->slots);
	list->n_slots = list->size * 4;
	list->slots = xcalloc(list->n_slots, sizeof(*list->slots));
	for (size_t i = 0; i < list->n; i++) {
		const struct directive *d = &list->v[i];

		*find_slot(list, d->name, d->argument, d->commit) = i + 1;
	}
}

size_t
directives_add(struct directives *list, const char *name,
    const char *argument, const char *commit, const char *source)
{
	struct directive *d;
	size_t *slot;

	grow(list);
	slot = find_slot(list, name, argument, commit);
	if (*slot != 0)
		return *slot - 1;
	d = &list->v[list->n++];
	d->name = xstrdup(name);
	d->argument = xstrdup(argument);
	d->commit = xstrdup(commit);
	d->source = source;
	d->deploy = 0;
	*slot = list->n;
	return list->n - 1;
}

void
directives_release(struct directives *list)
{
	static const struct directives none = DIRECTIVES_INIT;

	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].name);
		free(list->v[i].argument);
		free(list->v[i].commit);
	}
	free(list->v);
	free(list->slots);
	*list = none;
}

/* True when nothing that touches stands at this place. */
static bool
is_free(const struct scan *scan, size_t at)
{
	size_t n;

	return at >= scan->len ||
	    !touches(str_decode(scan->s + at, scan->len - at, &n));
}

/*
 * The first place from "at" on that ends an argument: a '-' that nothing
 * touches, what is not printable, or the end of the text.
 */
static size_t
argument_end(struct scan *scan, size_t at)
{
	if (scan->stop < at)
		scan->stop = at;
	while (scan->stop < scan->len) {
		const char *p = scan->s + scan->stop;
		size_t n;

		if (!is_printable(str_decode(p, scan->len - scan->stop, &n)))
			break;
		if (*p == '-' && is_free(scan, scan->stop + 1))
			break;
		scan->stop += n;
	}
	return scan->stop;
}

static void
add_scanned(struct scan *scan, size_t name, size_t name_len,
    size_t argument, size_t argument_len)
{
	char *word, *rest;

	if (name_len > DIRECTIVE_NAME_MAX ||
	    argument_len > DIRECTIVE_ARGUMENT_MAX)
		return;
	word = xstrndup(scan->s + name, name_len);
	rest = xstrndup(scan->s + argument, argument_len);
	directives_add(scan->list, word, rest, scan->commit, "message");
	free(word);
	free(rest);
}

/*
 * At a '-' that nothing touches on the left: take the directive, if it is
 * one, and go on behind it. What is gone over otherwise is a name, or an
 * argument without an end; no directive can begin and end in either.
 */
static void
scan_directive(struct scan *scan)
{
	size_t name = ++scan->at, end, name_len;

	while (scan->at < scan->len && is_name_byte(scan->s[scan->at]))
		scan->at++;
	name_len = scan->at - name;
	if (name_len == 0 || scan->at == scan->len)
		return;
	if (scan->s[scan->at] == '-' && is_free(scan, scan->at + 1)) {
		add_scanned(scan, name, name_len, scan->at, 0);
		scan->at++;
		return;
	}
	if (scan->s[scan->at] != ':')
		return;
	end = argument_end(scan, scan->at + 1);
	if (end < scan->len && scan->s[end] == '-') {
		if (end > scan->at + 1)
			add_scanned(scan, name, name_len, scan->at + 1,
			    end - scan->at - 1);
		end++;
	}
	scan->at = end;
}

static void
scan_message(struct scan *scan)
{
	bool touched = false;

	while (scan->at < scan->len) {
		const char *p = scan->s + scan->at;
		size_t n;

		if (*p == '-' && !touched) {
			/* Behind it is a '-', a letter, or no '-' to come. */
			scan_directive(scan);
			touched = true;
			continue;
		}
		touched = touches(str_decode(p, scan->len - scan->at, &n));
		scan->at += n;
	}
}

void
directives_scan_text(struct directives *list, const char *text,
    const char *commit)
{
	struct scan scan = { .s = text, .len = strlen(text),
	    .list = list, .commit = commit };

	scan_message(&scan);
}

static bool
is_argument(const char *s, size_t len)
{
	size_t n;

	if (len == 0 || len > DIRECTIVE_ARGUMENT_MAX)
		return false;
	for (size_t i = 0; i < len; i += n) {
		if (!is_printable(str_decode(s + i, len - i, &n)))
			return false;
	}
	return true;
}

const struct err *
directives_add_word(struct directives *list, const char *word,
    const char *commit, const char *source)
{
	const char *s = word;
	size_t len = strlen(word), name_len = 0;
	char *name, *argument;

	if (len > 2 && s[0] == '-' && s[len - 1] == '-') {
		s++;
		len -= 2;
	}
	while (name_len < len && is_name_byte(s[name_len]))
		name_len++;
	if (name_len == 0 || name_len > DIRECTIVE_NAME_MAX ||
	    (name_len < len && (s[name_len] != ':' ||
	    !is_argument(s + name_len + 1, len - name_len - 1))))
		return err_new(ERR_USAGE, "'%.60s' is no directive; write"
		    " a name of lower-case letters, digits and '_', or"
		    " name:argument", word);
	name = xstrndup(s, name_len);
	argument = name_len == len ? xstrdup("") :
	    xstrndup(s + name_len + 1, len - name_len - 1);
	directives_add(list, name, argument, commit, source);
	free(name);
	free(argument);
	return NULL;
}

bool
directives_has(const struct directives *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i].name, name) == 0)
			return true;
	}
	return false;
}

void
directives_argument(const struct directives *list, const char *name,
    struct str *out)
{
	struct directives seen = DIRECTIVES_INIT;

	for (size_t i = 0; i < list->n; i++) {
		const struct directive *d = &list->v[i];

		if (d->argument[0] != '\0' && strcmp(d->name, name) == 0)
			directives_add(&seen, "", d->argument, "", "message");
	}
	for (size_t i = 0; i < seen.n; i++) {
		if (i > 0)
			str_addch(out, ' ');
		str_add(out, seen.v[i].argument);
	}
	directives_release(&seen);
}
