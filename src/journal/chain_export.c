/*
 * Every event is given with the hash before it, so that each can be checked
 * by itself, also where a filter has left its neighbours out.
 *
 * Who is given them may take for ever, as somebody does who reads page by
 * page, and nobody can write while a query is open: so they are read in
 * portions, each to its end before the first of it is given.
 */
#include "journal/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

/* So many events are read at once. */
#define PORTION 200

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
    " AND id > ?4 ORDER BY id LIMIT ?5";

struct portion {
	struct chain_event v[PORTION];
	size_t n;
};

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

static void
keep(struct portion *portion, struct db_query *query)
{
	struct chain_event *event = &portion->v[portion->n++];

	event->id = db_int(query, 0);
	event->at = db_int(query, 1);
	event->noun = xstrdup(db_text(query, 2));
	event->key = db_int(query, 3);
	event->body = xstrdup(db_text(query, 4));
	read_hash(event->before, query, 5);
	read_hash(event->hash, query, 6);
}

static const struct err *
read_portion(struct portion *portion, struct journal *journal,
    const struct chain_filter *filter, int64_t after)
{
	struct db_query *query;
	const struct err *err;

	portion->n = 0;
	err = db_query(&query, journal_db(journal), sql, "nnsii",
	    filter->since_at, filter->until_at, filter->environment, after,
	    (int64_t)PORTION);
	if (err != NULL)
		return err;
	while (portion->n < PORTION && db_step(query, &err))
		keep(portion, query);
	db_done(query);
	return err;
}

/* And forget what was given. */
static const struct err *
give(struct portion *portion, chain_cb cb, void *ctx)
{
	const struct err *err = NULL;

	for (size_t i = 0; i < portion->n; i++) {
		if (err == NULL)
			err = cb(&portion->v[i], ctx);
		free((char *)portion->v[i].noun);
		free((char *)portion->v[i].body);
	}
	return err;
}

const struct err *
chain_each(struct journal *journal, const struct chain_filter *filter,
    chain_cb cb, void *ctx)
{
	struct portion *portion = xcalloc(1, sizeof(*portion));
	const struct err *err, *stop;
	int64_t after = 0;

	do {
		err = read_portion(portion, journal, filter, after);
		if (portion->n > 0)
			after = portion->v[portion->n - 1].id;
		stop = give(portion, cb, ctx);
	} while (err == NULL && stop == NULL && portion->n == PORTION);
	free(portion);
	return err_first(err, stop);
}
