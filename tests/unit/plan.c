#include "plan/plan.h"

#include <string.h>
#include <time.h>

#include "plan/capitals.h"
#include "tap.h"

static const char text[] =
    "[app]\nroot = /a\n[environment p]\nbranch = m\n"
    "[environment q]\nbranch = m\nroot = /q\n"
    "[host h]\nenvironment = p\nroles = web\n"
    "[action cc]\nphase = clear\ndirective = cc\nrun = x\nonce = yes\n"
    "[action up]\nphase = migrate\ndirective = up\nrun = x\n"
    "[action up2]\nphase = migrate\ndirective = up\nrun = x\n"
    "[action js]\nphase = build\nwhen = changed js/*\nrun = x\n"
    "[action al]\nphase = test\nrun = x\nrole = web\n"
    "[action qq]\nphase = test\ndirective = qq\nenvironment = q\nrun = x\n"
    "[action db]\nphase = test\ndirective = db\nrole = db\nrun = x\n";

static const struct {
	const char *environment, *words, *changed;	/* NULL: everything */
	const char *items, *directives, *unknown;
} cases[] = {
	{ "p", "", "", "al", "", "" },
	{ "p", "", NULL, "js al", "", "" },
	{ "p", "", "js/a/b.js", "js al", "", "" },
	{ "p", "", "php/js/x", "al", "", "" },
	{ "p", "up", "", "al up up2", "up", "" },
	{ "p", "up cc", "", "al up up2 cc", "cc up", "" },
	{ "p", "pu skip", "", "al", "",
	    "-pu- (c123456): no action takes it; did you mean -up-?" },
	{ "p", "skipp", "", "al", "",
	    "-skipp- (c123456): no action takes it; did you mean -skip-?" },
	{ "p", "skip", "", "al", "", "" },
	{ "p", "zzzzz", "", "al", "",
	    "-zzzzz- (c123456): no action takes it" },
	{ "q", "qq", "", "al qq", "qq", "" },
	{ "p", "qq", "", "al", "", "-qq- (c123456): no action takes it here,"
	    " but one of q does" },
};

static void
test_case(const struct config *config, size_t i)
{
	struct directives list = DIRECTIVES_INIT;
	struct vec words = VEC_INIT, changed = VEC_INIT;
	struct str items = STR_INIT, known = STR_INIT, unknown = STR_INIT;
	struct plan plan;

	vec_split(&words, cases[i].words, " ");
	for (size_t k = 0; k < words.n; k++)
		directives_add(&list, words.v[k], "", "c123456789",
		    "message");
	if (cases[i].changed != NULL)
		vec_split(&changed, cases[i].changed, " ");
	is_ok(plan_make(&plan, config, config_environment(config,
	    cases[i].environment), &list, cases[i].changed == NULL ? NULL :
	    &changed), "case %zu", i);
	for (size_t k = 0; k < plan.n_items; k++)
		str_addf(&items, "%s%s", k > 0 ? " " : "",
		    plan.items[k].action->name);
	vec_join(&plan.directives, " ", &known);
	for (size_t k = 0; k < plan.unknown.n; k++)
		unknown_text(&unknown, &plan.unknown.v[k]);
	is_str(items.s, cases[i].items, "case %zu: actions", i);
	is_str(known.s, cases[i].directives, "case %zu: directives", i);
	is_str(unknown.s, cases[i].unknown, "case %zu: unknown", i);
	plan_release(&plan);
	directives_release(&list);
	vec_release(&words);
	vec_release(&changed);
	str_release(&items);
	str_release(&known);
	str_release(&unknown);
}

