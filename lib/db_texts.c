#include "db.h"

const struct err *
db_texts(struct db_query *query, struct vec *texts)
{
	const struct err *err = NULL;

	while (db_step(query, &err))
		vec_push(texts, db_text(query, 0));
	db_done(query);
	return err;
}
