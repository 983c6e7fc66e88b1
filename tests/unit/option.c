#include "plan/option.h"

#include <stddef.h>
#include <string.h>

#include "plan/config.h"
#include "tap.h"

static void
test_table(void)
{
	size_t n;
	const struct option *rows = option_table(&n);
	struct str type = STR_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct option *row = &rows[i];

		ok(strlen(row->help) <= 62 &&
		    row->help[strlen(row->help) - 1] != '.',
		    "%s: help is one line without a period", row->key);
		ok(row->example != NULL || row->otherwise != NULL,
		    "%s: there is a value to show", row->key);
		option_add_type(&type, row);
		ok(type.len > 0, "%s: its type has words", row->key);
		str_clear(&type);
		for (unsigned int s = 1; s <= SECTION_ACTION; s *= 2) {
			if ((row->sections & s) != 0)
				ok(option_find(s, row->key) == row,
				    "%s: found in [%s]", row->key,
				    option_section_name(s));
		}
	}
	str_release(&type);
	ok(option_find(SECTION_APP, "run") == NULL, "run is not for [app]");
	ok(option_find(SECTION_HOST, "env.A") == NULL, "nor env for hosts");
	is_str(option_find(SECTION_ACTION, "env.A")->key, "env.", "env.NAME");
	is_str(option_nearest(SECTION_ACTION, "fase"), "phase", "fase");
	is_str(option_nearest(SECTION_APP, "kepe"), "keep", "a swap");
	ok(option_nearest(SECTION_APP, "phase") == NULL, "not in [app]");
}

/* Take the "; " away from every line that has it. */
static void
uncomment(struct str *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n") + 1;
		size_t skip = str_starts_with(text, "; ") ? 2 : 0;

		str_add_bytes(out, text + skip, len - skip);
		text += len;
	}
}

static void
test_sample(const char *environment, size_t n_actions)
{
	struct str sample = STR_INIT, all = STR_INIT;
	struct config *config;
	const struct option *rows;
	size_t n;

	option_sample(&sample, "shop", "/srv/shop", environment, "main",
	    false);
	for (const char *p = sample.s; *p != '\0'; p += strcspn(p, "\n") + 1)
		ok(strcspn(p, "\n") <= 80, "80 columns: %.20s",
		    *p == '#' ? "comment" : "line");
	if (is_ok(config_parse(&config, "s.ini", sample.s, sample.len),
	    "the sample parses as it stands")) {
		is_str(config->app.app, "shop", "name");
		is_str(config->environments[0].name, environment, "name");
		is_str(config->environments[0].branch, "main", "branch");
		is_str(config->environments[0].set.root, "/srv/shop", "root");
		is_int((int64_t)config->n_environments, 1, "nothing else");
		is_int((int64_t)config->n_actions, 0, "no action");
		config_free(config);
	}
	uncomment(&all, sample.s);
	if (is_ok(config_parse(&config, "s.ini", all.s, all.len),
	    "and with every key set")) {
		is_int((int64_t)config->n_environments, 2, "environments");
		is_int((int64_t)config->n_hosts, 1, "hosts");
		is_int((int64_t)config->n_actions, (int64_t)n_actions,
		    "actions");
		config_free(config);
	}
	rows = option_table(&n);
	for (size_t i = 0; i < n; i++) {
		ok(strstr(sample.s, rows[i].key) != NULL &&
		    strstr(sample.s, rows[i].help) != NULL,
		    "%s is in the sample", rows[i].key);
	}
	str_release(&sample);
	str_release(&all);
}

int
main(void)
{
	test_table();
	test_sample("production", 8);
	test_sample("staging", 8);
	return tap_done();
}
