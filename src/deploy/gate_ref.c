/*
 * Which refs of a push may move, and which of them lead to a deploy. What
 * git would check by itself for other refs, it does not for those that it
 * leaves to proc-receive; and what an environment wants of its commits (of
 * which branch they are, who signed a tag) git does not know.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/errand.h"
#include "deploy/gate_part.h"
#include "deploy/origin.h"
#include "plan/takes.h"
#include "release/plumbing.h"

#define TAGS "refs/tags/"

/* Refs that Slipway alone writes, and what is below them. */
static const char *const own_refs[] = {
	"refs/slipway", "refs/live", "refs/notes/deploys", NULL
};

static bool
check_own(struct gate *gate, const struct push_ref *ref)
{
	bool is = false;

	for (size_t i = 0; own_refs[i] != NULL; i++) {
		size_t len = strlen(own_refs[i]);

		if (strncmp(ref->ref, own_refs[i], len) != 0 ||
		    (ref->ref[len] != '\0' && ref->ref[len] != '/'))
			continue;
		is = true;
		vec_pushf(&gate->reasons, "%s is written by Slipway"
		    " alone; push a branch instead", ref->ref);
	}
	return is;
}

/*
 * Edits by hand are kept on drift/ENVIRONMENT/DATE: a branch that is called
 * so, or like one of those folders, could hinder it, and each deploy with it.
 */
static void
check_drift(struct gate *gate, const struct push_ref *ref)
{
	static const char drift[] = "refs/heads/drift";
	const struct config *config = gate->hub->config;
	const char *rest;
	bool is;

	if (repo_is_zero(ref->new) || !str_starts_with(ref->ref, drift))
		return;
	rest = ref->ref + strlen(drift);
	is = *rest == '\0';
	for (size_t i = 0; i < config->n_environments && *rest == '/'; i++) {
		const char *name = config->environments[i].name;
		size_t len = strlen(name);

		is |= strncmp(rest + 1, name, len) == 0 &&
		    (rest[1 + len] == '\0' || rest[1 + len] == '/');
	}
	if (is)
		vec_pushf(&gate->reasons, "%s would be in the way of the"
		    " branches drift/ENVIRONMENT/DATE, on which edits by hand"
		    " are kept; give it another name", ref->ref);
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
		    takes_ref(&config->environments[i], ref);
	return is;
}

/* git follows a symbolic ref, and would move the branch behind it unseen. */
static const struct err *
check_alias(struct gate *gate, const char *ref)
{
	const struct err *err;
	char *target;

	err = repo_ref_alias(gate->repo, ref, &target);
	if (target != NULL && takes_any(gate->hub->config, target) &&
	    strcmp(ref, target) != 0)
		vec_pushf(&gate->reasons, "%s is another name of %s here,"
		    " which is deployed; push to that", ref, target);
	free(target);
	return err;
}

/*
 * git turns such a push away only after this, and what is in the journal by
 * then would look like one that has moved its ref. Those that are left to
 * proc-receive it answers for.
 */
static const struct err *
check_old(struct gate *gate, const struct push_ref *ref)
{
	char now[REPO_OID_SIZE];
	const struct err *err;

	err = repo_ref_value(gate->repo, ref->ref, now);
	if (err == NULL && strcmp(now, ref->old) != 0)
		vec_pushf(&gate->reasons, "%s is at %.7s here, not at %.7s:"
		    " somebody else has moved it; fetch, merge and push again",
		    ref->ref, now, ref->old);
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
		if (err == NULL && !ours)
			err = check_old(gate, &gate->push->refs[i]);
		if (ours && !is_left_to_us(&told, ref))
			vec_pushf(&gate->reasons, "git here does not know"
			    " that %s waits for its deploy; on the server,"
			    " once: slipway init %s", ref, gate->hub->word);
	}
	vec_release(&told);
	return err;
}

static void
add_candidate(struct gate *gate, const struct environment *env,
    struct push_ref *ref, const char *commit, const struct errand *errand)
{
	struct candidate *added;

