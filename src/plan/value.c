#include "plan/value.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "nearest.h"
#include "path.h"
#include "plan/directive.h"

#define LETTERS_LOW "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LETTERS_LOW "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define BLANK " \t"

/* Far above every sensible count, far below every overflow. */
#define COUNT_MAX 1000000000

bool
value_is_name(const char *text)
{
	return text[0] != '\0' && text[0] != '-' && text[0] != '.' &&
	    text[strspn(text, LETTERS DIGITS "-_.")] == '\0' &&
	    strstr(text, "..") == NULL && !str_ends_with(text, ".") &&
	    !str_ends_with(text, ".lock");
}

static void
set_text(void *field, const char *text)
{
	char **old = field;

	free(*old);
	*old = xstrdup(text);
}

static const struct err *
set_name(void *field, const char *text)
{
	if (!value_is_name(text))
		return err_new(ERR_CONFIG, "not a name");
	set_text(field, text);
	return NULL;
}

/* Components, without what several slashes or one at the end would add. */
static const struct err *
set_root(void *field, const char *text)
{
	const struct err *err = NULL;
	struct vec parts = VEC_INIT;
	struct str root = STR_INIT;

	vec_split(&parts, text, "/");
	if (text[0] != '/')
		err = err_new(ERR_CONFIG, "not an absolute path");
	else if (parts.n == 0)
		err = err_new(ERR_CONFIG, "the whole file system");
	else if (vec_has(&parts, ".") || vec_has(&parts, ".."))
		err = err_new(ERR_CONFIG, "'.' or '..' on the way");
	if (err == NULL) {
		str_addch(&root, '/');
		vec_join(&parts, "/", &root);
		set_text(field, root.s);
	}
	str_release(&root);
	vec_release(&parts);
	return err;
}

/* The rules of git-check-ref-format, for what follows refs/heads/. */
static bool
is_branch(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f ||
		    strchr("~^:?*[\\", *p) != NULL)
			return false;
		if ((p == text || p[-1] == '/') && (*p == '.' || *p == '/'))
			return false;
		if (strncmp(p, ".lock", 5) == 0 &&
		    (p[5] == '\0' || p[5] == '/'))
			return false;
	}
	return text[0] != '\0' && text[0] != '-' &&
	    strcmp(text, "@") != 0 && strcmp(text, "HEAD") != 0 &&
	    strstr(text, "..") == NULL && strstr(text, "@{") == NULL &&
	    !str_ends_with(text, "/") && !str_ends_with(text, ".");
}

static const struct err *
set_branch(void *field, const char *text)
{
	if (str_starts_with(text, "refs/"))
		return err_new(ERR_CONFIG, "a full ref");
	if (!is_branch(text))
		return err_new(ERR_CONFIG, "no name of a branch in git");
	set_text(field, text);
	return NULL;
}

/* Lists elsewhere have commas, and git takes one in a name. */
static const struct err *
check_end(const char *word)
{
	if (!str_ends_with(word, ",") && !str_ends_with(word, ";"))
		return NULL;
	return err_new(ERR_CONFIG, "'%.60s' ends with a '%c', but only spaces"
	    " part the words", word, word[strlen(word) - 1]);
}

/* A pattern is sound when a name that it matches is. */
static const struct err *
set_names(void *field, const char *text)
{
	struct vec *names = field;
	const struct err *err = NULL;

	vec_clear(names);
	vec_split(names, text, BLANK);
	for (size_t i = 0; err == NULL && i < names->n; i++) {
		char *name = xstrdup(names->v[i]);

		for (char *p = name; *p != '\0'; p++)
			*p = *p == '*' ? 'x' : *p;
		err = check_end(names->v[i]);
		if (err == NULL && str_starts_with(name, "refs/"))
			err = err_new(ERR_CONFIG, "a full ref");
		else if (err == NULL && !is_branch(name))
			err = err_new(ERR_CONFIG, "'%.60s' is no name of a"
			    " branch or a tag in git", names->v[i]);
		free(name);
	}
	return err;
}

