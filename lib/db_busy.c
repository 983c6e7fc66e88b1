#include "db_busy.h"

#include <stddef.h>
#include <unistd.h>

/* Of each try, in microseconds; of all after them, the last. */
static const int delays_us[] = {
	100, 100, 100, 200, 200, 300, 500, 500, 1000, 2000, 5000, 10000,
	15000, 20000, 25000, 25000, 25000, 50000, 50000, 100000
};

/* Called after "tries" calls that have each been followed by a try. */
static int
wait_once(void *ctx, int tries)
{
	const int n = (int)(sizeof(delays_us) / sizeof(*delays_us));
	long long waited_us = 0;

	(void)ctx;
	for (int i = 0; i < tries && i < n; i++)
		waited_us += delays_us[i];
	if (tries > n)
		waited_us += (long long)(tries - n) * delays_us[n - 1];
	if (waited_us >= DB_BUSY_TIMEOUT_MS * 1000LL)
		return 0;
	(void)usleep((useconds_t)delays_us[tries < n ? tries : n - 1]);
	return 1;
}

int
db_busy_wait(sqlite3 *handle)
{
	return sqlite3_busy_handler(handle, wait_once, NULL);
}
