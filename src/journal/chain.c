/*
 * The JSON of a row is made by SQLite itself, by the same expression when
 * an event is written and when it is verified, so the two cannot differ in
 * anything but the data.
 */
#include "journal/chain.h"

#include <sys/types.h>
#include <sha2.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

#define HASH_SIZE SHA256_DIGEST_LENGTH

#define PUSH_JSON \
    "json_object('id',id,'at',at,'pusher',pusher,'origin',origin," \
    "'receiver',receiver,'options',options,'state',state,'reason',reason," \
    "'refs',(SELECT json_group_array(json_array(ref,old,new,skip,author," \
    "subject,landed))" \
    " FROM (SELECT * FROM push_refs WHERE push = id ORDER BY ref)))"

#define DEPLOY_JSON \
    "json_object('number',number,'environment',environment,'kind',kind," \
    "'state',state,'commit',commit_oid,'ref',ref,'release',release," \
    "'previous',previous,'target',target,'push',push,'pusher',pusher," \
    "'author',author,'subject',subject,'requested_at',requested_at," \
    "'started_at',started_at,'finished_at',finished_at," \
    "'prepare_ms',prepare_ms,'window_ms',window_ms," \
    "'superseded_by',superseded_by,'error',error,'migrated',migrated," \
    "'maintenance',maintenance,'ref_old',ref_old," \
    "'cancelled_by',cancelled_by,'directives'," \
    "(SELECT json_group_array(json_array(name,argument,c,source,known))" \
    " FROM (SELECT name,argument,commit_oid AS c,source,known" \
    " FROM directives WHERE deploy = number ORDER BY name,argument,c)))"

#define STEP_JSON \
    "json_object('id',id,'deploy',deploy,'phase',phase,'action',action," \
    "'host',host,'state',state,'argument',argument,'undo',undo," \
    "'record',record,'changed',changed,'exit',exit,'signal',signal," \
    "'timed_out',timed_out,'started_at',started_at," \
    "'duration_ms',duration_ms)"

#define RELEASE_JSON \
    "json_object('id',id,'environment',environment,'name',name," \
    "'deploy',deploy,'commit',commit_oid,'state',state," \
    "'created_at',created_at,'live_at',live_at,'live_by',live_by)"

#define PUSHER_JSON \
    "json_object('push',push,'known_by',known_by,'account',account," \
    "'ssh_key',ssh_key,'signer',signer,'signing_key',signing_key," \
    "'cert',cert,'cert_text',cert_text,'fault',fault)"

#define NOUN(text, table, column, json) { text, \
    "SELECT " json " FROM " table " WHERE " column " = ?1", \
    "SELECT " column " FROM " table " AS r WHERE " json " IS NOT" \
    " (SELECT body FROM events WHERE noun = '" text "' AND key = r." \
    column " ORDER BY events.id DESC LIMIT 1)", \
    "SELECT DISTINCT key FROM events WHERE noun = '" text "'" \
    " AND key NOT IN (SELECT " column " FROM " table ")", \
    "SELECT r.key, r.value, e.value FROM json_each((SELECT " json " FROM " \
    table " WHERE " column " = ?1)) AS r LEFT JOIN json_each((SELECT CASE" \
    " WHEN json_valid(body) THEN body END FROM events WHERE noun = '" text \
    "' AND key = ?1 ORDER BY id DESC LIMIT 1)) AS e ON e.key = r.key" \
    " WHERE r.value IS NOT e.value" }

/* Bytes of a value that a fault shows. */
#define VALUE_MAX 60

static const struct {
	const char *name;
	const char *snapshot;		/* of one row */
	const char *differing;		/* rows unlike their last event */
	const char *missing;		/* events whose row is gone */
	const char *columns;		/* of one row: its own, the event's */
} nouns[NOUN_COUNT] = {
	[NOUN_PUSH] = NOUN("push", "pushes", "id", PUSH_JSON),
	[NOUN_DEPLOY] = NOUN("deploy", "deploys", "number", DEPLOY_JSON),
	[NOUN_STEP] = NOUN("step", "steps", "id", STEP_JSON),
	[NOUN_RELEASE] = NOUN("release", "releases", "id", RELEASE_JSON),
	[NOUN_PUSHER] = NOUN("pusher", "pushers", "push", PUSHER_JSON),
};