/* Digits alone; -1 for anything else, and for more than "most". */
static int64_t
number(const char *text, size_t len, int64_t most)
{
	int64_t value = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		if (value > (most - (text[i] - '0')) / 10)
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static const struct err *
set_number(void *field, const char *text, int64_t least, int64_t most)
{
	int64_t value = number(text, strlen(text), most);

	if (value == -1)
		return err_new(ERR_CONFIG, "not a whole number from %lld to"
		    " %lld", (long long)least, (long long)most);
	if (value < least)
		return err_new(ERR_CONFIG, "less than %lld",
		    (long long)least);
	*(int64_t *)field = value;
	return NULL;
}

static const struct err *
set_bool(void *field, const char *text)
{
	bool yes = strcmp(text, "yes") == 0;

	if (!yes && strcmp(text, "no") != 0)
		return err_new(ERR_CONFIG, "neither yes nor no");
	*(bool *)field = yes;
	return NULL;
}

static const struct err *
set_duration(void *field, const char *text)
{
	int64_t ms;

	if (clock_parse_duration(&ms, text) != NULL || ms < 0)
		return err_new(ERR_CONFIG, "not a duration");
	*(int64_t *)field = ms;
	return NULL;
}

static const struct err *
set_size(void *field, const char *text)
{
	static const char units[] = "KMG";
	size_t len = strspn(text, DIGITS);
	const char *unit = text[len] == '\0' ? NULL :
	    strchr(units, text[len]);
	int shift = unit == NULL ? 0 : 10 * (int)(unit - units + 1);
	int64_t value = number(text, len, INT64_MAX >> shift);

	if (value == -1 || (text[len] != '\0' &&
	    (unit == NULL || text[len + 1] != '\0')))
		return err_new(ERR_CONFIG, "not a size");
	*(int64_t *)field = value << shift;
	return NULL;
}

static const struct err *
set_words(void *field, const char *text)
{
	struct vec *words = field;

	vec_clear(words);
	vec_split(words, text, BLANK);
	for (size_t i = 0; i < words->n; i++) {
		if (!value_is_name(words->v[i]))
			return err_new(ERR_CONFIG, "'%.60s' is not a name",
			    words->v[i]);
	}
	return NULL;
}

/*
 * '/' sorts before everything else, so that what lies inside a folder
 * follows it immediately; one at the end does not count.
 */
static int
compare_paths(const void *a, const void *b)
{
	const unsigned char *p = *(const unsigned char *const *)a;
	const unsigned char *q = *(const unsigned char *const *)b;

	while (*p != '\0' && *p == *q) {
		p++;
		q++;
	}
	if (*p == '/' && p[1] == '\0')
		p++;
	if (*q == '/' && q[1] == '\0')
		q++;
	if (*p != '\0' && *q != '\0' && (*p == '/') != (*q == '/'))
		return *p == '/' ? -1 : 1;
	return *p - *q;
}

static bool
is_inside(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

static const struct err *
check_apart(const struct vec *paths)
{
	const struct err *err = NULL;
	struct vec sorted = VEC_INIT;

	vec_copy(&sorted, paths);
	if (sorted.n > 1)
		qsort(sorted.v, sorted.n, sizeof(*sorted.v), compare_paths);
	for (size_t i = 1; i < sorted.n && err == NULL; i++) {
		if (is_inside(sorted.v[i], sorted.v[i - 1]))
			err = err_new(ERR_CONFIG, "'%.60s' lies in"
			    " '%.60s', which is there already", sorted.v[i],
			    sorted.v[i - 1]);
	}
	vec_release(&sorted);
	return err;
}

static const struct err *
set_paths(void *field, const char *text)
{
	struct vec *paths = field;
	const struct err *err;

	vec_clear(paths);
	vec_split(paths, text, BLANK);
	for (size_t i = 0; i < paths->n; i++) {
		const char *path = paths->v[i];

		err = check_end(path);
		if (err != NULL)
			return err;
		if (!path_is_beneath(path))
			return err_new(ERR_CONFIG, "'%.60s' is not beneath"
			    " the release", path);
	}
	return check_apart(paths);
}

static const struct err *
set_phase(void *field, const char *text)
{
	const char *names[PHASE_COUNT], *near;

	if (phase_by_name(field, text))
		return NULL;
	for (int i = 0; i < PHASE_COUNT; i++)
		names[i] = phase_name((enum phase)i);
	near = nearest_word(text, names, PHASE_COUNT);
	if (near != NULL)
		return err_new(ERR_CONFIG, "no phase (did you mean '%s'?)",
		    near);
	return err_new(ERR_CONFIG, "no phase");
}

static const struct err *
set_directive(void *field, const char *text)
{
	if (strlen(text) > DIRECTIVE_NAME_MAX)
		return err_new(ERR_CONFIG, "longer than %d bytes",
		    DIRECTIVE_NAME_MAX);
	if (text[strspn(text, LETTERS_LOW DIGITS "_")] != '\0')
		return err_new(ERR_CONFIG, "not a directive");
	if (strcmp(text, DIRECTIVE_SKIP) == 0)
		return err_new(ERR_CONFIG, "reserved, -%s- deploys nothing",
		    DIRECTIVE_SKIP);
	set_text(field, text);
	return NULL;
}

static const struct err *
set_when(void *field, const char *text)
{
	struct value_when *both = field;
	const char *globs = text + strlen("changed");
	const struct err *err = NULL;

	vec_clear(both->globs);
	if (strcmp(text, "always") == 0) {
		*both->when = WHEN_ALWAYS;
		return NULL;
	}
	if (!str_starts_with(text, "changed") ||
	    (*globs != '\0' && strchr(BLANK, *globs) == NULL))
		return err_new(ERR_CONFIG, "neither always nor changed");
	vec_split(both->globs, globs, BLANK);
	if (both->globs->n == 0)
		return err_new(ERR_CONFIG, "no pattern behind it");
	for (size_t i = 0; err == NULL && i < both->globs->n; i++)
		err = check_end(both->globs->v[i]);
	*both->when = WHEN_CHANGED;
	return err;
}

static const struct err *
set_variable(void *field, const char *key, const char *text)
{
	const char *name = key + strlen("env.");
	char *entry;

	if (name[0] == '\0' || isdigit((unsigned char)name[0]) ||
	    name[strspn(name, LETTERS DIGITS "_")] != '\0')
		return err_new(ERR_CONFIG, "'%s' names no variable", name);
	if (str_starts_with(name, "SLIPWAY_") ||
	    str_starts_with(name, "GIT_"))
		return err_new(ERR_CONFIG, "SLIPWAY_ and GIT_ are not for"
		    " the config to set");
	entry = xasprintf("%s=%s", name, text);
	vec_put_variable(field, entry);
	free(entry);
	return NULL;
}

static const struct err *
set_choice(void *field, const struct option *row, const char *text)
{
	if (!option_has_choice(row, text))
		return err_new(ERR_CONFIG, "none of the words");
	set_text(field, text);
	return NULL;
}

static const struct err *
set_field(const struct option *row, const char *key, const char *text,
    void *field)
{
	switch (row->type) {
	case OPTION_NAME:
		return set_name(field, text);
	case OPTION_ROOT:
		return set_root(field, text);
	case OPTION_BRANCH:
		return set_branch(field, text);
	case OPTION_BRANCHES:
	case OPTION_TAGS:
		return set_names(field, text);
	case OPTION_COUNT:
		return set_number(field, text, row->least,
		    row->most != 0 ? row->most : COUNT_MAX);
	case OPTION_NICE:
		return set_number(field, text, 0, 19);
	case OPTION_BOOL:
		return set_bool(field, text);
	case OPTION_DURATION:
		return set_duration(field, text);
	case OPTION_SIZE:
		return set_size(field, text);
	case OPTION_WORDS:
		return set_words(field, text);
	case OPTION_PATHS:
		return set_paths(field, text);
	case OPTION_PHASE:
		return set_phase(field, text);
	case OPTION_DIRECTIVE:
		return set_directive(field, text);
	case OPTION_WHEN:
		return set_when(field, text);
	case OPTION_ENV:
		return set_variable(field, key, text);
	case OPTION_CHOICE:
		return set_choice(field, row, text);
	case OPTION_TEXT:
	case OPTION_COMMAND:
		break;
	}
	set_text(field, text);
	return NULL;
}

const struct err *
value_set(const struct option *row, const char *key, const char *text,
    void *field)
{
	const char *example = row->example != NULL ? row->example :
	    row->otherwise;
	bool lacks = text[0] == '\0' && row->type != OPTION_ENV &&
	    row->type != OPTION_PATHS;
	struct str type = STR_INIT;
	const struct err *err;

	option_add_type(&type, row);
	err = lacks ? NULL : set_field(row, key, text, field);
	if (lacks)
		err = err_new(ERR_CONFIG, "'%s' has no value; write %s, for"
		    " example '%s = %s', or remove the line", key, type.s,
		    row->key, example);
	else if (err != NULL)
		err = err_new(ERR_CONFIG, "%s = %.60s%s: %s; write %s, for"
		    " example '%s%s = %s'", key, text, strlen(text) > 60 ?
		    "..." : "", err->text, type.s, row->key,
		    row->type == OPTION_ENV ? OPTION_ENV_EXAMPLE : "",
		    example);
	str_release(&type);
	return err;
}

static void
inherit_variables(struct vec *own, const struct vec *from)
{
	struct vec both = VEC_INIT;

	vec_copy(&both, from);
	for (size_t i = 0; i < own->n; i++)
		vec_put_variable(&both, own->v[i]);
	vec_release(own);
	*own = both;
}

void
value_inherit(const struct option *row, void *field, const void *from,
    bool set)
{
	if (row->type == OPTION_ENV) {
		inherit_variables(field, from);
		return;
	}
	if (set)
		return;
	switch (row->type) {
	case OPTION_BOOL:
		*(bool *)field = *(const bool *)from;
		break;
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_DURATION:
		*(int64_t *)field = *(const int64_t *)from;
		break;
	case OPTION_PATHS:
		vec_copy(field, from);
		break;
	default:
		free(*(char **)field);
		*(char **)field = xstrdup_null(*(char *const *)from);
		break;
	}
}
