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
	return facts->env->branch;
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

	add(request, "RELEASE", "%s/releases/%s", root, deploy->release);
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

const struct err *
facts_add(struct message *request, const struct facts *facts)
{
	const struct deploy *deploy = facts->deploy;
	char *backup = hub_backup_path(facts->hub, deploy->number);
	struct str directives = STR_INIT;
	const struct err *err;

	vec_join(facts->directives, " ", &directives);
	add(request, "APP", "%s", facts->env->set.app);
	add(request, "ENVIRONMENT", "%s", facts->env->name);
	add(request, "DEPLOY", "%" PRId64, deploy->number);
	add_places(request, facts);
	add_commit(request, facts);
	add(request, "PUSHER", "%s", deploy->pusher);
	add(request, "DIRECTIVES", "%.*s", FACTS_TEXT_MAX, directives.s);
	add(request, "ARGUMENT", "%.*s", FACTS_TEXT_MAX, facts->argument);
	add(request, "BACKUP_DIR", "%s", backup);
	if (facts->record != NULL)
		add(request, "RECORD", "%s", facts->record);
	add_config(request, &facts->env->set.env);
	if (facts->action != NULL)
		add_config(request, &facts->action->env);
	err = file_mkdirs(backup, 0700);
	str_release(&directives);
	free(backup);
	return err;
}
