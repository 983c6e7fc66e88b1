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
 * End the transaction of a change of one row, begun with db_begin(): add
 * the event and commit; or, when "err" or one of the two fails, roll back
 * and return that error.
 */
const struct err *chain_commit(struct journal *journal,
    const struct err *err, enum noun noun, int64_t key);

/*
 * Look at every event and every row. Each fault is one line in "faults";
 * the number of good events through "*events", the last hash as 64
 * hexadecimal digits through "head".
 */
const struct err *chain_verify(struct journal *journal, struct vec *faults,
    int64_t *events, char head[65]);

#endif
