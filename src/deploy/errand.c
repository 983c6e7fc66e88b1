#include "deploy/errand.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/branch.h"
#include "nearest.h"
#include "str.h"

/* The table: by kind. */
static const struct {
	const char *name;
	bool takes_commit;
} errands[] = {
	[ERRAND_NOW]	  = { "now", true },
	[ERRAND_PLAN]	  = { "plan", true },
	[ERRAND_ROLLBACK] = { "rollback", false },
	[ERRAND_CANCEL]	  = { "cancel", false },
};

#define N_ERRANDS (sizeof(errands) / sizeof(*errands))

bool
errand_is(const char *ref)
{
	return str_starts_with(ref, ERRAND_PREFIX);
}

static bool
find_kind(enum errand_kind *kind, const char *word)
{
	for (size_t i = 0; i < N_ERRANDS; i++) {
		if (strcmp(word, errands[i].name) == 0) {
			*kind = (enum errand_kind)i;
			return true;
		}
	}
	return false;
}

static bool
find_nearest_kind(enum errand_kind *kind, const char *word)
{
	const char *names[N_ERRANDS], *near;

	for (size_t i = 0; i < N_ERRANDS; i++)
		names[i] = errands[i].name;
	near = nearest_word(word, names, N_ERRANDS);
	return near != NULL && find_kind(kind, near);
}

/* The environment that stands between, as it is called; NULL: none is near. */
static const char *
nearest_environment(const struct config *config, const char *word)
{
	const char **names = xreallocarray(NULL, config->n_environments,
	    sizeof(*names));
	const char *near;

	for (size_t i = 0; i < config->n_environments; i++)
		names[i] = config->environments[i].name;
	near = nearest_word(word, names, config->n_environments);
	free(names);
	return near;
}

/* NULL: none is near, or none was named and there are several. */
static const struct environment *
meant_environment(const struct config *config, const char *name)
{
	const char *near;

	if (config->n_environments == 1)
		return &config->environments[0];
	near = name == NULL ? NULL : nearest_environment(config, name);
	return near == NULL ? NULL : config_environment(config, near);
}

/* "refs/deploy/now", or with the environment where there are several. */
static void
add_ref(struct str *out, const struct config *config,
    const struct environment *env, enum errand_kind kind)
{
	str_add(out, ERRAND_PREFIX);
	if (config->n_environments > 1)
		str_addf(out, "%s/", env->name);
	str_add(out, errands[kind].name);
}

void
errand_add_deploy(struct str *out, const struct hub *hub,
    const struct environment *env, const char *commit)
{
	const struct asked asked = { .env = env, .commit = commit,
	    .force = "" };
	bool force = branch_check(hub, &asked, NULL) != NULL;

	/* That ref forces nothing. */
	if (hub->pushed && force) {
		str_addf(out, "git push --force REMOTE %.7s:%s", commit,
		    env->branch);
	} else if (hub->pushed) {
		str_addf(out, "git push REMOTE %.7s:", commit);
		add_ref(out, hub->config, env, ERRAND_NOW);
	} else {
		str_addf(out, "slipway deploy %s%.7s", force ? "--force " :
		    "", commit);
		hub_add_which(out, hub, env->name);
	}
}

/* Without an environment, that of each. */
static void
add_refs(struct str *out, const struct config *config,
    const struct environment *env, enum errand_kind kind)
{
	for (size_t i = 0; env == NULL && i < config->n_environments; i++) {
		str_add(out, i == 0 ? "" : " or ");
		add_ref(out, config, &config->environments[i], kind);
	}
	if (env != NULL)
		add_ref(out, config, env, kind);
}

/* One that would be taken, as it stands. */
static const struct err *
suggest(const struct config *config, const char *name, const char *word,
    bool deletes)
{
	const struct environment *env = meant_environment(config, name);
	struct str text = STR_INIT;
	const struct err *err;
	enum errand_kind kind;

	str_addf(&text, "'%s' is not known; ", word);
	if (!find_nearest_kind(&kind, word)) {
		str_add(&text, "there are now, plan, rollback and cancel");
	} else {
		str_add(&text, "did you mean ");
		if (errands[kind].takes_commit == deletes)
			str_addf(&text, "git push REMOTE %s:",
			    deletes ? "main" : "");
		add_refs(&text, config, env, kind);
		str_addch(&text, '?');
	}
	err = err_new(ERR_REFUSED, "%s", text.s);
	str_release(&text);
	return err;
}

static const struct err *
which_environment(const struct config *config, const char *word)
{
	struct str list = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < config->n_environments; i++)
		str_addf(&list, "%s" ERRAND_PREFIX "%s/%s", i == 0 ? "" :
		    ", ", config->environments[i].name, word);
	err = err_new(ERR_REFUSED, "which environment? push to %s", list.s);
	str_release(&list);
	return err;
}

static const struct err *
find_environment(const struct environment **env, const struct config *config,
    const char *name, const char *word)
{
	*env = NULL;
	if (name == NULL && config->n_environments == 1)
		*env = &config->environments[0];
	else if (name != NULL)
		*env = config_environment(config, name);
	if (*env != NULL)
		return NULL;
	if (name == NULL)
		return which_environment(config, word);
	return err_add(which_environment(config, word), "there is no"
	    " environment '%s'", name);
}

static const struct err *
check_shape(enum errand_kind kind, const char *ref, bool deletes)
{
	if (errands[kind].takes_commit && deletes)
		return err_new(ERR_REFUSED, "say which commit, as in git push"
		    " REMOTE main:%s", ref);
	if (!errands[kind].takes_commit && !deletes)
		return err_new(ERR_REFUSED, "%s takes no commit; git push"
		    " REMOTE :%s", errands[kind].name, ref);
	return NULL;
}

const struct err *
errand_parse(struct errand *errand, const struct config *config,
    const char *ref, bool deletes)
{
	const char *rest = ref + strlen(ERRAND_PREFIX);
	const char *slash = strrchr(rest, '/');
	const char *word = slash == NULL ? rest : slash + 1;
	char *name = slash == NULL ? NULL :
	    xstrndup(rest, (size_t)(slash - rest));
	const struct err *err = NULL;

	if (!find_kind(&errand->kind, word))
		err = suggest(config, name, word, deletes);
	if (err == NULL)
		err = find_environment(&errand->env, config, name, word);
	if (err == NULL)
		err = check_shape(errand->kind, ref, deletes);
	free(name);
	return err;
}

/* Word by word: "deploy", an environment or none, what is to be done. */
char *
errand_nearest(const struct config *config, const char *ref)
{
	static const char *const prefix[] = { "deploy" };
	struct str near = STR_INIT;
	struct vec words = VEC_INIT;
	enum errand_kind kind;
	const char *rest;

	rest = ref + strlen(str_starts_with(ref, "refs/heads/") ?
	    "refs/heads/" : "refs/");
	vec_split(&words, rest, "/");
	if ((words.n == 2 || words.n == 3) &&
	    nearest_word(words.v[0], prefix, 1) != NULL &&
	    find_nearest_kind(&kind, words.v[words.n - 1])) {
		const char *name = words.n == 2 ? NULL :
		    nearest_environment(config, words.v[1]);

		if (name != NULL)
			str_addf(&near, ERRAND_PREFIX "%s/%s", name,
			    errands[kind].name);
		else if (words.n == 2)
			add_refs(&near, config, meant_environment(config,
			    NULL), kind);
	}
	vec_release(&words);
	return near.len == 0 ? NULL : str_detach(&near);
}
