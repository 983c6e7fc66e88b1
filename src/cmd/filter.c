#include "cmd/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/release.h"
#include "nearest.h"
#include "path.h"
#include "repo.h"

/* How many deploys are listed when nobody says how many. */
#define LIMIT 20

/* Fewer digits than this name no commit. */
#define DIGITS_MIN 4

static const struct err *
check_state(const char *state)
{
	const char *all[DEPLOY_STATES], *near;
	enum deploy_state found;
	struct str names = STR_INIT;
	const struct err *err;

	if (deploy_state_by_name(&found, state))
		return NULL;
	for (int i = 0; i < DEPLOY_STATES; i++) {
		all[i] = deploy_state_name((enum deploy_state)i);
		str_addf(&names, "%s%s", i == 0 ? "" : ", ", all[i]);
	}
	near = nearest_word(state, all, DEPLOY_STATES);
	if (near != NULL)
		err = err_new(ERR_USAGE, "--state %s: did you mean %s?",
		    state, near);
	else
		err = err_new(ERR_USAGE, "--state %s: the states are %s",
		    state, names.s);
	str_release(&names);
	return err;
}

/* One or several, in one option or in several; one is found faster. */
static const struct err *
read_states(struct deploy_filter *filter, const struct call *call)
{
	struct vec given = VEC_INIT, states = VEC_INIT;
	struct str joined = STR_INIT, list = STR_INIT;
	const struct err *err = NULL;

	call_values(call, "state", &given);
	vec_join(&given, ",", &joined);
	if (given.n > 0)
		vec_split(&states, joined.s, ",");
	if (given.n > 0 && states.n == 0)
		err = check_state("");
	for (size_t i = 0; err == NULL && i < states.n; i++) {
		err = check_state(states.v[i]);
		str_addf(&list, "%s%s,", i == 0 ? "," : "", states.v[i]);
	}
	if (err == NULL && states.n == 1)
		filter->state = xstrdup(states.v[0]);
	else if (err == NULL && states.n > 1)
		filter->states = xstrdup(list.s);
	vec_release(&given);
	vec_release(&states);
	str_release(&joined);
	str_release(&list);
	return err;
}

const char *const filter_kinds[] = { "deploy", "rollback", NULL };

static const struct err *
read_kind(struct deploy_filter *filter, const struct call *call)
{
	filter->kind = call_value(call, "kind");
	if (filter->kind == NULL)
		return NULL;
	for (size_t i = 0; filter_kinds[i] != NULL; i++) {
		if (strcmp(filter->kind, filter_kinds[i]) == 0)
			return NULL;
	}
	return err_new(ERR_USAGE, "--kind %s: say deploy or rollback",
	    filter->kind);
}

const struct err *
filter_instant(int64_t *at, const struct call *call, const char *option)
{
	const char *text = call_value(call, option);
	const struct err *err = NULL;

	*at = 0;
	if (text != NULL)
		err = clock_parse_when(at, text, clock_now_ms());
	return err == NULL ? NULL : err_add(err, "--%s", option);
}

static bool
is_digits(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < REPO_OID_SIZE &&
	    strspn(text, "0123456789abcdef") == len;
}

static bool
is_abbreviation(const char *text)
{
	return is_digits(text) && strlen(text) >= DIGITS_MIN;
}

/*
 * The journal may know a commit that the repository has no more: digits
 * that name nothing there are taken as they stand.
 */
static const struct err *
read_commit(struct deploy_filter *filter, const struct call *call)
{
	const char *name = call_value(call, "commit");
	char oid[REPO_OID_SIZE];
	const struct err *err;
	struct repo *repo;

	if (name == NULL)
		return NULL;
	err = repo_open(&repo, call->hub.path, false);
	if (err == NULL)
		err = repo_resolve(repo, name, oid);
	repo_close(repo);
	if (err == NULL)
		filter->commit = xstrdup(oid);
	else if (is_abbreviation(name))
		filter->commit = xstrdup(name);
	else if (is_digits(name))
		return err_new(ERR_USAGE, "--commit %s: at least %d digits of"
		    " a commit are needed", name, DIGITS_MIN);
	else
		return err_add(err_recode(err, ERR_USAGE), "--commit");
	return NULL;
}

/* "-updb-" and "updb" are the same; an argument is not looked at. */
static const struct err *
read_directive(struct deploy_filter *filter, const struct call *call)
{
	const char *word = call_value(call, "directive");
	struct directives list = DIRECTIVES_INIT;
	const struct err *err;

	if (word == NULL)
		return NULL;
	err = directives_add_word(&list, word, "", "cli");
	if (err == NULL)
		filter->directive = xstrdup(list.v[0].name);
	directives_release(&list);
	return err == NULL ? NULL : err_add(err, "--directive");
}

