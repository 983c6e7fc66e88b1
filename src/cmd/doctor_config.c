/*
 * slipway.ini: whether a push would take it, and what it names that is not
 * there: a branch, a role, a key.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "cmd/doctor.h"
#include "cmd/git.h"
#include "file.h"
#include "nearest.h"
#include "path.h"
#include "plan/takes.h"
#include "repo.h"
#include "report/line.h"

#define SIGNERS "gpg.ssh.allowedSignersFile"

/* The largest list of keys that is looked at, in bytes. */
#define SIGNERS_MAX (4 * 1024 * 1024)

/* Where it is said, given. */
static char *
place_of(const struct environment *env, const char *key)
{
	return xasprintf("[environment %s] %s", env->name, key);
}

static void
look_at_branch(struct doctor *doctor, const struct environment *env,
    const char *key, const char *branch, const struct vec *names)
{
	const char *near = nearest_word(branch,
	    (const char *const *)names->v, names->n);
	char *place, *remedy = NULL;

	/* Before the first push there is none. */
	if (names->n == 0 || vec_has(names, branch) ||
	    takes_is_pattern(branch))
		return;
	place = place_of(env, key);
	if (near != NULL)
		remedy = xasprintf("if that is meant: %s = %s in slipway.ini",
		    key, near);
	doctor_tell(doctor, near == NULL ? LEVEL_NOTE : LEVEL_WARNING, place,
	    remedy, "there is no branch %s%s%s", branch, near == NULL ?
	    "" : "; the nearest is ", near == NULL ? "" : near);
	free(remedy);
	free(place);
}

static const struct err *
look_at_branches(struct doctor *doctor, const struct environment *env)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, doctor->hub->path, false);
	if (err == NULL)
		err = repo_refs(repo, "refs/heads/", &names);
	repo_close(repo);
	for (size_t i = 0; err == NULL && i < env->branches.n; i++)
		look_at_branch(doctor, env, "branch", env->branches.v[i],
		    &names);
	if (err == NULL && env->set.only_from != NULL)
		look_at_branch(doctor, env, "only_from", env->set.only_from,
		    &names);
	vec_release(&names);
	/* A repository that cannot be read is told of by the check of git. */
	return NULL;
}

/* A deploy would fail, before anything is touched. */
static const struct err *
look_at_roles(struct doctor *doctor, const struct environment *env)
{
	const struct config *config = doctor->hub->config;
	const struct host **hosts;
	size_t n = config_hosts(config, env, &hosts);

	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];
		bool had = !config_action_applies(action, env);
		char *place;

		for (size_t k = 0; k < n; k++)
			had |= config_host_has_role(hosts[k], action->role);
		if (had)
			continue;
		place = xasprintf("[action %s] role", action->name);
		doctor_tell(doctor, LEVEL_FAULT, place, "another 'role', or"
		    " add it to the 'roles' of a [host]", "no host of %s has"
		    " the role %s: a deploy that is to run this fails",
		    env->name, action->role);
		free(place);
	}
	free(hosts);
	return NULL;
}

/* Once for an action, wherever it runs; some migrations have no way back. */
static void
look_at_undo(struct doctor *doctor)
{
	const struct config *config = doctor->hub->config;

	for (size_t i = 0; config != NULL && i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];
		char *place;

		if (action->phase != PHASE_MIGRATE || action->undo != NULL)
			continue;
		place = xasprintf("[action %s] undo", action->name);
		doctor_tell(doctor, LEVEL_NOTE, place, "if it can be undone:"
		    " undo = COMMAND in slipway.ini", "a deploy that fails"
		    " after this, and a rollback, cannot take it back: it has"
		    " no undo");
		free(place);
	}
}

/* Is there a line that is no comment? */
static bool
has_keys(const char *path)
{
	struct str text = STR_INIT;
	struct vec lines = VEC_INIT;
	bool has = false;

	if (file_read(&text, path, SIGNERS_MAX) == NULL)
		vec_split(&lines, text.s, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i];

		line += strspn(line, " \t\r");
		has |= *line != '\0' && *line != '#';
	}
	vec_release(&lines);
	str_release(&text);
	return has;
}

/*
 * Keys of another kind, that gpg has for this user. Asking it would make
 * what is not there; a ring without a key is no larger than this.
 */
static bool
has_keyring(void)
{
	static const struct {
		const char *name;
		off_t empty_bytes;
	} rings[] = {
		{ "pubring.kbx", 32 },
		{ "pubring.gpg", 0 },
		{ "public-keys.d/pubring.db", 0 },
	};
	const char *gnupg = getenv("GNUPGHOME"), *home = getenv("HOME");
	char *dir = gnupg != NULL ? xstrdup(gnupg) :
	    path_join(home == NULL ? "" : home, ".gnupg");
	bool has = false;

	for (size_t i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		char *path = path_join(dir, rings[i].name);
		struct stat st;

		has |= stat(path, &st) == 0 &&
		    st.st_size > rings[i].empty_bytes;
		free(path);
	}
	free(dir);
	return has;
}

