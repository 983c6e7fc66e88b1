/*
 * The reader stores what the file says; here it is completed (defaults,
 * [app] for every environment) and checked for what lies between sections.
 */
#include "plan/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ini.h"
#include "nearest.h"
#include "path.h"
#include "plan/directive.h"
#include "plan/option.h"
#include "plan/reader.h"
#include "plan/takes.h"
#include "plan/value.h"

/* The fault between sections that is nearest to the top of the file. */
struct fault {
	struct reader *reader;
	int line;
	char *text;		/* NULL: none */
};

static void
complain(struct fault *fault, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
complain(struct fault *fault, int line, const char *fmt, ...)
{
	struct str text = STR_INIT;
	va_list ap;

	if (fault->text != NULL && fault->line <= line)
		return;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	free(fault->text);
	fault->text = str_detach(&text);
	fault->line = line;
}

static const struct err *
complete_app(const struct reader *reader)
{
	const struct err *err = NULL;
	struct config *config = reader->config;
	const struct option *rows;
	const struct section *app = NULL;
	size_t n;

	for (size_t i = 0; i < reader->n_sections; i++) {
		if (reader->sections[i].kind == SECTION_APP)
			app = &reader->sections[i];
	}
	rows = option_table(&n);
	for (size_t i = 0; i < n && err == NULL; i++) {
		if ((rows[i].sections & SECTION_APP) == 0 ||
		    rows[i].otherwise == NULL || (app != NULL &&
		    reader_line(reader, app, rows[i].key) != 0))
			continue;
		err = value_set(&rows[i], rows[i].key, rows[i].otherwise,
		    (char *)&config->app + rows[i].app_offset);
	}
	return err;
}

/* Give an environment what it did not set for itself. */
static void
complete_environment(const struct reader *reader,
    const struct section *section)
{
	const struct settings *app = &reader->config->app;
	const struct option *rows;
	size_t n;

	rows = option_table(&n);
	for (size_t i = 0; i < n; i++) {
		if ((rows[i].sections & SECTION_APP) == 0 ||
		    (rows[i].sections & SECTION_ENVIRONMENT) == 0)
			continue;
		value_inherit(&rows[i], reader_field(reader, section,
		    &rows[i]), (const char *)app + rows[i].app_offset,
		    reader_line(reader, section, rows[i].key) != 0);
	}
}

static void
complete_branch(struct environment *env)
{
	if (env->branches.n == 1 && env->tags.n == 0 &&
	    !takes_is_pattern(env->branches.v[0]))
		env->branch = xstrdup(env->branches.v[0]);
}

static void
complete_names(struct config *config)
{
	const char *root = config->app.root;

	for (size_t i = 0; i < config->n_environments && root == NULL; i++)
		root = config->environments[i].set.root;
	if (config->app.app == NULL)
		config->app.app = xstrdup(root == NULL ? "" :
		    path_base(root));
	for (size_t i = 0; i < config->n_environments; i++)
		config->environments[i].set.app = xstrdup(config->app.app);
}

static void
complete_action(const struct reader *reader, const struct section *section)
{
	struct action *action = &reader->config->actions[section->index];

	if (reader_line(reader, section, "when") == 0)
		action->when = action->directive == NULL ? WHEN_ALWAYS :
		    WHEN_ASKED;
}

static const struct err *
complete(const struct reader *reader)
{
	struct config *config = reader->config;
	const struct err *err = complete_app(reader);

	for (size_t i = 0; i < reader->n_sections && err == NULL; i++) {
		const struct section *section = &reader->sections[i];

		if (section->kind == SECTION_ENVIRONMENT) {
			complete_environment(reader, section);
			complete_branch(&config->environments[section->index]);
		} else if (section->kind == SECTION_ACTION) {
			complete_action(reader, section);
		}
	}
	complete_names(config);
	if (config->n_environments == 1) {
		for (size_t i = 0; i < config->n_hosts; i++) {
			struct host *host = &config->hosts[i];

			if (host->environment == NULL)
				host->environment = xstrdup(
				    config->environments[0].name);
		}
	}
	return err;
}

/* Whether one deploys a branch that the other stands for. */
static bool
have_same_branch(const struct environment *a, const struct environment *b)
{
	return (a->branch != NULL && takes_branch(b, a->branch)) ||
	    (b->branch != NULL && takes_branch(a, b->branch));
}

/*
 * A branch that is what is live can be that for one environment only, and
 * cannot stay behind for one and run ahead for another.
 */
static void
check_shared_branch(struct fault *fault, const struct section *section)
{
	const struct config *config = fault->reader->config;
	const struct environment *env =
	    &config->environments[section->index];
	int line = reader_line(fault->reader, section, "branch");

	for (size_t i = 0; i < section->index; i++) {
		const struct environment *other = &config->environments[i];

		if ((!env->set.transactional && !other->set.transactional) ||
		    !have_same_branch(env, other))
			continue;
		complain(fault, line, "%s has the same branch as"
		    " [environment %s], and a transactional branch moves with"
		    " one environment alone; give each a branch of its own,"
		    " or write 'transactional = no' in both", section->title,
		    other->name);
	}
}

static void
check_branch(struct fault *fault, const struct section *section)
{
	const struct environment *env =
	    &fault->reader->config->environments[section->index];
	int line = reader_line(fault->reader, section, "tags");

	if (env->branches.n == 0 && env->tags.n == 0)
		complain(fault, section->line, "%s has no 'branch'; write for"
		    " example 'branch = main'", section->title);
	else if (env->set.transactional && env->branch == NULL)
		complain(fault, line != 0 ? line : reader_line(fault->reader,
		    section, "branch"), "%s is transactional: its branch is"
		    " what is live, so there can be only one; write one name"
		    " in 'branch' and no 'tags', or 'transactional = no'",
		    section->title);
	else
		check_shared_branch(fault, section);
}

/* Of two with one root the second is told of; else the inner one. */
static void
check_root(struct fault *fault, const struct section *section)
{
	const struct config *config = fault->reader->config;
	const struct environment *env =
	    &config->environments[section->index];
	int line = reader_line(fault->reader, section, "root");

	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *other = &config->environments[i];
		bool same;

		if (i == section->index || other->set.root == NULL ||
		    !path_is_within(env->set.root, other->set.root))
			continue;
		same = strcmp(env->set.root, other->set.root) == 0;
		if (same && i > section->index)
			continue;
		complain(fault, line != 0 ? line : section->line, "%s has %s"
		    " [environment %s]; write another one, for example 'root"
		    " = %s-%s'", section->title, same ? "the same root as" :
		    "a root in that of", other->name, other->set.root,
		    env->name);
	}
}