static void
test_arguments(const struct config *config)
{
	const struct environment *env = config_environment(config, "p");
	struct directives list = DIRECTIVES_INIT;
	struct plan plan;

	directives_add(&list, "cc", "b", "c1", "message");
	directives_add(&list, "cc", "a", "c2", "message");
	directives_add(&list, "cc", "b", "c3", "message");
	is_ok(plan_make(&plan, config, env, &list, NULL), "arguments");
	is_str(plan.items[plan.n_items - 1].argument, "b a", "each once");
	is_int(plan.items[plan.n_items - 1].why, WHEN_ASKED, "asked for");
	ok(plan.items[plan.n_items - 1].hosts[0], "once: the first host");
	plan_release(&plan);
	directives_add(&list, "db", "", "c1", "message");
	is_err(plan_make(&plan, config, env, &list, NULL), ERR_CONFIG,
	    "role 'db', which no host of 'p' has", "a role nobody has");
	is_int((int64_t)plan.n_items, 0, "nothing is half planned");
	directives_release(&list);
}

static void
test_alike(const struct config *config)
{
	const struct environment *env = config_environment(config, "p");
	struct directives list = DIRECTIVES_INIT, capitals = DIRECTIVES_INIT;
	struct str told = STR_INIT;
	struct plan plan;

	directives_add(&list, "nosuch", "", "c3333333", "message");
	directives_add(&list, "other", "", "", "option");
	directives_add(&list, "nosuch", "", "c2222222", "message");
	directives_add(&list, "nosuch", "again", "c2222222", "message");
	directives_add(&list, "nosuch", "", "", "option");
	directives_add(&list, "late", "", "", "option");
	directives_add(&list, "late", "", "c1111111", "message");
	directives_add(&capitals, "CC", "", "c1111111", "message");
	directives_add(&capitals, "NASA", "", "c1111111", "message");
	is_ok(plan_make(&plan, config, env, &list, NULL), "unknown ones");
	unknown_find_capitals(&plan.unknown, config, env, &capitals);
	for (size_t i = 0; i < plan.unknown.n; i++) {
		unknown_text(&told, &plan.unknown.v[i]);
		str_addch(&told, '\n');
	}
	unknown_add_rest(&told, &plan.unknown);
	is_str(told.s, "-nosuch- (2 commits, the last c333333): no action"
	    " takes it\n-other-: no action takes it\n"
	    "-late- (c111111): no action takes it\n"
	    "-CC- (c111111): no action takes it; did you mean -cc-?\n",
	    "are told once each");
	str_release(&told);
	plan_release(&plan);
	directives_release(&list);
	directives_release(&capitals);
}

/* Of a great many the first are told, in time, and the others counted. */
static void
test_many(const struct config *config)
{
	const struct environment *env = config_environment(config, "p");
	struct directives list = DIRECTIVES_INIT, capitals = DIRECTIVES_INIT;
	struct str message = STR_INIT, told = STR_INIT;
	clock_t start = clock();
	struct plan plan;

	for (int i = 0; i < 100000; i++)
		str_addf(&message, "-d%d- -D%d- -CC:%d- ", i, i, i);
	is_ok(directives_scan(&list, message.s, "c1"), "100000 directives");
	capitals_scan(&capitals, message.s, "c1");
	is_ok(plan_make(&plan, config, env, &list, NULL), "and their plan");
	unknown_find_capitals(&plan.unknown, config, env, &capitals);
	ok(clock() - start < 10 * CLOCKS_PER_SEC, "quick");
	is_int((int64_t)plan.unknown.n, UNKNOWN_MAX, "the first are told");
	is_str(plan.unknown.v[0].directive->name, "d0", "in their order");
	is_int((int64_t)capitals.n, 1, "of what is there in lower case none"
	    " is one in capitals");
	unknown_add_rest(&told, &plan.unknown);
	is_str(told.s, "and 99981 more that no action takes", "the others");
	plan_release(&plan);
	directives_release(&list);
	directives_release(&capitals);
	str_release(&message);
	str_release(&told);
}

int
main(void)
{
	struct config *config;

	if (is_ok(config_parse(&config, "s.ini", text, strlen(text)),
	    "config")) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			test_case(config, i);
		test_arguments(config);
		test_alike(config);
		test_many(config);
		config_free(config);
	}
	return tap_done();
}