/* Whoever may write it decides whose signature is good. */
static void
look_at_writers(struct doctor *doctor, const char *signers)
{
	struct str remedy = STR_INIT;
	struct stat repo, st;

	if (stat(signers, &st) == -1 ||
	    stat(doctor->hub->path, &repo) == -1)
		return;
	if (st.st_uid != repo.st_uid && st.st_uid != 0) {
		str_addf(&remedy, "sudo chown %u ", (unsigned int)repo.st_uid);
		str_add_word(&remedy, signers);
		doctor_tell(doctor, LEVEL_FAULT, signers, remedy.s, "user %u"
		    " can add keys, whose signatures are good then",
		    (unsigned int)st.st_uid);
	} else if ((st.st_mode & 022) != 0) {
		str_add(&remedy, "chmod go-w ");
		str_add_word(&remedy, signers);
		doctor_tell(doctor, LEVEL_FAULT, signers, remedy.s, "others"
		    " can add keys, whose signatures are good then (mode"
		    " %04o)", (unsigned int)st.st_mode & 07777);
	}
	str_release(&remedy);
}

static const struct err *
look_at_keys(struct doctor *doctor, const char *place)
{
	struct str signers = STR_INIT, remedy = STR_INIT;
	const struct err *err;

	err = git_config_path(&signers, doctor->hub->path, SIGNERS);
	if (err == NULL && signers.len > 0)
		look_at_writers(doctor, signers.s);
	if (err != NULL || has_keyring() || has_keys(signers.s))
		goto done;
	if (signers.len == 0) {
		str_add(&remedy, "git -C ");
		str_add(&remedy, doctor->hub->word);
		str_add(&remedy, " config " SIGNERS " FILE");
		doctor_tell(doctor, LEVEL_WARNING, place, remedy.s, "no"
		    " signature is good: " SIGNERS " is not set");
	} else {
		str_add(&remedy, "write a line for each there, as in"
		    " alice@example.org namespaces=\"git\" ssh-ed25519"
		    " AAAA...");
		doctor_tell(doctor, LEVEL_WARNING, place, remedy.s, "no"
		    " signature is good: %s has no key", signers.s);
	}
done:
	str_release(&signers);
	str_release(&remedy);
	return err;
}

static const struct err *
look_at_seed(struct doctor *doctor, const char *place, bool *seeded)
{
	struct str seed = STR_INIT, remedy = STR_INIT;
	const struct err *err;

	err = git_config_path(&seed, doctor->hub->path,
	    "receive.certNonceSeed");
	*seeded = seed.len > 0;
	if (err == NULL && !*seeded) {
		str_add(&remedy, "slipway init ");
		str_add(&remedy, doctor->hub->word);
		doctor_tell(doctor, LEVEL_FAULT, place, remedy.s, "git is not"
		    " told to take signed pushes (receive.certNonceSeed), so"
		    " all are refused");
	}
	str_release(&seed);
	str_release(&remedy);
	return err;
}

static const struct err *
look_at_signing(struct doctor *doctor, const struct environment *env)
{
	const char *key = env->set.require_signed_push ?
	    "require_signed_push" : "signed_tags";
	char *place = place_of(env, key);
	const struct err *err = NULL;
	bool seeded = true;

	if (env->set.require_signed_push)
		err = look_at_seed(doctor, place, &seeded);
	if (err == NULL && seeded &&
	    (env->set.require_signed_push || env->set.signed_tags))
		err = look_at_keys(doctor, place);
	free(place);
	return err;
}

/*
 * Whose it is is asked of the config as a push asks: so that what would have
 * every push refused is the first thing to be told.
 */
static void
read_config(struct doctor *doctor)
{
	struct hub strict = {
		.path = doctor->hub->path,
		.word = doctor->hub->word,
	};
	const struct err *err = hub_config(&strict);
	char *path = hub_file(doctor->hub, "slipway.ini");

	if (err != NULL)
		doctor_tell_err(doctor, path, err);
	hub_forget_config(&strict);
	/* What can be read all the same is looked at all the same. */
	hub_config_read(doctor->hub);
	free(path);
}

const struct err *
doctor_config(struct doctor *doctor)
{
	const struct err *err;

	read_config(doctor);
	err = doctor_each(doctor, look_at_branches);
	if (err == NULL)
		err = doctor_each(doctor, look_at_roles);
	look_at_undo(doctor);
	return err == NULL ? doctor_each(doctor, look_at_signing) : err;
}