	gate->candidates = xreallocarray(gate->candidates, gate->n + 1,
	    sizeof(*gate->candidates));
	added = &gate->candidates[gate->n++];
	*added = (struct candidate){ .env = env, .ref = ref,
	    .by_word = errand != NULL,
	    .for_plan = errand != NULL && errand->kind == ERRAND_PLAN };
	memcpy(added->commit, commit, REPO_OID_SIZE);
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

/* A tag does not move at all, unless somebody forces it. */
static const struct err *
is_forced(struct gate *gate, const struct push_ref *ref, bool *is)
{
	const struct err *err;
	bool forward;

	*is = !repo_is_zero(ref->old) && str_starts_with(ref->ref, TAGS);
	if (repo_is_zero(ref->old) || *is)
		return NULL;
	err = repo_is_ancestor(gate->repo, ref->old, ref->new, &forward);
	*is = err == NULL && !forward;
	return err;
}

static const struct err *
check_forced(struct gate *gate, const struct push_ref *ref, bool allowed)
{
	const struct err *err;
	bool is;

	err = is_forced(gate, ref, &is);
	if (err != NULL || !is)
		return err;
	if (allowed)
		vec_pushf(gate->notes, "%s is forced: %.7s does not contain"
		    " %.7s", ref->ref, ref->new, ref->old);
	else
		vec_pushf(&gate->reasons, "%s is at %.7s, which %.7s does not"
		    " contain, and slipway.ini takes no forced push"
		    " (allow_force = no); %s", ref->ref, ref->old, ref->new,
		    str_starts_with(ref->ref, TAGS) ?
		    "push a tag with another name" :
		    "fetch, merge and push again");
	return NULL;
}

/* Of all environments that take it: does one forbid force? */
static bool
allows_force(const struct config *config, const char *ref)
{
	for (size_t i = 0; i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (takes_ref(env, ref) && !env->set.allow_force)
			return false;
	}
	return true;
}

static const struct err *
check_deployed(struct gate *gate, struct push_ref *ref)
{
	const struct config *config = gate->hub->config;
	bool force = allows_force(config, ref->ref);
	char commit[REPO_OID_SIZE];
	const struct err *err;

	if (repo_is_zero(ref->new)) {
		if (!force)
			vec_pushf(&gate->reasons, "%s is deployed, and"
			    " slipway.ini does not let it be deleted"
			    " (allow_force = no)", ref->ref);
		return NULL;
	}
	err = origin_commit(gate->repo, ref->ref, ref->new, commit);
	if (err == NULL)
		err = read_tip(gate, ref, commit);
	if (err == NULL)
		err = check_forced(gate, ref, force);
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		if (takes_ref(&config->environments[i], ref->ref))
			add_candidate(gate, &config->environments[i], ref,
			    commit, NULL);
	}
	return err;
}

/*
 * What is deployed by refs/deploy/now is as strictly looked at. For
 * refs/deploy/plan nothing is deployed, but the tree is read.
 */
static const struct err *
check_errand(struct gate *gate, struct push_ref *ref)
{
	char commit[REPO_OID_SIZE];
	struct errand errand;
	const struct err *err;
	bool is_commit;

	/* proc-receive answers for what is worded wrongly. */
	if (errand_parse(&errand, gate->hub->config, ref->ref,
	    repo_is_zero(ref->new)) != NULL || (errand.kind != ERRAND_NOW &&
	    errand.kind != ERRAND_PLAN))
		return NULL;
	err = repo_peel(gate->repo, ref->new, commit, &is_commit);
	if (err == NULL && is_commit)
		add_candidate(gate, errand.env, ref, commit, &errand);
	return err;
}

static void
check_other(struct gate *gate, const struct push_ref *ref)
{
	const struct config *config = gate->hub->config;
	struct str takes = STR_INIT;

	if (strcmp(config->app.other_refs, "refuse") != 0 ||
	    repo_is_zero(ref->new))
		return;
	for (size_t i = 0; i < config->n_environments; i++) {
		str_addf(&takes, "%s%s deploys ", i == 0 ? "" : ", ",
		    config->environments[i].name);
		takes_add(&takes, &config->environments[i]);
	}
	vec_pushf(&gate->reasons, "%s is deployed by no environment (%s), and"
	    " slipway.ini takes no others (other_refs = refuse)", ref->ref,
	    takes.s);
	str_release(&takes);
}

const struct err *
gate_check_refs(struct gate *gate)
{
	const struct err *err = check_told(gate);

	for (size_t i = 0; err == NULL && i < gate->push->n_refs; i++) {
		struct push_ref *ref = &gate->push->refs[i];

		if (check_own(gate, ref))
			continue;
		check_drift(gate, ref);
		if (errand_is(ref->ref))
			err = check_errand(gate, ref);
		else if (takes_any(gate->hub->config, ref->ref))
			err = check_deployed(gate, ref);
		else
			check_other(gate, ref);
	}
	return err;
}

