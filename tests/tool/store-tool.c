/*
 * store-tool ROOT REPO VERB ARGUMENT... - a store of releases by hand.
 *
 *	make RELEASE REV [--store KIND] [--threads N] [--export]
 *	    [--carry PATH]...
 *	seal RELEASE		make it durable; with --changed also keep what
 *				was done to it since it was made
 *	flip RELEASE
 *	retire RELEASE		it becomes the spare
 *	remove RELEASE
 *	drift RELEASE [--deep] [--null]
 *	repair RELEASE [--deep]
 *
 * With --null each line ends with a NUL, as a name may have a newline.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "release/drift.h"
#include "release/store.h"
#include "repo.h"

struct args {
	struct store *store;
	struct repo *repo;
	const char *release;
	char **rest;
	int n_rest;
};

static bool
has(const struct args *args, const char *name)
{
	for (int i = 0; i < args->n_rest; i++) {
		if (strcmp(args->rest[i], name) == 0)
			return true;
	}
	return false;
}

/* The values of an option, pushed onto "values". */
static void
values_of(const struct args *args, const char *name, struct vec *values)
{
	for (int i = 0; i + 1 < args->n_rest; i++) {
		if (strcmp(args->rest[i], name) == 0)
			vec_push(values, args->rest[i + 1]);
	}
}

static const char *
value_of(const struct args *args, const char *name, const char *otherwise)
{
	for (int i = 0; i + 1 < args->n_rest; i++) {
		if (strcmp(args->rest[i], name) == 0)
			return args->rest[i + 1];
	}
	return otherwise;
}

static const struct err *
make(const struct args *args)
{
	struct vec paths = VEC_INIT, carried = VEC_INIT;
	char commit[REPO_OID_SIZE];
	struct store_spec spec = { .release = args->release,
	    .repo = args->repo, .commit = commit,
	    .export = has(args, "--export") };
	struct store_made made;
	const struct err *err;

	if (args->n_rest < 1 || !store_kind_by_name(&spec.kind,
	    value_of(args, "--store", "auto")))
		return err_new(ERR_USAGE, "make RELEASE REV [--store KIND]");
	store_set_threads(args->store, atoi(value_of(args, "--threads",
	    "0")));
	values_of(args, "--carry", &paths);
	err = repo_resolve(args->repo, args->rest[0], commit);
	if (err == NULL)
		err = store_make(args->store, &spec, &made);
	if (err == NULL)
		err = store_carry(args->store, args->release, &paths,
		    &carried);
	if (err == NULL)
		printf("way=%s files=%" PRId64 " folders=%" PRId64
		    " written=%" PRId64 " repaired=%" PRId64 "\n",
		    store_way_name(made.way), made.files, made.folders,
		    made.written, made.repaired);
	vec_release(&paths);
	vec_release(&carried);
	return err;
}

static const struct err *
seal(const struct args *args)
{
	struct vec through = VEC_INIT;
	const struct err *err;

	err = store_seal(args->store, args->release, has(args, "--changed"),
	    &through);
	for (size_t i = 0; i < through.n; i++)
		printf("through %s\n", through.v[i]);
	vec_release(&through);
	return err;
}

static const struct err *
flip(const struct args *args)
{
	return store_flip(args->store, args->release);
}

static const struct err *
retire(const struct args *args)
{
	return store_retire(args->store, args->release);
}

static const struct err *
drop(const struct args *args)
{
	return store_remove(args->store, args->release);
}

static const struct err *
show_drift(const struct args *args)
{
	const struct err *err;
	struct drift drift;

	err = store_drift(args->store, args->release, has(args, "--deep"),
	    true, NULL, &drift);
	for (size_t i = 0; err == NULL && i < drift.n; i++)
		printf("%s %s%c", drift_kind_name(drift.items[i].kind),
		    drift.items[i].path, has(args, "--null") ? '\0' : '\n');
	drift_release(&drift);
	return err;
}

static const struct err *
repair(const struct args *args)
{
	const struct err *err;
	struct drift drift;

	err = store_drift(args->store, args->release, has(args, "--deep"),
	    true, NULL, &drift);
	if (err == NULL)
		err = store_put_right(args->store, args->release, args->repo,
		    &drift);
	drift_release(&drift);
	return err;
}

static const struct {
	const char *name;
	const struct err *(*run)(const struct args *args);
} verbs[] = {
	{ "make", make },
	{ "seal", seal },
	{ "flip", flip },
	{ "retire", retire },
	{ "remove", drop },
	{ "drift", show_drift },
	{ "repair", repair },
};

int
main(int argc, char **argv)
{
	struct args args = { .rest = argv + 5, .n_rest = argc - 5 };
	const struct err *err = err_new(ERR_USAGE,
	    "store-tool ROOT REPO VERB RELEASE ...");

	umask(022);
	if (argc >= 5) {
		args.release = argv[4];
		err = store_open(&args.store, argv[1]);
		if (err == NULL)
			err = repo_open(&args.repo, argv[2], false);
		for (size_t i = 0; err == NULL && i < sizeof(verbs) /
		    sizeof(*verbs); i++) {
			if (strcmp(verbs[i].name, argv[3]) == 0)
				err = verbs[i].run(&args);
		}
		repo_close(args.repo);
		store_close(args.store);
	}
	if (err != NULL)
		err_print("store-tool", err);
	return err_exit_status(err);
}
