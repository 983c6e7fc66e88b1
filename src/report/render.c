#include "report/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "json.h"
#include "report/asked.h"
#include "report/line.h"
#include "report/paint.h"
#include "report/summary.h"
#include "vec.h"

struct render {
	char *repo;
	int64_t deploy;		/* 0: not told yet */
	char *environment;
	char *ref;
	char *state;
	char *phase;		/* "": none is under way */
	bool rollback;
	bool titled;		/* the first line is out */
	bool headed;		/* the phase has its heading */
	bool undoing;
	bool over;
	bool waits;		/* the last line said so */
	int64_t superseded_by;
	struct vec results;	/* "updb done" */
};

struct render *
render_new(const char *repo)
{
	struct render *render = xcalloc(1, sizeof(*render));

	render->repo = xstrdup(repo);
	render->environment = xstrdup("");
	render->state = xstrdup("");
	render->phase = xstrdup("");
	return render;
}

void
render_free(struct render *render)
{
	if (render == NULL)
		return;
	free(render->repo);
	free(render->environment);
	free(render->ref);
	free(render->state);
	free(render->phase);
	vec_release(&render->results);
	free(render);
}

const char *
render_state(const struct render *render)
{
	return render->state;
}

bool
render_is_over(const struct render *render)
{
	return render->over;
}

bool
render_waits(const struct render *render)
{
	return render->waits;
}

int64_t
render_superseded_by(const struct render *render)
{
	return render->superseded_by;
}

/* Keep a copy of a key's text, "" when it is missing. */
static void
keep(char **kept, const struct json_flat *event, const char *key)
{
	const char *value = json_flat_get(event, key);

	free(*kept);
	*kept = xstrdup(value == NULL ? "" : value);
}

static bool
is_true(const struct json_flat *event, const char *key)
{
	const char *value = json_flat_get(event, key);

	return value != NULL && strcmp(value, "true") == 0;
}

/* The name of a host that is worth a word, or NULL. */
static const char *
far_host(const struct json_flat *event)
{
	const char *host = json_flat_get(event, "host");

	return host == NULL || strcmp(host, "local") == 0 ? NULL : host;
}

/* The first line, as soon as the commit is known. */
static void
add_title(struct render *render, const char *commit, struct str *out)
{
	const char *ref = render->ref;

	if (render->titled || render->deploy == 0)
		return;
	if (!render->rollback && (commit == NULL || *commit == '\0'))
		return;
	render->titled = true;
	str_addf(out, "deploy %" PRId64 ": ", render->deploy);
	if (render->rollback) {
		str_add(out, "roll back ");
	} else {
		if (str_starts_with(ref, "refs/heads/"))
			ref += strlen("refs/heads/");
		line_text(out, ref);
		str_add(out, *ref == '\0' ? "" : " ");
		line_commit(out, commit);
		str_add(out, " to ");
	}
	line_text(out, render->environment);
	str_addch(out, '\n');
}

static void
on_requested(struct render *render, const struct json_flat *event,
    struct str *out)
{
	const char *kind = json_flat_get(event, "kind");

	render->deploy = json_flat_int(event, "deploy", 0);
	render->rollback = kind != NULL && strcmp(kind, "rollback") == 0;
	keep(&render->environment, event, "environment");
	keep(&render->ref, event, "ref");
	add_title(render, json_flat_get(event, "commit"), out);
}

static void
on_waiting(struct render *render, const struct json_flat *event,
    struct str *out)
{
	const char *state = json_flat_get(event, "state");
	int64_t before = json_flat_int(event, "before", 0);

	render->waits = true;
	str_addf(out, "deploy %" PRId64 " waits: deploy ", render->deploy);
	line_text(out, json_flat_get(event, "for"));
	str_add(out, " is under way");
	if (state != NULL) {
		str_add(out, " (");
		line_text(out, state);
		str_addch(out, ')');
	}
	if (before > 0)
		str_addf(out, ", %" PRId64 " before it", before);
	str_addch(out, '\n');
}

static void
on_superseded(struct render *render, const struct json_flat *event,
    struct str *out)
{
	bool holds = is_true(event, "holds");

	render->superseded_by = json_flat_int(event, "by", 0);
	render->over = true;
	str_addf(out, "deploy %" PRId64 ": superseded, ", render->deploy);
	str_addf(out, holds ? "your commit is in deploy %" PRId64 "\n" :
	    "deploy %" PRId64 " took its place", render->superseded_by);
	if (!holds)
		summary_add_left_out(out, event, render->repo);
}

static void
on_started(struct render *render, const struct json_flat *event,
    struct str *out)
{
	const char *commit = json_flat_get(event, "commit");

	add_title(render, commit, out);
	if (!render->rollback)
		return;
	line_label(out, "to");
	str_add(out, "release ");
	line_text(out, json_flat_get(event, "release"));
	str_add(out, " (");
	line_commit(out, commit);
	str_add(out, ")\n");
}

static void
on_directive(struct render *render, const struct json_flat *event,
    struct str *out)
{
	(void)render;
	asked_add(out, event);
}

static void
on_warning(struct render *render, const struct json_flat *event,
    struct str *out)
{
	(void)render;
	paint_lead(out, PAINT_BUSY, "warning:");
	line_text(out, json_flat_get(event, "text"));
	str_addch(out, '\n');
}

static void
on_phase(struct render *render, const struct json_flat *event,
    struct str *out)
{
	(void)out;
	keep(&render->phase, event, "phase");
	render->headed = false;
	render->undoing = false;
}

static void
on_phase_done(struct render *render, const struct json_flat *event,
    struct str *out)
{
	const char *note = json_flat_get(event, "note");
	struct str label = STR_INIT;

