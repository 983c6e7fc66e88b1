#include "deploy/forecast.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/work.h"

/* Commits that are named; the others are counted. */
#define COMMITS_MAX 20

struct commits {
	struct str *out;
	size_t n;
};

static void
add_text(struct str *out, const char *text)
{
	str_add_visible(out, text, strlen(text));
}

static const struct err *
add_commit(const struct repo_commit *commit, void *ctx)
{
	struct commits *commits = ctx;

	if (commits->n++ >= COMMITS_MAX)
		return NULL;
	str_addf(commits->out, "    %.7s ", commit->oid);
	add_text(commits->out, commit->subject);
	str_addch(commits->out, '\n');
	return NULL;
}

static void
add_live(struct str *out, const struct deploy *live)
{
	if (live->number == 0) {
		str_add(out, "  live now: nothing\n");
		return;
	}
	str_addf(out, "  live now: release %s, %.7s ", live->release,
	    live->commit);
	add_text(out, live->subject == NULL ? "" : live->subject);
	str_addch(out, '\n');
}

static const struct err *
add_commits(struct str *out, const struct work *work)
{
	const char *hidden[1] = { work->live_commit };
	struct str lines = STR_INIT;
	struct commits commits = { &lines, 0 };
	const struct err *err;

	err = repo_walk(work->repo, work->deploy.commit, hidden,
	    work->live_commit[0] == '\0' ? 0 : 1, add_commit, &commits);
	str_addf(out, "  commits that go live: %zu\n", commits.n);
	str_add_bytes(out, lines.s, lines.len);
	if (commits.n > COMMITS_MAX)
		str_addf(out, "    and %zu more\n",
		    commits.n - COMMITS_MAX);
	str_release(&lines);
	return err;
}

static void
add_directives(struct str *out, const struct work *work)
{
	for (size_t i = 0; i < work->directives.n; i++) {
		const struct directive *d = &work->directives.v[i];

		if (strcmp(d->name, DIRECTIVE_SKIP) == 0)
			continue;
		str_addf(out, "  directive -%s", d->name);
		if (d->argument[0] != '\0') {
			str_addch(out, ':');
			add_text(out, d->argument);
		}
		if (d->commit[0] == '\0')
			str_add(out, "- asked for by hand\n");
		else
			str_addf(out, "- of %.7s\n", d->commit);
	}
	for (size_t i = 0; i < work->plan.n_unknown; i++) {
		str_add(out, "  warning: ");
		plan_unknown_text(out, &work->plan.unknown[i]);
		str_addch(out, '\n');
	}
}

static void
add_actions(struct str *out, const struct work *work)
{
	if (work->plan.n_items == 0)
		str_add(out, "  no action runs\n");
	for (size_t i = 0; i < work->plan.n_items; i++) {
		const struct plan_item *item = &work->plan.items[i];

		str_addf(out, "  %-11s  %s: ", phase_name(item->action->phase),
		    item->action->name);
		add_text(out, item->action->run);
		str_addch(out, '\n');
	}
}

static const struct err *
add_all(struct str *out, struct work *work)
{
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(work->hub->journal, work->env->name, &live);
	if (err == NULL && live.number != 0)
		memcpy(work->live_commit, live.commit,
		    sizeof(work->live_commit));
	if (err == NULL)
		err = work_plan(work, false);
	if (err == NULL) {
		str_addf(out, "%s: a deploy of %.7s would do this; nothing is"
		    " done now\n", work->env->name, work->deploy.commit);
		add_live(out, &live);
		err = add_commits(out, work);
	}
	if (err == NULL) {
		add_directives(out, work);
		add_actions(out, work);
	}
	deploy_release(&live);
	return err;
}

const struct err *
forecast_add(struct str *out, const struct hub *hub,
    const struct environment *env, const char *commit,
    const struct directives *options)
{
	struct work work = { .hub = hub, .env = env };
	const struct err *err;

	work.deploy = (struct deploy)DEPLOY_INIT;
	work.deploy.environment = xstrdup(env->name);
	work.deploy.commit = xstrdup(commit);
	/* Younger than all that waits: what they asked for comes, too. */
	work.deploy.number = INT64_MAX;
	for (size_t i = 0; i < options->n; i++)
		directives_add(&work.directives, options->v[i].name,
		    options->v[i].argument, "", "option");
	err = repo_open(&work.repo, hub->path, false);
	if (err == NULL)
		err = add_all(out, &work);
	work_close(&work);
	return err;
}
