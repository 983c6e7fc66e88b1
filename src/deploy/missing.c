#include "deploy/missing.h"

#include <fcntl.h>
#include <stdlib.h>

#include "alloc.h"
#include "file.h"
#include "journal/deploy.h"
#include "release/store.h"

bool
missing_add_live(struct str *out, const char *root, const char *release)
{
	char *current;

	if (release == NULL || store_has(root, release))
		return false;
	current = xasprintf("%s/current", root);
	str_addf(out, "the journal has release %s live, and %s has none of"
	    " that name", release, root);
	if (!file_exists(AT_FDCWD, current))
		str_addf(out, ", and no current: if root was changed in"
		    " slipway.ini, move the old folder there, or copy its"
		    " shared/");
	free(current);
	return true;
}

const struct err *
missing_current(const struct hub *hub, const struct environment *env,
    const char *host)
{
	struct str which = STR_INIT;
	struct deploy live;
	const struct err *err;

	err = deploy_get_live(hub->journal, env->name, &live);
	if (err != NULL)
		return err;
	hub_add_which(&which, hub, env->name);
	err = live.number == 0 ? err_new(ERR_NOT_FOUND, "nothing is live in"
	    " %s yet", env->name) : err_new(ERR_NOT_FOUND, "there is no"
	    " current on %s, and release %s is live: slipway resume%s puts it"
	    " back", host, live.release, which.s);
	str_release(&which);
	deploy_release(&live);
	return err;
}

const struct err *
missing_shared(const char *root, const char *host, const struct vec *paths)
{
	struct str text = STR_INIT;
	const struct err *err;

	vec_join(paths, " ", &text);
	err = err_new(ERR_FAILED, "shared files are missing%s%s: %s; put them"
	    " into %s/shared", host == NULL ? "" : " on ", host == NULL ? "" :
	    host, text.s, root);
	str_release(&text);
	return err;
}
