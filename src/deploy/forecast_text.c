/*
 * Every text comes from outside, and is made visible.
 */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "deploy/forecast.h"
#include "deploy/missing.h"
#include "plan/capitals.h"
#include "room.h"

/* Commits, and paths, that are named; the others are counted. */
#define NAMED_MAX 20

static void
add_text(struct str *out, const char *text)
{
	str_add_visible(out, text, strlen(text));
}

static void
add_live(struct str *out, const struct forecast *forecast)
{
	const struct deploy *live = &forecast->live;

	if (live->number == 0) {
		str_add(out, "  live now: nothing\n");
		return;
	}
	str_addf(out, "  live %s: release %s, %.7s ",
	    forecast->lost == NULL ? "now" : "in the journal", live->release,
	    live->commit);
	add_text(out, live->subject == NULL ? "" : live->subject);
	str_addch(out, '\n');
}

static void
add_rest(struct str *out, size_t n)
{
	if (n > NAMED_MAX)
		str_addf(out, "    and %zu more\n", n - NAMED_MAX);
}

static void
add_commits(struct str *out, const struct commits *commits)
{
	for (size_t i = 0; i < commits->n && i < NAMED_MAX; i++) {
		str_addf(out, "    %.7s ", commits->v[i].oid);
		add_text(out, commits->v[i].subject);
		str_addch(out, '\n');
	}
	add_rest(out, commits->n);
}

static void
add_line(struct str *out, const char *label, const struct str *text)
{
	if (text->len == 0)
		return;
	str_addf(out, "  %s: ", label);
	add_text(out, text->s);
	str_addch(out, '\n');
}

/* What a deploy to where something is missing takes along, and what not. */
static void
add_leaving(struct str *out, const struct forecast *forecast)
{
	const struct leaving *leaving = &forecast->leaving;
	struct str steps = STR_INIT, backups = STR_INIT;

	if (leaving->commits.n > 0) {
		str_add(out, "  goes back: ");
		leaving_add_count(out, leaving);
		str_addch(out, '\n');
		add_commits(out, &leaving->commits);
	}
	leaving_add_steps(&steps, leaving);
	leaving_add_backups(&backups, leaving);
	add_line(out, "is not undone", &steps);
	add_line(out, "backed up", &backups);
	str_clear(&steps);
	str_add(&steps, leaving->command == NULL ? "" : leaving->command);
	add_line(out, "to undo it instead", &steps);
	str_release(&steps);
	str_release(&backups);
}

static void
add_directives(struct str *out, const struct work *work)
{
	size_t n = 0;

	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		if (strcmp(d->name, DIRECTIVE_SKIP) == 0 || n++ >= NAMED_MAX)
			continue;
		str_addf(out, "  directive -%s", d->name);
		if (d->argument[0] != '\0') {
			str_addch(out, ':');
			add_text(out, d->argument);
		}
		if (d->deploy != 0)
			str_addf(out, "- %s of deploy %" PRId64 "\n",
			    d->source, d->deploy);
		else if (d->commit[0] == '\0')
			str_add(out, "- asked for by hand\n");
		else
			str_addf(out, "- of %.7s\n", d->commit);
	}
	add_rest(out, n);
}

static void
add_unknown(struct str *out, const struct work *work)
{
	const struct unknown *unknown = &work->plan.unknown;
	struct str rest = STR_INIT;

	for (size_t i = 0; i < unknown->n; i++) {
		str_add(out, "  warning: ");
		unknown_text(out, &unknown->v[i]);
		str_add(out, work->env->set.strict &&
		    !capitals_has(unknown->v[i].directive->name) ?
		    "; a push of it is refused (strict)\n" : "\n");
	}
	unknown_add_rest(&rest, unknown);
	if (rest.len > 0)
		str_addf(out, "  warning: %s\n", rest.s);
	str_release(&rest);
}