	line_text(&label, json_flat_get(event, "phase"));
	line_label(out, label.s);
	if (!is_true(event, "ok"))
		str_add(out, "failed after ");
	clock_add_duration(out, json_flat_int(event, "ms", 0));
	if (note != NULL && *note != '\0') {
		str_add(out, "  ");
		line_text(out, note);
	}
	str_addch(out, '\n');
	str_release(&label);
	render->phase[0] = '\0';
}

/* A phase gets its heading when it is no longer silent. */
static void
add_heading(struct render *render, struct str *out)
{
	if (render->headed || render->phase[0] == '\0')
		return;
	render->headed = true;
	str_add(out, "  ");
	line_text(out, render->phase);
	str_addch(out, '\n');
}

/* "    updb on web1"; the line is left open. */
static void
add_action(struct str *out, const struct json_flat *event)
{
	const char *host = far_host(event);

	str_add(out, "    ");
	line_text(out, json_flat_get(event, "action"));
	if (host != NULL) {
		str_add(out, " on ");
		line_text(out, host);
	}
}

static void
add_command(struct str *out, const struct json_flat *event)
{
	const char *run = json_flat_get(event, "run");

	add_action(out, event);
	if (run != NULL) {
		str_add(out, ": ");
		line_text(out, run);
	}
	str_addch(out, '\n');
}

static void
on_step(struct render *render, const struct json_flat *event,
    struct str *out)
{
	add_heading(render, out);
	add_command(out, event);
}

static void
on_output(struct render *render, const struct json_flat *event,
    struct str *out)
{
	const char *text = json_flat_get(event, "text");
	const char *host = far_host(event);

	if (!render->undoing)
		add_heading(render, out);
	str_add(out, "    | ");
	if (host != NULL) {
		line_text(out, host);
		str_add(out, ": ");
	}
	line_output(out, text == NULL ? "" : text);
	str_trim_end(out);
	str_addch(out, '\n');
}

/* A step that went well needs no line: the phase's own has the time. */
static void
on_step_done(struct render *render, const struct json_flat *event,
    struct str *out)
{
	int64_t signal = json_flat_int(event, "signal", 0);

	if (is_true(event, "ok"))
		return;
	add_heading(render, out);
	add_action(out, event);
	str_add(out, " failed: ");
	if (is_true(event, "timed_out"))
		str_add(out, "timed out");
	else if (is_true(event, "stopped"))
		str_add(out, "stopped");
	else if (signal != 0)
		str_addf(out, "killed by signal %" PRId64, signal);
	else
		str_addf(out, "exit %" PRId64, json_flat_int(event, "exit",
		    -1));
	str_add(out, " after ");
	clock_add_duration(out, json_flat_int(event, "ms", 0));
	str_addch(out, '\n');
}

/* A rollback says first what it is going to take back. */
static void
on_will_undo(struct render *render, const struct json_flat *event,
    struct str *out)
{
	(void)render;
	line_label(out, "will undo");
	str_add(out, "deploy ");
	line_text(out, json_flat_get(event, "deploy"));
	add_command(out, event);
}

static void
on_undo(struct render *render, const struct json_flat *event,
    struct str *out)
{
	if (!render->undoing && render->phase[0] == '\0')
		str_add(out, "  undo\n");
	render->undoing = true;
	add_heading(render, out);
	add_command(out, event);
}

static void
on_undo_done(struct render *render, const struct json_flat *event,
    struct str *out)
{
	(void)render;
	if (is_true(event, "ok"))
		return;
	add_action(out, event);
	str_add(out, " could not be undone\n");
}

static void
on_cancel(struct render *render, const struct json_flat *event,
    struct str *out)
{
	line_text(out, json_flat_get(event, "by"));
	str_addf(out, " cancels deploy %" PRId64 "\n", render->deploy);
}

static void
on_state(struct render *render, const struct json_flat *event,
    struct str *out)
{
	(void)out;
	keep(&render->state, event, "state");
}

static void
on_result(struct render *render, const struct json_flat *event,
    struct str *out)
{
	const char *name = json_flat_get(event, "name");
	const char *result = json_flat_get(event, "result");

	(void)out;
	if (name != NULL && result != NULL)
		vec_pushf(&render->results, "%s %s", name, result);
}

static void
on_end(struct render *render, const struct json_flat *event,
    struct str *out)
{
	keep(&render->state, event, "state");
	render->over = true;
	summary_add(out, event, &render->results, render->repo);
}

static const struct {
	const char *event;
	void (*add)(struct render *render, const struct json_flat *event,
	    struct str *out);
} kinds[] = {
	{ "requested",	on_requested },
	{ "waiting",	on_waiting },
	{ "superseded",	on_superseded },
	{ "started",	on_started },
	{ "directive",	on_directive },
	{ "warning",	on_warning },
	{ "phase",	on_phase },
	{ "phase_done",	on_phase_done },
	{ "step",	on_step },
	{ "output",	on_output },
	{ "step_done",	on_step_done },
	{ "will_undo",	on_will_undo },
	{ "undo",	on_undo },
	{ "undo_done",	on_undo_done },
	{ "cancel",	on_cancel },
	{ "state",	on_state },
	{ "result",	on_result },
	{ "end",	on_end },
};

void
render_line(struct render *render, const char *line, size_t len,
    struct str *out)
{
	struct json_flat event = JSON_FLAT_INIT;
	const char *name = NULL;

	render->waits = false;
	if (json_flat_parse(&event, line, len) == NULL)
		name = json_flat_get(&event, "event");
	for (size_t i = 0; name != NULL && i < sizeof(kinds) /
	    sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].event, name) == 0)
			kinds[i].add(render, &event, out);
	}
	json_flat_release(&event);
}
