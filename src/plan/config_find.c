/*
 * What is asked of a config that has been read.
 */
#include "plan/config.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

const struct environment *
config_environment(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_environments; i++) {
		if (strcmp(config->environments[i].name, name) == 0)
			return &config->environments[i];
	}
	return NULL;
}

const struct err *
config_only_environment(const struct environment **env,
    const struct config *config)
{
	const struct err *err;
	struct str names = STR_INIT;

	*env = NULL;
	if (config->n_environments == 1) {
		*env = &config->environments[0];
		return NULL;
	}
	for (size_t i = 0; i < config->n_environments; i++)
		str_addf(&names, "%s%s", i > 0 ? ", " : "",
		    config->environments[i].name);
	err = err_new(ERR_USAGE, "which environment? name one with -e: %s",
	    names.s);
	str_release(&names);
	return err;
}

char *
config_which(const struct config *config, const char *environment)
{
	if (config == NULL || config->n_environments == 1)
		return xstrdup("");
	return xasprintf(" -e %s", environment == NULL ? "ENV" : environment);
}

size_t
config_hosts(const struct config *config, const struct environment *env,
    const struct host ***hosts)
{
	static const struct host local = { .name = (char *)"local" };
	size_t n = 0;

	*hosts = xcalloc(config->n_hosts + 1, sizeof(**hosts));
	for (size_t i = 0; i < config->n_hosts; i++) {
		if (strcmp(config->hosts[i].environment, env->name) == 0)
			(*hosts)[n++] = &config->hosts[i];
	}
	if (n == 0)
		(*hosts)[n++] = &local;
	return n;
}

const struct config_line *
config_line(const struct config *config, unsigned int kind,
    const char *section, const char *key)
{
	for (size_t i = 0; i < config->n_lines; i++) {
		const struct config_line *line = &config->lines[i];

		if (line->kind == kind && strcmp(line->key, key) == 0 &&
		    strcmp(line->section, section) == 0)
			return line;
	}
	return NULL;
}

const struct action *
config_action(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_actions; i++) {
		if (strcmp(config->actions[i].name, name) == 0)
			return &config->actions[i];
	}
	return NULL;
}

bool
config_action_applies(const struct action *action,
    const struct environment *env)
{
	return action->environment == NULL ||
	    strcmp(action->environment, env->name) == 0;
}

bool
config_host_has_role(const struct host *host, const char *role)
{
	return role == NULL || host->roles.n == 0 ||
	    vec_has(&host->roles, role);
}
