/*
 * commits - those that come with a deploy, or leave, as people name them.
 */
#ifndef COMMITS_H
#define COMMITS_H

#include <stddef.h>

#include "err.h"
#include "repo.h"

struct commits_line {
	char oid[REPO_OID_SIZE];
	char *author;
	char *subject;
};

struct commits {
	struct commits_line *v;		/* newest first */
	size_t n;
};

#define COMMITS_INIT { NULL, 0 }

/* Add what is reachable from "tip", and not from "hidden", "" for none. */
const struct err *commits_find(struct commits *commits, struct repo *repo,
    const char *tip, const char *hidden);
void commits_release(struct commits *commits);

#endif
