/*
 * The places: whose they are, who else may write there, and their room.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/doctor.h"
#include "deploy/missing.h"
#include "file.h"
#include "path.h"
#include "release/store.h"
#include "report/line.h"
#include "repo.h"
#include "room.h"

/* Less than this part of a file system is told of, in percent. */
#define LOW_PERCENT 5

static void
tell_mode(struct doctor *doctor, const char *path)
{
	struct stat st;
	char *remedy;

	if (stat(path, &st) == -1 || (st.st_mode & 002) == 0)
		return;
	remedy = doctor_command("chmod o-w ", path, "");
	doctor_tell(doctor, LEVEL_FAULT, path, remedy, "everybody on this"
	    " machine may write it (mode %04o)",
	    (unsigned int)st.st_mode & 07777);
	free(remedy);
}

/*
 * Pushes and deploys make and replace things there. With "own" it has to
 * belong to this user, too.
 */
static void
look_at_access(struct doctor *doctor, const char *path,
    const struct stat *st, bool own)
{
	bool is_folder = S_ISDIR(st->st_mode);
	bool foreign = st->st_uid != geteuid();
	bool may = faccessat(AT_FDCWD, path, R_OK | W_OK |
	    (is_folder ? X_OK : 0), AT_EACCESS) == 0;
	int why = may ? 0 : errno;
	struct str remedy = STR_INIT;

	if (may && !(own && foreign)) {
		tell_mode(doctor, path);
		return;
	}
	if (foreign)
		str_addf(&remedy, "chown -R %u ", (unsigned int)geteuid());
	else
		str_addf(&remedy, "chmod u+rw%s ", is_folder ? "x" : "");
	str_add_word(&remedy, path);
	if (foreign)
		doctor_tell(doctor, LEVEL_FAULT, path, remedy.s, "it belongs"
		    " to user %u, and deploys are those of user %u",
		    (unsigned int)st->st_uid, (unsigned int)geteuid());
	else if (why == EACCES)
		doctor_tell(doctor, LEVEL_FAULT, path, remedy.s, "its owner,"
		    " who deploys, may not write it (mode %04o)",
		    (unsigned int)st->st_mode & 07777);
	else
		doctor_tell(doctor, LEVEL_FAULT, path, NULL, "%s",
		    strerror(why));
	str_release(&remedy);
}

static void
look_at_folder(struct doctor *doctor, const char *root, const char *name)
{
	char *path = path_join(root, name), *remedy = NULL;
	struct stat st;

	if (stat(path, &st) == -1) {
		if (errno == ENOENT)
			remedy = doctor_command("slipway init ",
			    doctor->hub->path, "");
		doctor_tell(doctor, LEVEL_FAULT, path, remedy, "%s",
		    strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		doctor_tell(doctor, LEVEL_FAULT, path, "move it away",
		    "it is no folder");
	} else {
		look_at_access(doctor, path, &st, true);
	}
	free(remedy);
	free(path);
}

/* What a deploy would say of a root that is another one's. */
static void
look_at_owner(struct doctor *doctor, const struct environment *env)
{
	const struct err *err = store_check_root(env->set.root,
	    doctor->hub->path, env->name);

	if (err != NULL)
		doctor_tell_err(doctor, env->set.root, err);
}

/* A web server is another user, as a rule. */
static void
look_at_entrance(struct doctor *doctor, const char *root)
{
	char *folders[] = { xstrdup(root), path_join(root, "releases") };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		struct str remedy = STR_INIT;
		struct stat st;

		str_add(&remedy, "chmod o+x ");
		str_add_word(&remedy, folders[i]);
		if (stat(folders[i], &st) == 0 && (st.st_mode & 011) == 0)
			doctor_tell(doctor, LEVEL_NOTE, folders[i], remedy.s,
			    "only its owner can enter it (mode %04o), not the"
			    " user of a web server",
			    (unsigned int)st.st_mode & 07777);
		str_release(&remedy);
		free(folders[i]);
	}
}

