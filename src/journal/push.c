#include "journal/push.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "journal/chain.h"

void
push_release(struct push *push)
{
	for (size_t i = 0; i < push->n_refs; i++) {
		free(push->refs[i].ref);
		free(push->refs[i].old);
		free(push->refs[i].new);
		free(push->refs[i].author);
		free(push->refs[i].subject);
	}
	free(push->refs);
	free(push->pusher);
	free(push->origin);
	free(push->receiver);
	pusher_release(&push->who);
	vec_release(&push->options);
	memset(push, 0, sizeof(*push));
}

void
push_add_ref(struct push *push, const char *old, const char *new,
    const char *ref)
{
	struct push_ref *added;

	push->refs = xreallocarray(push->refs, push->n_refs + 1,
	    sizeof(*push->refs));
	added = &push->refs[push->n_refs++];
	added->ref = xstrdup(ref);
	added->old = xstrdup(old);
	added->new = xstrdup(new);
	added->skip = false;
	added->author = NULL;
	added->subject = NULL;
}

static const struct err *
insert_push(struct db *db, struct push *push)
{
	struct str options = STR_INIT;
	const struct err *err;

	vec_join(&push->options, "\n", &options);
	err = db_run(db, "INSERT INTO pushes (at, pusher, origin, receiver,"
	    " options, state) VALUES (?1, ?2, ?3, ?4, ?5, 'received')",
	    "issss", push->at, push->pusher, push->origin, push->receiver,
	    options.s);
	str_release(&options);
	if (err != NULL)
		return err;
	push->id = db_last_id(db);
	for (size_t i = 0; err == NULL && i < push->n_refs; i++) {
		const struct push_ref *ref = &push->refs[i];

		err = db_run(db, "INSERT INTO push_refs (push, ref, old, new,"
		    " skip, author, subject) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		    " ?7)", "isssiss", push->id, ref->ref, ref->old,
		    ref->new, (int64_t)ref->skip, ref->author,
		    ref->subject);
	}
	return err;
}

const struct err *
push_write(struct journal *journal, struct push *push)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	push->at = clock_now_ms();
	err = db_begin(db);
	if (err != NULL)
		return err;
	err = insert_push(db, push);
	if (err == NULL)
		err = pusher_add(journal, push->id, &push->who);
	return chain_commit(journal, err, NOUN_PUSH, push->id);
}

const struct err *
push_refuse(struct journal *journal, int64_t id, const char *reason)
{
	struct db *db = journal_db(journal);
	const struct err *err;

	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_run(db, "UPDATE pushes SET state = 'refused', reason = ?2"
	    " WHERE id = ?1", "is", id, reason);
	return chain_commit(journal, err, NOUN_PUSH, id);
}

/*
 * Begin a change of a push; "*is" tells whether it is in one of the states
 * (each between spaces), and the change is to be made. Otherwise nothing is
 * begun.
 */
static const struct err *
begin_if(struct db *db, int64_t id, const char *states, bool *is)
{
	const struct err *err;
	int64_t n = 0;

	*is = false;
	err = db_begin(db);
	if (err != NULL)
		return err;
	err = db_get_int(&n, db, 0, "SELECT count(*) FROM pushes"
	    " WHERE id = ?1 AND instr(?2, ' ' || state || ' ') > 0", "is",
	    id, states);
	*is = err == NULL && n > 0;
	if (!*is)
		db_rollback(db);
	return err;
}

const struct err *
push_unland(struct journal *journal, int64_t id, const char *reason)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	bool is;

	err = begin_if(db, id, " received ", &is);
	if (err != NULL || !is)
		return err;
	err = db_run(db, "UPDATE pushes SET state = 'unlanded', reason = ?2"
	    " WHERE id = ?1", "is", id, reason);
	return chain_commit(journal, err, NOUN_PUSH, id);
}

