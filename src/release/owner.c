/*
 * Whose a root is. Two repositories with one root would take the site from
 * each other by turns, and clean up each other's releases.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "file.h"
#include "release/layout.h"
#include "release/store.h"

#define OWNER ".slipway/owner"

/* A path, a space, the name of an environment, a newline. */
#define OWNER_MAX_BYTES (PATH_MAX + 256)

static const struct err *
belongs_to(const struct store *store, const char *owner)
{
	const char *space = strrchr(owner, ' ');
	int len = space == NULL ? (int)strlen(owner) : (int)(space - owner);

	return err_new(ERR_CONFIG, "the root %s belongs to %.*s, environment"
	    " %s; choose another root in slipway.ini, or, if that has moved"
	    " or been renamed, remove %s/%s", store->root, len, owner,
	    space == NULL ? "?" : space + 1, store->root, OWNER);
}

static const struct err *
check(const struct store *store, const char *wanted)
{
	struct str found = STR_INIT;
	const struct err *err;

	err = file_read_at(&found, store->root_fd, OWNER, OWNER_MAX_BYTES);
	if (err == NULL && strcmp(found.s, wanted) != 0) {
		str_trim_end(&found);
		err = belongs_to(store, found.s);
	}
	str_release(&found);
	return err;
}

const struct err *
store_check_owner(const struct store *store, const char *repo,
    const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	const struct err *err = check(store, wanted);

	free(wanted);
	return err != NULL && err->sys_errno == ENOENT ? NULL : err;
}

const struct err *
store_claim(struct store *store, const char *repo, const char *environment)
{
	char *wanted = xasprintf("%s %s\n", repo, environment);
	const struct err *err = check(store, wanted);

	if (err != NULL && err->sys_errno == ENOENT)
		err = file_replace(store->root_fd, OWNER, wanted,
		    strlen(wanted), 0644);
	free(wanted);
	return err;
}
