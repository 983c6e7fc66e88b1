#include "report/current.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/store.h"
#include "report/line.h"

#define RELEASES "releases/"

static bool
is_release(const char *target)
{
	return str_starts_with(target, RELEASES) &&
	    store_is_release(target + strlen(RELEASES));
}

static bool
has_release(const char *root, const struct deploy *live)
{
	char *path = xasprintf("%s/" RELEASES "%s", root, live->release);
	bool has = file_exists(AT_FDCWD, path);

	free(path);
	return has;
}

/* How it comes back when there is nothing in its place. */
static void
add_way_back(struct str *fault, const char *root, const struct deploy *live,
    const char *which)
{
	if (live->number != 0 && has_release(root, live))
		str_addf(fault, "slipway resume%s puts it back", which);
	else
		str_addf(fault, "slipway deploy%s makes it anew", which);
}

static void
add_strange(struct str *fault, const char *path, const char *target)
{
	str_addf(fault, "%s points to %s, which is no release of this root;"
	    " rm ", path, target);
	line_word(fault, path);
	str_add(fault, ", then ");
}

/* False when that is all there is to say. */
static bool
add_unreadable(struct str *fault, const char *path,
    const struct deploy *live, const struct err *err)
{
	if (err->sys_errno == ENOENT && live->number == 0)
		return false;
	if (err->sys_errno == ENOENT) {
		str_addf(fault, "%s is not there; ", path);
	} else if (err->sys_errno == EINVAL) {
		str_addf(fault, "%s is not a symlink; move it away, then ",
		    path);
	} else {
		str_add(fault, err->text);
		return false;
	}
	return true;
}

void
current_look(struct str *fault, struct str *target, const char *root,
    const struct deploy *live, const char *which)
{
	char *path = path_join(root, "current");
	const struct err *err = file_readlink(target, AT_FDCWD, path);
	bool lost = false;

	if (err != NULL) {
		lost = add_unreadable(fault, path, live, err);
	} else if (!is_release(target->s)) {
		add_strange(fault, path, target->s);
		lost = true;
	} else if (live->number == 0) {
		str_addf(fault, "%s points to %s, which the journal does not"
		    " know; slipway deploy%s makes a release that it knows",
		    path, target->s, which);
	} else if (strcmp(target->s + strlen(RELEASES), live->release) != 0) {
		str_addf(fault, "%s points to %s; slipway deploy%s turns it",
		    path, target->s, which);
	} else if (access(path, F_OK) == -1) {
		str_addf(fault, "%s points to what is gone; slipway deploy%s"
		    " makes it anew", path, which);
	}
	if (lost)
		add_way_back(fault, root, live, which);
	free(path);
}