/* Everything has changed in a first deploy: that needs no list. */
static void
add_changes(struct str *out, const struct forecast *forecast)
{
	const struct vec *changed = &forecast->changed;

	if (forecast->everything) {
		str_addf(out, "  files: %zu, all of them new\n", changed->n);
		return;
	}
	str_addf(out, "  files that change: %zu\n", changed->n);
	for (size_t i = 0; i < changed->n && i < NAMED_MAX; i++) {
		str_add(out, "    ");
		add_text(out, changed->v[i]);
		str_addch(out, '\n');
	}
	add_rest(out, changed->n);
}

static void
add_paths(struct str *out, const char *label, const struct vec *paths)
{
	if (paths->n == 0)
		return;
	str_addf(out, "  %s:", label);
	for (size_t i = 0; i < paths->n; i++) {
		str_addch(out, ' ');
		add_text(out, paths->v[i]);
	}
	str_addch(out, '\n');
}

static void
add_backup(struct str *out, const struct forecast *forecast)
{
	struct vec names = VEC_INIT;

	for (size_t i = 0; i < forecast->n_steps; i++) {
		if (forecast->steps[i].phase == PHASE_BACKUP)
			vec_push(&names, forecast->steps[i].name);
	}
	if (names.n == 0)
		str_add(out, "  nothing is backed up\n");
	add_paths(out, "backed up by", &names);
	vec_release(&names);
}

/* Which hosts, where there are several to choose from. */
static void
add_hosts(struct str *out, const struct plan *plan,
    const struct plan_item *item)
{
	if (plan->n_hosts < 2)
		return;
	str_add(out, ", on");
	for (size_t i = 0; i < plan->n_hosts; i++) {
		if (item->hosts[i])
			str_addf(out, " %s", plan->hosts[i]->name);
	}
}

/* "  migrate      updb: bin/migrate up  (once, 57 ms last time)". */
static void
add_step(struct str *out, const struct plan *plan,
    const struct forecast_step *step)
{
	const struct plan_item *item = step->item;
	struct str notes = STR_INIT;

	str_addf(out, "  %-11s  ", phase_name(step->phase));
	if (item == NULL) {
		str_addf(out, "deploy/%s", step->name);
	} else {
		str_addf(out, "%s: ", step->name);
		add_text(out, item->action->run);
		str_add(&notes, item->action->once ? ", once" : "");
		add_hosts(&notes, plan, item);
		if (step->phase == PHASE_MIGRATE && item->action->undo ==
		    NULL)
			str_add(&notes, ", cannot be undone");
	}
	if (step->took_ms >= 0) {
		str_add(&notes, ", ");
		clock_add_duration(&notes, step->took_ms);
		str_add(&notes, " last time");
	}
	if (notes.len > 0)
		str_addf(out, "  (%s)", notes.s + 2);
	str_addch(out, '\n');
	str_release(&notes);
}

static bool
is_short(const struct forecast *forecast)
{
	const struct store_room *room = &forecast->room;

	return forecast->has_root && (room->need_bytes > room->free_bytes ||
	    room->need_inodes > room->free_inodes);
}

static void
add_room(struct str *out, const struct forecast *forecast)
{
	const struct store_room *room = &forecast->room;

	if (!forecast->has_root)
		return;
	str_add(out, "  room: it needs ");
	room_add(out, room->need_bytes, room->need_inodes);
	str_add(out, ", ");
	room_add(out, room->free_bytes, room->free_inodes);
	str_addf(out, " are free%s\n", is_short(forecast) ? ": too little" :
	    "");
}

static void
add_last(struct str *out, const struct deploy *last)
{
	if (last->number == 0 || last->prepare_ms < 0)
		return;
	str_add(out, "  last time: prepared in ");
	clock_add_duration(out, last->prepare_ms);
	if (last->window_ms >= 0) {
		str_add(out, ", window ");
		clock_add_duration(out, last->window_ms);
	}
	str_addf(out, " (deploy %" PRId64 ")\n", last->number);
}

