#include "deploy/cert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/errand.h"
#include "deploy/identity.h"
#include "file.h"
#include "path.h"
#include "plan/takes.h"

/* The most that is read of a process's environment, in bytes. */
#define ENVIRON_SIZE_MAX (4 * 1024 * 1024)

/* A key that git cannot tell the owner of; its fingerprint is put before. */
#define STRANGER "is none that is trusted here"

#define SEED "receive.certNonceSeed"
#define SIGNERS "gpg.ssh.allowedSignersFile"

/* What is wrong for each answer of git; one that is not here is unknown. */
struct verdict {
	const char *word;
	const char *fault;	/* NULL: all is well */
};

/* GIT_PUSH_CERT_STATUS, as %G? of git log. */
static const struct verdict signatures[] = {
	{ "G", NULL },
	{ "B", "its signature is bad" },
	{ "U", STRANGER },
	{ "X", "its signature has expired" },
	{ "Y", "its key has expired" },
	{ "R", "its key was revoked" },
	{ "E", "its signature cannot be checked: is the key in the keyring?" },
	{ "N", "it has no signature that git can read" },
	{ NULL, "git tells nothing about its signature" },
};

/* GIT_PUSH_CERT_NONCE_STATUS */
static const struct verdict nonces[] = {
	{ "OK", NULL },
	{ "SLOP", "it was signed too long ago for this connection; push"
	    " again, or enlarge receive.certNonceSlop" },
	{ "BAD", "it answers another connection: it was sent a second time,"
	    " or receive.certNonceSeed was changed meanwhile; push again" },
	{ "MISSING", "it does not have the number that this server gave"
	    " out" },
	{ "UNSOLICITED", "this server gave out no number for it; on the"
	    " server, once: slipway init" },
	{ NULL, "git tells nothing about its number" },
};

static const char *
fault_of(const struct verdict *table, const char *word)
{
	while (table->word != NULL &&
	    (word == NULL || strcmp(table->word, word) != 0))
		table++;
	return table->fault;
}

/*
 * Whoever sets one of these chooses what git finds, or seems to find. Those
 * with a place may name what git finds without them; HOME itself is set by
 * sshd and the web server, behind all that a client says. GIT_EXEC_PATH is
 * git's own for a push by a path; a client who could set it would have git
 * run his programs, and needs no certificate any more.
 */
static const struct {
	const char *start;
	const char *usual;	/* below HOME; NULL: none is right */
} leading[] = {
	{ "GIT_PUSH_CERT", NULL },
	{ "GIT_CONFIG_COUNT=", NULL },
	{ "GIT_CONFIG_PARAMETERS=", NULL },
	{ "GIT_CONFIG_SYSTEM=", NULL },
	{ "GIT_CONFIG_GLOBAL=", ".gitconfig" },
	{ "XDG_CONFIG_HOME=", ".config" },
	{ "GNUPGHOME=", ".gnupg" },
};

/* The value of HOME in an environment as /proc has it; NULL without one. */
static const char *
home_of(const struct str *text)
{
	for (size_t at = 0; at < text->len; at += strlen(text->s + at) + 1) {
		if (str_starts_with(text->s + at, "HOME="))
			return text->s + at + strlen("HOME=");
	}
	return NULL;
}

static bool
is_usual(const char *value, const char *home, const char *usual)
{
	char *path;
	bool is;

	if (home == NULL || usual == NULL)
		return false;
	path = path_join(home, usual);
	is = strcmp(path, value) == 0;
	free(path);
	return is;
}

static void
look_at(const char *variable, const char *home, char **fault)
{
	for (size_t i = 0; i < sizeof(leading) / sizeof(*leading); i++) {
		const char *value = strchr(variable, '=');

		if (*fault != NULL || value == NULL ||
		    !str_starts_with(variable, leading[i].start) ||
		    is_usual(value + 1, home, leading[i].usual))
			continue;
		*fault = xasprintf("git was started with %.*s in its"
		    " environment, which may be a client's word; push"
		    " without it, or see AcceptEnv and SetEnv of the server",
		    (int)(value - variable), variable);
	}
}

/*
 * What git-receive-pack was started with is not its own word. "fault" is
 * given when that may have led it.
 */
static bool
is_clients_own(const char *receiver, const char *cert, char **fault)
{
	char *path = xasprintf("/proc/%ld/environ", strtol(receiver, NULL,
	    10));
	char *line = xasprintf("GIT_PUSH_CERT=%s", cert);
	struct str text = STR_INIT;
	bool is = file_read(&text, path, ENVIRON_SIZE_MAX) != NULL;

	*fault = NULL;
	for (size_t at = 0; at < text.len && !is;
	    at += strlen(text.s + at) + 1) {
		is = strcmp(text.s + at, line) == 0;
		look_at(text.s + at, home_of(&text), fault);
	}
	str_release(&text);
	free(line);
	free(path);
	return is;
}