static const struct err *
look_at_root(struct doctor *doctor, const struct environment *env)
{
	static const char *const names[] = {
		"releases", "shared", ".slipway"
	};
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		look_at_folder(doctor, env->set.root, names[i]);
	if (stat(env->set.root, &st) == 0)
		look_at_access(doctor, env->set.root, &st, false);
	look_at_entrance(doctor, env->set.root);
	look_at_owner(doctor, env);
	return NULL;
}

static void
look_at_sharing(struct doctor *doctor)
{
	struct vec values = VEC_INIT;
	struct repo *repo;
	const char *last;
	char *remedy;

	if (repo_open(&repo, doctor->hub->path, false) == NULL)
		repo_config_all(repo, "core.sharedRepository", &values);
	repo_close(repo);
	last = values.n == 0 ? "umask" : values.v[values.n - 1];
	if (strcmp(last, "umask") != 0 && strcmp(last, "false") != 0 &&
	    strcmp(last, "0") != 0) {
		remedy = doctor_unset(doctor, "core.sharedRepository",
		    values.n, "umask");
		doctor_tell(doctor, LEVEL_WARNING, doctor->hub->path, remedy,
		    "core.sharedRepository is %s, but only its owner can"
		    " deploy: pushes have to come as that user", last);
		free(remedy);
	}
	vec_release(&values);
}

/* What is missing is told of by other checks. */
static void
look_at_part(struct doctor *doctor, const char *path, bool is_owner)
{
	struct stat st;

	if (!is_owner)
		tell_mode(doctor, path);
	else if (stat(path, &st) == 0)
		look_at_access(doctor, path, &st, false);
}

static void
look_at_repository(struct doctor *doctor, bool is_owner)
{
	static const char *const names[] = {
		"objects", "objects/pack", "refs", "refs/heads",
		"slipway", "slipway/log", "slipway/backup",
		"slipway/journal.db"
	};
	char *hooks = hub_file(doctor->hub, "hooks");

	tell_mode(doctor, hooks);
	look_at_part(doctor, doctor->hub->path, is_owner);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = hub_file(doctor->hub, names[i]);

		look_at_part(doctor, path, is_owner);
		free(path);
	}
	free(hooks);
}

const struct err *
doctor_rights(struct doctor *doctor)
{
	const struct err *err = hub_check_owner(doctor->hub->path);
	mode_t mask = umask(022);

	umask(mask);
	if (err != NULL)
		doctor_tell_err(doctor, doctor->hub->path, err);
	else if (geteuid() == 0)
		doctor_tell(doctor, LEVEL_NOTE, doctor->hub->path, "a user of"
		    " its own, to whom repository and roots belong:"
		    " install.sh --user NAME", "deploys are root's: what"
		    " is pushed runs its commands as root");
	look_at_repository(doctor, err == NULL);
	if ((mask & 002) == 0)
		doctor_tell(doctor, LEVEL_WARNING, "umask", "umask 022, in"
		    " ~/.profile and for sshd in pam_umask", "what commands"
		    " make can be written by everybody (umask %03o)",
		    (unsigned int)mask);
	look_at_sharing(doctor);
	/* For anybody else every folder would be somebody else's. */
	return err != NULL ? NULL : doctor_each(doctor, look_at_root);
}

static void
tell_part(struct doctor *doctor, const char *path, const char *what,
    uint64_t free_count, uint64_t count)
{
	if (count == 0 || free_count >= count / 100 * LOW_PERCENT)
		return;
	doctor_tell(doctor, LEVEL_WARNING, path, "remove what is not needed,"
	    " or enlarge the file system", "%" PRIu64 " of %" PRIu64 " %s are"
	    " free, less than %d %%", free_count, count, what, LOW_PERCENT);
}

static void
look_at_disk(struct doctor *doctor, const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) == -1)
		return;
	tell_part(doctor, path, "blocks", fs.f_bavail, fs.f_blocks);
	tell_part(doctor, path, "inodes", fs.f_favail, fs.f_files);
}

