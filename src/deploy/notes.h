/*
 * notes - "git log --notes=deploys" tells when a commit went live.
 *
 * Every commit that went live with a deploy gets a line in its note:
 *
 *	production: live 2026-11-20T10:15:00Z, deploy 41 by alice
 *
 * A rollback gives one to the commit that it made live again, and where a
 * transactional branch moved back, or aside, the line ends in that:
 *
 *	...; main moved back from 1a2b3c4 to 5d6e7f8
 */
#ifndef NOTES_H
#define NOTES_H

#include "deploy/work.h"

#define NOTES_REF "refs/notes/deploys"

/* Of the newest ones, when more commits than this went live at once. */
#define NOTES_MAX 1000

const struct err *notes_write(struct work *work);

#endif
