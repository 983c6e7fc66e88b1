#include "deploy/receive.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "deploy/ahead.h"
#include "deploy/cert.h"
#include "deploy/errand.h"
#include "deploy/identity.h"
#include "deploy/origin.h"
#include "deploy/queue.h"
#include "deploy/standing.h"
#include "file.h"
#include "journal/deploy.h"
#include "journal/journal.h"
#include "plan/directive.h"
#include "plan/takes.h"
#include "repo.h"

/* The most that git may tell a hook on its standard input, in bytes. */
#define INPUT_MAX (64 * 1024 * 1024)

/* More push options than this are refused. */
#define OPTIONS_MAX 1000

static const struct err *
parse_line(struct push *push, const char *line, size_t len)
{
	struct vec words = VEC_INIT;
	const struct err *err = NULL;

	if (!repo_split_move(&words, line, len))
		err = err_new(ERR_PROTOCOL, "a hook's line is 'OLD NEW REF',"
		    " not '%.*s'", len < 200 ? (int)len : 200, line);
	else if (!repo_is_ref(words.v[2]))
		err = err_new(ERR_REFUSED, "%s is no name for a ref; push to"
		    " refs/heads/... or refs/tags/...", words.v[2]);
	else
		push_add_ref(push, words.v[0], words.v[1], words.v[2]);
	vec_release(&words);
	return err;
}

static const struct err *
read_options(struct vec *options)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	long n = count == NULL ? 0 : strtol(count, NULL, 10);

	if (n > OPTIONS_MAX)
		return err_new(ERR_REFUSED, "%ld push options are too many",
		    n);
	for (long i = 0; i < n; i++) {
		char *name = xasprintf("GIT_PUSH_OPTION_%ld", i);
		const char *value = getenv(name);

		if (value != NULL)
			vec_push(options, value);
		free(name);
	}
	return NULL;
}

const struct err *
receive_parse(struct push *push, const char *text, size_t len)
{
	const struct err *err = NULL;

	while (err == NULL && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		err = parse_line(push, text, n);
		n += end != NULL;
		text += n;
		len -= n;
	}
	return err;
}

const struct err *
receive_read(struct push *push, struct str *input)
{
	const struct err *err;

	err = file_read_fd(input, STDIN_FILENO, INPUT_MAX);
	if (err != NULL)
		return err_add(err, "read the refs of the push");
	err = receive_parse(push, input->s, input->len);
	if (err == NULL)
		err = read_options(&push->options);
	if (err == NULL)
		err = identity_find(push);
	return err;
}

/* A push that landed, and what it asks for. */
struct landing {
	struct hub *hub;
	const struct push *push;
	struct vec *notes;
	struct deploy *asked;
	size_t n_asked;
	struct vec withheld;	/* reasons why something is not deployed */
};

/* One ref and one environment that deploys it. */
struct arrival {
	struct landing *landing;
	struct hub *hub;
	const struct push *push;
	const struct push_ref *ref;
	const struct environment *env;
	struct vec *notes;
	char commit[REPO_OID_SIZE];
};

static bool
is_deleted(const struct push_ref *ref)
{
	return repo_is_zero(ref->new);
}

const struct err *
receive_commit(const struct hub *hub, const struct push_ref *ref,
    char commit[REPO_OID_SIZE])
{
	const struct err *err;
	struct repo *repo;

	memcpy(commit, ref->new, REPO_OID_SIZE);
	if (is_deleted(ref) || !str_starts_with(ref->ref, "refs/tags/"))
		return NULL;
	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = origin_commit(repo, ref->ref, ref->new, commit);
	repo_close(repo);
	return err;
}

/* Takes over the row. */
static void
add_asked(struct landing *landing, const struct deploy *row)
{
	landing->asked = xreallocarray(landing->asked, landing->n_asked + 1,
	    sizeof(*landing->asked));
	landing->asked[landing->n_asked++] = *row;
}

/* What is no directive was told by the gate. */
static void
take_options(const struct push *push, struct directives *options)
{
	for (size_t i = 0; i < push->options.n; i++) {
		if (directives_add_word(options, push->options.v[i], "",
		    "option") != NULL)
			continue;
	}
}

static const struct err *
request(const struct arrival *arrival)
{
	struct directives options = DIRECTIVES_INIT;
	struct deploy row = DEPLOY_INIT;
	const struct err *err;

	take_options(arrival->push, &options);
	row.environment = xstrdup(arrival->env->name);
	row.kind = xstrdup("deploy");
	row.commit = xstrdup(arrival->commit);
	row.ref = xstrdup(arrival->ref->ref);
	row.push = arrival->push->id;
	row.pusher = xstrdup(arrival->push->pusher);
	row.author = xstrdup_null(arrival->ref->author);
	row.subject = xstrdup_null(arrival->ref->subject);
	err = deploy_request(arrival->hub->journal, &row, &options);
	add_asked(arrival->landing, &row);
	directives_release(&options);
	return err;
}

