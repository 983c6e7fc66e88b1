#include "deploy/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "str.h"

static void
add(struct message *request, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
add(struct message *request, const char *name, const char *fmt, ...)
{
	struct str line = STR_INIT;
	va_list ap;

	str_addf(&line, "SLIPWAY_%s=", name);
	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	message_add(request, "env", line.s);
	str_release(&line);
}

static const char *
branch_of(const struct facts *facts)
{
	const char *ref = facts->deploy->ref;

	if (ref != NULL && str_starts_with(ref, "refs/heads/"))
		return ref + strlen("refs/heads/");
	if (ref != NULL && str_starts_with(ref, "refs/tags/"))
		return ref + strlen("refs/tags/");
	return facts->env->branch == NULL ? "" : facts->env->branch;
}

static void
add_commit(struct message *request, const struct facts *facts)
{
	const struct repo_commit *commit = facts->commit;
	char date[CLOCK_ISO_SIZE];

	clock_iso(date, commit->committed_at);
	add(request, "COMMIT", "%s", commit->oid);
	add(request, "COMMIT_SHORT", "%.7s", commit->oid);
	add(request, "BRANCH", "%s", branch_of(facts));
	add(request, "AUTHOR", "%.*s", FACTS_TEXT_MAX, commit->author);
	add(request, "DATE", "%s", date);
	add(request, "MESSAGE", "%.*s", FACTS_TEXT_MAX, commit->message);
}

static void
add_places(struct message *request, const struct facts *facts)
{
	const struct deploy *deploy = facts->deploy;
	const char *root = facts->env->set.root;

	if (facts->folder != NULL)
		add(request, "RELEASE", "%s", facts->folder);
	else
		add(request, "RELEASE", "%s/releases/%s", root,
		    deploy->release);
	if (deploy->previous == NULL)
		add(request, "PREVIOUS", "%s", "");
	else
		add(request, "PREVIOUS", "%s/releases/%s", root,
		    deploy->previous);
	add(request, "CURRENT", "%s/current", root);
	add(request, "SHARED", "%s/shared", root);
}

static void
add_config(struct message *request, const struct vec *env)
{
	for (size_t i = 0; i < env->n; i++)
		message_add(request, "env", env->v[i]);
}

/* What a deploy has, once it has a number. */
static const struct err *
add_deploy(struct message *request, const struct facts *facts)
{
	int64_t number = facts->deploy->number;
	const struct err *err;
	char *backup;

	if (facts->folder != NULL)
		return NULL;
	backup = hub_backup_path(facts->hub, number);
	add(request, "DEPLOY", "%" PRId64, number);
	add(request, "BACKUP_DIR", "%s", backup);
	err = file_mkdirs(backup, 0700);
	free(backup);
	return err;
}

const struct err *
facts_add(struct message *request, const struct facts *facts)
{
	struct str directives = STR_INIT;
	const struct err *err;

	vec_join(facts->directives, " ", &directives);
	add(request, "APP", "%s", facts->env->set.app);
	add(request, "ENVIRONMENT", "%s", facts->env->name);
	err = add_deploy(request, facts);
	add_places(request, facts);
	add_commit(request, facts);
	add(request, "PUSHER", "%s", facts->deploy->pusher);
	add(request, "DIRECTIVES", "%.*s", FACTS_TEXT_MAX, directives.s);
	add(request, "ARGUMENT", "%.*s", FACTS_TEXT_MAX, facts->argument);
	if (facts->record != NULL)
		add(request, "RECORD", "%s", facts->record);
	add_config(request, &facts->env->set.env);
	if (facts->action != NULL)
		add_config(request, &facts->action->env);
	str_release(&directives);
	return err;
}
