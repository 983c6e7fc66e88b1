/*
 * commits - those that come with a deploy, or leave, as people name them.
 */
#ifndef COMMITS_H
#define COMMITS_H

#include <stdbool.h>
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

/* Which ones they are, sorted, for those who ask often. */
struct commits_index {
	char (*oids)[REPO_OID_SIZE];
	size_t n;
};

#define COMMITS_INDEX_INIT { NULL, 0 }

/* What it had is forgotten. */
void commits_index(struct commits_index *index,
    const struct commits *commits);
bool commits_index_has(const struct commits_index *index, const char *oid);
void commits_index_release(struct commits_index *index);

#endif
