#include "db_prepared.h"

#include <string.h>

int
db_prepared_take(struct db_prepared *kept, sqlite3 *handle, const char *sql,
    sqlite3_stmt **stmt, const char **tail)
{
	for (size_t i = 0; i < kept->n; i++) {
		if (strcmp(sqlite3_sql(kept->v[i]), sql) != 0)
			continue;
		*stmt = kept->v[i];
		*tail = "";
		kept->v[i] = kept->v[--kept->n];
		return SQLITE_OK;
	}
	return sqlite3_prepare_v2(handle, sql, -1, stmt, tail);
}

void
db_prepared_give(struct db_prepared *kept, sqlite3_stmt *stmt)
{
	/* What it says is how the last step went, which was looked at. */
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (kept->n < DB_PREPARED_MAX)
		kept->v[kept->n++] = stmt;
	else
		sqlite3_finalize(stmt);
}

void
db_prepared_drop(struct db_prepared *kept)
{
	while (kept->n > 0)
		sqlite3_finalize(kept->v[--kept->n]);
}
