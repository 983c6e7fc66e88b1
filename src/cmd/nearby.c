#include "cmd/nearby.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/clone.h"
#include "path.h"
#include "report/line.h"

/* A clone may have a slipway.ini of its own, and is none. */
static bool
is_hub(const char *path)
{
	struct hub hub;
	bool is;

	if (strcmp(path_base(path), ".git") == 0)
		return false;
	is = hub_open(&hub, path) == NULL;
	if (is)
		hub_close(&hub);
	return is;
}

/* The folder above that is one, given; NULL: none is. */
static char *
find_above(const char *dir)
{
	char *path = path_dir(dir);

	while (strcmp(path, "/") != 0) {
		char *above;

		if (is_hub(path))
			return path;
		above = path_dir(path);
		free(path);
		path = above;
	}
	free(path);
	return NULL;
}

/* Where git would find what a remote says, which is relative to the top. */
static char *
remote_path(const struct clone *clone, const char *url)
{
	char real[PATH_MAX], *path;
	bool is;

	if (str_starts_with(url, "file://"))
		url += strlen("file://");
	path = *url == '/' || clone->top == NULL ? xstrdup(url) :
	    path_join(clone->top, url);
	is = realpath(path, real) != NULL;
	free(path);
	return is ? xstrdup(real) : NULL;
}

static char *
find_remote(const char *dir)
{
	struct clone clone = CLONE_INIT;
	struct vec urls = VEC_INIT;
	char *found = NULL;

	if (clone_open(&clone, dir) == NULL)
		clone_remotes(&clone, &urls);
	for (size_t i = 0; i < urls.n && found == NULL; i++) {
		char *path = remote_path(&clone, urls.v[i]);

		if (path != NULL && is_hub(path))
			found = path;
		else
			free(path);
	}
	vec_release(&urls);
	clone_release(&clone);
	return found;
}

static const struct err *
name_it(const char *dir, const char *found, const char *how)
{
	struct str text = STR_INIT;
	const struct err *err;

	str_addf(&text, "%s has no slipway.ini; %s: -C ", dir, how);
	str_add_word(&text, found);
	err = err_new(ERR_USAGE, "%s", text.s);
	str_release(&text);
	return err;
}

const struct err *
nearby_open(struct hub *hub, const char *dir)
{
	const struct err *err = hub_open(hub, dir);
	char real[PATH_MAX], *found;

	if (err == NULL || err->code != ERR_USAGE)
		return err;
	if (dir == NULL)
		dir = getenv("GIT_DIR");
	if (realpath(dir == NULL ? "." : dir, real) == NULL)
		return err;
	found = find_above(real);
	if (found != NULL) {
		err = name_it(real, found, "the repository that it is in has"
		    " one");
	} else {
		found = find_remote(real);
		if (found != NULL)
			err = name_it(real, found, "the repository that this"
			    " clone has as a remote does");
	}
	free(found);
	return err;
}