static void
note_deleted(const struct arrival *arrival, const struct standing *standing)
{
	struct str line = STR_INIT;

	takes_add_ref(&line, arrival->ref->ref);
	str_add(&line, " was deleted; ");
	standing_add(&line, standing);
	vec_pushf(arrival->notes, "%s: %s", arrival->env->name, line.s);
	str_release(&line);
}

/* The commit says so, or, for all refs of the push, an option does. */
static void
note_skipped(const struct arrival *arrival, const struct standing *standing)
{
	struct directives options = DIRECTIVES_INIT;
	struct str line = STR_INIT;
	bool by_option;

	take_options(arrival->push, &options);
	by_option = directives_has(&options, DIRECTIVE_SKIP);
	str_addf(&line, "%.7s %s: not deployed; ", arrival->commit,
	    by_option ? "was pushed with the option skip" : "says -skip-");
	standing_add(&line, standing);
	str_add(&line, "; to deploy it all the same: ");
	errand_add_deploy(&line, arrival->hub, arrival->env,
	    arrival->commit);
	vec_pushf(arrival->notes, "%s: %s", arrival->env->name, line.s);
	str_release(&line);
	directives_release(&options);
}

static void
note_live(const struct arrival *arrival, const struct deploy *live)
{
	struct str way = STR_INIT;

	errand_add_deploy(&way, arrival->hub, arrival->env, live->commit);
	vec_pushf(arrival->notes, "%s: %.7s is live already, as release %s;"
	    " to deploy it again: %s", arrival->env->name, live->commit,
	    live->release, way.s);
	str_release(&way);
}

/* Visitors do not get what the journal has: it is deployed again. */
static void
note_astray(const struct arrival *arrival, const struct standing *standing)
{
	struct str line = STR_INIT;

	standing_add(&line, standing);
	vec_pushf(arrival->notes, "%s: %s; deploying %.7s again",
	    arrival->env->name, line.s, arrival->commit);
	str_release(&line);
}

static void
keep_back(struct landing *landing, const struct err *why)
{
	vec_pushf(landing->notes, "not deployed: %s", why->text);
	vec_push(&landing->withheld, why->text);
}

/* The branch may have been turned away that the gate had to believe in. */
static const struct err *
request_of_origin(struct arrival *arrival)
{
	const struct err *err;
	struct repo *repo;

	if (arrival->env->set.only_from == NULL)
		return request(arrival);
	err = repo_open(&repo, arrival->hub->path, false);
	if (err == NULL)
		err = origin_check(repo, arrival->env, arrival->ref->ref,
		    arrival->commit, NULL);
	repo_close(repo);
	if (err == NULL)
		return request(arrival);
	if (err->code != ERR_REFUSED)
		return err;
	keep_back(arrival->landing, err);
	return NULL;
}

static const struct err *
arrive(struct arrival *arrival)
{
	struct standing standing;
	const struct err *err;
	bool is_live = false, is_astray;

	err = standing_find(&standing, arrival->hub, arrival->env);
	if (err == NULL)
		err = receive_commit(arrival->hub, arrival->ref,
		    arrival->commit);
	if (err == NULL)
		err = standing_has(&standing, arrival->push, arrival->commit,
		    &is_live);
	if (err != NULL)
		goto done;
	is_astray = standing.astray.len > 0;
	if (is_deleted(arrival->ref)) {
		note_deleted(arrival, &standing);
	} else if (arrival->ref->skip) {
		note_skipped(arrival, &standing);
	} else if (is_live && !is_astray) {
		note_live(arrival, &standing.live);
	} else {
		if (is_live)
			note_astray(arrival, &standing);
		err = request_of_origin(arrival);
	}
done:
	standing_release(&standing);
	return err;
}

/* Which of the refs is to be deployed; the others of them are told. */
static const struct err *
choose(struct landing *landing, const struct environment *env,
    const struct push_ref **chosen)
{
	const struct err *err;
	size_t n;

	err = receive_choose(landing->hub, landing->push, env, chosen, &n);
	if (err == NULL && n > 1) {
		struct str name = STR_INIT;

		takes_add_ref(&name, (*chosen)->ref);
		vec_pushf(landing->notes, "%s: of %zu refs %s is deployed,"
		    " which contains the others", env->name, n, name.s);
		str_release(&name);
	}
	if (err == NULL || err->code != ERR_REFUSED)
		return err;
	keep_back(landing, err);
	return NULL;
}

