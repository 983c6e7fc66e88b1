/*
 * What a deploy is asked for: the directives of what goes live with it, the
 * plan that is made of them, and what is said of both.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "deploy/facts.h"
#include "deploy/halt.h"
#include "deploy/leaving.h"
#include "deploy/queue.h"
#include "deploy/work.h"
#include "plan/capitals.h"

/* How often somebody who wants the deploy to stop is looked for. */
#define LOOK_MS 500

/* A walk through no more commits than this takes next to no time. */
#define FEW 100

/*
 * In one transaction with its plan; "kept" NULL: without, which comes later.
 * ERR_INTERRUPTED: what the journal has is not known.
 */
static const struct err *
take(struct work *work, const struct directives *kept)
{
	struct journal *journal = work->hub->journal;
	struct deploy taken = DEPLOY_INIT;
	const struct err *err = journal_group(journal);

	if (err != NULL)
		return err;
	err = deploy_take(journal, work->env->name, &taken);
	if (err == NULL && taken.number != work->deploy.number)
		err = err_new(ERR_BUSY, "deploy %" PRId64 " is not what is to"
		    " be taken any more", work->deploy.number);
	if (err == NULL && kept != NULL)
		err = deploy_plan(journal, &work->deploy, kept,
		    &work->plan.directives);
	err = journal_group_end(journal, err);
	if (err == NULL) {
		work->deploy.state = taken.state;
		work->deploy.started_at = taken.started_at;
		err = work_tell_taken(work);
	}
	deploy_release(&taken);
	return err;
}

const struct err *
work_take(struct work *work)
{
	return work_is_taken(work) ? NULL : take(work, NULL);
}

const struct err *
work_tell_taken(struct work *work)
{
	const struct err *err = queue_tell_superseded(work->hub, work->repo,
	    &work->deploy);

	return err != NULL ? err : queue_tell(work->hub, work->env->name, 0);
}

/* A walk through commits. */
struct walk {
	struct work *work;
	int64_t look_at_ms;	/* monotonic */
};

static const struct err *
scan_commit(const struct repo_commit *commit, void *ctx)
{
	struct walk *walk = ctx;
	int64_t now_ms = clock_monotonic_ms();
	const struct err *err = NULL;

	if (now_ms >= walk->look_at_ms) {
		walk->look_at_ms = now_ms + LOOK_MS;
		err = halt_check(walk->work, "the plan", NULL);
	}
	if (err != NULL)
		return err;
	capitals_scan(&walk->work->capitals, commit->message, commit->oid);
	return directives_scan(&walk->work->directives, commit->message,
	    commit->oid);
}

static const struct err *
is_contained(const char *commit, bool *is, void *ctx)
{
	const struct work *work = ctx;

	return repo_is_ancestor(work->repo, commit, work->deploy.commit, is);
}

/*
 * What every commit that goes live asks for, and what options asked for. A
 * resumed deploy goes by what the journal has: its plan stays the same.
 */
static const struct err *
collect_directives(struct work *work)
{
	const char *hidden[1] = { work->live_commit };
	struct walk walk = { .work = work };
	const struct err *err;
	bool few;

	if (work->resumed)
		return deploy_directives(work->hub->journal,
		    work->deploy.number, true, &work->directives);
	/* All of them are put in order before the first is seen. */
	err = repo_is_few(work->repo, work->deploy.commit, work->live_commit,
	    FEW, &few);
	if (err == NULL && !few)
		err = work_take(work);
	if (err == NULL)
		err = repo_walk(work->repo, work->deploy.commit, hidden,
		    work->live_commit[0] == '\0' ? 0 : 1, scan_commit,
		    &walk);
	if (err != NULL)
		return err;
	err = deploy_pending_directives(work->hub->journal, &work->deploy,
	    &work->directives);
	if (err == NULL)
		err = deploy_undone_options(work->hub->journal,
		    &work->deploy, is_contained, work, &work->directives);
	return err;
}

static const struct err *
make_plan(struct work *work)
{
	struct vec changed = VEC_INIT;
	const struct err *err = NULL;
	bool first = work->live_commit[0] == '\0';

	if (!first)
		err = repo_changed_paths(work->repo, work->live_commit,
		    work->deploy.commit, &changed);
	/* A live commit that is gone from the repository changes it all. */
	if (err != NULL && err->code == ERR_NOT_FOUND) {
		first = true;
		err = NULL;
	}
	if (err == NULL)
		err = plan_make(&work->plan, work->hub->config, work->env,
		    &work->directives, first ? NULL : &changed);
	if (err == NULL)
		unknown_find_capitals(&work->plan.unknown,
		    work->hub->config, work->env, &work->capitals);
	vec_release(&changed);
	return err;
}

