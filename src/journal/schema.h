/*
 * schema - the tables of the journal, version by version.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>

#include "db.h"
#include "err.h"

/*
 * Bring the tables to JOURNAL_VERSION in one transaction. ERR_CORRUPT for
 * a file that is not a journal, ERR_JOURNAL with both version numbers for
 * one of a newer Slipway. With "may_write" false an older one is refused.
 */
const struct err *schema_migrate(struct db *db, const char *path,
    bool may_write);

#endif