/*
 * Where a branch will be when this push has landed: through "*oid", NULL
 * when it is where it is now. What proc-receive deploys is live before git
 * moves any other ref.
 */
static void
branch_to_be(const struct gate *gate, const struct candidate *candidate,
    const char **oid)
{
	char *ref = xasprintf("refs/heads/%s", candidate->env->set.only_from);
	bool is_first = candidate->by_word ||
	    (candidate->env->set.transactional &&
	    strcmp(candidate->ref->ref, ref) != 0);

	*oid = NULL;
	for (size_t i = 0; !is_first && i < gate->push->n_refs; i++) {
		if (strcmp(gate->push->refs[i].ref, ref) == 0)
			*oid = gate->push->refs[i].new;
	}
	free(ref);
}

static const struct err *
check_only_from(struct gate *gate, const struct candidate *candidate)
{
	const struct err *err;
	const char *tip;

	if (candidate->env->set.only_from == NULL)
		return NULL;
	branch_to_be(gate, candidate, &tip);
	err = origin_check(gate->repo, candidate->env, candidate->ref->ref,
	    candidate->commit, tip);
	if (err == NULL || err->code != ERR_REFUSED)
		return err;
	vec_push(&gate->reasons, err->text);
	return NULL;
}

#define SIGNERS "gpg.ssh.allowedSignersFile"

/* A signed tag under another name would bring an old release back. */
static const struct err *
check_name(struct gate *gate, const struct candidate *candidate, bool *is)
{
	const char *ref = candidate->ref->ref;
	const char *env = candidate->env->name;
	const struct err *err;
	char *name;

	err = repo_tag_name(gate->repo, candidate->ref->new, &name);
	*is = err == NULL && name != NULL && (candidate->by_word ||
	    strcmp(ref + strlen(TAGS), name) == 0);
	if (err == NULL && name == NULL)
		vec_pushf(&gate->reasons, "%s: %s is not a signed tag, and"
		    " only those are deployed (signed_tags); make one with"
		    " git tag -s", env, ref);
	else if (err == NULL && !*is)
		vec_pushf(&gate->reasons, "%s: %s is signed as the tag %s;"
		    " push it under that name", env, ref, name);
	free(name);
	return err;
}

/* No developer can help it when the server knows no ssh key at all. */
static const struct err *
tell_of_signers(struct gate *gate)
{
	const struct err *err;
	char *file;

	err = repo_config_get(gate->repo, SIGNERS, &file);
	if (err == NULL && file == NULL)
		vec_pushf(&gate->reasons, "  no ssh key is known here; the"
		    " administrator of the server can say git -C %s config "
		    SIGNERS " %s/allowed_signers, and put keys into that"
		    " file: see signed_tags in slipway.ini(5)",
		    gate->hub->word, gate->hub->word);
	free(file);
	return err;
}

static const struct err *
verify(struct gate *gate, const struct candidate *candidate)
{
	const char *args[] = { "verify-tag", candidate->ref->new, NULL };
	struct str out = STR_INIT;
	struct plumbing git;
	const struct err *err;

	plumbing_init(&git, gate->repo, candidate->commit, -1, NULL);
	err = plumbing_run(&git, args, NULL, &out);
	if (err != NULL && err->code == ERR_GIT) {
		vec_pushf(&gate->reasons, "%s: the signature of %s is not a"
		    " good one here (%s); sign it with a key that the server"
		    " knows", candidate->env->name, candidate->ref->ref,
		    err->text);
		err = tell_of_signers(gate);
	}
	str_release(&out);
	return err_first(err, plumbing_release(&git));
}

/* By word, in an environment without branches only a tag is right, too. */
static const struct err *
check_signed(struct gate *gate, const struct candidate *candidate)
{
	const struct environment *env = candidate->env;
	const struct err *err;
	bool is;

	if (!env->set.signed_tags || (candidate->by_word ?
	    env->branches.n > 0 : !str_starts_with(candidate->ref->ref, TAGS)))
		return NULL;
	err = check_name(gate, candidate, &is);
	return err == NULL && is ? verify(gate, candidate) : err;
}

const struct err *
gate_check_origin(struct gate *gate, const struct candidate *candidate)
{
	const struct err *err;

	err = check_only_from(gate, candidate);
	return err == NULL ? check_signed(gate, candidate) : err;
}
