/*
 * Every event is given with the hash before it, so that each can be checked
 * by itself, also where a filter has left its neighbours out.
 */
#include "journal/chain.h"

#include <stdio.h>
#include <string.h>

/* A step, a push and its pusher know their environment through a deploy. */
static const char sql[] =
    "SELECT id, at, noun, key, body,"
    " (SELECT hash FROM events WHERE id = e.id - 1), hash"
    " FROM events AS e WHERE (?1 IS NULL OR at >= ?1)"
    " AND (?2 IS NULL OR at < ?2) AND (?3 IS NULL"
    " OR (noun IN ('deploy', 'release')"
    "  AND json_extract(body, '$.environment') = ?3)"
    " OR (noun = 'step' AND json_extract(body, '$.deploy') IN"
    "  (SELECT number FROM deploys WHERE environment = ?3))"
    " OR (noun IN ('push', 'pusher') AND key IN"
    "  (SELECT push FROM deploys WHERE environment = ?3)))"
    " ORDER BY id";

/* Before the first event there are zeros. */
static void
read_hash(char out[CHAIN_HEX_SIZE], struct db_query *query, int column)
{
	size_t len;
	const unsigned char *hash = db_blob(query, column, &len);

	memset(out, '0', CHAIN_HEX_SIZE - 1);
	out[CHAIN_HEX_SIZE - 1] = '\0';
	for (size_t i = 0; i < len && 2 * i < CHAIN_HEX_SIZE - 1; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

const struct err *
chain_each(struct journal *journal, const struct chain_filter *filter,
    chain_cb cb, void *ctx)
{
	struct db_query *query;
	const struct err *err, *stop = NULL;

	err = db_query(&query, journal_db(journal), sql, "nns",
	    filter->since_at, filter->until_at, filter->environment);
	if (err != NULL)
		return err;
	while (stop == NULL && db_step(query, &err)) {
		struct chain_event event = {
			.id = db_int(query, 0),
			.at = db_int(query, 1),
			.noun = db_text(query, 2),
			.key = db_int(query, 3),
			.body = db_text(query, 4),
		};

		read_hash(event.before, query, 5);
		read_hash(event.hash, query, 6);
		stop = cb(&event, ctx);
	}
	db_done(query);
	return err_first(err, stop);
}
