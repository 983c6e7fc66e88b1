#include "plan/explain.h"

#include <string.h>

#include "vec.h"

struct telling {
	const struct config *config;
	enum option_section kind;
	const char *section;
	explain_cb cb;
	void *ctx;
};

const char *
explain_source_name(enum source source)
{
	static const char *const names[] = {
		[SOURCE_LINE] = "line",
		[SOURCE_APP] = "app",
		[SOURCE_DEFAULT] = "default",
		[SOURCE_OTHERS] = "others",
		[SOURCE_NONE] = "none",
	};

	return names[source];
}

/* What a key is taken for that is not set and whose default is no text. */
static const char *
implied(const struct telling *telling, const struct option *row)
{
	const struct config *config = telling->config;
	const struct action *action;

	if (strcmp(row->key, "name") == 0)
		return config->app.app;
	if (telling->kind == SECTION_HOST &&
	    strcmp(row->key, "environment") == 0)
		return config->environments[0].name;
	if (strcmp(row->key, "when") != 0)
		return NULL;
	action = config_action(config, telling->section);
	return action->when == WHEN_ALWAYS ? "always" : NULL;
}

static void
tell(const struct telling *telling, const struct option *row,
    const char *key)
{
	struct explained explained = {
		.row = row,
		.section = telling->section,
		.kind = telling->kind,
		.key = key,
		.source = SOURCE_LINE,
	};
	const struct config_line *line;

	line = config_line(telling->config, telling->kind, telling->section,
	    key);
	if (line == NULL && telling->kind == SECTION_ENVIRONMENT &&
	    (row->sections & SECTION_APP) != 0) {
		explained.source = SOURCE_APP;
		line = config_line(telling->config, SECTION_APP, "", key);
	}
	if (line != NULL) {
		explained.value = line->value;
		explained.line = line->line;
	} else if (row->otherwise != NULL) {
		explained.value = row->otherwise;
		explained.source = SOURCE_DEFAULT;
	} else {
		explained.value = implied(telling, row);
		explained.source = explained.value == NULL ? SOURCE_NONE :
		    SOURCE_OTHERS;
	}
	telling->cb(&explained, telling->ctx);
}

/* Names that are set in a section, and in [app] for an environment. */
static void
tell_names(const struct telling *telling, const struct option *row)
{
	const struct config *config = telling->config;
	struct vec keys = VEC_INIT;

	for (size_t i = 0; i < config->n_lines; i++) {
		const struct config_line *line = &config->lines[i];
		bool own = line->kind == telling->kind &&
		    strcmp(line->section, telling->section) == 0;

		if ((own || (line->kind == SECTION_APP && telling->kind ==
		    SECTION_ENVIRONMENT)) && str_starts_with(line->key,
		    row->key))
			vec_push_new(&keys, line->key);
	}
	for (size_t i = 0; i < keys.n; i++)
		tell(telling, row, keys.v[i]);
	vec_release(&keys);
}

static void
tell_section(struct telling *telling, enum option_section kind,
    const char *section)
{
	const struct option *rows;
	size_t n;

	telling->kind = kind;
	telling->section = section;
	rows = option_table(&n);
	for (size_t i = 0; i < n; i++) {
		if ((rows[i].sections & kind) == 0)
			continue;
		if (rows[i].type == OPTION_ENV)
			tell_names(telling, &rows[i]);
		else
			tell(telling, &rows[i], rows[i].key);
	}
}

void
explain(const struct config *config, const struct environment *env,
    explain_cb cb, void *ctx)
{
	struct telling telling = { .config = config, .cb = cb, .ctx = ctx };

	if (env == NULL)
		tell_section(&telling, SECTION_APP, "");
	for (size_t i = 0; i < config->n_environments; i++) {
		if (env == NULL || env == &config->environments[i])
			tell_section(&telling, SECTION_ENVIRONMENT,
			    config->environments[i].name);
	}
	for (size_t i = 0; i < config->n_hosts; i++) {
		const struct host *host = &config->hosts[i];

		if (env == NULL || strcmp(host->environment, env->name) == 0)
			tell_section(&telling, SECTION_HOST, host->name);
	}
	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		if (env == NULL || config_action_applies(action, env))
			tell_section(&telling, SECTION_ACTION, action->name);
	}
}
