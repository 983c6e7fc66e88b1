/*
 * The whole of slipway.ini: a config that is taken keeps what config.h
 * promises, is the same with the line ends of another system, and a fault
 * names a line of the text.
 */
#include "plan/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "path.h"
#include "plan/directive.h"

static void
check_settings(const struct settings *set)
{
	assert(set->root != NULL && set->root[0] == '/');
	assert(set->keep_count >= 0 && set->keep_failed_count >= 0);
	assert(set->threads >= 0);
	for (size_t i = 0; i < set->shared.n; i++)
		assert(path_is_beneath(set->shared.v[i]));
	for (size_t i = 0; i < set->carry.n; i++)
		assert(path_is_beneath(set->carry.v[i]));
	for (size_t i = 0; i < set->env.n; i++)
		assert(strchr(set->env.v[i], '=') > set->env.v[i]);
}

static void
check_environments(const struct config *config)
{
	const struct host **hosts;

	assert(config->n_environments > 0);
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		assert(config_environment(config, env->name) == env);
		assert(env->branches.n + env->tags.n > 0);
		assert(env->branch == NULL || *env->branch != '\0');
		assert(env->branch != NULL || !env->set.transactional);
		check_settings(&env->set);
		assert(config_hosts(config, env, &hosts) > 0);
		free(hosts);
	}
}

static void
check_actions(const struct config *config)
{
	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		assert(config_action(config, action->name) == action);
		assert(action->run != NULL && *action->run != '\0');
		assert(action->timeout_ms >= 0 && action->memory_bytes >= 0);
		assert(action->when != WHEN_ASKED ||
		    action->directive != NULL);
		assert(action->directive == NULL ||
		    strcmp(action->directive, DIRECTIVE_SKIP) != 0);
		assert(action->environment == NULL ||
		    config_environment(config, action->environment) != NULL);
	}
	for (size_t i = 0; i < config->n_hosts; i++)
		assert(config_environment(config,
		    config->hosts[i].environment) != NULL);
}

static void
check_fault(const struct err *err, const struct config *config,
    const char *text, size_t len)
{
	int line = 0, n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	assert(config == NULL && err->code == ERR_CONFIG);
	assert(strncmp(err->text, "slipway.ini:", 12) == 0);
	assert(sscanf(err->text, "slipway.ini:%d: ", &line) != 1 ||
	    (line >= 1 && line <= n));
}

/* The same outcome, word for word, when lines end in "\r\n". */
static void
check_line_ends(const char *text, size_t len, const char *said)
{
	struct str other = STR_INIT;
	struct config *config;
	const struct err *err;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			str_addch(&other, '\r');
		str_addch(&other, text[i]);
	}
	err = config_parse(&config, "slipway.ini", other.s, other.len);
	assert((err == NULL) == (said == NULL));
	assert(err == NULL || strcmp(err->text, said) == 0);
	config_free(config);
	str_release(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size), *said = NULL;
	struct config *config;
	const struct err *err;

	err = config_parse(&config, "slipway.ini", text, size);
	if (err == NULL) {
		check_environments(config);
		check_actions(config);
	} else {
		check_fault(err, config, text, size);
		said = strdup(err->text);
	}
	check_line_ends(text, size, said);
	config_free(config);
	free(said);
	free(text);
	return 0;
}
