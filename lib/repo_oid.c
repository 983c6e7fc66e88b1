/*
 * Apart from the rest, so that a program that only looks at names does not
 * load libgit2.
 */
#include <string.h>

#include "repo.h"

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
