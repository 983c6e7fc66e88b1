#include "plan/explain.h"

#include <string.h>

#include "tap.h"

static const char text[] =
    "[app]\n"				/* 1 */
    "root = /srv/a\n"
    "keep = 3\n"
    "env.A = app\n"
    "env.B = app\n"
    "[environment p]\n"
    "branch = main\n"
    "env.A = own\n"
    "[environment q]\n"
    "branch = dev\n"			/* 10 */
    "root = /srv/q\n"
    "[host h]\n"
    "environment = q\n"
    "[action a]\n"
    "phase = test\n"
    "run = one two\n"
    "[action b]\n"
    "phase = test\n"
    "run = x\n"
    "environment = q\n"
    "directive = b\n";

/* "value source line", by "kind section key". */
static const struct {
	const char *environment, *kind, *section, *key, *want;
} cases[] = {
	{ NULL, "app", "", "keep", "3 line 3" },
	{ NULL, "app", "", "keep_failed", "1 default 0" },
	{ NULL, "app", "", "name", "a others 0" },
	{ NULL, "app", "", "shared", "- none 0" },
	{ NULL, "app", "", "env.A", "app line 4" },
	{ NULL, "environment", "p", "keep", "3 app 3" },
	{ NULL, "environment", "p", "root", "/srv/a app 2" },
	{ NULL, "environment", "p", "branch", "main line 7" },
	{ NULL, "environment", "p", "env.A", "own line 8" },
	{ NULL, "environment", "p", "env.B", "app app 5" },
	{ NULL, "environment", "q", "root", "/srv/q line 11" },
	{ NULL, "environment", "p", "name", NULL },
	{ NULL, "host", "h", "roles", "- none 0" },
	{ NULL, "action", "a", "run", "one two line 16" },
	{ NULL, "action", "a", "when", "always others 0" },
	{ NULL, "action", "b", "when", "- none 0" },
	{ NULL, "action", "b", "timeout", "10m default 0" },
	{ "p", "app", "", "keep", NULL },
	{ "p", "environment", "q", "keep", NULL },
	{ "p", "environment", "p", "keep", "3 app 3" },
	{ "p", "host", "h", "roles", NULL },
	{ "q", "host", "h", "roles", "- none 0" },
	{ "p", "action", "a", "run", "one two line 16" },
	{ "p", "action", "b", "run", NULL },
	{ "q", "action", "b", "run", "x line 19" },
};

struct wanted {
	size_t i;
	struct str got;
	int times;
};

static void
take(const struct explained *explained, void *ctx)
{
	struct wanted *wanted = ctx;

	if (strcmp(option_section_name(explained->kind),
	    cases[wanted->i].kind) != 0 ||
	    strcmp(explained->section, cases[wanted->i].section) != 0 ||
	    strcmp(explained->key, cases[wanted->i].key) != 0)
		return;
	wanted->times++;
	str_clear(&wanted->got);
	str_addf(&wanted->got, "%s %s %d", explained->value == NULL ? "-" :
	    explained->value, explain_source_name(explained->source),
	    explained->line);
}

static void
test_clone(void)
{
	static const char own[] = "[app]\nenv.X = y\n[action a]\n"
	    "phase = test\nrun = x\n";
	static const char server[] = "[environment p]\nroot = /a\n"
	    "branch = main\n[action a]\nphase = test\nrun = x\n";
	static const char wrong[] = "[action a]\nphase = tset\nrun = x\n";
	struct config *config;

	is_ok(config_parse_clone(&config, "c", own, strlen(own), "/home/w"),
	    "actions alone");
	is_str(config->environments[0].name, "clone", "an environment");
	is_str(config->environments[0].set.root, "/home/w", "its root");
	is_str(config->environments[0].set.env.v[0], "X=y", "of [app]");
	config_free(config);
	is_ok(config_parse_clone(&config, "c", server, strlen(server), "/w"),
	    "a server's file");
	is_int((int)config->n_environments, 1, "has its own");
	is_str(config->environments[0].name, "p", "which stays");
	config_free(config);
	is_err(config_parse_clone(&config, "c", wrong, strlen(wrong), "/w"),
	    ERR_CONFIG, "c:2: phase = tset", "a fault has its line");
	is_err(config_parse(&config, "c", own, strlen(own)), ERR_CONFIG,
	    "no environment", "a server needs one");
}

int
main(void)
{
	struct config *config;

	if (!is_ok(config_parse(&config, "c.ini", text, strlen(text)),
	    "the config"))
		return tap_done();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wanted wanted = { i, STR_INIT, 0 };

		explain(config, cases[i].environment == NULL ? NULL :
		    config_environment(config, cases[i].environment), take,
		    &wanted);
		is_int(wanted.times, cases[i].want != NULL, "%s %s %s: once",
		    cases[i].kind, cases[i].section, cases[i].key);
		is_str(wanted.got.s, cases[i].want == NULL ? "" :
		    cases[i].want, "and what");
		str_release(&wanted.got);
	}
	config_free(config);
	test_clone();
	return tap_done();
}
