/*
 * slipway doctor - what is wrong with a set-up, and what to do about it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "cmd/nearby.h"
#include "json.h"
#include "report/line.h"

static const struct {
	const char *name;
	const struct err *(*look)(struct doctor *doctor);
} checks[] = {
	{ "programs", doctor_programs },
	{ "packages", doctor_packages },
	{ "config",   doctor_config },
	{ "rights",   doctor_rights },
	{ "disk",     doctor_disk },
	{ "memory",   doctor_memory },
	{ "git",      doctor_git },
	{ "refs",     doctor_refs },
	{ "hooks",    doctor_hooks },
	{ "locks",    doctor_locks },
	{ "journal",  doctor_journal },
	{ "current",  doctor_current },
	{ "work",     doctor_work },
	{ "clock",    doctor_clock },
	{ "nginx",    doctor_nginx },
	{ "apache",   doctor_apache },
	{ "php",      doctor_php },
};

static const char *const levels[LEVEL_COUNT] = {
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_FAULT] = "fault",
};

char *
doctor_command(const char *before, const char *word, const char *after)
{
	struct str command = STR_INIT;

	str_add(&command, before);
	str_add_word(&command, word);
	str_add(&command, after);
	return str_detach(&command);
}

void
doctor_tell(struct doctor *doctor, enum level level, const char *where,
    const char *remedy, const char *fmt, ...)
{
	struct finding *finding;
	struct str what = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	doctor->findings = xreallocarray(doctor->findings, doctor->n + 1,
	    sizeof(*finding));
	finding = &doctor->findings[doctor->n++];
	finding->level = level;
	finding->check = doctor->check;
	finding->where = xstrdup(where);
	finding->what = str_detach(&what);
	finding->remedy = xstrdup_null(remedy);
}

const char *
doctor_without(const char *text, const char *where)
{
	const char *rest;

	if (!str_starts_with(text, where))
		return text;
	rest = text + strlen(where);
	if (str_starts_with(rest, ": "))
		return rest + 2;
	return *rest == ' ' ? rest + 1 : text;
}

/* "FILE:12" of a text about that file, given; NULL: it has no line. */
static char *
line_of(const char *text, const char *file)
{
	const char *digits = text + strlen(file) + 1;
	size_t n;

	if (!str_starts_with(text, file) || digits[-1] != ':')
		return NULL;
	n = strspn(digits, "0123456789");
	return n == 0 ? NULL : xstrndup(text, (size_t)(digits - text) + n);
}

void
doctor_tell_err(struct doctor *doctor, const char *where,
    const struct err *err)
{
	char *line = line_of(err->text, where);
	const char *at = line == NULL ? where : line;
	const char *text = doctor_without(err->text, at);
	const char *remedy = strstr(text, "; ");
	size_t len = remedy == NULL ? strlen(text) : (size_t)(remedy - text);

	doctor_tell(doctor, LEVEL_FAULT, at, remedy == NULL ? NULL :
	    remedy + 2, "%.*s", (int)len, text);
	free(line);
}

const struct err *
doctor_each(struct doctor *doctor, doctor_env_cb cb)
{
	const struct config *config = doctor->hub->config;
	const struct err *err = NULL;

	for (size_t i = 0; err == NULL && config != NULL &&
	    i < config->n_environments; i++) {
		const struct environment *env = &config->environments[i];

		if (doctor->only == NULL ||
		    strcmp(doctor->only, env->name) == 0)
			err = cb(doctor, env);
	}
	return err;
}

static void
look(struct doctor *doctor)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		const struct err *err;

		doctor->check = checks[i].name;
		err = checks[i].look(doctor);
		if (err != NULL)
			doctor_tell_err(doctor, doctor->hub->path, err);
	}
}

