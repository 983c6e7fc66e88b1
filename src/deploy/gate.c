#include "deploy/gate.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/cert.h"
#include "deploy/errand.h"
#include "deploy/receive.h"
#include "journal/deploy.h"
#include "plan/directive.h"
#include "plan/plan.h"
#include "repo.h"

/* Refs that Slipway alone writes. */
static const char *const own_refs[] = {
	"refs/slipway/", "refs/live/", "refs/notes/deploys", NULL
};

/* Everything that checks have at hand; reasons gather in "reasons". */
struct gate {
	struct hub *hub;
	struct push *push;
	struct repo *repo;
	struct directives options;
	struct vec *notes;
	struct vec reasons;
};

static void
check_own_refs(struct gate *gate, const struct push_ref *ref)
{
	for (size_t i = 0; own_refs[i] != NULL; i++) {
		if (str_starts_with(ref->ref, own_refs[i]))
			vec_pushf(&gate->reasons, "%s is written by Slipway"
			    " alone; push a branch instead", ref->ref);
	}
}

static void
check_options(struct gate *gate)
{
	for (size_t i = 0; i < gate->push->options.n; i++) {
		const char *word = gate->push->options.v[i];

		if (directives_add_word(&gate->options, word, "", "option")
		    != NULL)
			vec_pushf(gate->notes, "push option '%s' is no"
			    " directive and was ignored", word);
	}
}

static const struct err *
scan(const struct repo_commit *commit, void *ctx)
{
	return directives_scan(ctx, commit->message, commit->oid);
}

/*
 * What the commits that would go live ask for and nothing takes. Those that
 * landed before cannot be mended by this pusher, and are let through.
 */
static const struct err *
check_strict(struct gate *gate, const struct environment *env,
    const struct push_ref *ref, const char *commit)
{
	struct directives list = DIRECTIVES_INIT;
	struct plan_unknown *unknown = NULL;
	const char *hidden[2] = { ref->old };
	struct deploy live;
	const struct err *err;
	size_t n = 0;

	err = deploy_get_live(gate->hub->journal, env->name, &live);
	hidden[1] = live.commit;
	if (err == NULL)
		err = repo_walk(gate->repo, commit, hidden,
		    live.number == 0 ? 1 : 2, scan, &list);
	for (size_t i = 0; i < gate->options.n; i++)
		directives_add(&list, gate->options.v[i].name,
		    gate->options.v[i].argument, "", "option");
	if (err == NULL)
		plan_find_unknown(&unknown, &n, gate->hub->config, env,
		    &list);
	for (size_t i = 0; i < n; i++) {
		struct str text = STR_INIT;

		plan_unknown_text(&text, &unknown[i]);
		vec_pushf(&gate->reasons, "%s: %s", env->name, text.s);
		str_release(&text);
	}
	free(unknown);
	directives_release(&list);
	deploy_release(&live);
	return err;
}

/* Whose it is and what it says; "-skip-" counts in the tip commit alone. */
static const struct err *
read_tip(struct gate *gate, struct push_ref *ref, const char *commit)
{
	struct directives tip = DIRECTIVES_INIT;
	struct repo_commit row = { 0 };
	const struct err *err;

	err = repo_commit_read(gate->repo, commit, &row);
	if (err == NULL)
		err = directives_scan(&tip, row.message, commit);
	ref->skip = directives_has(&tip, DIRECTIVE_SKIP) ||
	    directives_has(&gate->options, DIRECTIVE_SKIP);
	if (err == NULL) {
		ref->author = xstrdup(row.author);
		ref->subject = xstrdup(row.subject);
	}
	repo_commit_release(&row);
	directives_release(&tip);
	return err;
}

static const struct err *
note_forced(struct gate *gate, const struct push_ref *ref)
{
	const struct err *err;
	bool is = true;

	if (repo_is_zero(ref->old))
		return NULL;
	err = repo_is_ancestor(gate->repo, ref->old, ref->new, &is);
	if (err == NULL && !is)
		vec_pushf(gate->notes, "%s is forced: %.7s does not contain"
		    " %.7s", ref->ref, ref->new, ref->old);
	return err;
}

static const struct err *
check_branch(struct gate *gate, struct push_ref *ref)
{
	const struct config *config = gate->hub->config;
	const char *branch = ref->ref + strlen("refs/heads/");
	char commit[REPO_OID_SIZE];
	const struct err *err = NULL;
	bool is_commit, taken = false;

	for (size_t i = 0; i < config->n_environments; i++)
		taken |= strcmp(config->environments[i].branch, branch) == 0;
	if (!taken || repo_is_zero(ref->new))
		return NULL;
	err = repo_peel(gate->repo, ref->new, commit, &is_commit);
	if (err == NULL && !is_commit)
		err = err_new(ERR_REFUSED, "%s does not point at a commit",
		    ref->ref);
	if (err == NULL)
		err = read_tip(gate, ref, commit);
	if (err == NULL)
		err = note_forced(gate, ref);
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (strcmp(env->branch, branch) == 0 && env->set.strict)
			err = check_strict(gate, env, ref, commit);
	}
	return err;
}

