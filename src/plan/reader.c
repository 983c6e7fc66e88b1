#include "plan/reader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "nearest.h"
#include "plan/directive.h"
#include "plan/value.h"
#include "str.h"

static const enum option_section kinds[] = {
	SECTION_APP, SECTION_ENVIRONMENT, SECTION_HOST, SECTION_ACTION
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct err *
reader_fault(const struct reader *reader, int line, const char *fmt, ...)
{
	const struct err *err;
	struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	err = err_new(ERR_CONFIG, "%s:%d: %s", reader->file, line, text.s);
	str_release(&text);
	return err;
}

static void *
section_struct(const struct reader *reader, const struct section *section)
{
	struct config *config = reader->config;

	switch (section->kind) {
	case SECTION_APP:
		return &config->app;
	case SECTION_ENVIRONMENT:
		return &config->environments[section->index];
	case SECTION_HOST:
		return &config->hosts[section->index];
	case SECTION_ACTION:
		break;
	}
	return &config->actions[section->index];
}

void *
reader_field(const struct reader *reader, const struct section *section,
    const struct option *row)
{
	char *base = section_struct(reader, section);

	if (section->kind == SECTION_APP)
		return base + row->app_offset;
	if (section->kind == SECTION_ENVIRONMENT &&
	    (row->sections & SECTION_APP) != 0)
		return base + offsetof(struct environment, set) +
		    row->app_offset;
	return base + row->offset;
}

static const struct err *
store(const struct reader *reader, const struct section *section,
    const struct option *row, const char *key, const char *value)
{
	struct action *action;
	struct value_when when;

	if (row->type != OPTION_WHEN)
		return value_set(row, key, value,
		    reader_field(reader, section, row));
	action = section_struct(reader, section);
	when.when = &action->when;
	when.globs = &action->globs;
	return value_set(row, key, value, &when);
}

int
reader_line(const struct reader *reader, const struct section *section,
    const char *key)
{
	size_t index = (size_t)(section - reader->sections);

	for (size_t i = section->first; i < reader->n_settings &&
	    reader->settings[i].section == index; i++) {
		if (strcmp(reader->settings[i].key, key) == 0)
			return reader->settings[i].line;
	}
	return 0;
}

/* What a section decides by itself: required keys, and defaults. */
const struct err *
reader_end(struct reader *reader)
{
	const struct section *section;
	const struct err *err = NULL;
	const struct option *rows;
	size_t n;

	if (reader->n_sections == 0)
		return NULL;
	section = &reader->sections[reader->n_sections - 1];
	rows = option_table(&n);
	for (size_t i = 0; i < n && err == NULL; i++) {
		bool set;

		if ((rows[i].sections & section->kind) == 0)
			continue;
		set = reader_line(reader, section, rows[i].key) != 0;
		if (rows[i].required && !set)
			return reader_fault(reader, section->line,
			    "%s has no '%s';"
			    " write for example '%s = %s'", section->title,
			    rows[i].key, rows[i].key, rows[i].example);
		if (!set && rows[i].otherwise != NULL &&
		    section->kind == SECTION_ACTION)
			err = store(reader, section, &rows[i], rows[i].key,
			    rows[i].otherwise);
	}
	return err;
}

/* A zeroed entry at the end of an array. */
static void *
grow(void *array, size_t n, size_t size_bytes)
{
	char *bytes = xreallocarray(array, n + 1, size_bytes);

	memset(bytes + n * size_bytes, 0, size_bytes);
	return bytes;
}

static void
add_struct(struct config *config, struct section *section)
{
	struct environment *env;
	struct host *host;
	struct action *action;

	switch (section->kind) {
	case SECTION_APP:
		return;
	case SECTION_ENVIRONMENT:
		section->index = config->n_environments++;
		config->environments = grow(config->environments,
		    section->index, sizeof(*env));
		env = &config->environments[section->index];
		env->name = xstrdup(section->name);
		env->line = section->line;
		return;
	case SECTION_HOST:
		section->index = config->n_hosts++;
		config->hosts = grow(config->hosts, section->index,
		    sizeof(*host));
		host = &config->hosts[section->index];
		host->name = xstrdup(section->name);
		host->line = section->line;
		return;
	case SECTION_ACTION:
		break;
	}
	section->index = config->n_actions++;
	config->actions = grow(config->actions, section->index,
	    sizeof(*action));
	action = &config->actions[section->index];
	action->name = xstrdup(section->name);
	action->line = section->line;
}

static const struct err *
unknown_section(const struct reader *reader, const struct vec *words,
    int line)
{
	const char *names[N_KINDS], *near = NULL;

	for (size_t i = 0; i < N_KINDS; i++)
		names[i] = option_section_name(kinds[i]);
	if (words->n > 0)
		near = nearest_word(words->v[0], names, N_KINDS);
	if (near != NULL)
		return reader_fault(reader, line,
		    "unknown section [%s]; did you"
		    " mean [%s%s%s]?", words->v[0], near,
		    words->n > 1 ? " " : "", words->n > 1 ? words->v[1] : "");
	return reader_fault(reader, line, "unknown section [%s]; write [app],"
	    " [environment NAME], [host NAME] or [action NAME]",
	    words->n > 0 ? words->v[0] : "");
}

/* Words of a header: a kind, and a name unless it is [app]. */
static const struct err *
check_header(const struct reader *reader, const struct vec *words, int line,
    enum option_section *kind)
{
	size_t i = 0;

	while (i < N_KINDS && (words->n == 0 ||
	    strcmp(words->v[0], option_section_name(kinds[i])) != 0))
		i++;
	if (i == N_KINDS)
		return unknown_section(reader, words, line);
	*kind = kinds[i];
	if (*kind == SECTION_APP && words->n > 1)
		return reader_fault(reader, line, "[app] has no name; write"
		    " [app] alone");
	if (*kind != SECTION_APP && words->n == 1)
		return reader_fault(reader, line, "[%s] has no name; write"
		    " [%s NAME]", words->v[0], words->v[0]);
	if (words->n > 2)
		return reader_fault(reader, line, "[%s %s %s] has more than one"
		    " name; write [%s %s]", words->v[0], words->v[1],
		    words->v[2], words->v[0], words->v[1]);
	if (*kind != SECTION_APP && !value_is_name(words->v[1]))
		return reader_fault(reader, line,
		    "'%s' is not a name; write letters,"
		    " digits, '-', '_' and '.', neither '-' nor '.' in front,"
		    " no '..', no '.' or '.lock' at the end", words->v[1]);
	return NULL;
}

static const struct err *
open_section(struct reader *reader, const struct vec *words, int line)
{
	enum option_section kind = SECTION_APP;
	const char *name = words->n > 1 ? words->v[1] : "";
	const struct err *err = check_header(reader, words, line, &kind);
	struct section *section;

	if (err != NULL)
		return err;
	for (size_t i = 0; i < reader->n_sections; i++) {
		section = &reader->sections[i];
		if (section->kind == kind && strcmp(section->name, name) == 0)
			return reader_fault(reader, line,
			    "%s is there already, in"
			    " line %d; put its keys there", section->title,
			    section->line);
	}
	if (reader->n_sections == CONFIG_SECTIONS_MAX)
		return reader_fault(reader, line, "more than %d sections",
		    CONFIG_SECTIONS_MAX);
	reader->sections = grow(reader->sections, reader->n_sections,
	    sizeof(*section));
	section = &reader->sections[reader->n_sections++];
	section->kind = kind;
	section->name = xstrdup(name);
	section->title = kind == SECTION_APP ? xstrdup("[app]") :
	    xasprintf("[%s %s]", words->v[0], name);
	section->line = line;
	section->first = reader->n_settings;
	add_struct(reader->config, section);
	return NULL;
}

static const struct err *
unknown_key(const struct reader *reader, const struct section *section,
    const char *key, int line)
{
	const char *near = option_nearest(section->kind, key);
	const struct err *err;
	struct str keys = STR_INIT;
	const struct option *rows;
	size_t n;

	if (section->kind != SECTION_APP &&
	    option_find(SECTION_APP, key) != NULL)
		return reader_fault(reader, line, "'%s' is in %s, and is a"
		    " key of [app] only; move it there", key,
		    section->title);
	if (near != NULL)
		return reader_fault(reader, line,
		    "unknown key '%s' in %s; did you"
		    " mean '%s'?", key, section->title, near);
	rows = option_table(&n);
	for (size_t i = 0; i < n; i++) {
		if ((rows[i].sections & section->kind) != 0)
			str_addf(&keys, "%s%s%s", keys.len > 0 ? ", " : "",
			    rows[i].key,
			    rows[i].type == OPTION_ENV ? "NAME" : "");
	}
	err = reader_fault(reader, line, "unknown key '%s' in %s; its keys"
	    " are %s", key, section->title, keys.s);
	str_release(&keys);
	return err;
}

static void
keep_line(struct config *config, const struct section *section,
    const char *key, const char *value, int line)
{
	config->lines = grow(config->lines, config->n_lines,
	    sizeof(*config->lines));
	config->lines[config->n_lines++] = (struct config_line){
	    .kind = section->kind, .section = xstrdup(section->name),
	    .key = xstrdup(key), .value = xstrdup(value), .line = line };
}

static const struct err *
read_key(struct reader *reader, const char *key, const char *value,
    int line)
{
	const struct section *section;
	const struct option *row;
	const struct err *err;
	int first;

	if (reader->n_sections == 0)
		return reader_fault(reader, line, "'%s' stands before the first"
		    " section; write [app] above it", key);
	section = &reader->sections[reader->n_sections - 1];
	row = option_find(section->kind, key);
	if (row == NULL)
		return unknown_key(reader, section, key, line);
	first = reader_line(reader, section, key);
	if (first != 0)
		return reader_fault(reader, line, "'%s' is set twice in %s,"
		    " first in line %d; remove one", key, section->title,
		    first);
	if (reader->n_settings - section->first == CONFIG_KEYS_MAX)
		return reader_fault(reader, line, "more than %d keys in %s",
		    CONFIG_KEYS_MAX, section->title);
	err = store(reader, section, row, key, value);
	if (err != NULL)
		return err_add(err, "%s:%d", reader->file, line);
	reader->settings = grow(reader->settings, reader->n_settings,
	    sizeof(*reader->settings));
	reader->settings[reader->n_settings++] = (struct setting){
	    .section = reader->n_sections - 1,
	    .key = xstrdup(key), .line = line };
	keep_line(reader->config, section, key, value, line);
	return NULL;
}

const struct err *
reader_take(const char *title, const char *key, const char *value, int line,
    void *ctx)
{
	struct reader *reader = ctx;
	struct vec words = VEC_INIT;
	const struct err *err;

	if (key != NULL)
		return read_key(reader, key, value, line);
	err = reader_end(reader);
	if (err == NULL) {
		vec_split(&words, title, " \t");
		err = open_section(reader, &words, line);
		vec_release(&words);
	}
	return err;
}

void
reader_release(struct reader *reader)
{
	for (size_t i = 0; i < reader->n_sections; i++) {
		free(reader->sections[i].name);
		free(reader->sections[i].title);
	}
	for (size_t i = 0; i < reader->n_settings; i++)
		free(reader->settings[i].key);
	free(reader->sections);
	free(reader->settings);
}