/*
 * What the tip of the branch would need, if there is one, and one branch, and
 * what it would miss.
 */
static const struct err *
measure(struct doctor *doctor, const struct environment *env,
    struct store_room *room, bool *known, struct vec *missing)
{
	struct store_spec spec = { .export = env->set.export };
	struct store *store = NULL;
	char *ref, oid[REPO_OID_SIZE];
	const struct err *err;

	*known = false;
	if (env->branch == NULL)
		return NULL;
	ref = xasprintf("refs/heads/%s", env->branch);
	store_kind_by_name(&spec.kind, env->set.store);
	err = repo_open(&spec.repo, doctor->hub->path, false);
	if (err == NULL)
		err = repo_ref(spec.repo, ref, oid);
	if (err == NULL)
		err = store_look(&store, env->set.root);
	spec.commit = oid;
	if (err == NULL)
		err = store_room(store, &spec, room);
	if (err == NULL)
		err = store_missing_shared(store, spec.repo, oid,
		    &env->set.shared, missing);
	*known = err == NULL;
	store_close(store);
	repo_close(spec.repo);
	free(ref);
	return err == NULL || err->code == ERR_NOT_FOUND ? NULL : err;
}

static void
look_at_need(struct doctor *doctor, const struct environment *env,
    const struct store_room *room)
{
	struct str need = STR_INIT, have = STR_INIT;

	if (room->need_bytes <= room->free_bytes &&
	    room->need_inodes <= room->free_inodes)
		return;
	room_add(&need, room->need_bytes, room->need_inodes);
	room_add(&have, room->free_bytes, room->free_inodes);
	doctor_tell(doctor, LEVEL_FAULT, env->set.root, "slipway cleanup, a"
	    " smaller 'keep', or a larger file system", "a release of %s"
	    " needs %s, and %s are free", env->branch, need.s, have.s);
	str_release(&need);
	str_release(&have);
}

static const struct err *
look_at_room(struct doctor *doctor, const struct environment *env)
{
	struct vec missing = VEC_INIT;
	struct store_room room;
	const struct err *err;
	bool known;

	look_at_disk(doctor, env->set.root);
	err = measure(doctor, env, &room, &known, &missing);
	if (err == NULL && known)
		look_at_need(doctor, env, &room);
	if (err == NULL && missing.n > 0)
		doctor_tell_err(doctor, env->set.root, missing_shared(
		    env->set.root, NULL, &missing));
	vec_release(&missing);
	return err;
}

const struct err *
doctor_disk(struct doctor *doctor)
{
	const struct err *err = hub_check_room(doctor->hub);

	if (err != NULL)
		doctor_tell_err(doctor, doctor->hub->path, err);
	look_at_disk(doctor, doctor->hub->path);
	return doctor_each(doctor, look_at_room);
}

/* A line of /proc/meminfo, in bytes; -1 when it is not there. */
static int64_t
memory_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	long long kib;

	if (line == NULL || sscanf(line + strlen(name), ": %lld kB",
	    &kib) != 1)
		return -1;
	return (int64_t)kib * 1024;
}

const struct err *
doctor_memory(struct doctor *doctor)
{
	const struct config *config = doctor->hub->config;
	struct str text = STR_INIT;
	int64_t total, available;

	if (config == NULL || file_read(&text, "/proc/meminfo",
	    1024 * 1024) != NULL)
		return NULL;
	total = memory_of(text.s, "MemTotal");
	available = memory_of(text.s, "MemAvailable");
	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];
		bool never = action->memory_bytes > total;

		if (available == -1 || action->memory_bytes <= available)
			continue;
		doctor_tell(doctor, never ? LEVEL_WARNING : LEVEL_NOTE,
		    action->name, "a smaller 'memory' in its section of"
		    " slipway.ini, or more of it", "it may take %" PRId64
		    " MiB, and %" PRId64 " MiB %s", action->memory_bytes >>
		    20, (never ? total : available) >> 20, never ?
		    "is all that there is" : "are free now");
	}
	str_release(&text);
	return NULL;
}