void
cert_read(struct pusher *who, const char *receiver)
{
	const char *signer = getenv("GIT_PUSH_CERT_SIGNER"), *fault;
	const char *cert = getenv("GIT_PUSH_CERT");
	const char *key = getenv("GIT_PUSH_CERT_KEY");
	char *led;

	if (cert == NULL || !repo_is_oid(cert) || repo_is_zero(cert))
		return;
	if (is_clients_own(receiver, cert, &led)) {
		free(led);
		return;
	}
	who->cert = xstrdup(cert);
	who->fault = led;
	if (led != NULL)
		return;
	fault = fault_of(signatures, getenv("GIT_PUSH_CERT_STATUS"));
	/* git calls that of any ssh key good; of some it knows whose it is. */
	if (fault == NULL && (signer == NULL || *signer == '\0'))
		fault = STRANGER;
	if (fault == NULL)
		fault = fault_of(nonces,
		    getenv("GIT_PUSH_CERT_NONCE_STATUS"));
	if (fault != NULL && strcmp(fault, STRANGER) == 0)
		who->fault = xasprintf("its key%s%s " STRANGER, key == NULL ?
		    "" : " ", key == NULL ? "" : key);
	else
		who->fault = xstrdup_null(fault);
	if (fault != NULL)
		return;
	who->signer = xstrdup(signer);
	who->signing_key = xstrdup_null(key);
}

/* One that git took for new, in the same second perhaps, is not. */
static const struct err *
check_new(const struct hub *hub, struct push *push)
{
	const struct err *err;
	char *fault;
	int64_t first;

	err = pusher_by_cert(hub->journal, push->who.cert, &first);
	if (err != NULL || first == 0)
		return err;
	fault = xasprintf("it came with push %" PRId64 " already; push"
	    " again", first);
	identity_unsign(push, fault);
	free(fault);
	return NULL;
}

static const struct err *
read_cert(const struct hub *hub, struct repo *repo, struct push *push)
{
	struct str text = STR_INIT;
	const struct err *err;

	if (push->who.cert == NULL)
		return NULL;
	err = repo_blob(repo, push->who.cert, CERT_SIZE_MAX, &text);
	if (err != NULL)
		return err_add(err, "the certificate of the push");
	push->who.cert_text = str_detach(&text);
	return push->who.fault == NULL ? check_new(hub, push) : NULL;
}

/* Does it move the environment's branch, or ask for more than words? */
static bool
is_for(const struct environment *env, const struct config *config,
    const char *ref, bool deletes)
{
	struct errand errand;

	if (errand_is(ref))
		return errand_parse(&errand, config, ref, deletes) == NULL &&
		    errand.env == env && errand.kind != ERRAND_PLAN;
	return takes_ref(env, ref);
}

/* Another name of a branch is refused by the gate, see check_alias(). */
static bool
is_wanted(const struct environment *env, const struct config *config,
    const struct push *push)
{
	for (size_t i = 0; i < push->n_refs; i++) {
		const struct push_ref *ref = &push->refs[i];

		if (is_for(env, config, ref->ref, repo_is_zero(ref->new)))
			return true;
	}
	return false;
}

/* Who pushed can send this on to somebody who can do it. */
static const struct err *
add_trust(struct repo *repo, const char *fault, struct vec *reasons)
{
	const struct err *err;
	char *file;

	if (strstr(fault, STRANGER) == NULL)
		return NULL;
	err = repo_config_get(repo, SIGNERS, &file);
	vec_pushf(reasons, "  an ssh key is trusted when " SIGNERS " on the"
	    " server (%s) has the line", file == NULL ? "not set: slipway"
	    " init sets it" : file);
	vec_push(reasons, "    EMAIL namespaces=\"git\" ssh-ed25519 AAAA..."
	    "   (from its .pub file)");
	free(file);
	return err;
}

static const struct err *
refuse(const struct hub *hub, struct repo *repo, const struct push *push,
    const char *environment, struct vec *reasons)
{
	const struct err *err;
	char *seed;

	err = repo_config_get(repo, SEED, &seed);
	if (push->who.cert != NULL) {
		vec_pushf(reasons, "%s takes signed pushes alone, and this"
		    " certificate counts for nothing: %s", environment,
		    push->who.fault);
		err = err_first(err, add_trust(repo, push->who.fault,
		    reasons));
	} else if (seed != NULL) {
		vec_pushf(reasons, "%s takes signed pushes alone, and this"
		    " one is not: git push --signed; with an ssh key, once,"
		    " in your clone:\n"
		    "  git config gpg.format ssh\n"
		    "  git config user.signingKey ~/.ssh/id_ed25519.pub\n"
		    "  git config push.gpgSign if-asked", environment);
	} else {
		vec_pushf(reasons, "%s takes signed pushes alone, and git"
		    " here does not know yet; on the server, once: slipway"
		    " init %s", environment, hub->path);
	}
	free(seed);
	return err;
}

const struct err *
cert_check(const struct hub *hub, struct repo *repo, struct push *push,
    struct vec *reasons)
{
	const struct config *config = hub->config;
	const struct err *err;

	err = read_cert(hub, repo, push);
	for (size_t i = 0; err == NULL && i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (env->set.require_signed_push &&
		    (push->who.cert == NULL || push->who.fault != NULL) &&
		    is_wanted(env, config, push))
			err = refuse(hub, repo, push, env->name, reasons);
	}
	return err;
}

static const struct err *
keep(const struct hub *hub, int64_t push, const char *cert)
{
	char *ref = xasprintf(CERT_REFS "%" PRId64, push);
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = repo_keep(repo, ref, cert);
	repo_close(repo);
	free(ref);
	return err;
}

void
cert_keep(const struct hub *hub, int64_t push, struct vec *notes)
{
	struct pusher who;
	const struct err *err;

	err = pusher_get(hub->journal, push, &who);
	if (err == NULL && who.cert != NULL && who.fault == NULL)
		err = keep(hub, push, who.cert);
	if (err != NULL)
		vec_pushf(notes, "warning: the certificate of the push may be"
		    " lost to gc: %s", err->text);
	pusher_release(&who);
}