static void
hash_event(unsigned char hash[HASH_SIZE],
    const unsigned char before[HASH_SIZE], int64_t id, int64_t at,
    const char *noun, int64_t key, const char *body)
{
	char head[128];
	SHA2_CTX ctx;
	int len;

	len = snprintf(head, sizeof(head), "%" PRId64 "\n%" PRId64 "\n%.20s\n"
	    "%" PRId64 "\n", id, at, noun, key);
	SHA256Init(&ctx);
	SHA256Update(&ctx, before, HASH_SIZE);
	SHA256Update(&ctx, (const uint8_t *)head, (size_t)len);
	SHA256Update(&ctx, (const uint8_t *)body, strlen(body));
	SHA256Final(hash, &ctx);
}

/* The number and the hash of the last event; 0 and zeros without one. */
static const struct err *
last_event(struct db *db, int64_t *id, unsigned char hash[HASH_SIZE])
{
	struct db_query *query;
	const struct err *err;

	*id = 0;
	memset(hash, 0, HASH_SIZE);
	err = db_query(&query, db, "SELECT id, hash FROM events"
	    " ORDER BY id DESC LIMIT 1", "");
	if (err != NULL)
		return err;
	if (db_step(query, &err)) {
		size_t len;
		const void *blob = db_blob(query, 1, &len);

		*id = db_int(query, 0);
		if (len == HASH_SIZE)
			memcpy(hash, blob, HASH_SIZE);
	}
	db_done(query);
	return err;
}

const struct err *
chain_add(struct journal *journal, enum noun noun, int64_t key)
{
	struct db *db = journal_db(journal);
	unsigned char before[HASH_SIZE], hash[HASH_SIZE];
	const struct err *err;
	struct db_query *row;
	int64_t id, at = clock_now_ms();

	err = last_event(db, &id, before);
	if (err == NULL)
		err = db_query(&row, db, nouns[noun].snapshot, "i", key);
	if (err != NULL)
		return err;
	if (db_step(row, &err)) {
		const char *body = db_text(row, 0);

		hash_event(hash, before, id + 1, at, nouns[noun].name, key,
		    body);
		err = db_run(db, "INSERT INTO events (id, at, noun, key,"
		    " body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "iisisb",
		    id + 1, at, nouns[noun].name, key, body, hash,
		    (size_t)HASH_SIZE);
	}
	db_done(row);
	return err;
}

/*
 * SQLite tells a commit whose last sync failed as an error, and everybody
 * sees it all the same: so the event that it ended with is looked for.
 */
static const struct err *
commit(struct db *db)
{
	unsigned char hash[HASH_SIZE];
	const struct err *err, *unknown;
	int64_t id, seen = 0;

	err = last_event(db, &id, hash);
	if (err == NULL)
		err = db_commit(db);
	if (err == NULL)
		return NULL;
	db_rollback(db);
	unknown = db_get_int(&seen, db, 0, "SELECT count(*) FROM events"
	    " WHERE id = ?1 AND hash = ?2", "ib", id, hash,
	    (size_t)HASH_SIZE);
	if (unknown != NULL)
		return err_recode(err, ERR_INTERRUPTED);
	return seen > 0 ? NULL : err;
}

const struct err *
chain_end(struct journal *journal, const struct err *err)
{
	if (err == NULL)
		return commit(journal_db(journal));
	db_rollback(journal_db(journal));
	return err;
}

const struct err *
chain_commit(struct journal *journal, const struct err *err, enum noun noun,
    int64_t key)
{
	if (err == NULL)
		err = chain_add(journal, noun, key);
	return chain_end(journal, err);
}

