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

/* One folder of a name, or its end. */
static bool
is_part(const char *part, size_t len)
{
	static const char lock[] = ".lock";
	size_t n = strlen(lock);

	return len > 0 && part[0] != '.' && (len < n ||
	    strncmp(part + len - n, lock, n) != 0);
}

bool
repo_is_ref(const char *name)
{
	if (strncmp(name, "refs/", strlen("refs/")) != 0 ||
	    !is_printable(name) || strpbrk(name, "~^:?*[\\") != NULL ||
	    strstr(name, "..") != NULL || strstr(name, "@{") != NULL)
		return false;
	for (;;) {
		size_t len = strcspn(name, "/");

		if (!is_part(name, len))
			return false;
		if (name[len] == '\0')
			return name[len - 1] != '.';
		name += len + 1;
	}
}
