/*
 * post-receive - ask for the deploys, and show them until they are
 * prepared. The refs have moved: the exit status changes nothing.
 */
#include <signal.h>

#include "deploy/chained.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "report/say.h"
#include "report/watch.h"

int
main(int argc, char **argv)
{
	struct vec notes = VEC_INIT;
	struct push push = PUSH_INIT;
	struct hub hub = HUB_INIT;
	struct str input = STR_INIT;
	const struct err *err, *chained;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	err = receive_read(&push, &input);
	if (err == NULL)
		err = hub_open(&hub, NULL);
	hub.pushed = true;
	if (err == NULL)
		err = hub_config(&hub);
	if (err == NULL)
		err = hub_journal(&hub, DB_WRITE);
	if (err == NULL)
		say_error(receive_settle(&hub));
	if (err == NULL)
		say_error(queue_wake_left(&hub, &notes));
	if (err == NULL)
		err = receive_refs(&hub, &push, &notes);
	say_notes(&notes);
	if (err == NULL)
		err = watch_push(&hub, push.id, VIEW_PREPARE, queue_wake);
	say_error(err);
	chained = chained_run(argv, input.s, input.len);
	say_error(chained);
	vec_release(&notes);
	push_release(&push);
	hub_close(&hub);
	str_release(&input);
	return err == NULL && chained == NULL ? 0 : 1;
}
