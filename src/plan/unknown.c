#include "plan/unknown.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "nearest.h"
#include "plan/capitals.h"

/* What can be asked for in an environment. */
struct known {
	const char **v;
	size_t n;
};

/* And -skip-, which every one knows. */
static void
known_init(struct known *known, const struct config *config,
    const struct environment *env)
{
	known->n = 0;
	known->v = xcalloc(config->n_actions + 1, sizeof(*known->v));
	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		if (action->directive != NULL &&
		    config_action_applies(action, env))
			known->v[known->n++] = action->directive;
	}
	known->v[known->n++] = DIRECTIVE_SKIP;
}

static const char *
known_find(const struct known *known, const char *name)
{
	for (size_t i = 0; i < known->n; i++) {
		if (strcmp(known->v[i], name) == 0)
			return known->v[i];
	}
	return NULL;
}

/* Those of one commit come one behind the other, the newest one first. */
static void
count(struct unknown_word *word, const struct directive *directive)
{
	if (*directive->commit == '\0' ||
	    strcmp(word->oldest, directive->commit) == 0)
		return;
	if (*word->oldest == '\0')
		word->directive = directive;
	else
		word->alike++;
	word->oldest = directive->commit;
}

/* NULL: its name is not kept, or was before. */
static struct unknown_word *
add(struct unknown *unknown, const struct directive *directive)
{
	size_t place = directives_add(&unknown->names, directive->name, "",
	    "", "message");
	struct unknown_word *word;

	if (place < unknown->n)
		count(&unknown->v[place], directive);
	if (place < unknown->n || place >= UNKNOWN_MAX)
		return NULL;
	unknown->v = xreallocarray(unknown->v, unknown->n + 1,
	    sizeof(*unknown->v));
	word = &unknown->v[unknown->n++];
	*word = (struct unknown_word){ directive, NULL, 1,
	    directive->commit, NULL };
	return word;
}

/* An environment of which an action takes it. */
static const char *
find_elsewhere(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];
		struct known known;
		bool has;

		known_init(&known, config, env);
		has = known_find(&known, name) != NULL;
		free(known.v);
		if (has)
			return env->name;
	}
	return NULL;
}

void
unknown_find(struct unknown *unknown, const struct config *config,
    const struct environment *env, const struct directives *directives)
{
	struct known known;

	known_init(&known, config, env);
	for (size_t i = 0; i < directives->n; i++) {
		const struct directive *d = &directives->v[i];
		struct unknown_word *word;

		if (known_find(&known, d->name) != NULL)
			continue;
		word = add(unknown, d);
		if (word == NULL)
			continue;
		word->elsewhere = find_elsewhere(config, d->name);
		if (word->elsewhere == NULL)
			word->nearest = nearest_word(d->name, known.v,
			    known.n);
	}
	free(known.v);
}

void
unknown_find_capitals(struct unknown *unknown, const struct config *config,
    const struct environment *env, const struct directives *capitals)
{
	struct known known;

	known_init(&known, config, env);
	for (size_t i = 0; i < capitals->n; i++) {
		const struct directive *d = &capitals->v[i];
		struct unknown_word *word = NULL;
		struct str lower = STR_INIT;
		const char *meant;

		capitals_lower(&lower, d->name);
		meant = known_find(&known, lower.s);
		if (meant != NULL)
			word = add(unknown, d);
		if (word != NULL)
			word->nearest = meant;
		str_release(&lower);
	}
	free(known.v);
}

void
unknown_release(struct unknown *unknown)
{
	static const struct unknown none = UNKNOWN_INIT;

	free(unknown->v);
	directives_release(&unknown->names);
	*unknown = none;
}

void
unknown_text(struct str *out, const struct unknown_word *word)
{
	const struct directive *d = word->directive;

	str_addf(out, "-%s-", d->name);
	if (word->alike > 1 && d->commit[0] != '\0')
		str_addf(out, " (%zu commits, the last %.7s)", word->alike,
		    d->commit);
	else if (d->commit[0] != '\0')
		str_addf(out, " (%.7s)", d->commit);
	str_add(out, ": no action takes it");
	if (word->elsewhere != NULL)
		str_addf(out, " here, but one of %s does", word->elsewhere);
	if (word->nearest != NULL)
		str_addf(out, "; did you mean -%s-?", word->nearest);
}

void
unknown_add_rest(struct str *out, const struct unknown *unknown)
{
	if (unknown->names.n > unknown->n)
		str_addf(out, "and %zu more that no action takes",
		    unknown->names.n - unknown->n);
}
