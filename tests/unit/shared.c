#include "release/drift.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "drift_fixture.h"
#include "release/store.h"
#include "repo.h"
#include "tap.h"

static void
is_shared(const char *list)
{
	struct vec shared = VEC_INIT, seeded = VEC_INIT, made = VEC_INIT;

	vec_split(&shared, list, " ");
	is_ok(store_link_shared(store, RELEASE, &shared, &seeded, &made),
	    "shared: %s", list);
	vec_release(&shared);
	vec_release(&seeded);
	vec_release(&made);
}

/* Only what was linked when the release was made is a link to shared/. */
static void
test_shared(void)
{
	is_ok(make(STORE_LINKS), "a release");
	ok(sh("cd root/shared && mkdir -p d/e && touch r n a.b other"),
	    "what is shared");
	is_shared("d/e/ r n");
	is_told("", true, NULL, "is no drift");
	is_sealed(true);
	is_told("", true, NULL, "nor when commands have run");
	ok(sh("cd root/releases/" RELEASE " && rm -r a &&"
	    " ln -sf ../../" "shared/a.b a.b && ln -s ../../" "shared/a a &&"
	    " ln -s ../../../" "shared/d/n d/n && ln -s ../../"
	    "shared/other m"), "links that somebody makes");
	is_told("added a, modified a.b, removed a/x, added d/n, added m",
	    false, NULL, "are drift");
	is_found("added a, modified a.b, removed a/, removed a/x, added d/e,"
	    " removed d/e/, removed d/e/g, added d/n, added m, added n,"
	    " modified r", (struct drift_spec){ .added = true },
	    "where none is shared, all are");
	is_found("modified a.b, removed a/, removed a/x, removed d/e/,"
	    " removed d/e/g, modified r",
	    (struct drift_spec){ .threads = 3 },
	    "without what was added");
	is_ok(make(STORE_LINKS), "a release that shares nothing");
	ok(sh("cd root/releases/" RELEASE " && ln -sf ../../" "shared/r r"),
	    "and a link");
	is_told("modified r", false, NULL, "is drift");
}

/* A version before kept no list. */
static void
test_shared_before(void)
{
	char *manifests = xasprintf("%s/root/.slipway/manifest",
	    tap_folder());
	int fd;
	struct manifest_draft *draft;
	struct manifest *manifest;
	char commit[41];

	is_ok(make(STORE_LINKS), "a release");
	ok(sh("mkdir -p root/shared/d/e && touch root/shared/r"), "shared");
	is_shared("d/e/ r");
	fd = open(manifests, O_RDONLY | O_DIRECTORY);
	is_ok(manifest_open(&manifest, fd, RELEASE), "its manifest");
	manifest_commit(manifest, commit);
	is_ok(manifest_begin(&draft, fd, RELEASE), "is written");
	manifest_copy(draft, manifest, 0, manifest_n_folders(manifest));
	is_ok(manifest_finish(draft, commit, manifest_flags(manifest) &
	    ~(unsigned int)MANIFEST_SHARED), "as it was before");
	manifest_close(manifest);
	ok(sh("rm root/.slipway/manifest/" RELEASE ".shared"), "and no list");
	is_told("", false, NULL, "links to shared/ are no drift");
	ok(sh("cd root/releases/" RELEASE " && ln -sf ../../" "shared/r a.b"),
	    "a link to another path");
	is_told("modified a.b", false, NULL, "is drift");
	close(fd);
	free(manifests);
}

int
main(void)
{
	set_up();
	test_shared();
	test_shared_before();
	store_close(store);
	repo_close(repo);
	return tap_done();
}
