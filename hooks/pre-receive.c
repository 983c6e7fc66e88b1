/*
 * pre-receive - the gate: what must not land is refused, and the push is in
 * the journal before anything moves.
 */
#include <signal.h>

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
	struct gate_hooks hooks = { .argv = argv };
	const struct err *err;
	bool gone = false;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	err = receive_read(&push, &input);
	hooks.input = input.s;
	hooks.input_len = input.len;
	if (err == NULL)
		err = hub_open(&hub, NULL);
	hub.pushed = true;
	if (err == NULL)
		err = hub_journal(&hub, DB_WRITE);
	if (err == NULL)
		err = gate_check(&hub, &push, &notes, &hooks, say_line,
		    &gone);
	say_notes(&notes);
	say_refused(err);
	vec_release(&notes);
	push_release(&push);
	hub_close(&hub);
	str_release(&input);
	return err == NULL ? 0 : 1;
}