const struct err *
filter_read(struct deploy_filter *filter, const struct call *call)
{
	const char *limit = call_value(call, "limit");
	const struct err *err;

	memset(filter, 0, sizeof(*filter));
	filter->environment = call->environment;
	filter->author = call_value(call, "author");
	filter->pusher = call_value(call, "pusher");
	filter->oldest_first = call_has(call, "reverse");
	filter->limit = LIMIT;
	err = read_states(filter, call);
	if (err == NULL)
		err = read_kind(filter, call);
	if (err == NULL && limit != NULL &&
	    cmd_number(&filter->limit, limit) != NULL)
		err = err_new(ERR_USAGE, "-n %s: say a number from 1",
		    limit);
	if (err == NULL)
		err = filter_instant(&filter->since_at, call, "since");
	if (err == NULL)
		err = filter_instant(&filter->until_at, call, "until");
	if (err == NULL)
		err = read_directive(filter, call);
	return err == NULL ? read_commit(filter, call) : err;
}

void
filter_release(struct deploy_filter *filter)
{
	free((char *)filter->commit);
	free((char *)filter->directive);
	free((char *)filter->state);
	free((char *)filter->states);
	memset(filter, 0, sizeof(*filter));
}

/*
 * Deploys that changed a path, as they are found: newest first. To compare
 * their trees takes long, and no query is open meanwhile, which would keep
 * everybody from writing.
 */
struct search {
	struct repo *repo;
	const char *path;
	int64_t *numbers;
	size_t n;
	size_t n_found;		/* the first of them */
	size_t most;
};

static const struct err *
collect(struct journal *journal, const struct deploy *deploy, void *ctx)
{
	struct search *search = ctx;

	(void)journal;
	search->numbers = xreallocarray(search->numbers, search->n + 1,
	    sizeof(*search->numbers));
	search->numbers[search->n++] = deploy->number;
	return NULL;
}

static const struct err *
has_changed(const struct search *search, struct journal *journal,
    const struct deploy *deploy, bool *has)
{
	char before[REPO_OID_SIZE];
	const struct err *err;
	bool same = true;

	*has = false;
	if (deploy->release == NULL)
		return NULL;
	err = release_commit(journal, deploy->environment, deploy->previous,
	    before);
	if (err == NULL)
		err = repo_path_is_same(search->repo, before[0] == '\0' ?
		    NULL : before, deploy->commit, search->path, &same);
	*has = err == NULL && !same;
	return err != NULL && err->code == ERR_NOT_FOUND ? NULL : err;
}

static const struct err *
search_all(struct search *search, struct journal *journal)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < search->n &&
	    search->n_found < search->most; i++) {
		struct deploy deploy;
		bool has = false;

		err = deploy_get(journal, search->numbers[i], &deploy);
		if (err == NULL)
			err = has_changed(search, journal, &deploy, &has);
		if (has)
			search->numbers[search->n_found++] = deploy.number;
		deploy_release(&deploy);
	}
	return err;
}

static const struct err *
tell_found(const struct call *call, const struct search *search,
    bool oldest_first, deploy_cb cb, void *ctx)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < search->n_found; i++) {
		size_t at = oldest_first ? search->n_found - 1 - i : i;
		struct deploy deploy;

		err = deploy_get(call->hub.journal, search->numbers[at],
		    &deploy);
		if (err == NULL)
			err = cb(call->hub.journal, &deploy, ctx);
		deploy_release(&deploy);
	}
	return err;
}

const struct err *
filter_each(const struct call *call, const struct deploy_filter *filter,
    deploy_cb cb, void *ctx)
{
	struct search search = { .path = call_value(call, "path") };
	struct deploy_filter all = *filter;
	const struct err *err;

	if (search.path == NULL)
		return deploy_each(call->hub.journal, filter, cb, ctx);
	if (!path_is_beneath(search.path))
		return err_new(ERR_USAGE, "--path %s: say a path of the site,"
		    " as in config/settings.php", search.path);
	search.most = (size_t)filter->limit;
	all.limit = 0;
	all.oldest_first = false;
	err = repo_open(&search.repo, call->hub.path, false);
	if (err == NULL)
		err = deploy_each(call->hub.journal, &all, collect, &search);
	if (err == NULL)
		err = search_all(&search, call->hub.journal);
	if (err == NULL)
		err = tell_found(call, &search, filter->oldest_first, cb,
		    ctx);
	repo_close(search.repo);
	free(search.numbers);
	return err;
}
