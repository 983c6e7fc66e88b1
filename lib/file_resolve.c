#include "file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

/*
 * "real" holds no symlink and no dots, so that ".." is its last component
 * away; what cannot be looked at stays as it was written.
 */
static void
descend(struct str *real, const char *name)
{
	char found[PATH_MAX];

	if (strcmp(name, ".") == 0)
		return;
	if (strcmp(name, "..") == 0) {
		char *slash = strrchr(real->s, '/');

		str_truncate(real, slash == NULL ? 0 :
		    (size_t)(slash - real->s));
		return;
	}
	str_addf(real, "/%s", name);
	if (realpath(real->s, found) != NULL) {
		str_clear(real);
		if (strcmp(found, "/") != 0)
			str_add(real, found);
	}
}

const struct err *
file_resolve(char **resolved, const char *path)
{
	struct vec names = VEC_INIT;
	struct str real = STR_INIT;
	char cwd[PATH_MAX];

	*resolved = NULL;
	if (path[0] != '/') {
		if (realpath(".", cwd) == NULL)
			return err_system("open the current folder");
		if (strcmp(cwd, "/") != 0)
			str_add(&real, cwd);
	}
	vec_split(&names, path, "/");
	for (size_t i = 0; i < names.n; i++)
		descend(&real, names.v[i]);
	*resolved = real.len == 0 ? xstrdup("/") : xstrdup(real.s);
	str_release(&real);
	vec_release(&names);
	return NULL;
}
