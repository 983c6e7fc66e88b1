/*
 * pre-receive - the gate: what must not land is refused, and the push is in
 * the journal before anything moves.
 */
#include <signal.h>

#include "deploy/chained.h"
#include "deploy/gate.h"
#include "deploy/receive.h"
#include "report/say.h"

int
main(int argc, char **argv)
{
	struct vec notes = VEC_INIT;
	struct push push = PUSH_INIT;
	struct hub hub = HUB_INIT;
	struct str input = STR_INIT;
	const struct err *err;
	bool gone = false;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	err = receive_read(&push, &input);
	if (err == NULL)
		err = hub_open(&hub, NULL);
	if (err == NULL)
		err = hub_journal(&hub, DB_WRITE);
	if (err == NULL)
		err = gate_check(&hub, &push, &notes, say_line, &gone);
	if (err == NULL) {
		err = chained_run(argv, input.s, input.len);
		if (err != NULL)
			gate_refused(&hub, &push, err->text);
	}
	say_notes(&notes);
	say_refused(err);
	vec_release(&notes);
	push_release(&push);
	hub_close(&hub);
	str_release(&input);
	return err == NULL ? 0 : 1;
}
