#include "deploy/gate.h"

#include <stdlib.h>

#include "deploy/cert.h"
#include "deploy/chained.h"
#include "deploy/gate_part.h"
#include "deploy/receive.h"

typedef const struct err *(*check_cb)(struct gate *gate,
    const struct candidate *candidate);

static void
check_options(struct gate *gate)
{
	for (size_t i = 0; i < gate->push->options.n; i++) {
		const char *word = gate->push->options.v[i];

		if (directives_add_word(&gate->options, word, "", "option")
		    != NULL)
			vec_pushf(gate->notes, "push option '%s' is no"
			    " directive and was ignored", word);
	}
}

static const struct err *
check_candidates(struct gate *gate, check_cb check)
{
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && i < gate->n; i++) {
		if (!gate->candidates[i].for_plan || check == gate_check_tree)
			err = check(gate, &gate->candidates[i]);
	}
	return err;
}

static const struct err *
all_reasons(const struct gate *gate)
{
	struct str text = STR_INIT;
	const struct err *err = NULL;

	vec_join(&gate->reasons, "\n", &text);
	if (gate->reasons.n > 0)
		err = err_new(ERR_REFUSED, "%s", text.s);
	str_release(&text);
	return err;
}

static const struct err *
check(struct gate *gate)
{
	static const check_cb checks[] = {
		gate_check_origin, gate_check_want, gate_check_tree
	};
	const struct err *err;

	err = repo_open(&gate->repo, gate->hub->path, true);
	if (err != NULL)
		return err;
	check_options(gate);
	err = cert_check(gate->hub, gate->repo, gate->push, &gate->reasons);
	if (err == NULL)
		err = gate_check_refs(gate);
	if (err == NULL)
		err = gate_check_newest(gate);
	for (size_t i = 0; err == NULL &&
	    i < sizeof(checks) / sizeof(*checks); i++)
		err = check_candidates(gate, checks[i]);
	return err == NULL ? all_reasons(gate) : err;
}

/* Who may refuse the pusher does, before anything of the push runs. */
static const struct err *
run(struct gate *gate)
{
	const struct gate_hooks *hooks = gate->hooks;
	const struct err *err;

	err = chained_run(hooks->argv, hooks->input, hooks->input_len);
	if (err == NULL)
		err = check_candidates(gate, gate_run);
	return err == NULL ? all_reasons(gate) : err;
}

static const struct err *
decide(struct gate *gate)
{
	const struct err *err, *refused;
	struct hub *hub = gate->hub;

	refused = hub_config(hub);
	if (refused == NULL)
		refused = check(gate);
	if (refused == NULL)
		refused = receive_free_refs(hub, gate->push);
	err = push_write(hub->journal, gate->push);
	if (err == NULL && refused == NULL)
		refused = run(gate);
	if (err == NULL && refused != NULL)
		err = push_refuse(hub->journal, gate->push->id,
		    refused->text);
	return err_first(refused, err);
}

const struct err *
gate_check(struct hub *hub, struct push *push, struct vec *notes,
    const struct gate_hooks *hooks, gate_say_cb say, void *ctx)
{
	struct gate gate = {
		.hub = hub,
		.push = push,
		.notes = notes,
		.options = DIRECTIVES_INIT,
		.reasons = VEC_INIT,
		.hooks = hooks,
		.say = say,
		.say_ctx = ctx,
	};
	const struct err *err;

	/* Where there is no room, nothing is written, not even a refusal. */
	err = hub_check_room(hub);
	if (err != NULL)
		return err;
	err = decide(&gate);
	repo_close(gate.repo);
	directives_release(&gate.options);
	vec_release(&gate.reasons);
	free(gate.candidates);
	return err;
}
