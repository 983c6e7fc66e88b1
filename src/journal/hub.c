#include "journal/hub.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "journal/journal.h"
#include "path.h"

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

const struct err *
hub_open(struct hub *hub, const char *dir)
{
	const struct err *err = NULL;
	char real[PATH_MAX];
	char *config;

	memset(hub, 0, sizeof(*hub));
	if (dir == NULL)
		dir = getenv("GIT_DIR");
	if (dir == NULL)
		dir = ".";
	if (realpath(dir, real) == NULL)
		return err_system("open %s", dir);
	hub->path = xstrdup(real);
	config = hub_file(hub, "slipway.ini");
	if (!file_exists(AT_FDCWD, config))
		err = err_new(ERR_NOT_FOUND, "%s has no slipway.ini; name the"
		    " bare repository with -C DIR, or make it one with:"
		    " slipway init %s --root DIR", real, real);
	free(config);
	if (err != NULL)
		hub_close(hub);
	return err;
}

void
hub_close(struct hub *hub)
{
	config_free(hub->config);
	journal_close(hub->journal);
	free(hub->path);
	memset(hub, 0, sizeof(*hub));
}

/* Whoever may write the config runs commands as the deploy user. */
static const struct err *
check_owner(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return err_system("stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_CONFIG, "%s is not a regular file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_new(ERR_CONFIG, "%s belongs to user %u, not to the"
		    " one that deploys; run: chown %u %s", path,
		    (unsigned int)st.st_uid, (unsigned int)geteuid(), path);
	if ((st.st_mode & 022) != 0)
		return err_new(ERR_CONFIG, "%s can be written by others"
		    " (mode %04o); run: chmod go-w %s", path,
		    (unsigned int)st.st_mode & 07777, path);
	return NULL;
}

const struct err *
hub_config(struct hub *hub)
{
	char *path = hub_file(hub, "slipway.ini");
	struct str text = STR_INIT;
	const struct err *err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		err = err_recode(err_system("open %s", path), ERR_CONFIG);
	else
		err = check_owner(fd, path);
	if (err == NULL)
		err = file_read_fd(&text, fd, CONFIG_SIZE_MAX);
	if (err == NULL)
		err = config_parse(&hub->config, "slipway.ini", text.s,
		    text.len);
	file_close(&fd);
	str_release(&text);
	free(path);
	return err;
}

const struct err *
hub_journal(struct hub *hub, enum db_mode mode)
{
	char *path = hub_file(hub, "slipway/journal.db");
	const struct err *err;

	err = journal_open(&hub->journal, path, mode);
	free(path);
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
