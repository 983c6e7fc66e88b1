#include "report/pattern.h"

#include <string.h>

#include "journal_fixture.h"

/* 2026-11-20 10:14:58.120 UTC. */
#define AT INT64_C(1795169698120)

static const struct {
	const char *pattern, *want;
} lines[] = {
	{ "", "\n" },
	{ "plain", "plain\n" },
	{ "{deploy}", "1\n" },
	{ "<{deploy}><{state}>", "<1><failed>\n" },
	{ "{{", "{\n" },
	{ "}}", "}\n" },
	{ "{{deploy}}", "{deploy}\n" },
	{ "{{{deploy}}}", "{1}\n" },
	{ "{commit}", COMMIT "\n" },
	{ "{short}", "1a2b3c4\n" },
	{ "{ref}{release}{previous}{error}{author}", "\n" },
	{ "{push}{superseded_by}", "\n" },
	{ "{prepare_ms}/{window_ms}", "0/\n" },
	{ "{requested_at}/{started_at}", "2026-11-20T10:14:58.120Z/\n" },
	{ "{subject}\t{kind}", "a\\x0ab\\x1b[2J\tdeploy\n" },
	{ "{directives}", "cc updb\n" },
	{ "%s%n", "%s%n\n" },
	{ "{deploy}\\t{kind}\\n", "1\tdeploy\n\n" },
	{ "\\\\t\\x\\", "\\t\\x\\\n" },
};

static const struct {
	const char *pattern, *want;
} faults[] = {
	{ "{", "a '{' stands alone; write {deploy}, or '{{'" },
	{ "}", "a '}' stands alone" },
	{ "{deploy", "a '{' stands alone" },
	{ "{deploy{", "a '{' stands alone" },
	{ "{{}", "a '}' stands alone" },
	{ "{}", "there is no {}; there are {deploy} {environment}" },
	{ "{depoly}", "there is no {depoly}; did you mean {deploy}?" },
	{ "{ deploy}", "there is no { deploy}" },
	{ "{deploy}{statee}", "did you mean {state}?" },
};

static void
test_lines(void)
{
	struct journal *journal = fixture_journal("pattern.db");
	struct directives options = DIRECTIVES_INIT, both = DIRECTIVES_INIT;
	struct deploy deploy = DEPLOY_INIT;
	struct vec known = VEC_INIT;

	fixture_request(journal, "p", &options);
	is_ok(deploy_take(journal, "p", &deploy), "taken");
	directives_add(&both, "updb", "", COMMIT, "message");
	directives_add(&both, "updb", "", "", "option");
	directives_add(&both, "cc", "", COMMIT, "message");
	directives_add(&both, "nobody", "", COMMIT, "message");
	vec_push(&known, "updb");
	vec_push(&known, "cc");
	deploy.release = xstrdup("20261120101500");
	is_ok(deploy_plan(journal, &deploy, &both, &known), "planned");
	free(deploy.release);
	free(deploy.author);
	free(deploy.subject);
	deploy.release = deploy.author = NULL;
	deploy.subject = xstrdup("a\nb\033[2J");
	deploy.state = DEPLOY_FAILED;
	deploy.requested_at = AT;
	deploy.started_at = 0;
	deploy.prepare_ms = 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct str out = STR_INIT;

		is_ok(pattern_check(lines[i].pattern), "'%s' is good",
		    lines[i].pattern);
		is_ok(pattern_add(&out, lines[i].pattern, journal, &deploy),
		    "and a line");
		is_str(out.s, lines[i].want, "which is");
		str_release(&out);
	}
	deploy_release(&deploy);
	directives_release(&both);
	vec_release(&known);
	journal_close(journal);
}

int
main(void)
{
	struct str names = STR_INIT;

	test_lines();
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		is_err(pattern_check(faults[i].pattern), ERR_USAGE,
		    faults[i].want, "'%s'", faults[i].pattern);
	pattern_names(&names);
	is_ok(pattern_check(names.s), "all that there are");
	str_release(&names);
	return tap_done();
}
