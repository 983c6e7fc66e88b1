/*
 * drift_fixture - a release in a store of its own, and what drift says of
 * it, for the programs that look for drift.
 */
#ifndef DRIFT_FIXTURE_H
#define DRIFT_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "release/drift.h"
#include "release/store.h"
#include "repo.h"
#include "tap.h"

#define RELEASE "20261120101500"

static struct store *store;
static struct repo *repo;

/* A release of the commit that HEAD is, in a store of its own. */
static inline const struct err *
make(enum store_kind kind)
{
	char *root = xasprintf("%s/root", tap_folder());
	char commit[REPO_OID_SIZE];
	struct store_spec spec = { .release = RELEASE, .repo = repo,
	    .commit = commit, .kind = kind };
	struct store_made made;
	const struct err *err;

	store_close(store);
	sh("rm -rf root outside && mkdir outside && echo o >outside/o");
	err = store_open(&store, root);
	if (err == NULL)
		err = repo_resolve(repo, "HEAD", commit);
	if (err == NULL)
		err = store_make(store, &spec, &made);
	free(root);
	return err;
}

/* As lines "kind path", a comma between, into "all". */
static inline void
tell(const struct drift *drift, struct str *all)
{
	for (size_t i = 0; i < drift->n; i++)
		str_addf(all, "%s%s %s", i > 0 ? ", " : "",
		    drift_kind_name(drift->items[i].kind),
		    drift->items[i].path);
}

static inline void
is_told(const char *want, bool deep, const struct vec *writable,
    const char *what)
{
	struct str all = STR_INIT;
	struct drift drift;

	is_ok(store_drift(store, RELEASE, deep, true, writable, &drift),
	    "%s", what);
	tell(&drift, &all);
	is_str(all.s, want, "is told");
	drift_release(&drift);
	str_release(&all);
}

static inline void
is_found(const char *want, struct drift_spec spec, const char *what)
{
	char *manifests = xasprintf("%s/root/.slipway/manifest",
	    tap_folder());
	int manifest_fd = open(manifests, O_RDONLY | O_DIRECTORY);
	struct manifest *manifest;
	struct str all = STR_INIT;
	struct drift drift;

	is_ok(store_open_release(store, RELEASE, &spec.dirfd), "%s", what);
	is_ok(manifest_open(&manifest, manifest_fd, RELEASE), "its manifest");
	spec.manifest = manifest;
	if (spec.threads == 0)
		spec.threads = 1;
	is_ok(drift_find(&drift, &spec), "is looked at");
	tell(&drift, &all);
	is_str(all.s, want, "and told");
	drift_release(&drift);
	str_release(&all);
	manifest_close(manifest);
	close(spec.dirfd);
	close(manifest_fd);
	free(manifests);
}

static inline void
set_up(void)
{
	char *path = xasprintf("%s/hub", tap_folder());

	umask(022);
	ok(sh("git init -q w && cd w && git config user.name a &&"
	    " git config user.email a@b && mkdir -p d/e a && echo r >r &&"
	    " echo f >d/f && echo g >d/e/g && echo x >a/x && chmod +x a/x &&"
	    " echo b >a.b && ln -s r l && git add . &&"
	    " git commit -qm x && git clone -q --bare . ../hub"),
	    "a repository");
	is_ok(repo_open(&repo, path, false), "is opened");
	free(path);
}

static inline void
is_sealed(bool changed)
{
	struct vec through = VEC_INIT;

	is_ok(store_seal(store, RELEASE, changed, &through), "sealed");
	vec_release(&through);
}

#endif
