#include "report/asked.h"

#include <inttypes.h>

#include "report/line.h"
#include "report/paint.h"

/* "option", or "option of deploy 4", which did not go live. */
static void
add_source(struct str *out, const struct json_flat *event)
{
	int64_t older = json_flat_int(event, "older", 0);

	line_text(out, json_flat_get(event, "source"));
	if (older != 0)
		str_addf(out, " of deploy %" PRId64, older);
}

/* Where it stands: its commit, the last of several, or else its source. */
static void
add_origin(struct str *out, const struct json_flat *event)
{
	const char *commit = json_flat_get(event, "commit");
	int64_t alike = json_flat_int(event, "alike", 1);

	if (commit == NULL || *commit == '\0') {
		add_source(out, event);
		return;
	}
	if (alike > 1)
		str_addf(out, "%" PRId64 " commits, the last ", alike);
	line_commit(out, commit);
}

static void
add_directive(struct str *out, const struct json_flat *event)
{
	const char *argument = json_flat_get(event, "argument");

	str_addch(out, '-');
	line_text(out, json_flat_get(event, "name"));
	if (argument != NULL && *argument != '\0') {
		str_addch(out, ':');
		line_text(out, argument);
	}
	str_addch(out, '-');
}

static void
add_taken(struct str *out, const struct json_flat *event)
{
	const char *commit = json_flat_get(event, "commit");

	str_add(out, "  ");
	add_directive(out, event);
	str_add(out, "  ");
	line_commit(out, commit);
	str_add(out, commit == NULL || *commit == '\0' ? "(" : " (");
	add_source(out, event);
	str_add(out, ")\n");
}

void
asked_add(struct str *out, const struct json_flat *event)
{
	const char *nearest = json_flat_get(event, "nearest");
	const char *elsewhere = json_flat_get(event, "elsewhere");

	if (json_flat_get(event, "action") != NULL) {
		add_taken(out, event);
		return;
	}
	paint_lead(out, PAINT_BUSY, "warning:");
	add_directive(out, event);
	str_add(out, " (");
	add_origin(out, event);
	str_add(out, "): no action takes it");
	if (elsewhere != NULL) {
		str_add(out, " here, but one of ");
		line_text(out, elsewhere);
		str_add(out, " does");
	}
	if (nearest != NULL) {
		str_add(out, "; did you mean -");
		line_text(out, nearest);
		str_add(out, "-?");
	}
	str_addch(out, '\n');
}
