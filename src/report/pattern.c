#include "report/pattern.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/release.h"
#include "nearest.h"
#include "report/line.h"

enum kind {
	KIND_NUMBER,		/* int64_t; 0: nothing */
	KIND_MS,		/* int64_t; -1: nothing */
	KIND_TIME,
	KIND_TEXT,
	KIND_SHORT,		/* first digits of a text */
	KIND_STATE,
	KIND_RELEASE_STATE,
	KIND_DIRECTIVES
};

#define FIELD(field) offsetof(struct deploy, field)

static const struct placeholder {
	const char *name;
	enum kind kind;
	size_t offset;
} placeholders[] = {
	{ "deploy",	   KIND_NUMBER,	    FIELD(number) },
	{ "environment",   KIND_TEXT,	    FIELD(environment) },
	{ "kind",	   KIND_TEXT,	    FIELD(kind) },
	{ "state",	   KIND_STATE,	    FIELD(state) },
	{ "commit",	   KIND_TEXT,	    FIELD(commit) },
	{ "short",	   KIND_SHORT,	    FIELD(commit) },
	{ "ref",	   KIND_TEXT,	    FIELD(ref) },
	{ "release",	   KIND_TEXT,	    FIELD(release) },
	{ "previous",	   KIND_TEXT,	    FIELD(previous) },
	{ "push",	   KIND_NUMBER,	    FIELD(push) },
	{ "pusher",	   KIND_TEXT,	    FIELD(pusher) },
	{ "author",	   KIND_TEXT,	    FIELD(author) },
	{ "subject",	   KIND_TEXT,	    FIELD(subject) },
	{ "directives",	   KIND_DIRECTIVES, 0 },
	{ "requested_at",  KIND_TIME,	    FIELD(requested_at) },
	{ "started_at",	   KIND_TIME,	    FIELD(started_at) },
	{ "finished_at",   KIND_TIME,	    FIELD(finished_at) },
	{ "prepare_ms",	   KIND_MS,	    FIELD(prepare_ms) },
	{ "window_ms",	   KIND_MS,	    FIELD(window_ms) },
	{ "superseded_by", KIND_NUMBER,	    FIELD(superseded_by) },
	{ "error",	   KIND_TEXT,	    FIELD(error) },
	{ "release_state", KIND_RELEASE_STATE, 0 },
};

#define N_PLACEHOLDERS (sizeof(placeholders) / sizeof(*placeholders))

void
pattern_names(struct str *out)
{
	for (size_t i = 0; i < N_PLACEHOLDERS; i++)
		str_addf(out, "%s{%s}", i == 0 ? "" : " ",
		    placeholders[i].name);
}

static const struct placeholder *
find(const char *name, size_t len)
{
	for (size_t i = 0; i < N_PLACEHOLDERS; i++) {
		if (strlen(placeholders[i].name) == len &&
		    memcmp(placeholders[i].name, name, len) == 0)
			return &placeholders[i];
	}
	return NULL;
}

static const struct err *
unknown(const char *name, size_t len)
{
	const char *names[N_PLACEHOLDERS], *near;
	char *word = xstrndup(name, len);
	struct str list = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < N_PLACEHOLDERS; i++)
		names[i] = placeholders[i].name;
	near = nearest_word(word, names, N_PLACEHOLDERS);
	pattern_names(&list);
	if (near != NULL)
		err = err_new(ERR_USAGE, "--format: there is no {%s}; did you"
		    " mean {%s}?", word, near);
	else
		err = err_new(ERR_USAGE, "--format: there is no {%s}; there"
		    " are %s", word, list.s);
	str_release(&list);
	free(word);
	return err;
}

/*
 * What begins at "at": a brace that stands for itself, or a placeholder.
 * "*len" is how much of the pattern that is; 0 for a brace left open.
 */
