/*
 * chain - every change of the journal, each tied to the one before.
 *
 * An event holds a noun ("deploy"), the key of its row, and the whole row
 * as JSON as it was after the change. Its hash is
 *
 *	SHA-256(hash before || id LF at LF noun LF key LF || body)
 *
 * with 32 zero bytes before the first. So an edited, a removed or an
 * inserted event breaks the chain at its place; a row that was edited
 * behind the journal's back differs from its last event; and events cut
 * off at the end are missed by SQLite's own sequence number.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <stdint.h>

#include "journal/journal.h"
#include "vec.h"

enum noun {
	NOUN_PUSH,
	NOUN_DEPLOY,
	NOUN_STEP,
	NOUN_RELEASE,
	NOUN_PUSHER,
	NOUN_COUNT
};

/* Add the event of a row that was just written, in the same transaction. */
const struct err *chain_add(struct journal *journal, enum noun noun,
    int64_t key);

/*
 * End a transaction, begun with db_begin(), whose last event is added:
 * commit, or, when "err" or that fails, roll back and return the error.
 * ERR_INTERRUPTED: nobody can tell whether it was committed.
 */
const struct err *chain_end(struct journal *journal, const struct err *err);

/* The same for a change of one row: its event is added first. */
const struct err *chain_commit(struct journal *journal,
    const struct err *err, enum noun noun, int64_t key);

/*
 * Look at every event and every row. Each fault is one line in "faults",
 * with the columns that differ, what they hold being made visible;
 * the number of good events through "*events", the last hash as 64
 * hexadecimal digits through "head".
 */
const struct err *chain_verify(struct journal *journal, struct vec *faults,
    int64_t *events, char head[65]);

/* Which events are wanted; zero and NULL mean no restriction. */
struct chain_filter {
	int64_t since_at;
	int64_t until_at;		/* before that */
	const char *environment;	/* what has to do with this one */
};

/* 64 hexadecimal digits and a NUL. */
#define CHAIN_HEX_SIZE 65

struct chain_event {
	int64_t id;
	int64_t at;
	const char *noun;
	int64_t key;
	const char *body;		/* the very bytes that were hashed */
	char before[CHAIN_HEX_SIZE];	/* hash of the event before */
	char hash[CHAIN_HEX_SIZE];
};

typedef const struct err *(*chain_cb)(const struct chain_event *event,
    void *ctx);

/*
 * Every event that is wanted, oldest first, as it is in the journal. While
 * one is given, others may write.
 */
const struct err *chain_each(struct journal *journal,
    const struct chain_filter *filter, chain_cb cb, void *ctx);

#endif
