/*
 * post-update - show the activation to its end, and the summary.
 */
#include <signal.h>

#include "deploy/chained.h"
#include "deploy/packing.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "report/say.h"
#include "report/watch.h"

int
main(int argc, char **argv)
{
	struct hub hub = HUB_INIT;
	struct vec notes = VEC_INIT;
	const struct err *err, *chained;
	int64_t push = 0;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	err = hub_open(&hub, NULL);
	if (err == NULL)
		err = hub_config(&hub);
	if (err == NULL)
		err = hub_journal(&hub, DB_WRITE);
	if (err == NULL)
		say_error(receive_settle(&hub));
	if (err == NULL)
		err = receive_find(&hub, &push);
	if (err == NULL && push != 0)
		err = receive_missed(&hub, push,
		    (const char *const *)argv + 1, &notes);
	say_notes(&notes);
	if (err == NULL)
		err = watch_push(&hub, push, VIEW_ACTIVATE, queue_wake);
	say_error(err);
	chained = chained_run(argv, "", 0);
	say_error(chained);
	if (err == NULL)
		packing_start_after(&hub, push);
	vec_release(&notes);
	hub_close(&hub);
	return err == NULL && chained == NULL ? 0 : 1;
}
