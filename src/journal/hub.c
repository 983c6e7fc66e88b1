#include "journal/hub.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "journal/journal.h"
#include "path.h"
#include "plan/option.h"
#include "room.h"

/* What the journal and the log of one deploy may need. */
#define RESERVE_BYTES (1024 * 1024)
#define RESERVE_INODES 16

char *
hub_file(const struct hub *hub, const char *name)
{
	return path_join(hub->path, name);
}

char *
hub_log_path(const struct hub *hub, int64_t deploy)
{
	return xasprintf("%s/slipway/log/%" PRId64 ".jsonl", hub->path,
	    deploy);
}

char *
hub_lock_path(const struct hub *hub, const char *environment)
{
	return xasprintf("%s/slipway/%s.lock", hub->path, environment);
}

char *
hub_backup_path(const struct hub *hub, int64_t deploy)
{
	return xasprintf("%s/slipway/backup/%" PRId64, hub->path, deploy);
}

/* What init can make a repository of: nothing yet, or a bare one. */
static bool
can_be_one(const char *path)
{
	char *head = path_join(path, "HEAD"), *refs = path_join(path, "refs");
	bool is = file_exists(AT_FDCWD, head) && file_exists(AT_FDCWD, refs);
	struct vec names = VEC_INIT;

	if (file_list(&names, AT_FDCWD, path) == NULL && names.n == 0)
		is = true;
	vec_release(&names);
	free(head);
	free(refs);
	return is;
}

static const struct err *
no_hub(const struct hub *hub)
{
	if (!can_be_one(hub->path))
		return err_new(ERR_USAGE, "%s has no slipway.ini; name the"
		    " bare repository with -C DIR", hub->path);
	return err_new(ERR_USAGE, "%s has no slipway.ini; name the bare"
	    " repository with -C DIR, or make it one with: slipway init %s"
	    " --root DIR", hub->path, hub->word);
}

void
hub_name(struct hub *hub, const char *path)
{
	struct str word = STR_INIT;

	str_add_word(&word, path);
	hub->path = xstrdup(path);
	hub->word = str_detach(&word);
}

void
hub_add_which(struct str *out, const struct hub *hub,
    const char *environment)
{
	char *which = config_which(hub->config, environment);

	str_add(out, " -C ");
	str_add(out, hub->word);
	str_add(out, which);
	free(which);
}

const struct err *
hub_open(struct hub *hub, const char *dir)
{
	const struct err *err = NULL;
	char real[PATH_MAX];
	char *config, *journal;

	memset(hub, 0, sizeof(*hub));
	if (dir == NULL)
		dir = getenv("GIT_DIR");
	if (dir == NULL)
		dir = ".";
	if (realpath(dir, real) == NULL)
		return errno != ENOENT ? err_system("open %s", dir) :
		    err_new(ERR_USAGE, "there is no folder %s; name the bare"
		    " repository with -C DIR", dir);
	hub_name(hub, real);
	/* Where the config is lost, the journal still tells what it was. */
	config = hub_file(hub, "slipway.ini");
	journal = hub_file(hub, "slipway/journal.db");
	if (!file_exists(AT_FDCWD, config) && !file_exists(AT_FDCWD, journal))
		err = no_hub(hub);
	free(journal);
	free(config);
	if (err != NULL)
		hub_close(hub);
	return err;
}

void
hub_forget_config(struct hub *hub)
{
	config_free(hub->config);
	free(hub->config_text);
	hub->config = NULL;
	hub->config_text = NULL;
}

void
hub_close(struct hub *hub)
{
	hub_forget_config(hub);
	journal_close(hub->journal);
	free(hub->path);
	free(hub->word);
	memset(hub, 0, sizeof(*hub));
}