const struct err *
push_land(struct journal *journal, const struct push *push)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	bool is;

	err = begin_if(db, push->id, " received unlanded refused ",
	    &is);
	if (err != NULL || !is)
		return err;
	err = db_run(db, "UPDATE pushes SET state = 'landed', reason = NULL"
	    " WHERE id = ?1", "i", push->id);
	for (size_t i = 0; err == NULL && i < push->n_refs; i++)
		err = db_run(db, "UPDATE push_refs SET landed = 1"
		    " WHERE push = ?1 AND ref = ?2", "is", push->id,
		    push->refs[i].ref);
	return chain_commit(journal, err, NOUN_PUSH, push->id);
}

const struct err *
push_withhold(struct journal *journal, int64_t id, const char *reason)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	bool is;

	err = begin_if(db, id, " landed ", &is);
	if (err != NULL || !is)
		return err;
	err = db_run(db, "UPDATE pushes SET reason = ?2 WHERE id = ?1", "is",
	    id, reason);
	return chain_commit(journal, err, NOUN_PUSH, id);
}

const struct err *
push_newest(struct journal *journal, int64_t *id)
{
	return db_get_int(id, journal_db(journal), 0, "SELECT max(id)"
	    " FROM pushes", "");
}

const struct err *
push_get_old(struct journal *journal, int64_t id, const char *ref,
    char **old)
{
	return db_get_text(old, journal_db(journal), "SELECT old"
	    " FROM push_refs WHERE push = ?1 AND ref = ?2", "is", id, ref);
}

const struct err *
push_get_landed(struct journal *journal, int64_t id, const char *ref,
    bool *landed)
{
	const struct err *err;
	int64_t is;

	err = db_get_int(&is, journal_db(journal), 0, "SELECT landed"
	    " FROM push_refs WHERE push = ?1 AND ref = ?2", "is", id, ref);
	*landed = err == NULL && is != 0;
	return err;
}

const struct err *
push_was_skipped(struct journal *journal, const char *ref,
    const char *commit, bool *is)
{
	const struct err *err;
	int64_t skip;

	err = db_get_int(&skip, journal_db(journal), 0, "SELECT skip"
	    " FROM push_refs WHERE ref = ?1 AND new = ?2"
	    " ORDER BY push DESC LIMIT 1", "ss", ref, commit);
	*is = err == NULL && skip != 0;
	return err;
}

const struct err *
push_has_landed(struct journal *journal, const char *ref, bool *has)
{
	const struct err *err;
	int64_t landed;

	err = db_get_int(&landed, journal_db(journal), 0, "SELECT EXISTS"
	    " (SELECT 1 FROM push_refs WHERE ref = ?1 AND landed = 1)", "s",
	    ref);
	*has = err == NULL && landed != 0;
	return err;
}

const struct err *
push_by_receiver(struct journal *journal, const char *receiver, int64_t *id)
{
	return db_get_int(id, journal_db(journal), 0, "SELECT max(id)"
	    " FROM pushes WHERE receiver = ?1", "s", receiver);
}

const struct err *
push_next_open(struct journal *journal, int64_t after, int64_t *id)
{
	return db_get_int(id, journal_db(journal), 0, "SELECT min(id)"
	    " FROM pushes WHERE state = 'received' AND id > ?1", "i", after);
}

const struct err *
push_receivers(struct journal *journal, const char *ref,
    struct vec *receivers)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT receiver"
	    " FROM pushes WHERE state = 'received' AND (?1 IS NULL OR EXISTS"
	    " (SELECT 1 FROM push_refs WHERE push = id AND ref = ?1))", "s",
	    ref);
	return err == NULL ? db_texts(query, receivers) : err;
}

const struct err *
push_open_refs(struct journal *journal, int64_t id, struct vec *refs)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT DISTINCT ref"
	    " FROM pushes CROSS JOIN push_refs ON push = id"
	    " WHERE state = 'received' AND id < ?1", "i", id);
	return err == NULL ? db_texts(query, refs) : err;
}

