#include "deploy/missing.h"

#include <fcntl.h>
#include <stdlib.h>

#include "alloc.h"
#include "file.h"
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