/* A push has somebody behind it who did not run Slipway at all. */
static const struct err *
check_pusher(const char *repo)
{
	const struct passwd *user;
	struct stat st;

	if (stat(repo, &st) == -1)
		return err_system("stat %s", repo);
	user = getpwuid(st.st_uid);
	if (st.st_uid == geteuid() || user == NULL)
		return hub_check_owner(repo);
	return err_new(ERR_CONFIG, "%s belongs to %s; push as that user: over"
	    " ssh to %s@HOST, or on the same machine with sudo -u %s git push"
	    " ...", repo, user->pw_name, user->pw_name, user->pw_name);
}

const struct err *
hub_check_owner(const char *repo)
{
	const struct passwd *user;
	struct stat st;

	if (stat(repo, &st) == -1)
		return err_system("stat %s", repo);
	if (st.st_uid == geteuid())
		return NULL;
	user = getpwuid(st.st_uid);
	if (user == NULL)
		return err_new(ERR_CONFIG, "%s belongs to user %u; run it as"
		    " that user: sudo -u '#%u' slipway ...", repo,
		    (unsigned int)st.st_uid, (unsigned int)st.st_uid);
	return err_new(ERR_CONFIG, "%s belongs to %s; run it as that user:"
	    " sudo -u %s slipway ...", repo, user->pw_name, user->pw_name);
}

/* Whoever may write the config runs commands as the deploy user. */
static const struct err *
check_trusted(const struct hub *hub, const struct stat *st, const char *path)
{
	bool foreign = st->st_uid != geteuid() && st->st_uid != 0;
	const struct err *err = NULL;
	struct str word = STR_INIT;

	if (foreign || geteuid() == 0)
		err = hub->pushed ? check_pusher(hub->path) :
		    hub_check_owner(hub->path);
	if (err != NULL)
		return err;
	str_add_word(&word, path);
	if (foreign)
		err = err_new(ERR_CONFIG, "%s belongs to user %u, not to the"
		    " one that deploys; run: sudo chown %u %s", path,
		    (unsigned int)st->st_uid, (unsigned int)geteuid(),
		    word.s);
	else if ((st->st_mode & 022) != 0)
		err = err_new(ERR_CONFIG, "%s can be written by others"
		    " (mode %04o); run: chmod go-w %s", path,
		    (unsigned int)st->st_mode & 07777, word.s);
	str_release(&word);
	return err;
}

static bool
is_among_releases(const char *repo, const char *root)
{
	static const char *const names[] = {
		"releases", ".slipway", "current"
	};
	bool among = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_join(root, names[i]);

		among = among || path_is_within(repo, path);
		free(path);
	}
	return among;
}

const struct err *
hub_check_root(const char *repo, const struct environment *env)
{
	const struct err *err;
	char *root;

	err = file_resolve(&root, env->set.root);
	if (err == NULL && path_is_within(root, repo))
		err = err_new(ERR_CONFIG, "[environment %s] has the root %s,"
		    " which is in the repository %s; choose a folder outside"
		    " of it", env->name, env->set.root, repo);
	else if (err == NULL && is_among_releases(repo, root))
		err = err_new(ERR_CONFIG, "[environment %s] has the root %s,"
		    " among whose releases the repository %s is; choose"
		    " another root", env->name, env->set.root, repo);
	free(root);
	return err;
}

static const struct err *
read_text(struct str *text, const struct hub *hub, bool trusted)
{
	char *path = hub_file(hub, "slipway.ini");
	const struct err *err = NULL;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		err = err_new(ERR_CONFIG, "%s is not there; slipway init %s"
		    " --root DIR writes one", path, hub->word);
	else if (fd == -1)
		err = err_recode(err_system("open %s", path), ERR_CONFIG);
	else if (fstat(fd, &st) == -1)
		err = err_system("stat %s", path);
	else if (!S_ISREG(st.st_mode))
		err = err_new(ERR_CONFIG, "%s is not a regular file", path);
	else if (trusted)
		err = check_trusted(hub, &st, path);
	if (err == NULL)
		err = file_read_fd(text, fd, CONFIG_SIZE_MAX);
	file_close(&fd);
	free(path);
	return err;
}

