#include "cmd/traces.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "repo.h"
#include "vec.h"

/* A name with more digits is nothing that a deploy has left. */
#define DIGITS_MAX 9

/* "41" and "41.jsonl"; no leading zero. */
static int64_t
number_of(const char *name, const char *ending)
{
	size_t len = strspn(name, "0123456789");

	if (len == 0 || len > DIGITS_MAX || name[0] == '0' ||
	    strcmp(name + len, ending) != 0)
		return 0;
	return strtoll(name, NULL, 10);
}

static void
take_highest(int64_t *number, const struct vec *names, const char *ending)
{
	for (size_t i = 0; i < names->n; i++) {
		int64_t each = number_of(names->v[i], ending);

		if (each > *number)
			*number = each;
	}
}

static const struct err *
look_at_folder(int64_t *number, const struct hub *hub, const char *folder,
    const char *ending)
{
	char *path = hub_file(hub, folder);
	struct vec names = VEC_INIT;
	const struct err *err;

	err = file_list(&names, AT_FDCWD, path);
	take_highest(number, &names, ending);
	vec_release(&names);
	free(path);
	return err;
}

static const struct err *
look_at_refs(int64_t *number, const struct hub *hub)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	struct repo *repo;

	err = repo_open(&repo, hub->path, false);
	if (err == NULL)
		err = repo_refs(repo, "refs/slipway/deploys/", &names);
	take_highest(number, &names, "");
	vec_release(&names);
	repo_close(repo);
	return err;
}

const struct err *
traces_highest(int64_t *number, const struct hub *hub)
{
	const struct err *err;

	*number = 0;
	err = look_at_folder(number, hub, "slipway/log", ".jsonl");
	if (err == NULL)
		err = look_at_folder(number, hub, "slipway/backup", "");
	return err == NULL ? look_at_refs(number, hub) : err;
}