/* Has git been told to leave a ref to proc-receive? */
static bool
is_left_to_us(const struct vec *told, const char *ref)
{
	for (size_t i = 0; i < told->n; i++) {
		size_t len = strlen(told->v[i]);

		while (len > 0 && told->v[i][len - 1] == '/')
			len--;
		if (len > 0 && strncmp(ref, told->v[i], len) == 0 &&
		    (ref[len] == '\0' || ref[len] == '/'))
			return true;
	}
	return false;
}

static bool
is_transactional(const struct config *config, const char *ref)
{
	bool is = false;

	for (size_t i = 0; i < config->n_environments; i++)
		is |= config->environments[i].set.transactional &&
		    str_starts_with(ref, "refs/heads/") &&
		    strcmp(ref + strlen("refs/heads/"),
		    config->environments[i].branch) == 0;
	return is;
}

/* git follows a symbolic ref, and would move the branch behind it. */
static const struct err *
check_alias(struct gate *gate, const char *ref)
{
	const struct err *err;
	char *target;

	err = repo_ref_alias(gate->repo, ref, &target);
	if (target != NULL && is_transactional(gate->hub->config, target) &&
	    strcmp(ref, target) != 0)
		vec_pushf(&gate->reasons, "%s is another name of %s here,"
		    " which moves when its commit is live; push to that",
		    ref, target);
	free(target);
	return err;
}

/*
 * git would move such a ref itself, before anything is live, or store an
 * errand as a ref.
 */
static const struct err *
check_told(struct gate *gate)
{
	const struct config *config = gate->hub->config;
	struct vec told = VEC_INIT;
	const struct err *err;

	err = repo_config_all(gate->repo, "receive.procReceiveRefs", &told);
	for (size_t i = 0; err == NULL && i < gate->push->n_refs; i++) {
		const char *ref = gate->push->refs[i].ref;
		bool ours = errand_is(ref) || is_transactional(config, ref);

		err = check_alias(gate, ref);
		if (ours && !is_left_to_us(&told, ref))
			vec_pushf(&gate->reasons, "git here does not know"
			    " that %s waits for its deploy; on the server,"
			    " once: slipway init %s", ref, gate->hub->path);
	}
	vec_release(&told);
	return err;
}

/* What is deployed by refs/deploy/now is as strictly looked at. */
static const struct err *
check_errand(struct gate *gate, struct push_ref *ref)
{
	char commit[REPO_OID_SIZE];
	struct errand errand;
	const struct err *err;
	bool is_commit;

	/* proc-receive answers for what is worded wrongly. */
	if (errand_parse(&errand, gate->hub->config, ref->ref,
	    repo_is_zero(ref->new)) != NULL || errand.kind != ERRAND_NOW ||
	    !errand.env->set.strict)
		return NULL;
	err = repo_peel(gate->repo, ref->new, commit, &is_commit);
	if (err != NULL || !is_commit)
		return err;
	return check_strict(gate, errand.env, ref, commit);
}

static const struct err *
check_refs(struct gate *gate)
{
	const struct err *err;

	for (size_t i = 0; i < gate->push->n_refs; i++)
		check_own_refs(gate, &gate->push->refs[i]);
	err = repo_open(&gate->repo, gate->hub->path, true);
	if (err != NULL)
		return err;
	check_options(gate);
	err = cert_check(gate->hub, gate->repo, gate->push, &gate->reasons);
	if (err == NULL)
		err = check_told(gate);
	for (size_t i = 0; err == NULL && i < gate->push->n_refs; i++) {
		struct push_ref *ref = &gate->push->refs[i];

		if (str_starts_with(ref->ref, "refs/heads/"))
			err = check_branch(gate, ref);
		else if (errand_is(ref->ref))
			err = check_errand(gate, ref);
	}
	return err;
}

static const struct err *
all_reasons(const struct gate *gate)
{
	struct str text = STR_INIT;
	const struct err *err = NULL;

	vec_join(&gate->reasons, "\n", &text);
	if (gate->reasons.n > 0)
		err = err_new(ERR_REFUSED, "%s", text.s);
	str_release(&text);
	return err;
}

const struct err *
gate_refused(struct hub *hub, const struct push *push, const char *reason)
{
	return push_refuse(hub->journal, push->id, reason);
}

const struct err *
gate_check(struct hub *hub, struct push *push, struct vec *notes)
{
	struct gate gate = {
		.hub = hub,
		.push = push,
		.notes = notes,
		.options = DIRECTIVES_INIT,
		.reasons = VEC_INIT,
	};
	const struct err *err, *refused;

	/* Where there is no room, nothing is written, not even a refusal. */
	err = hub_check_room(hub);
	if (err != NULL)
		return err;
	refused = hub_config(hub);
	if (refused == NULL)
		refused = check_refs(&gate);
	if (refused == NULL)
		refused = all_reasons(&gate);
	if (refused == NULL)
		refused = receive_free_refs(hub, push);
	err = push_write(hub->journal, push);
	if (err == NULL && refused != NULL)
		err = gate_refused(hub, push, refused->text);
	repo_close(gate.repo);
	directives_release(&gate.options);
	vec_release(&gate.reasons);
	return err_first(refused, err);
}
