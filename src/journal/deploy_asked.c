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

/* Mostly there is none, and SQLite is at what follows for longer. */
static const struct err *
has_rollback(struct journal *journal, const char *environment, bool *has)
{
	const struct err *err;
	int64_t found;

	err = db_get_int(&found, journal_db(journal), 0, "SELECT 1"
	    " FROM deploys WHERE number > (SELECT max(number) FROM deploys)"
	    " - ?2 AND kind = 'rollback' AND +environment = ?1 LIMIT 1", "si",
	    environment, (int64_t)DEPLOY_UNDONE_AMONG);
	*has = err == NULL && found != 0;
	return err;
}

/*
 * Of deploys that a rollback went past, those that no deploy has done since;
 * each as of the commit that it was asked for with. The few last deploys are
 * looked through, by their numbers, in this order.
 */
static const struct err *
find_undone(struct journal *journal, const struct deploy *deploy,
    struct directives *undone)
{
	struct db_query *query;
	const struct err *err;

	err = db_query(&query, journal_db(journal), "SELECT x.name,"
	    " x.argument, d.commit_oid, x.source, d.number"
	    " FROM deploys AS r"
	    " CROSS JOIN releases AS b ON b.environment = r.environment"
	    "  AND b.name = r.release"
	    " CROSS JOIN deploys AS d ON d.number > b.deploy"
	    "  AND d.number < r.number AND +d.environment = r.environment"
	    "  AND +d.kind = 'deploy' AND +d.state = 'retired'"
	    " CROSS JOIN directives AS x ON x.deploy = d.number"
	    "  AND x.commit_oid = '' AND x.known"
	    " WHERE r.number > (SELECT max(number) FROM deploys) - ?3"
	    "  AND r.number < ?2 AND r.kind = 'rollback'"
	    "  AND r.environment = ?1 AND +r.state IN ('live', 'retired')"
	    "  AND NOT EXISTS (SELECT 1 FROM directives AS y"
	    "   CROSS JOIN deploys AS e ON e.number = y.deploy"
	    "   WHERE y.deploy > r.number AND y.commit_oid = ''"
	    "    AND y.name = x.name AND y.argument = x.argument"
	    "    AND e.environment = ?1 AND e.kind = 'deploy'"
	    "    AND +e.state IN ('live', 'retired'))"
	    " ORDER BY d.number, x.name, x.argument", "sii",
	    deploy->environment, deploy->number,
	    (int64_t)DEPLOY_UNDONE_AMONG);
	return err != NULL ? err : take_directives(query, undone);
}

const struct err *
deploy_undone_options(struct journal *journal, const struct deploy *deploy,
    deploy_holds_cb holds, void *ctx, struct directives *list)
{
	struct directives undone = DIRECTIVES_INIT;
	const struct err *err;
	bool has;

	err = has_rollback(journal, deploy->environment, &has);
	if (err == NULL && has)
		err = find_undone(journal, deploy, &undone);
	for (size_t i = 0; err == NULL && i < undone.n; i++) {
		const struct directive *d = &undone.v[i];
		size_t n = list->n, at;
		bool is;

		err = holds(d->commit, &is, ctx);
		if (err != NULL || !is)
			continue;
		at = directives_add(list, d->name, d->argument, "",
		    d->source);
		if (at == n)
			list->v[at].deploy = d->deploy;
	}
	directives_release(&undone);
	return err;
}