/* Worst first; of one level in the order of the checks. */
static void
add_lines(struct str *out, const struct doctor *doctor)
{
	for (int level = LEVEL_COUNT - 1; level >= 0; level--) {
		for (size_t i = 0; i < doctor->n; i++) {
			const struct finding *finding = &doctor->findings[i];

			if ((int)finding->level != level)
				continue;
			str_addf(out, "%s: ", levels[level]);
			line_text(out, finding->where);
			str_add(out, ": ");
			line_text(out, finding->what);
			str_addch(out, '\n');
			if (finding->remedy == NULL)
				continue;
			str_add(out, "    ");
			line_text(out, finding->remedy);
			str_addch(out, '\n');
		}
	}
}

static void
add_json(struct str *out, const struct doctor *doctor)
{
	struct json json = JSON_INIT(out);

	json.pretty = true;
	json_array(&json);
	for (size_t i = 0; i < doctor->n; i++) {
		const struct finding *finding = &doctor->findings[i];

		json_object(&json);
		json_key_string(&json, "level", levels[finding->level]);
		json_key_string(&json, "check", finding->check);
		json_key_string(&json, "where", finding->where);
		json_key_string(&json, "what", finding->what);
		json_key_string(&json, "remedy", finding->remedy);
		json_end(&json);
	}
	json_end(&json);
	str_addch(out, '\n');
}

static const struct err *
judge(const struct doctor *doctor)
{
	size_t n[LEVEL_COUNT] = { 0 };

	for (size_t i = 0; i < doctor->n; i++)
		n[doctor->findings[i].level]++;
	if (n[LEVEL_FAULT] + n[LEVEL_WARNING] > 0)
		return err_new(ERR_FAILED, "%zu fault%s, %zu warning%s",
		    n[LEVEL_FAULT], n[LEVEL_FAULT] == 1 ? "" : "s",
		    n[LEVEL_WARNING], n[LEVEL_WARNING] == 1 ? "" : "s");
	fprintf(stderr, "slipway: nothing is wrong\n");
	return NULL;
}

static const struct err *
print(const struct call *call, const struct doctor *doctor)
{
	struct str out = STR_INIT;
	const struct err *err;

	if (call->json)
		add_json(&out, doctor);
	else
		add_lines(&out, doctor);
	err = cmd_print(&out);
	str_release(&out);
	return err;
}

static void
release(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n; i++) {
		free(doctor->findings[i].where);
		free(doctor->findings[i].what);
		free(doctor->findings[i].remedy);
	}
	free(doctor->findings);
}

/* A name that the config does not have is a slip; a wrong config is not. */
static const struct err *
check_environment(const struct call *call)
{
	struct hub own = {
		.path = call->hub.path,
		.word = call->hub.word,
	};
	const struct environment *env;
	const struct err *err = NULL;

	if (call->environment != NULL && hub_config_read(&own) == NULL)
		err = hub_environment(&own, call->environment, &env);
	hub_forget_config(&own);
	return err;
}

static const struct err *
run_doctor(struct call *call)
{
	const char *etc = call_value(call, "etc");
	struct doctor doctor = {
		.hub = &call->hub,
		.etc = etc == NULL ? "/etc" : etc,
		.only = call->environment,
	};
	const struct err *err;

	err = nearby_open(&call->hub, call->dir);
	if (err == NULL)
		err = check_environment(call);
	if (err != NULL)
		return err;
	look(&doctor);
	err = print(call, &doctor);
	if (err == NULL)
		err = judge(&doctor);
	release(&doctor);
	return err;
}

static const struct cmd_option options[] = {
	{ 0, "etc", "DIR", "where nginx, apache2 and php are configured"
	    " (/etc)" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_doctor = {
	.name = "doctor",
	.words = "",
	.summary = "what is wrong with this set-up, and what to do about it",
	.help = "Look at versions, rights, room, git's configuration, hooks,"
	    " locks, the journal, what is live, the clock and the web"
	    " server, and tell what is wrong and what to do about it."
	    " Nothing is changed. Exits with 1 when there is a fault or a"
	    " warning.",
	.example = "sudo -u deploy slipway doctor -C /srv/shop.git",
	.json = true,
	.options = options,
	.environment_help = CMD_ALL_ENVIRONMENTS,
	.run = run_doctor,
};