/* Walk the chain; a break is told once, at the first event behind it. */
static const struct err *
verify_hashes(struct db *db, struct vec *faults, int64_t *events,
    unsigned char before[HASH_SIZE])
{
	unsigned char hash[HASH_SIZE];
	struct db_query *query;
	const struct err *err;
	int64_t expected = 1;

	err = db_query(&query, db, "SELECT id, at, noun, key, body, hash"
	    " FROM events ORDER BY id", "");
	if (err != NULL)
		return err;
	while (db_step(query, &err)) {
		int64_t id = db_int(query, 0);
		const void *stored;
		size_t len;

		if (id != expected)
			vec_pushf(faults, "events %" PRId64 " to %" PRId64
			    " are missing", expected, id - 1);
		hash_event(hash, before, id, db_int(query, 1),
		    db_text(query, 2), db_int(query, 3), db_text(query, 4));
		stored = db_blob(query, 5, &len);
		if (len != HASH_SIZE || memcmp(stored, hash, len) != 0) {
			if (id == expected)
				vec_pushf(faults, "event %" PRId64 " (%s %"
				    PRId64 ") was edited", id,
				    db_text(query, 2), db_int(query, 3));
		} else {
			(*events)++;
		}
		memset(before, 0, HASH_SIZE);
		if (len == HASH_SIZE)
			memcpy(before, stored, HASH_SIZE);
		expected = id + 1;
	}
	db_done(query);
	return err;
}

static const struct err *
verify_end(struct db *db, struct vec *faults)
{
	const struct err *err;
	int64_t last, given;

	err = db_get_int(&last, db, 0, "SELECT max(id) FROM events", "");
	if (err == NULL)
		err = db_get_int(&given, db, 0, "SELECT seq FROM"
		    " sqlite_sequence WHERE name = 'events'", "");
	if (err == NULL && given != last)
		vec_pushf(faults, "events %" PRId64 " to %" PRId64
		    " are missing at the end", last + 1, given);
	return err;
}

static void
add_value(struct str *out, const char *value)
{
	size_t len = value == NULL ? 0 : strlen(value), most = len;

	if (value == NULL) {
		str_add(out, "nothing");
		return;
	}
	if (len > VALUE_MAX) {
		most = VALUE_MAX;
		while ((value[most] & 0xc0) == 0x80)
			most--;
	}
	str_addch(out, '\'');
	str_add_visible(out, value, most);
	str_add(out, most < len ? "...'" : "'");
}

/* ": state is 'live', was 'failed'; error is nothing, was 'exit 1'". */
static const struct err *
add_columns(struct str *out, struct db *db, enum noun noun, int64_t key)
{
	struct db_query *query;
	const struct err *err;
	const char *lead = ": ";

	err = db_query(&query, db, nouns[noun].columns, "i", key);
	if (err != NULL)
		return err;
	while (db_step(query, &err)) {
		str_addf(out, "%s%s is ", lead, db_text(query, 0));
		add_value(out, db_text(query, 1));
		str_add(out, ", was ");
		add_value(out, db_text(query, 2));
		lead = "; ";
	}
	db_done(query);
	return err;
}

static const struct err *
verify_differing(struct db *db, enum noun noun, struct vec *faults)
{
	struct db_query *query;
	const struct err *err, *first = NULL;

	err = db_query(&query, db, nouns[noun].differing, "");
	if (err != NULL)
		return err;
	while (first == NULL && db_step(query, &err)) {
		int64_t key = db_int(query, 0);
		struct str line = STR_INIT;

		str_addf(&line, "%s %" PRId64 " is not what its last event"
		    " says", nouns[noun].name, key);
		first = add_columns(&line, db, noun, key);
		vec_push_take(faults, str_detach(&line));
	}
	db_done(query);
	return first != NULL ? first : err;
}

static const struct err *
verify_missing(struct db *db, enum noun noun, struct vec *faults)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, db, nouns[noun].missing, "");
	if (err != NULL)
		return err;
	while (db_step(query, &err))
		vec_pushf(faults, "%s %" PRId64 " has events, but is gone",
		    nouns[noun].name, db_int(query, 0));
	db_done(query);
	return err;
}

const struct err *
chain_verify(struct journal *journal, struct vec *faults, int64_t *events,
    char head[65])
{
	struct db *db = journal_db(journal);
	unsigned char hash[HASH_SIZE] = { 0 };
	const struct err *err;

	*events = 0;
	err = verify_hashes(db, faults, events, hash);
	if (err == NULL)
		err = verify_end(db, faults);
	for (int noun = 0; err == NULL && noun < NOUN_COUNT; noun++) {
		err = verify_differing(db, (enum noun)noun, faults);
		if (err == NULL)
			err = verify_missing(db, (enum noun)noun, faults);
	}
	for (size_t i = 0; i < HASH_SIZE; i++)
		snprintf(head + 2 * i, 3, "%02x", hash[i]);
	return err;
}
