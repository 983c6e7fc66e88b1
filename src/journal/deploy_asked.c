/*
 * What deploys were asked for: their directives, as the journal has them.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/deploy.h"

/* "source" of a directive must be a constant: find the one that is meant. */
static const char *
source_constant(const char *text)
{
	static const char *const sources[] = {
		"message", "trailer", "option", "cli"
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		if (strcmp(sources[i], text) == 0)
			return sources[i];
	}
	return "message";
}

/* Close a query of name, argument, commit, source, deploy into a list. */
static const struct err *
take_directives(struct db_query *query, struct directives *list)
{
	const struct err *err;

	while (db_step(query, &err)) {
		size_t n = list->n, at = directives_add(list,
		    db_text(query, 0), db_text(query, 1), db_text(query, 2),
		    source_constant(db_text(query, 3)));

		if (at == n)
			list->v[at].deploy = db_int(query, 4);
	}
	db_done(query);
	return err;
}

const struct err *
deploy_directives(struct journal *journal, int64_t number, bool known,
    struct directives *list)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT name, argument,"
	    " commit_oid, source, 0 FROM directives WHERE deploy = ?1"
	    " AND known = ?2 ORDER BY name, argument, commit_oid", "ii",
	    number, (int64_t)known);
	return err != NULL ? err : take_directives(query, list);
}

const struct err *
deploy_pending_directives(struct journal *journal,
    const struct deploy *deploy, struct directives *list)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT name, argument,"
	    " commit_oid, source, CASE deploy WHEN ?2 THEN 0 ELSE deploy END"
	    " FROM directives WHERE commit_oid = ''"
	    " AND deploy IN (SELECT number FROM deploys"
	    "  WHERE environment = ?1 AND number <= ?2"
	    "  AND state NOT IN ('live', 'retired') AND (cancelled_by IS NULL"
	    "   OR instr(error, '" DEPLOY_CANCELLED_BY "') <> 1)"
	    "  AND number > coalesce((SELECT max(number) FROM deploys"
	    "   WHERE environment = ?1 AND kind = 'deploy'"
	    "   AND state IN ('live', 'retired')), 0))"
	    " ORDER BY deploy, name, argument", "si", deploy->environment,
	    deploy->number);
	return err != NULL ? err : take_directives(query, list);
}

static const struct err *
take_options(struct journal *journal, const char *number,
    struct directives *list)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT name, argument,"
	    " commit_oid, source, deploy FROM directives WHERE deploy = ?1"
	    " AND commit_oid = '' AND known ORDER BY name, argument", "i",
	    (int64_t)strtoll(number, NULL, 10));
	return err != NULL ? err : take_directives(query, list);
}

const struct err *
deploy_undone_options(struct journal *journal, const struct deploy *deploy,
    deploy_holds_cb holds, void *ctx, struct directives *list)
{
	struct vec past = VEC_INIT;	/* "NUMBER COMMIT" */
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT number || ' ' ||"
	    " commit_oid FROM deploys WHERE environment = ?1"
	    " AND kind = 'deploy' AND +state = 'retired' AND number < ?2"
	    " AND number > (SELECT deploy FROM releases"
	    "  WHERE environment = ?1 AND state = 'live') ORDER BY number",
	    "si", deploy->environment, deploy->number);
	if (err == NULL)
		err = db_texts(query, &past);
	for (size_t i = 0; err == NULL && i < past.n; i++) {
		bool is;

		err = holds(strchr(past.v[i], ' ') + 1, &is, ctx);
		if (err == NULL && is)
			err = take_options(journal, past.v[i], list);
	}
	vec_release(&past);
	return err;
}
