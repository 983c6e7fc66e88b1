/*
 * vec - a list of strings that owns them.
 */
#include "vec.h"

#include <string.h>

#include "alloc.h"
#include "tap.h"

static void
is_joined(const struct vec *vec, const char *want, const char *what)
{
	struct str out = STR_INIT;

	vec_join(vec, "|", &out);
	is_str(out.s, want, "%s", what);
	ok(vec->v == NULL || vec->v[vec->n] == NULL, "a NULL ends it");
	str_release(&out);
}

static void
test_pushing(void)
{
	struct vec vec = VEC_INIT, copy = VEC_INIT;

	is_joined(&vec, "", "an empty list");
	ok(!vec_has(&vec, ""), "has nothing");
	for (int i = 0; i < 20; i++)
		vec_pushf(&vec, "%d", 19 - i);
	is_int((int64_t)vec.n, 20, "it grows");
	ok(vec_has(&vec, "7") && !vec_has(&vec, "20"), "and is searched");
	ok(!vec_push_new(&vec, "7"), "what is there is not added");
	ok(vec_push_new(&vec, "x"), "what is not there is");
	vec_copy(&copy, &vec);
	vec_release(&vec);
	ok(vec.v == NULL && vec.n == 0, "released");
	is_str(copy.v[20], "x", "a copy lives on");
	vec_clear(&copy);
	is_joined(&copy, "", "cleared");
	vec_push_take(&copy, xstrdup("given"));
	is_joined(&copy, "given", "a given string is kept");
	vec_release(&copy);
}

static void
test_splitting(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "", "" },
		{ "  ", "" },
		{ "a", "a" },
		{ " a  b, c ", "a|b|c" },
		{ ",,a,,b", "a|b" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vec vec = VEC_INIT;

		vec_split(&vec, cases[i].text, " ,");
		is_joined(&vec, cases[i].want, cases[i].text);
		vec_release(&vec);
	}
}

static void
test_sorting(void)
{
	struct vec vec = VEC_INIT;

	vec_sort(&vec);
	is_joined(&vec, "", "nothing to sort");
	ok(!vec_has_sorted(&vec, "a"), "or to find");
	vec_split(&vec, "b a C \xc3\xa9 a", " ");
	vec_sort(&vec);
	is_joined(&vec, "C|a|a|b|\xc3\xa9", "sorted by bytes");
	ok(vec_has_sorted(&vec, "C") && vec_has_sorted(&vec, "\xc3\xa9") &&
	    vec_has_sorted(&vec, "a") && !vec_has_sorted(&vec, "c") &&
	    !vec_has_sorted(&vec, ""), "and searched so");
	vec_release(&vec);
}

int
main(void)
{
	test_pushing();
	test_splitting();
	test_sorting();
	return tap_done();
}
