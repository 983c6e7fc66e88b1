/*
 * A whole message with its trailers, by git's rules: all that its text asks
 * for comes first, and a block of trailers behind it is always read.
 */
#include <assert.h>
#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan/directive.h"
#include "repo.h"

/* It is started and ended with each use otherwise, which takes its time. */
static void __attribute__((constructor))
start_library(void)
{
	git_libgit2_init();
}

static void
check_order(const struct directives *all, const char *text)
{
	struct directives prose = DIRECTIVES_INIT;

	directives_scan_text(&prose, text, "c");
	assert(prose.n <= all->n);
	for (size_t i = 0; i < all->n; i++) {
		if (i < prose.n) {
			assert(strcmp(all->v[i].name, prose.v[i].name) == 0);
			continue;
		}
		assert(strcmp(all->v[i].source, "trailer") == 0);
		assert(all->v[i].name[0] != '\0');
	}
	directives_release(&prose);
}

/* Each is one line, a key before its colon. */
static void
check_trailers(const char *text)
{
	struct vec trailers = VEC_INIT;

	assert(repo_trailers(text, &trailers) == NULL);
	for (size_t i = 0; i < trailers.n; i++) {
		const char *colon = strchr(trailers.v[i], ':');

		assert(colon != NULL && colon != trailers.v[i]);
		assert(strchr(trailers.v[i], '\n') == NULL);
	}
	vec_release(&trailers);
}

/* What is behind a line of dashes, and behind a comment, is not git's. */
static bool
is_plain(const char *text)
{
	return strstr(text, "---") == NULL && strchr(text, '#') == NULL;
}

static void
check_block(const char *text)
{
	struct directives list = DIRECTIVES_INIT;
	struct str whole = STR_INIT;

	str_addf(&whole, "x%s\n\nDeploy: fuzz_a, fuzz_b:1\n", text);
	assert(directives_scan(&list, whole.s, "c") == NULL);
	assert(directives_has(&list, "fuzz_a"));
	assert(directives_has(&list, "fuzz_b"));
	directives_release(&list);
	str_release(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct directives list = DIRECTIVES_INIT;
	char *text = fuzz_string(data, size);

	assert(directives_scan(&list, text, "c") == NULL);
	check_order(&list, text);
	check_trailers(text);
	if (is_plain(text))
		check_block(text);
	directives_release(&list);
	free(text);
	return 0;
}
