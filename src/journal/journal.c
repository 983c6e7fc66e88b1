#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "journal/chain.h"
#include "journal/schema.h"
#include "str.h"

struct journal {
	struct db *db;
};

const struct err *
journal_open(struct journal **journal, const char *path, enum db_mode mode)
{
	const struct err *err;
	struct db *db;

	*journal = NULL;
	err = db_open(&db, path, mode);
	if (err != NULL)
		return err;
	err = schema_migrate(db, path, mode != DB_READ);
	if (err != NULL) {
		db_close(db);
		return err;
	}
	*journal = xcalloc(1, sizeof(**journal));
	(*journal)->db = db;
	return NULL;
}

void
journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	db_close(journal->db);
	free(journal);
}

struct db *
journal_db(struct journal *journal)
{
	return journal->db;
}

const struct err *
journal_group(struct journal *journal)
{
	return db_group(journal->db);
}

const struct err *
journal_group_end(struct journal *journal, const struct err *err)
{
	db_ungroup(journal->db);
	return chain_end(journal, err);
}

/* The first line may be one that only names the database. */
static const struct err *
damaged(const char *text)
{
	if (str_starts_with(text, "***") && strchr(text, '\n') != NULL)
		text = strchr(text, '\n') + 1;
	return err_new(ERR_CORRUPT, "the journal is damaged: %.*s",
	    (int)strcspn(text, "\n"), text);
}

const struct err *
journal_check(struct journal *journal)
{
	const struct err *err;
	int64_t orphans;
	char *text;

	err = db_get_text(&text, journal->db, "PRAGMA integrity_check", "");
	if (err != NULL)
		return err;
	if (text == NULL || strcmp(text, "ok") != 0)
		err = damaged(text == NULL ? "no answer" : text);
	free(text);
	if (err != NULL)
		return err;
	err = db_get_int(&orphans, journal->db, 0,
	    "SELECT count(*) FROM pragma_foreign_key_check", "");
	if (err == NULL && orphans > 0)
		err = err_new(ERR_CORRUPT, "the journal has rows that refer"
		    " to rows which are gone");
	return err;
}

const struct err *
journal_last_at(struct journal *journal, int64_t *at)
{
	return db_get_int(at, journal->db, 0, "SELECT at FROM events"
	    " ORDER BY id DESC LIMIT 1", "");
}
