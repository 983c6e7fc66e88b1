/*
 * journal - the truth: one SQLite file that remembers every push, every
 * deploy, every step and every release.
 *
 *	pushes 1--n push_refs		what was offered, what landed
 *	       1--1 pushers		how it was known who pushed
 *	deploys 1--n directives		what was asked for, by which commit
 *	        1--n steps		what ran, where, how it ended
 *	releases			one folder each, on every host
 *	events				the audit chain, see chain.h
 *
 * A fact is written before the act that depends on it: one transaction
 * holds the change of the row and the event that tells of it. A journal of
 * an older Slipway is migrated in one transaction when it is opened for
 * writing; one of a newer Slipway is refused with both version numbers.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdint.h>

#include "db.h"
#include "err.h"

struct journal;

/* The version of the tables that this program writes. */
#define JOURNAL_VERSION 3

const struct err *journal_open(struct journal **journal, const char *path,
    enum db_mode mode);
void journal_close(struct journal *journal);

/* The database, for the files of this room. */
struct db *journal_db(struct journal *journal);

/*
 * Facts that become true together: what is written from here to the end of
 * the group is one transaction. The end commits when "err" is NULL, else it
 * takes all back, and returns that.
 */
const struct err *journal_group(struct journal *journal);
const struct err *journal_group_end(struct journal *journal,
    const struct err *err);

/*
 * PRAGMA integrity_check and foreign_key_check; ERR_CORRUPT with the
 * first complaint.
 */
const struct err *journal_check(struct journal *journal);

/* When the newest event was written; 0: there is none. */
const struct err *journal_last_at(struct journal *journal, int64_t *at);

#endif