static const struct err *
receive_for(struct landing *landing, const struct environment *env)
{
	const struct push *push = landing->push;
	const struct push_ref *chosen;
	const struct err *err;

	err = choose(landing, env, &chosen);
	for (size_t i = 0; err == NULL && i < push->n_refs; i++) {
		const struct push_ref *ref = &push->refs[i];
		struct arrival arrival = {
			landing, landing->hub, push, ref, env,
			landing->notes, ""
		};

		if (takes_ref(env, ref->ref) && (ref == chosen ||
		    is_deleted(ref) || ref->skip))
			err = arrive(&arrival);
	}
	return err;
}

/* pre-receive wrote the push down; where it could not run, we do. */
static const struct err *
find_written(struct hub *hub, struct push *push)
{
	const struct err *err;

	err = push_by_receiver(hub->journal, push->receiver, &push->id);
	if (err == NULL && push->id == 0)
		err = push_write(hub->journal, push);
	for (size_t i = 0; err == NULL && i < push->n_refs; i++)
		err = push_get_ref(hub->journal, push->id, &push->refs[i]);
	return err;
}

static const struct err *
withhold(const struct landing *landing)
{
	struct str text = STR_INIT;
	const struct err *err;

	vec_join(&landing->withheld, "\n", &text);
	err = push_withhold(landing->hub->journal, landing->push->id, text.s);
	str_release(&text);
	return err;
}

/*
 * The push has landed when all that it asks for is written down, so that
 * others can tell whether this came to its end.
 */
static const struct err *
land(struct landing *landing)
{
	const struct push *push = landing->push;
	const struct config *config = landing->hub->config;
	struct journal *journal = landing->hub->journal;
	const struct err *err = journal_group(journal);

	if (err != NULL)
		return err;
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		/* In a transactional one the deploy came first. */
		if (!config->environments[i].set.transactional)
			err = receive_for(landing, &config->environments[i]);
	}
	if (err == NULL)
		err = push_land(journal, push);
	if (err == NULL && landing->withheld.n > 0)
		err = withhold(landing);
	return journal_group_end(journal, err);
}

const struct err *
receive_request(struct hub *hub, const struct push *push, struct vec *notes)
{
	struct landing landing = { hub, push, notes, NULL, 0, VEC_INIT };
	const struct err *err;
	struct ahead ahead;

	ahead_start(&ahead, hub, push);
	cert_keep(hub, push->id, notes);
	err = land(&landing);
	for (size_t i = 0; i < landing.n_asked; i++) {
		struct deploy *row = &landing.asked[i];

		if (err == NULL)
			err = queue_announce(hub, row);
		if (err == NULL)
			err = ahead_go(&ahead, row->environment);
		deploy_release(row);
	}
	ahead_release(&ahead);
	free(landing.asked);
	vec_release(&landing.withheld);
	return err == NULL ? receive_note_others(hub, push, notes) :
	    err;
}

const struct err *
receive_refs(struct hub *hub, struct push *push, struct vec *notes)
{
	const struct err *err;

	err = find_written(hub, push);
	return err == NULL ? receive_request(hub, push, notes) : err;
}

const struct err *
receive_find(struct hub *hub, int64_t *id)
{
	const struct err *err;
	char *receiver;

	*id = 0;
	err = identity_receiver(&receiver);
	if (err == NULL)
		err = push_by_receiver(hub->journal, receiver, id);
	free(receiver);
	return err;
}

/* Of the refs that were offered, those that git has moved. */
static void
copy_moved(struct push *to, const struct push *from,
    const char *const *moved)
{
	for (size_t i = 0; i < from->n_refs; i++) {
		const struct push_ref *ref = &from->refs[i];

		for (size_t k = 0; moved[k] != NULL; k++) {
			if (strcmp(ref->ref, moved[k]) != 0)
				continue;
			push_add_ref(to, ref->old, ref->new, ref->ref);
		}
	}
}

const struct err *
receive_missed(struct hub *hub, int64_t id, const char *const *moved,
    struct vec *notes)
{
	struct push offered, landed = PUSH_INIT;
	const struct err *err;
	bool open;

	err = push_get(hub->journal, id, &offered, &open);
	if (err == NULL && open) {
		vec_push(notes, "post-receive did not come to its end; going"
		    " on with what it left");
		landed.id = id;
		landed.pusher = xstrdup(offered.pusher);
		vec_copy(&landed.options, &offered.options);
		copy_moved(&landed, &offered, moved);
		for (size_t i = 0; err == NULL && i < landed.n_refs; i++)
			err = push_get_ref(hub->journal, id, &landed.refs[i]);
	}
	if (err == NULL && open)
		err = receive_request(hub, &landed, notes);
	push_release(&landed);
	push_release(&offered);
	return err;
}