/* An argument that does not fit is no secret. */
static void
warn_of_cuts(struct work *work)
{
	for (size_t i = 0; i < work->plan.n_items; i++) {
		const struct plan_item *item = &work->plan.items[i];

		if (strlen(item->argument) > FACTS_TEXT_MAX)
			work_warn(work, "%s: $SLIPWAY_ARGUMENT would be %zu"
			    " bytes long; the command gets the first %d",
			    item->action->name, strlen(item->argument),
			    FACTS_TEXT_MAX);
	}
}

/* Before it happens; what helps is told at the end. */
static void
warn_of_leaving(struct work *work)
{
	struct leaving leaving = LEAVING_INIT;
	struct str text = STR_INIT, steps = STR_INIT;
	const struct err *err;

	err = leaving_find_now(&leaving, work);
	if (err != NULL) {
		work_warn(work, "whether it goes back cannot be told: %s",
		    err->text);
	} else if (leaving.commits.n > 0) {
		leaving_add_count(&text, &leaving);
		leaving_add_steps(&steps, &leaving);
		work_warn(work, "goes back: %s%s%s", text.s, steps.len == 0 ?
		    "" : "; a deploy does not undo ", steps.len == 0 ? "" :
		    steps.s);
	}
	str_release(&text);
	str_release(&steps);
	leaving_release(&leaving);
}

/* The first that a directive of the plan runs; NULL: none does. */
static const char *
action_of(const struct work *work, const char *directive)
{
	for (size_t i = 0; i < work->plan.n_items; i++) {
		const struct action *action = work->plan.items[i].action;

		if (action->directive != NULL &&
		    strcmp(action->directive, directive) == 0)
			return action->name;
	}
	return NULL;
}

void
work_add_staying(const struct work *work, struct str *out)
{
	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];
		int64_t number = d->deploy != 0 ? d->deploy :
		    work->deploy.number;

		if (d->commit[0] == '\0' && (d->deploy != 0 ||
		    !deploy_was_cancelled(&work->deploy)) &&
		    action_of(work, d->name) != NULL)
			str_addf(out, "%s-%s- (%s of deploy %" PRId64 ")",
			    out->len == 0 ? "" : ", ", d->name, d->source,
			    number);
	}
}

static void
report(struct work *work, const struct directive *d,
    const struct unknown_word *word)
{
	event_add(work->log, "directive", "ssssssisi", "name", d->name,
	    "argument", d->argument, "commit", d->commit, "source",
	    d->source, "action", action_of(work, d->name), "nearest",
	    word == NULL ? NULL : word->nearest, "alike", word == NULL ?
	    INT64_C(1) : (int64_t)word->alike, "elsewhere", word == NULL ?
	    NULL : word->elsewhere, "older", d->deploy);
}

/* Those that nothing takes, which may be in the whole history, once each. */
static void
report_directives(struct work *work)
{
	const struct plan *plan = &work->plan;
	struct str rest = STR_INIT;

	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		if (vec_has(&plan->directives, d->name))
			report(work, d, NULL);
	}
	for (size_t i = 0; i < plan->unknown.n; i++) {
		const struct unknown_word *word = &plan->unknown.v[i];

		report(work, word->directive, word);
	}
	unknown_add_rest(&rest, &plan->unknown);
	if (rest.len > 0)
		work_warn(work, "%s", rest.s);
	str_release(&rest);
}

static void
keep(struct directives *kept, const struct directive *d)
{
	directives_add(kept, d->name, d->argument, d->commit, d->source);
}

/*
 * What the journal keeps: each event of the deploy has all of it, so that of
 * what nothing takes it is the newest of each that is told of.
 */
static const struct err *
write_plan(struct work *work)
{
	const struct plan *plan = &work->plan;
	struct directives kept = DIRECTIVES_INIT;
	const struct err *err;

	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		if (d->commit[0] == '\0' ||
		    vec_has(&plan->directives, d->name))
			keep(&kept, d);
	}
	for (size_t i = 0; i < plan->unknown.n; i++) {
		const struct directive *d = plan->unknown.v[i].directive;

		if (!capitals_has(d->name))
			keep(&kept, d);
	}
	err = work_is_taken(work) ? deploy_plan(work->hub->journal,
	    &work->deploy, &kept, &plan->directives) :
	    take(work, &kept);
	directives_release(&kept);
	return err;
}

const struct err *
work_plan(struct work *work)
{
	const struct err *err;

	err = repo_commit_read(work->repo, work->deploy.commit,
	    &work->commit);
	if (err == NULL)
		err = collect_directives(work);
	if (err == NULL)
		err = make_plan(work);
	return err;
}

const struct err *
work_write_plan(struct work *work)
{
	const struct err *err;

	free(work->deploy.author);
	free(work->deploy.subject);
	work->deploy.author = xstrdup(work->commit.author);
	work->deploy.subject = xstrdup(work->commit.subject);
	err = write_plan(work);
	if (err == NULL) {
		report_directives(work);
		warn_of_cuts(work);
		warn_of_leaving(work);
	}
	return err;
}
