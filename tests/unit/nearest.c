/*
 * nearest - typos, and words that are none.
 */
#include "nearest.h"

#include <string.h>

#include "tap.h"

int
main(void)
{
	static const char *const words[] = {
		"updb", "cc", "restart", "deploy", "rollback"
	};
	static const struct {
		const char *typo;
		const char *want;	/* NULL: nothing is near */
	} cases[] = {
		{ "updb",      "updb" },
		{ "udpb",      "updb" },	/* swapped */
		{ "upd",       "updb" },	/* one is missing */
		{ "updbb",     "updb" },	/* one too many */
		{ "opdb",      "updb" },	/* another one */
		{ "c",	       "cc" },
		{ "ccc",       "cc" },
		{ "dd",	       NULL },
		{ "restrat",   "restart" },
		{ "rolback",   "rollback" },
		{ "xyzzy",     NULL },
		{ "",	       NULL },
		{ "deployment", "deploy" },
		{ "deployments-of-friday", NULL },
	};
	char long_word[NEAREST_MAX + 2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(nearest_word(cases[i].typo, words, 5), cases[i].want,
		    "'%s'", cases[i].typo);
	memset(long_word, 'a', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	is_str(nearest_word(long_word, words, 5), NULL, "a very long word");
	is_str(nearest_word("updb", words, 0), NULL, "no candidates");
	return tap_done();
}
