/*
 * facts - what a command is told about the deploy it runs for.
 *
 * The command sees these as SLIPWAY_APP, SLIPWAY_ENVIRONMENT and so on;
 * RELEASE, PREVIOUS, CURRENT and SHARED are absolute paths (PREVIOUS is
 * empty in a first deploy). SLIPWAY_HOST and SLIPWAY_ROLES come from the
 * agent. What env.NAME sets comes after, so that it wins.
 */
#ifndef FACTS_H
#define FACTS_H

#include "err.h"
#include "host/wire.h"
#include "journal/deploy.h"
#include "journal/hub.h"
#include "plan/config.h"
#include "repo.h"

/*
 * A message, an author, the directives and an argument are cut here, in
 * bytes: the kernel takes no variable of twice that length.
 */
#define FACTS_TEXT_MAX 65536

struct facts {
	const struct hub *hub;
	const struct environment *env;
	const struct deploy *deploy;
	const struct repo_commit *commit;
	const struct vec *directives;	/* names */
	const struct action *action;	/* NULL: a hook of the release */
	const char *argument;
	const char *record;		/* NULL: $SLIPWAY_RECORD is not set */
	const char *folder;		/* what $SLIPWAY_RELEASE says when no
					 * deploy is there yet; NULL: one is */
};

/*
 * Add an "env" line for each fact. Makes the backup folder. With "folder"
 * there is neither DEPLOY nor BACKUP_DIR, nor such a folder.
 */
const struct err *facts_add(struct message *request,
    const struct facts *facts);

#endif