const struct err *
push_ask_later(struct journal *journal, int64_t id,
    const struct push_ref *ref, bool *found, bool *again)
{
	struct db *db = journal_db(journal);
	const struct err *err;
	int64_t n_found = 0, n_again = 0;

	err = db_get_int(&n_found, db, 0, "SELECT count(*) FROM push_refs"
	    " WHERE push > ?1 AND ref = ?2 AND old = ?3", "iss", id, ref->ref,
	    ref->new);
	if (err == NULL)
		err = db_get_int(&n_again, db, 0, "SELECT count(*)"
		    " FROM push_refs AS r JOIN pushes ON id = push"
		    " WHERE push > ?1 AND ref = ?2 AND new = ?3"
		    " AND state IN ('received', 'landed')"
		    " AND NOT EXISTS (SELECT 1 FROM push_refs AS f"
		    "  WHERE f.push > ?1 AND f.push < r.push"
		    "  AND f.ref = ?2 AND f.old = ?3)", "iss", id,
		    ref->ref, ref->new);
	*found = n_found > 0;
	*again = n_again > 0;
	return err;
}

const struct err *
push_get_ref(struct journal *journal, int64_t id, struct push_ref *ref)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT skip, author,"
	    " subject FROM push_refs WHERE push = ?1 AND ref = ?2", "is", id,
	    ref->ref);
	if (err != NULL)
		return err;
	if (db_step(query, &err)) {
		free(ref->author);
		free(ref->subject);
		ref->skip = db_int(query, 0) != 0;
		ref->author = xstrdup_null(db_text(query, 1));
		ref->subject = xstrdup_null(db_text(query, 2));
	}
	db_done(query);
	return err;
}

static const struct err *
get_refs(struct db *db, struct push *push)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, db, "SELECT old, new, ref"
	    " FROM push_refs WHERE push = ?1 ORDER BY ref", "i", push->id);
	if (err != NULL)
		return err;
	while (db_step(query, &err))
		push_add_ref(push, db_text(query, 0), db_text(query, 1),
		    db_text(query, 2));
	db_done(query);
	return err;
}

const struct err *
push_get(struct journal *journal, int64_t id, struct push *push, bool *open)
{
	struct db *db = journal_db(journal);
	struct db_query *query;
	const struct err *err;

	*push = (struct push)PUSH_INIT;
	*open = false;
	err = db_query(&query, db, "SELECT at, pusher, origin, receiver,"
	    " options, state = 'received' FROM pushes WHERE id = ?1", "i",
	    id);
	if (err != NULL)
		return err;
	if (db_step(query, &err)) {
		push->id = id;
		push->at = db_int(query, 0);
		push->pusher = xstrdup(db_text(query, 1));
		push->origin = xstrdup_null(db_text(query, 2));
		push->receiver = xstrdup(db_text(query, 3));
		vec_split(&push->options, db_text(query, 4), "\n");
		*open = db_int(query, 5) != 0;
	} else if (err == NULL) {
		err = err_new(ERR_NOT_FOUND, "there is no push %lld",
		    (long long)id);
	}
	db_done(query);
	return err == NULL ? get_refs(db, push) : err;
}

const struct err *
push_get_origin(struct journal *journal, int64_t id, char **origin)
{
	return db_get_text(origin, journal_db(journal), "SELECT origin"
	    " FROM pushes WHERE id = ?1", "i", id);
}

const struct err *
push_get_refused(struct journal *journal, struct push *push, char **reason)
{
	struct db_query *query;
	const struct err *err;

	*reason = NULL;
	err = db_query(&query, journal_db(journal), "SELECT id, at, pusher,"
	    " reason FROM pushes WHERE id = (SELECT max(id) FROM pushes"
	    "  WHERE state = 'refused') AND at > coalesce((SELECT requested_at"
	    "  FROM deploys ORDER BY number DESC LIMIT 1), 0)"
	    " AND NOT EXISTS (SELECT 1 FROM push_refs AS later"
	    "  JOIN push_refs AS own USING (ref) JOIN pushes AS landed"
	    "  ON landed.id = later.push AND landed.state = 'landed'"
	    "  WHERE later.push > pushes.id AND own.push = pushes.id)", "");
	if (err != NULL)
		return err;
	if (db_step(query, &err)) {
		push->id = db_int(query, 0);
		push->at = db_int(query, 1);
		push->pusher = xstrdup(db_text(query, 2));
		*reason = xstrdup_null(db_text(query, 3));
	}
	db_done(query);
	return err;
}
