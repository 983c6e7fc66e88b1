#include "db.h"

#include <sqlite3.h>

const char *
db_library_version(void)
{
	return sqlite3_libversion();
}

int
db_library_number(void)
{
	return sqlite3_libversion_number();
}