static const struct placeholder *
take(const char *at, size_t *len)
{
	size_t name_len = strcspn(at + 1, "{}");

	*len = 2;
	if (at[1] == at[0])
		return NULL;
	*len = at[0] == '{' && at[1 + name_len] == '}' ? name_len + 2 : 0;
	return *len == 0 ? NULL : find(at + 1, name_len);
}

const struct err *
pattern_check(const char *pattern)
{
	for (const char *p = pattern; *p != '\0'; ) {
		size_t len = strcspn(p, "{}");

		p += len;
		if (*p == '\0')
			break;
		if (take(p, &len) == NULL && len == 0)
			return err_new(ERR_USAGE, "--format: a '%c' stands"
			    " alone; write {deploy}, or '%c%c' for the brace"
			    " itself", *p, *p, *p);
		if (p[1] != p[0] && find(p + 1, len - 2) == NULL)
			return unknown(p + 1, len - 2);
		p += len;
	}
	return NULL;
}

static const struct err *
add_directives(struct str *out, struct journal *journal, int64_t number)
{
	struct directives list = DIRECTIVES_INIT;
	struct vec names = VEC_INIT;
	const struct err *err;

	err = deploy_directives(journal, number, true, &list);
	for (size_t i = 0; i < list.n; i++)
		vec_push_new(&names, list.v[i].name);
	vec_join(&names, " ", out);
	vec_release(&names);
	directives_release(&list);
	return err;
}

static const struct err *
add_release_state(struct str *out, struct journal *journal,
    const struct deploy *deploy)
{
	const struct err *err;
	char *state;

	err = release_get_state(journal, deploy->environment, deploy->release,
	    &state);
	line_text(out, state);
	free(state);
	return err;
}

static const struct err *
add_value(struct str *out, const struct placeholder *placeholder,
    struct journal *journal, const struct deploy *deploy)
{
	const void *field = (const char *)deploy + placeholder->offset;
	int64_t number = 0;
	char iso[CLOCK_ISO_SIZE];

	switch (placeholder->kind) {
	case KIND_NUMBER:
	case KIND_MS:
	case KIND_TIME:
		number = *(const int64_t *)field;
		break;
	case KIND_TEXT:
		line_text(out, *(char *const *)field);
		return NULL;
	case KIND_SHORT:
		line_commit(out, *(char *const *)field);
		return NULL;
	case KIND_STATE:
		str_add(out, deploy_state_name(deploy->state));
		return NULL;
	case KIND_RELEASE_STATE:
		return add_release_state(out, journal, deploy);
	case KIND_DIRECTIVES:
		return add_directives(out, journal, deploy->number);
	}
	if (placeholder->kind == KIND_TIME && number != 0) {
		clock_iso(iso, number);
		str_add(out, iso);
	} else if (number > 0 || (number == 0 && placeholder->kind ==
	    KIND_MS)) {
		str_addf(out, "%" PRId64, number);
	}
	return NULL;
}

/* As shells leave them in quotes; any other backslash is one. */
static size_t
add_escape(struct str *out, const char *at)
{
	static const char names[] = "tn\\", values[] = "\t\n\\";
	const char *name = at[1] == '\0' ? NULL : strchr(names, at[1]);

	str_addch(out, name == NULL ? '\\' : values[name - names]);
	return name == NULL ? 1 : 2;
}

const struct err *
pattern_add(struct str *out, const char *pattern, struct journal *journal,
    const struct deploy *deploy)
{
	const struct err *err = NULL;

	for (const char *p = pattern; err == NULL && *p != '\0'; ) {
		const struct placeholder *placeholder;
		size_t len = strcspn(p, "{}\\");

		str_add_bytes(out, p, len);
		p += len;
		if (*p == '\0')
			break;
		if (*p == '\\') {
			p += add_escape(out, p);
			continue;
		}
		placeholder = take(p, &len);
		if (placeholder == NULL)
			str_addch(out, *p);
		else
			err = add_value(out, placeholder, journal, deploy);
		p += len;
	}
	str_addch(out, '\n');
	return err;
}
