#include "report/current.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "journal/release.h"
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

/*
 * What was live is to be live again: after a rollback, or a deploy that
 * failed, the branch has another commit. Where several refs are deployed
 * there is none that is meant.
 */
static void
add_deploy(struct str *fault, const struct current *current)
{
	str_add(fault, "slipway deploy");
	if (current->live->number != 0)
		str_addf(fault, " %.7s", current->live->commit);
	else if (current->several)
		str_add(fault, " REV");
	str_add(fault, current->which);
}

/* How it comes back when there is nothing in its place. */
static void
add_way_back(struct str *fault, const struct current *current)
{
	const struct deploy *live = current->live;
	const char *root = current->root;

	if (live->number != 0 && store_has(root, live->release)) {
		str_addf(fault, "slipway resume%s puts it back",
		    current->which);
		return;
	}
	add_deploy(fault, current);
	str_add(fault, " makes it anew");
}

static void
add_strange(struct str *fault, const char *path, const char *target)
{
	str_addf(fault, "%s points to %s, which is no release of this root;"
	    " rm ", path, target);
	str_add_word(fault, path);
	str_add(fault, ", then ");
}

/* The root may be another one than that of the live release. */
static void
add_absent(struct str *fault, const char *path,
    const struct current *current)
{
	const struct deploy *live = current->live;

	str_addf(fault, "%s is not there", path);
	if (!store_has(current->root, live->release))
		str_addf(fault, ", nor is release %s, which the journal has"
		    " live", live->release);
	str_add(fault, "; ");
	add_way_back(fault, current);
	if (!store_has(current->root, live->release))
		str_addf(fault, "; if root was changed in slipway.ini, move"
		    " the old folder to %s, or copy its shared/ there",
		    current->root);
}

static void
add_unreadable(struct str *fault, const char *path,
    const struct current *current, const struct err *err)
{
	if (err->sys_errno == ENOENT && current->live->number == 0)
		return;
	if (err->sys_errno == ENOENT) {
		add_absent(fault, path, current);
	} else if (err->sys_errno == EINVAL) {
		str_addf(fault, "%s is not a symlink; move it away, then ",
		    path);
		add_way_back(fault, current);
	} else {
		str_add(fault, err->text);
	}
}

/* A release that this environment has not made. */
static void
add_unknown(struct str *fault, const char *path, const char *target,
    const struct current *current)
{
	char *other = NULL;

	if (release_whose(current->journal, target + strlen(RELEASES),
	    &other) != NULL || other == NULL)
		str_addf(fault, "%s points to %s, which the journal does not"
		    " know; ", path, target);
	else
		str_addf(fault, "%s points to %s, which the journal has of"
		    " environment %s; ", path, target, other);
	add_deploy(fault, current);
	str_add(fault, other == NULL ? " makes a release that it knows" :
	    " makes one of this environment");
	free(other);
}

static void
add_other(struct str *fault, const char *path, const char *what,
    const char *done, const struct current *current)
{
	str_addf(fault, "%s points to %s; ", path, what);
	add_deploy(fault, current);
	str_add(fault, done);
}

void
current_add_page(struct str *out, const struct current *current)
{
	if (current->live->number != 0) {
		add_deploy(out, current);
		str_add(out, " takes it down, and so does ");
	}
	str_add(out, "a push of what mends it");
	if (current->live->number == 0)
		str_add(out, " takes it down");
}

void
current_look(struct str *fault, struct str *target,
    const struct current *current)
{
	const struct deploy *live = current->live;
	char *path = path_join(current->root, "current");
	const struct err *err = file_readlink(target, AT_FDCWD, path);

	if (err != NULL) {
		add_unreadable(fault, path, current, err);
	} else if (!is_release(target->s)) {
		add_strange(fault, path, target->s);
		add_way_back(fault, current);
	} else if (live->number == 0) {
		add_unknown(fault, path, target->s, current);
	} else if (strcmp(target->s + strlen(RELEASES), live->release) != 0) {
		add_other(fault, path, target->s, " turns it", current);
	} else if (access(path, F_OK) == -1) {
		add_other(fault, path, "what is gone", " makes it anew",
		    current);
	}
	free(path);
}
