/*
 * slipway config - what slipway.ini says, and what holds where it says
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/nearby.h"
#include "file.h"
#include "json.h"
#include "nearest.h"
#include "plan/explain.h"
#include "report/line.h"
#include "vec.h"

/* Characters of a key, of where it is said, and of a title, at least. */
#define KEY_WIDTH 15
#define SOURCE_WIDTH 20
#define TITLE_WIDTH 28

/* What is listed, and what was said of it last. */
struct listing {
	const struct call *call;
	const struct vec *keys;		/* empty: every key */
	const char *file;
	const struct option *row;	/* the one that is told of alone */
	struct str *out;
	struct json json;
	const char *section;		/* whose title was printed last */
	enum option_section kind;
	size_t key_width;
	size_t source_width;
	size_t title_width;
};

/* "keep", and "env." or "env.APP_ENV" for a variable. */
static bool
is_wanted(const struct listing *listing, const struct explained *explained)
{
	const struct vec *keys = listing->keys;

	if (listing->row != NULL && listing->row != explained->row)
		return false;
	return keys->n == 0 || vec_has(keys, explained->row->key) ||
	    vec_has(keys, explained->key);
}

static void
add_title(struct str *out, const struct explained *explained)
{
	str_addf(out, "[%s", option_section_name(explained->kind));
	if (explained->section[0] != '\0') {
		str_addch(out, ' ');
		line_text(out, explained->section);
	}
	str_addch(out, ']');
}

/* "slipway.ini:12", "slipway.ini:3 [app]", "default". */
static void
source_text(struct str *out, const struct listing *listing,
    const struct explained *explained)
{
	switch (explained->source) {
	case SOURCE_LINE:
	case SOURCE_APP:
		line_text(out, listing->file);
		str_addf(out, ":%d%s", explained->line,
		    explained->source == SOURCE_APP ? " [app]" : "");
		return;
	case SOURCE_DEFAULT:
		str_add(out, "default");
		return;
	case SOURCE_OTHERS:
		str_add(out, "from other keys");
		return;
	case SOURCE_NONE:
		break;
	}
	str_add(out, "not set");
}

static void
title_text(struct str *out, const struct explained *explained)
{
	add_title(out, explained);
	if (explained->row->type == OPTION_ENV)
		str_addf(out, " %s", explained->key);
}

static void
widen(size_t *width, size_t used)
{
	if (used > *width)
		*width = used;
}

/* Columns are as wide as what is in them. */
static void
measure(const struct explained *explained, void *ctx)
{
	struct listing *listing = ctx;
	struct str source = STR_INIT, title = STR_INIT;

	if (!is_wanted(listing, explained))
		return;
	source_text(&source, listing, explained);
	title_text(&title, explained);
	widen(&listing->key_width, strlen(explained->key));
	widen(&listing->source_width, source.len);
	widen(&listing->title_width, title.len);
	str_release(&source);
	str_release(&title);
}

/* What may be long comes last. */
static void
add_value(const struct listing *listing, const struct explained *explained)
{
	struct str source = STR_INIT;

	source_text(&source, listing, explained);
	line_cell(listing->out, source.s, listing->source_width);
	line_text(listing->out, explained->value == NULL ? "-" :
	    explained->value);
	str_addch(listing->out, '\n');
	str_release(&source);
}

static void
print_line(const struct explained *explained, void *ctx)
{
	struct listing *listing = ctx;
	struct str *out = listing->out;

	if (!is_wanted(listing, explained))
		return;
	if (listing->section == NULL || listing->kind != explained->kind ||
	    strcmp(listing->section, explained->section) != 0) {
		if (listing->section != NULL)
			str_addch(out, '\n');
		add_title(out, explained);
		str_addch(out, '\n');
	}
	listing->section = explained->section;
	listing->kind = explained->kind;
	str_add(out, "  ");
	line_cell(out, explained->key, listing->key_width);
	add_value(listing, explained);
}

/* One place of a key that is told of alone. */
static void
print_place(const struct explained *explained, void *ctx)
{
	struct listing *listing = ctx;
	struct str title = STR_INIT;

	if (!is_wanted(listing, explained))
		return;
	title_text(&title, explained);
	str_add(listing->out, "  ");
	line_cell(listing->out, title.s, listing->title_width);
	add_value(listing, explained);
	str_release(&title);
}

static void
add_sections(struct str *out, const struct option *row)
{
	for (unsigned int s = SECTION_APP; s <= SECTION_ACTION; s *= 2) {
		if ((row->sections & s) != 0)
			str_addf(out, "%s[%s%s]", out->len == 0 ? "" : " ",
			    option_section_name(s), s == SECTION_APP ? "" :
			    " NAME");
	}
}

static void
print_row(struct listing *listing, const struct config *config,
    const struct option *row)
{
	struct str *out = listing->out, sections = STR_INIT, type = STR_INIT;

	str_addf(out, "%s%s%s\n", out->len == 0 ? "" : "\n", row->key,
	    row->type == OPTION_ENV ? "NAME" : "");
	str_addf(out, "  %s.\n", row->help);
	option_add_type(&type, row);
	line_pair(out, "type", type.s);
	str_release(&type);
	line_pair(out, "unit", row->unit);
	line_pair(out, "default", row->otherwise);
	line_pair(out, "example", row->example);
	add_sections(&sections, row);
	line_pair(out, row->required ? "required in" : "stands in",
	    sections.s);
	str_release(&sections);
	listing->row = row;
	explain(config, listing->call->env, print_place, listing);
	listing->row = NULL;
}

