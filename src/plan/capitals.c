/*
 * The scanner of directives takes a capital for a letter that touches, so
 * that in a text without capitals it finds what it finds here, and more.
 */
#include "plan/capitals.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

bool
capitals_has(const char *name)
{
	while (*name != '\0' && (*name < 'A' || *name > 'Z'))
		name++;
	return *name != '\0';
}

void
capitals_lower(struct str *out, const char *name)
{
	for (; *name != '\0'; name++)
		str_addch(out, *name >= 'A' && *name <= 'Z' ?
		    (char)(*name - 'A' + 'a') : *name);
}

/* Where the first "-name-" or "-name:" of a text begins. */
static const char *
find(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; *text != '\0'; text++) {
		if (*text == '-' && strncmp(text + 1, name, len) == 0 &&
		    (text[len + 1] == '-' || text[len + 1] == ':'))
			return text + 1;
	}
	return NULL;
}

void
capitals_scan(struct directives *list, const char *message,
    const char *commit)
{
	struct directives lowered = DIRECTIVES_INIT, plain = DIRECTIVES_INIT;
	struct directives names = DIRECTIVES_INIT;
	struct str text = STR_INIT;
	const char *at;
	size_t n_plain;

	capitals_lower(&text, message);
	directives_scan_text(&plain, message, commit);
	directives_scan_text(&lowered, text.s, commit);
	for (size_t i = 0; i < plain.n; i++)
		directives_add(&names, plain.v[i].name, "", "", "message");
	n_plain = names.n;
	at = text.s;
	for (size_t i = 0; i < lowered.n; i++) {
		const char *name = lowered.v[i].name;
		char *word;

		/* They are in their order, so each is behind the last one. */
		at = find(at, name);
		if (at == NULL)
			break;
		if (directives_add(&names, name, "", "", "message") < n_plain)
			continue;
		word = xstrndup(message + (at - text.s), strlen(name));
		directives_add(list, word, "", commit, "message");
		free(word);
	}
	directives_release(&lowered);
	directives_release(&plain);
	directives_release(&names);
	str_release(&text);
}
