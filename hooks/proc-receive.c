/*
 * proc-receive - deploy first; git answers the client with what came of it.
 */
#include <signal.h>
#include <unistd.h>

#include "deploy/answer.h"
#include "deploy/queue.h"
#include "report/say.h"
#include "report/watch.h"

/* Without a hub there is still an answer: no, and why. */
static void
answer(struct offer *offer, const char *hook)
{
	struct vec notes = VEC_INIT;
	struct hub hub = HUB_INIT;
	const struct err *err;

	err = hub_open(&hub, NULL);
	hub.pushed = true;
	if (err == NULL)
		err = hub_config(&hub);
	if (err == NULL)
		err = hub_journal(&hub, DB_WRITE);
	if (err == NULL)
		say_error(queue_wake_left(&hub, &notes));
	if (err == NULL)
		err = answer_ask(&hub, offer, hook, &notes);
	say_notes(&notes);
	vec_clear(&notes);
	for (size_t i = 0; i < offer->n; i++) {
		if (err != NULL)
			offer_refuse(&offer->refs[i], "%s", err->text);
		else if (offer->refs[i].deploy != 0)
			say_error(watch_deploy(&hub, offer->refs[i].deploy,
			    offer->refs[i].environment, queue_wake));
	}
	if (err == NULL)
		answer_give(&hub, offer, &notes);
	say_notes(&notes);
	vec_release(&notes);
	hub_close(&hub);
}

int
main(int argc, char **argv)
{
	struct offer offer = OFFER_INIT;
	const struct err *err;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	err = offer_read(&offer, STDIN_FILENO, STDOUT_FILENO);
	if (err == NULL) {
		answer(&offer, argv[0]);
		err = offer_write(&offer, STDOUT_FILENO);
	}
	say_error(err);
	offer_release(&offer);
	return err == NULL ? 0 : 1;
}