static void
check_environment(struct fault *fault, const struct section *section)
{
	const struct environment *env =
	    &fault->reader->config->environments[section->index];

	if (env->set.root == NULL) {
		complain(fault, section->line, "%s has no 'root'; write for"
		    " example 'root = /srv/%s' there or in [app]",
		    section->title, env->name);
		return;
	}
	check_branch(fault, section);
	check_root(fault, section);
}

/* The environment that a host or an action names must be there. */
static void
check_reference(struct fault *fault, const struct section *section,
    const char *name)
{
	const struct config *config = fault->reader->config;
	int line = reader_line(fault->reader, section, "environment");
	struct vec names = VEC_INIT;
	struct str list = STR_INIT;
	const char *near;

	if (name == NULL || config_environment(config, name) != NULL)
		return;
	for (size_t i = 0; i < config->n_environments; i++)
		vec_push(&names, config->environments[i].name);
	vec_join(&names, ", ", &list);
	near = nearest_word(name, (const char *const *)names.v, names.n);
	if (near != NULL)
		complain(fault, line, "%s names an unknown environment,"
		    " '%s'; did you mean '%s'?", section->title, name, near);
	else
		complain(fault, line, "%s names an unknown environment,"
		    " '%s'; write one of %s", section->title, name, list.s);
	str_release(&list);
	vec_release(&names);
}

static void
check_host(struct fault *fault, const struct section *section)
{
	const struct config *config = fault->reader->config;
	const struct host *host = &config->hosts[section->index];

	if (host->environment == NULL) {
		complain(fault, section->line, "%s does not say its"
		    " environment; write for example 'environment = %s'",
		    section->title, config->environments[0].name);
		return;
	}
	check_reference(fault, section, host->environment);
	for (size_t i = 0; i < section->index; i++) {
		const struct host *other = &config->hosts[i];

		if (other->environment != NULL &&
		    strcmp(other->environment, host->environment) == 0)
			complain(fault, section->line, "%s is the second host"
			    " of '%s' beside [host %s]; this version deploys"
			    " to one host an environment", section->title,
			    host->environment, other->name);
	}
}

/* A step of it would be taken for one of the hook, which has no undo. */
static bool
is_named_as_hook(const char *name)
{
	enum phase phase;

	return (str_starts_with(name, "before_") &&
	    phase_by_name(&phase, name + strlen("before_"))) ||
	    (str_starts_with(name, "after_") &&
	    phase_by_name(&phase, name + strlen("after_")));
}

