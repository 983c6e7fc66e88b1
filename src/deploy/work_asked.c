/*
 * What a deploy is asked for: the directives of what goes live with it, the
 * plan that is made of them, and what is said of both.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/facts.h"
#include "deploy/work.h"
#include "plan/capitals.h"

static const struct err *
scan_commit(const struct repo_commit *commit, void *ctx)
{
	struct work *work = ctx;

	capitals_scan(&work->capitals, commit->message, commit->oid);
	return directives_scan(&work->directives, commit->message,
	    commit->oid);
}

/*
 * What every commit that goes live asks for, and what options asked for. A
 * resumed deploy goes by what the journal has: its plan stays the same.
 */
static const struct err *
collect_directives(struct work *work)
{
	const char *hidden[1] = { work->live_commit };
	const struct err *err;

	if (work->resumed)
		return deploy_directives(work->hub->journal,
		    work->deploy.number, true, &work->directives);
	err = repo_walk(work->repo, work->deploy.commit, hidden,
	    work->live_commit[0] == '\0' ? 0 : 1, scan_commit, work);
	if (err != NULL)
		return err;
	return deploy_pending_directives(work->hub->journal, &work->deploy,
	    &work->directives);
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
		plan_add_capitals(&work->plan, work->hub->config,
		    &work->capitals);
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

const char *
work_action_of(const struct work *work, const char *directive)
{
	for (size_t i = 0; i < work->plan.n_items; i++) {
		const struct action *action = work->plan.items[i].action;

		if (action->directive != NULL &&
		    strcmp(action->directive, directive) == 0)
			return action->name;
	}
	return NULL;
}

static void
report(struct work *work, const struct directive *d, const char *nearest,
    size_t alike)
{
	event_add(work->log, "directive", "ssssssi", "name", d->name,
	    "argument", d->argument, "commit", d->commit, "source",
	    d->source, "action", work_action_of(work, d->name), "nearest",
	    nearest, "alike", (int64_t)alike);
}

/* Those that nothing takes, which may be in the whole history, once each. */
static void
report_directives(struct work *work)
{
	const struct plan *plan = &work->plan;

	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		if (vec_has(&plan->directives, d->name))
			report(work, d, NULL, 1);
	}
	for (size_t i = 0; i < plan->n_unknown; i++) {
		if (plan->unknown[i].alike > 0)
			report(work, plan->unknown[i].directive,
			    plan->unknown[i].nearest,
			    plan->unknown[i].alike);
	}
}

const struct err *
work_plan(struct work *work, bool write)
{
	const struct err *err;

	err = repo_commit_read(work->repo, work->deploy.commit,
	    &work->commit);
	if (err == NULL)
		err = collect_directives(work);
	if (err == NULL)
		err = make_plan(work);
	if (err != NULL || !write)
		return err;
	free(work->deploy.author);
	free(work->deploy.subject);
	work->deploy.author = xstrdup(work->commit.author);
	work->deploy.subject = xstrdup(work->commit.subject);
	err = deploy_plan(work->hub->journal, &work->deploy,
	    &work->directives, &work->plan.directives);
	if (err == NULL) {
		report_directives(work);
		warn_of_cuts(work);
	}
	return err;
}
