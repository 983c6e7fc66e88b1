/*
 * The scanner of commit messages: what it finds is a directive, stands in
 * the text, and is found again alone; a text of lines asks for what each
 * line asks for.
 */
#include "plan/directive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void
check_same(const struct directives *a, const struct directives *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert(strcmp(a->v[i].name, b->v[i].name) == 0);
		assert(strcmp(a->v[i].argument, b->v[i].argument) == 0);
	}
}

/* As it is written in a message, without the dashes. */
static void
add_word(struct str *out, const struct directive *d)
{
	str_addf(out, "%s%s%s", d->name, *d->argument == '\0' ? "" : ":",
	    d->argument);
}

static void
check_one(const struct directive *d, const char *text)
{
	struct directives alone = DIRECTIVES_INIT, word = DIRECTIVES_INIT;
	struct str written = STR_INIT;

	assert(*d->name != '\0' && strlen(d->name) <= DIRECTIVE_NAME_MAX);
	assert(d->name[strspn(d->name, "abcdefghijklmnopqrstuvwxyz"
	    "0123456789_")] == '\0');
	assert(strlen(d->argument) <= DIRECTIVE_ARGUMENT_MAX);
	assert(strcspn(d->argument, " \t\n\v\f\r") == strlen(d->argument));
	str_addch(&written, '-');
	add_word(&written, d);
	str_addch(&written, '-');
	assert(strstr(text, written.s) != NULL);
	directives_scan_text(&alone, written.s, "c");
	assert(alone.n == 1);
	assert(strcmp(alone.v[0].name, d->name) == 0);
	assert(strcmp(alone.v[0].argument, d->argument) == 0);
	str_clear(&written);
	add_word(&written, d);
	assert(directives_add_word(&word, written.s, "c", "option") == NULL);
	check_same(&alone, &word);
	directives_release(&alone);
	directives_release(&word);
	str_release(&written);
}

/* A newline is in no directive and touches none. */
static void
check_lines(const char *text)
{
	struct directives whole = DIRECTIVES_INIT, parts = DIRECTIVES_INIT;
	char *line = strdup(text);

	directives_scan_text(&whole, text, "c");
	for (char *at = line, *next; at != NULL; at = next) {
		next = strchr(at, '\n');
		if (next != NULL)
			*next++ = '\0';
		directives_scan_text(&parts, at, "c");
	}
	check_same(&whole, &parts);
	free(line);
	directives_release(&whole);
	directives_release(&parts);
}

/* Each argument is in what a command gets, and the words count. */
static void
check_arguments(const struct directives *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct str all = STR_INIT;

		directives_argument(list, list->v[i].name, &all);
		assert(strstr(all.s, list->v[i].argument) != NULL);
		assert(directives_has(list, list->v[i].name));
		str_release(&all);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct directives list = DIRECTIVES_INIT, word = DIRECTIVES_INIT;
	size_t n;

	directives_scan_text(&list, text, "c");
	for (size_t i = 0; i < list.n; i++)
		check_one(&list.v[i], text);
	check_lines(text);
	check_arguments(&list);
	n = list.n;
	directives_scan_text(&list, text, "c");
	assert(list.n == n);
	if (directives_add_word(&word, text, "", "cli") == NULL)
		assert(word.n == 1);
	directives_release(&list);
	directives_release(&word);
	free(text);
	return 0;
}
