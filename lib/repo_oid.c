/*
 * Apart from the rest, so that a program that only looks at names does not
 * load libgit2.
 */
#include "repo.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

bool
repo_is_oid(const char *text)
{
	return strlen(text) == REPO_OID_SIZE - 1 &&
	    strspn(text, "0123456789abcdef") == REPO_OID_SIZE - 1;
}

bool
repo_is_zero(const char *oid)
{
	return strcmp(oid, REPO_ZERO_OID) == 0;
}

/* git lets no control character and no space into the name of a ref. */
static bool
is_printable(const char *ref)
{
	for (; *ref != '\0'; ref++) {
		if ((unsigned char)*ref <= ' ' || *ref == 0x7f)
			return false;
	}
	return true;
}

bool
repo_split_move(struct vec *words, const char *line, size_t len)
{
	char *copy = xstrndup(line, len);

	vec_split(words, copy, " ");
	free(copy);
	return words->n == 3 && repo_is_oid(words->v[0]) &&
	    repo_is_oid(words->v[1]) && is_printable(words->v[2]) &&
	    len == 2 * REPO_OID_SIZE + strlen(words->v[2]);
}
