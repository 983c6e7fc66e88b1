/*
 * init - what "slipway init" was told and what it has found.
 *
 * The config is read or made first: a wrong one leaves no trace.
 *
 *	err = init_config(&init, &hub);
 *	... the repository is made ...
 *	err = init_write(&init);
 */
#ifndef INIT_H
#define INIT_H

#include <stdbool.h>

#include "err.h"
#include "cmd/gitfile.h"
#include "cmd/hooks.h"
#include "cmd/places.h"
#include "journal/hub.h"
#include "str.h"
#include "vec.h"

struct init {
	char *repo;		/* absolute */
	struct str word;	/* the same as a shell reads it */
	char *root;		/* absolute; NULL: not said */
	char *app;
	const char *branch;	/* NULL: not said */
	const char *environment;	/* NULL: not said */
	bool transactional;
	bool is_new;		/* there is no repository yet */
	struct str text;	/* slipway.ini to be; empty: one is there */
	struct vec places;	/* see places.h */
	struct gitfile config;	/* of git, as it is to be */
	struct hooks_put put;	/* what was put in, and where */
	char *head;		/* its branch before; NULL: as it was */
	char *hooks;		/* the folder; NULL: not known yet */
	int lock;		/* of the repository, for one init at a time */
	struct vec done;
};

/* The branch that was said, or the one that is meant. */
const char *init_branch(const struct init *init);

/*
 * Read the slipway.ini that is there, and see that the options do not say
 * something else; or make one of the options. Into hub->config.
 */
const struct err *init_config(struct init *init, struct hub *hub);

/* Write the one that was made. */
const struct err *init_write(struct init *init);

/*
 * In a repository without refs HEAD is the branch that is deployed, as in one
 * that init makes: or a clone would have nothing checked out. Undone by
 * init_head_back().
 */
const struct err *init_head(struct init *init, const struct config *config);
void init_head_back(const struct init *init);

/* Push a note onto "done" for each branch that is not at what is live. */
void init_note_tips(struct init *init, const struct hub *hub);

/* And for each verb that is a ref, as no hook was there when it was pushed. */
void init_note_errands(struct init *init);

/* What was done, and what to do next. */
const struct err *init_print(const struct init *init,
    const struct config *config);

#endif
