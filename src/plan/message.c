/*
 * Apart from directive.c, because git's own rules for trailers come with
 * libgit2, which a program that only watches does not load.
 */
#include <string.h>
#include <strings.h>

#include "plan/directive.h"
#include "repo.h"

static const struct err *
scan_trailers(struct directives *list, const char *message,
    const char *commit)
{
	static const char key[] = "Deploy:";
	struct vec trailers = VEC_INIT, words = VEC_INIT;
	const struct err *err = repo_trailers(message, &trailers);

	for (size_t i = 0; err == NULL && i < trailers.n; i++) {
		if (strncasecmp(trailers.v[i], key, strlen(key)) == 0)
			vec_split(&words, trailers.v[i] + strlen(key),
			    ", \t\r\n\v\f");
	}
	/* People write prose behind such keys, too: that asks for nothing. */
	for (size_t i = 0; i < words.n; i++)
		directives_add_word(list, words.v[i], commit, "trailer");
	vec_release(&words);
	vec_release(&trailers);
	return err;
}

const struct err *
directives_scan(struct directives *list, const char *message,
    const char *commit)
{
	directives_scan_text(list, message, commit);
	return scan_trailers(list, message, commit);
}