/* What a push, other than slipway deploy, would not do. */
static void
add_push(struct str *out, const struct forecast *forecast)
{
	const struct work *work = &forecast->work;
	const char *commit = work->deploy.commit;

	if (strcmp(work->live_commit, commit) == 0)
		str_addf(out, "  it is live%s: a push of it deploys nothing%s"
		    "\n", forecast->lost == NULL ? "" : " in the journal",
		    forecast->lost == NULL ? "" : ", slipway deploy does");
	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		if (strcmp(d->name, DIRECTIVE_SKIP) == 0 &&
		    strcmp(d->commit, commit) == 0) {
			str_add(out, "  it says -" DIRECTIVE_SKIP "-: a push"
			    " of it deploys nothing\n");
			return;
		}
	}
}

static void
add_edits(struct str *out, const struct forecast *forecast)
{
	const struct work *work = &forecast->work;
	struct str text = STR_INIT;

	if (forecast->lost != NULL)
		str_add(&text, forecast->lost);
	else if (forecast->edits_fault != NULL)
		str_addf(&text, "whether the live release was edited is not"
		    " known: %s", forecast->edits_fault);
	else if (forecast->edits.n > 0)
		edits_add(&text, &forecast->edits);
	if (text.len > 0) {
		str_add(out, "  warning: ");
		add_text(out, text.s);
		str_add(out, edits_refusal(&forecast->edits, work->hub,
		    work->env) != NULL ? "; drift = refuse\n" : "\n");
	}
	str_release(&text);
}

const struct err *
forecast_check(const struct forecast *forecast)
{
	const struct work *work = &forecast->work;
	const struct store_room *room = &forecast->room;
	struct str need = STR_INIT, have = STR_INIT;
	const struct err *err;

	if (forecast->missing.n > 0)
		return err_recode(missing_shared(work->env->set.root, NULL,
		    &forecast->missing), ERR_REFUSED);
	err = edits_refusal(&forecast->edits, work->hub, work->env);
	if (err != NULL || !is_short(forecast))
		return err;
	room_add(&need, room->need_bytes, room->need_inodes);
	room_add(&have, room->free_bytes, room->free_inodes);
	err = err_new(ERR_REFUSED, "no room in %s: the release needs %s, %s"
	    " are free, and what failed deploys have left there, which goes"
	    " first, may not be enough; remove releases (slipway cleanup -C"
	    " %s -e %s, keep = ...) or enlarge the file system",
	    work->env->set.root, need.s, have.s, work->hub->word,
	    work->env->name);
	str_release(&need);
	str_release(&have);
	return err;
}

void
forecast_text(struct str *out, const struct forecast *forecast)
{
	const struct work *work = &forecast->work;

	str_addf(out, "%s: a deploy of %.7s would do this; nothing is"
	    " done now\n", work->env->name, work->deploy.commit);
	add_live(out, forecast);
	add_edits(out, forecast);
	add_push(out, forecast);
	str_addf(out, "  commits that go live: %zu\n", forecast->commits.n);
	add_commits(out, &forecast->commits);
	add_leaving(out, forecast);
	add_directives(out, work);
	add_unknown(out, work);
	add_changes(out, forecast);
	add_paths(out, "linked to shared/", &work->env->set.shared);
	add_paths(out, "missing in shared/", &forecast->missing);
	add_paths(out, "carried over", &forecast->carried);
	add_backup(out, forecast);
	if (forecast->n_steps == 0)
		str_add(out, "  no action runs\n");
	for (size_t i = 0; i < forecast->n_steps; i++)
		add_step(out, &work->plan, &forecast->steps[i]);
	add_room(out, forecast);
	add_last(out, &forecast->last);
}

const struct err *
forecast_add(struct str *out, const struct err **check,
    const struct hub *hub, const struct environment *env,
    const char *commit, const struct directives *options)
{
	struct forecast forecast;
	const struct err *err;

	*check = NULL;
	err = forecast_make(&forecast, hub, env, commit, options);
	if (err == NULL) {
		forecast_text(out, &forecast);
		*check = forecast_check(&forecast);
	}
	forecast_release(&forecast);
	return err;
}
