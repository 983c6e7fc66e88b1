/*
 * hub - a bare repository that deploys: where its files are.
 *
 *	shop.git/slipway.ini
 *	shop.git/slipway/journal.db
 *	shop.git/slipway/log/41.jsonl
 *	shop.git/slipway/log/runner.log
 *	shop.git/slipway/production.lock
 *	shop.git/slipway/backup/41/
 *
 *	err = hub_open(&hub, dir);
 *	err = hub_config(&hub);
 *	err = hub_journal(&hub, DB_WRITE);
 *	hub_close(&hub);
 */
#ifndef HUB_H
#define HUB_H

#include <stdint.h>

#include "db.h"
#include "err.h"
#include "plan/config.h"
#include "str.h"

struct journal;

struct hub {
	char *path;			/* absolute, of the repository */
	char *word;			/* the same as a shell reads it */
	struct config *config;		/* NULL until hub_config() */
	char *config_text;		/* what that was read from */
	struct journal *journal;	/* NULL until hub_journal() */
	bool pushed;			/* errors are the answer to a push */
};

#define HUB_INIT { .path = NULL }

/* Of a hub that is not there yet: its path, and that as a word. */
void hub_name(struct hub *hub, const char *path);

/*
 * Append what a command needs to mean this environment from wherever it is
 * typed: " -C /srv/shop.git", and " -e NAME" where there are several.
 */
void hub_add_which(struct str *out, const struct hub *hub,
    const char *environment);

/*
 * "dir" NULL: $GIT_DIR, or the current folder. ERR_USAGE says what to
 * do when it is no repository of Slipway's.
 */
const struct err *hub_open(struct hub *hub, const char *dir);
void hub_close(struct hub *hub);

/*
 * Read slipway.ini: it must be a regular file owned by this user or root
 * and not writable by group or others, and no root may be in the way of
 * the repository. ERR_CONFIG otherwise. root is told to be the user that
 * the repository belongs to, who could not replace what root wrote.
 */
const struct err *hub_config(struct hub *hub);

/*
 * The same for what only reads the journal, runs nothing and writes
 * nothing: it does not matter whose the file is.
 */
const struct err *hub_config_read(struct hub *hub);

/* Let go of what either has read. */
void hub_forget_config(struct hub *hub);

/*
 * Has slipway.ini another text than when it was read, as it has been, or none
 * that can be read?
 */
bool hub_config_is_old(const struct hub *hub);

/* ERR_CONFIG unless the repository belongs to this user. */
const struct err *hub_check_owner(const char *repo);

/*
 * ERR_CONFIG when the environment's root is in the repository, or the
 * repository where releases come and go.
 */
const struct err *hub_check_root(const char *repo,
    const struct environment *env);

const struct err *hub_journal(struct hub *hub, enum db_mode mode);

/*
 * ERR_REFUSED unless the journal and the logs have room to grow: a deploy
 * that could not be written down must not begin.
 */
const struct err *hub_check_room(const struct hub *hub);

/* Paths, given. */
char *hub_file(const struct hub *hub, const char *name);
char *hub_log_path(const struct hub *hub, int64_t deploy);
char *hub_lock_path(const struct hub *hub, const char *environment);
char *hub_backup_path(const struct hub *hub, int64_t deploy);

/*
 * The environment of that name; NULL: the only one. ERR_USAGE lists what
 * there is.
 */
const struct err *hub_environment(const struct hub *hub, const char *name,
    const struct environment **env);

#endif
