#include "deploy/missing.h"

#include <fcntl.h>
#include <stdlib.h>

#include "alloc.h"
#include "file.h"

bool
missing_is(const char *root, const char *release)
{
	char *path;
	bool is;

	if (release == NULL)
		return false;
	path = xasprintf("%s/releases/%s", root, release);
	is = !file_exists(AT_FDCWD, path);
	free(path);
	return is;
}

bool
missing_add_live(struct str *out, const char *root, const char *release)
{
	char *current;

	if (!missing_is(root, release))
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