/* Every row that one of the words is, or is a variable of. */
static bool
is_named(const struct vec *keys, const struct option *row)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (row->type == OPTION_ENV ?
		    str_starts_with(keys->v[i], row->key) :
		    strcmp(keys->v[i], row->key) == 0)
			return true;
	}
	return keys->n == 0;
}

static void
print_rows(struct listing *listing, const struct config *config)
{
	const struct option *rows;
	size_t n;

	rows = option_table(&n);
	for (size_t i = 0; i < n; i++) {
		if (is_named(listing->keys, &rows[i]))
			print_row(listing, config, &rows[i]);
	}
}

static void
print_object(const struct explained *explained, void *ctx)
{
	struct listing *listing = ctx;
	struct json *json = &listing->json;
	const struct option *row = explained->row;
	struct str type = STR_INIT;

	if (!is_wanted(listing, explained))
		return;
	json_object(json);
	json_key_string(json, "section",
	    option_section_name(explained->kind));
	json_key_string(json, "name", *explained->section == '\0' ? NULL :
	    explained->section);
	json_key_string(json, "key", explained->key);
	option_add_type(&type, row);
	json_key_string(json, "type", type.s);
	str_release(&type);
	json_key_string(json, "unit", row->unit);
	json_key_string(json, "default", row->otherwise);
	json_key_bool(json, "required", row->required);
	json_key_string(json, "help", row->help);
	json_key_string(json, "value", explained->value);
	json_key_string(json, "source",
	    explain_source_name(explained->source));
	json_key(json, "line");
	if (explained->line == 0)
		json_null(json);
	else
		json_int(json, explained->line);
	json_end(json);
}

static const struct err *
unknown_key(const char *word)
{
	const struct option *rows;
	const char **names, *near;
	size_t n;

	rows = option_table(&n);
	names = xcalloc(n, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = rows[i].key;
	near = nearest_word(word, names, n);
	free(names);
	if (near != NULL)
		return err_new(ERR_USAGE, "there is no key '%s'; did you mean"
		    " '%s%s'?", word, near, str_ends_with(near, ".") ? "NAME" :
		    "");
	return err_new(ERR_USAGE, "there is no key '%s'; slipway config lists"
	    " them", word);
}

static const struct err *
check_keys(const struct vec *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		bool known = false;

		for (unsigned int s = SECTION_APP; s <= SECTION_ACTION;
		    s *= 2)
			known = known || option_find(s, keys->v[i]) != NULL;
		if (!known)
			return unknown_key(keys->v[i]);
	}
	return NULL;
}

/* As a push reads it; others, who cannot push, only look at it. */
static const struct err *
read_own(struct hub *hub)
{
	return hub_check_owner(hub->path) == NULL ? hub_config(hub) :
	    hub_config_read(hub);
}

/* The repository's, or one that has not been put there yet. */
static const struct err *
read_config(struct call *call, const char *file)
{
	struct str text = STR_INIT;
	const struct err *err;

	if (file == NULL) {
		err = nearby_open(&call->hub, call->dir);
		if (err == NULL)
			err = read_own(&call->hub);
	} else {
		err = file_read(&text, file, CONFIG_SIZE_MAX);
		if (err == NULL)
			err = config_parse(&call->hub.config, file, text.s,
			    text.len);
		str_release(&text);
	}
	if (err == NULL && call->environment != NULL)
		err = hub_environment(&call->hub, call->environment,
		    &call->env);
	return err;
}

static const struct err *
run_config(struct call *call)
{
	const char *file = call_value(call, "file");
	struct str out = STR_INIT;
	struct listing listing = {
		.call = call,
		.keys = &call->words,
		.file = file == NULL ? "slipway.ini" : file,
		.out = &out,
		.json = JSON_INIT(&out),
		.key_width = KEY_WIDTH,
		.source_width = SOURCE_WIDTH,
		.title_width = TITLE_WIDTH,
	};
	const struct err *err;

	err = check_keys(&call->words);
	if (err == NULL)
		err = read_config(call, file);
	if (err != NULL)
		return err;
	listing.json.pretty = true;
	explain(call->hub.config, call->env, measure, &listing);
	if (call->json) {
		json_array(&listing.json);
		explain(call->hub.config, call->env, print_object, &listing);
		json_end(&listing.json);
		str_addch(&out, '\n');
	} else if (call->words.n > 0 || call_has(call, "explain")) {
		print_rows(&listing, call->hub.config);
	} else {
		explain(call->hub.config, call->env, print_line, &listing);
	}
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static const struct cmd_option options[] = {
	{ 0, "explain", NULL, "with type, unit, default and help of each" },
	{ 0, "file", "FILE", "read FILE instead of the repository's"
	    " slipway.ini" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_config = {
	.name = "config",
	.words = "[KEY...]",
	.words_max = 1000,
	.summary = "show every key of slipway.ini: what holds, and why",
	.help = "Show for each section what holds for each key, and where"
	    " that comes from: a line of the file, [app], or the default."
	    " With KEY, all about those keys. A file that is wrong ends with"
	    " status 2 and says where and why.",
	.example = "slipway config -C /srv/shop.git\n"
	    "slipway config -C /srv/shop.git keep timeout\n"
	    "slipway config --file new.ini",
	.json = true,
	.options = options,
	.environment_help = CMD_ALL_ENVIRONMENTS,
	.run = run_config,
};