static const struct err *
read_config(struct hub *hub, bool trusted)
{
	char *path = hub_file(hub, "slipway.ini");
	struct str text = STR_INIT;
	const struct err *err = read_text(&text, hub, trusted);

	if (err == NULL)
		err = config_parse(&hub->config, path, text.s, text.len);
	free(hub->config_text);
	hub->config_text = str_detach(&text);
	free(path);
	return err;
}

const struct err *
hub_config_read(struct hub *hub)
{
	return read_config(hub, false);
}

bool
hub_config_is_old(const struct hub *hub)
{
	struct str text = STR_INIT;
	bool is;

	is = read_text(&text, hub, true) != NULL ||
	    strcmp(text.s, hub->config_text) != 0;
	str_release(&text);
	return is;
}

/* Where the root of an environment is said. */
static int
root_line(const struct config *config, const struct environment *env)
{
	const struct config_line *line;

	line = config_line(config, SECTION_ENVIRONMENT, env->name, "root");
	if (line == NULL)
		line = config_line(config, SECTION_APP, "", "root");
	return line == NULL ? env->line : line->line;
}

const struct err *
hub_config(struct hub *hub)
{
	const struct err *err = read_config(hub, true);

	for (size_t i = 0; err == NULL && i < hub->config->n_environments;
	    i++) {
		const struct environment *env = &hub->config->environments[i];

		err = hub_check_root(hub->path, env);
		if (err != NULL)
			err = err_add(err, "%s/slipway.ini:%d", hub->path,
			    root_line(hub->config, env));
	}
	return err;
}

const struct err *
hub_journal(struct hub *hub, enum db_mode mode)
{
	char *path = hub_file(hub, "slipway/journal.db");
	const struct err *err;

	err = journal_open(&hub->journal, path, mode);
	/* Its owner need not know that a new Slipway has to write first. */
	if (err != NULL && err->code == ERR_JOURNAL && mode == DB_READ &&
	    access(path, W_OK) == 0 && hub_check_owner(hub->path) == NULL) {
		err = journal_open(&hub->journal, path, DB_WRITE);
		if (err == NULL) {
			journal_close(hub->journal);
			err = journal_open(&hub->journal, path, mode);
		}
	}
	free(path);
	return err;
}

const struct err *
hub_check_room(const struct hub *hub)
{
	struct str have = STR_INIT, want = STR_INIT;
	const struct err *err;
	struct room room;
	int fd;

	fd = open(hub->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_system("open %s", hub->path);
	err = room_look(&room, fd);
	close(fd);
	if (err != NULL)
		return err_add(err, "%s", hub->path);
	if (room.free_bytes >= RESERVE_BYTES &&
	    room.free_inodes >= RESERVE_INODES)
		return NULL;
	room_add(&have, room.free_bytes, room.free_inodes);
	room_add(&want, RESERVE_BYTES, RESERVE_INODES);
	err = err_new(ERR_REFUSED, "no room in %s: the journal and the logs"
	    " need %s, %s are free; remove what is not needed there (old"
	    " slipway/backup/ and slipway/log/) or enlarge the file system",
	    hub->path, want.s, have.s);
	str_release(&have);
	str_release(&want);
	return err;
}

const struct err *
hub_environment(const struct hub *hub, const char *name,
    const struct environment **env)
{
	struct str names = STR_INIT;
	const struct err *err;

	*env = NULL;
	if (name == NULL)
		return config_only_environment(env, hub->config);
	*env = config_environment(hub->config, name);
	if (*env != NULL)
		return NULL;
	for (size_t i = 0; i < hub->config->n_environments; i++)
		str_addf(&names, "%s%s", i == 0 ? "" : ", ",
		    hub->config->environments[i].name);
	err = err_new(ERR_USAGE, "there is no environment %s; slipway.ini"
	    " has: %s", name, names.s);
	str_release(&names);
	return err;
}
