#include "journal/pusher.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "journal/chain.h"

void
pusher_release(struct pusher *pusher)
{
	free(pusher->known_by);
	free(pusher->account);
	free(pusher->ssh_key);
	free(pusher->signer);
	free(pusher->signing_key);
	free(pusher->cert);
	free(pusher->cert_text);
	free(pusher->fault);
	memset(pusher, 0, sizeof(*pusher));
}

const struct err *
pusher_add(struct journal *journal, int64_t push,
    const struct pusher *pusher)
{
	const struct err *err;

	if (pusher->known_by == NULL)
		return NULL;
	err = db_run(journal_db(journal), "INSERT INTO pushers (push,"
	    " known_by, account, ssh_key, signer, signing_key, cert, cert_text,"
	    " fault) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    "issssssss", push, pusher->known_by, pusher->account,
	    pusher->ssh_key, pusher->signer, pusher->signing_key, pusher->cert,
	    pusher->cert_text, pusher->fault);
	return err == NULL ? chain_add(journal, NOUN_PUSHER, push) : err;
}

const struct err *
pusher_get(struct journal *journal, int64_t push, struct pusher *pusher)
{
	struct db_query *query;
	const struct err *err;

	*pusher = (struct pusher)PUSHER_INIT;
	err = db_query(&query, journal_db(journal), "SELECT known_by,"
	    " account, ssh_key, signer, signing_key, cert, cert_text, fault"
	    " FROM pushers WHERE push = ?1", "i", push);
	if (err != NULL)
		return err;
	if (db_step(query, &err)) {
		pusher->known_by = xstrdup(db_text(query, 0));
		pusher->account = xstrdup(db_text(query, 1));
		pusher->ssh_key = xstrdup_null(db_text(query, 2));
		pusher->signer = xstrdup_null(db_text(query, 3));
		pusher->signing_key = xstrdup_null(db_text(query, 4));
		pusher->cert = xstrdup_null(db_text(query, 5));
		pusher->cert_text = xstrdup_null(db_text(query, 6));
		pusher->fault = xstrdup_null(db_text(query, 7));
	}
	db_done(query);
	return err;
}

const struct err *
pusher_by_cert(struct journal *journal, const char *cert, int64_t *push)
{
	return db_get_int(push, journal_db(journal), 0, "SELECT min(push)"
	    " FROM pushers JOIN pushes ON id = push WHERE cert = ?1"
	    " AND state IN ('received', 'landed')", "s", cert);
}