static void
check_action(struct fault *fault, const struct section *section)
{
	const struct action *action =
	    &fault->reader->config->actions[section->index];

	check_reference(fault, section, action->environment);
	if (str_ends_with(action->name, ".after") ||
	    str_ends_with(action->name, ".partial"))
		complain(fault, section->line, "%s: records have such names;"
		    " call the action something else", section->title);
	if (is_named_as_hook(action->name))
		complain(fault, section->line, "%s: a hook of the release has"
		    " this name; call the action something else",
		    section->title);
	if (action->record != NULL && action->undo == NULL)
		complain(fault, reader_line(fault->reader, section,
		    "record"), "%s has 'record' and no 'undo' that would"
		    " read it; write 'undo = COMMAND' or remove 'record'",
		    section->title);
}

static const struct err *
check(struct reader *reader)
{
	struct fault fault = { .reader = reader };
	const struct err *err = NULL;

	for (size_t i = 0; i < reader->n_sections; i++) {
		const struct section *section = &reader->sections[i];

		if (section->kind == SECTION_ENVIRONMENT)
			check_environment(&fault, section);
		else if (section->kind == SECTION_HOST)
			check_host(&fault, section);
		else if (section->kind == SECTION_ACTION)
			check_action(&fault, section);
	}
	if (fault.text != NULL)
		err = reader_fault(reader, fault.line, "%s", fault.text);
	free(fault.text);
	return err;
}

static int
last_line(const char *text, size_t len)
{
	int line = 1;

	for (size_t i = 0; i + 1 < len; i++)
		line += text[i] == '\n';
	return line;
}

/* A clone is an environment by itself, as if the last line said so. */
static const struct err *
add_clone(struct reader *reader, const char *root, int line)
{
	static const char title[] = "environment clone";
	const struct err *err;

	err = reader_take(title, NULL, NULL, line, reader);
	if (err == NULL)
		err = reader_take(title, "branch", "clone", line, reader);
	return err != NULL ? err : reader_take(title, "root", root, line,
	    reader);
}

static const struct err *
parse(struct reader *reader, const char *text, size_t len, const char *root)
{
	const struct err *err;

	if (len > CONFIG_SIZE_MAX)
		return err_new(ERR_CONFIG, "%s: larger than %d bytes; is it"
		    " the right file?", reader->file, CONFIG_SIZE_MAX);
	err = ini_read(reader->file, text, len, reader_take, reader);
	if (err == NULL && root != NULL &&
	    reader->config->n_environments == 0)
		err = add_clone(reader, root, last_line(text, len));
	if (err == NULL)
		err = reader_end(reader);
	if (err != NULL)
		return err;
	if (reader->config->n_environments == 0)
		return reader_fault(reader, last_line(text, len), "no"
		    " environment; write '[environment production]' and below"
		    " it 'branch = main'");
	err = complete(reader);
	if (err != NULL)
		return err;
	return check(reader);
}

const struct err *
config_parse_clone(struct config **config, const char *name,
    const char *text, size_t len, const char *root)
{
	struct reader reader = { .file = name };
	const struct err *err;

	*config = NULL;
	reader.config = xcalloc(1, sizeof(*reader.config));
	err = parse(&reader, text, len, root);
	if (err == NULL)
		*config = reader.config;
	else
		config_free(reader.config);
	reader_release(&reader);
	return err;
}

const struct err *
config_parse(struct config **config, const char *name, const char *text,
    size_t len)
{
	return config_parse_clone(config, name, text, len, NULL);
}

static void
settings_release(struct settings *set)
{
	free(set->app);
	free(set->root);
	free(set->store);
	free(set->drift);
	free(set->symlinks);
	free(set->gate);
	free(set->only_from);
	free(set->other_refs);
	vec_release(&set->shared);
	vec_release(&set->carry);
	vec_release(&set->writable);
	vec_release(&set->env);
}

static void
action_release(struct action *action)
{
	free(action->name);
	free(action->directive);
	free(action->run);
	free(action->undo);
	free(action->record);
	free(action->role);
	free(action->environment);
	vec_release(&action->globs);
	vec_release(&action->env);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	settings_release(&config->app);
	for (size_t i = 0; i < config->n_environments; i++) {
		free(config->environments[i].name);
		free(config->environments[i].branch);
		vec_release(&config->environments[i].branches);
		vec_release(&config->environments[i].tags);
		settings_release(&config->environments[i].set);
	}
	for (size_t i = 0; i < config->n_hosts; i++) {
		free(config->hosts[i].name);
		free(config->hosts[i].environment);
		vec_release(&config->hosts[i].roles);
	}
	for (size_t i = 0; i < config->n_actions; i++)
		action_release(&config->actions[i]);
	for (size_t i = 0; i < config->n_lines; i++) {
		free(config->lines[i].section);
		free(config->lines[i].key);
		free(config->lines[i].value);
	}
	free(config->lines);
	free(config->environments);
	free(config->hosts);
	free(config->actions);
	free(config);
}
