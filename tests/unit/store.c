#include "release/store.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"
#include "release/drift.h"
#include "repo.h"
#include "tap.h"

#define FIRST "20261120101500"
#define SECOND "20261120101501"

static struct store *store;
static struct repo *repo;
static char commit[REPO_OID_SIZE];

static const struct err *
make(const char *release)
{
	struct store_spec spec = { .release = release, .repo = repo,
	    .commit = commit };
	struct store_made made;

	return store_make(store, &spec, &made);
}

/* What has changed in a release, with a space between, and how much. */
static const struct err *
verify(const char *release, struct str *changed, int64_t *count)
{
	const struct err *err;
	struct drift drift;

	err = store_drift(store, release, false, false, NULL, &drift);
	for (size_t i = 0; err == NULL && i < drift.n; i++)
		str_addf(changed, "%s%s", i > 0 ? " " : "",
		    drift.items[i].path);
	*count = (int64_t)drift.n;
	drift_release(&drift);
	return err;
}

static const struct err *
seal(const char *release, bool changed)
{
	struct vec through = VEC_INIT;
	const struct err *err = store_seal(store, release, changed, &through);

	is_int((int64_t)through.n, 0, "nothing is shared");
	vec_release(&through);
	return err;
}

static const struct err *
link_shared(const char *path, struct vec *seeded)
{
	struct vec shared = VEC_INIT, made = VEC_INIT;
	const struct err *err;

	vec_push(&shared, path);
	err = store_link_shared(store, FIRST, &shared, seeded, &made);
	vec_release(&shared);
	vec_release(&made);
	return err;
}

static void
set_up(void)
{
	char *path = xasprintf("%s/hub", tap_folder());
	char *root = xasprintf("%s/root", tap_folder());

	umask(022);
	ok(sh("git init -q w && cd w && git config user.name a &&"
	    " git config user.email a@b && mkdir -p up/load sites deploy &&"
	    " echo a >a && echo u >up/load/u && ln -s /etc sites/default &&"
	    " cd deploy && echo h >before_migrate && echo n >after_build &&"
	    " ln -s /bin/sh after_test && mkdir after_clear &&"
	    " echo x >after_clear/x && echo r >README &&"
	    " cp README before_tset && cp README after_x &&"
	    " chmod +x before_migrate && cd .. && git add . &&"
	    " git commit -qm x && git clone -q --bare . ../hub"),
	    "a repository");
	is_ok(repo_open(&repo, path, false), "is opened");
	is_ok(repo_resolve(repo, "HEAD", commit), "and has a commit");
	is_err(store_open(&store, "relative"), ERR_CONFIG,
	    "not an absolute", "a relative root");
	is_ok(store_open(&store, root), "a store");
	free(path);
	free(root);
}

static void
test_claim(void)
{
	char *root;

	is_ok(store_claim(store, "/git/my shop.git", "p"), "a root is taken");
	is_ok(store_claim(store, "/git/my shop.git", "p"), "and is theirs");
	is_err(store_claim(store, "/git/blog.git", "p"), ERR_CONFIG,
	    "belongs to /git/my shop.git, environment p; that repository is"
	    " not there: if it is /git/blog.git now, remove ",
	    "not another repository's");
	is_err(store_claim(store, "/git/my shop.git", "q"), ERR_CONFIG,
	    "belongs to /git/my shop.git, environment p; if it was renamed,"
	    " put the name p back in slipway.ini, or, for a first deploy as q,"
	    " remove ", "not another environment's");
	ok(sh("mkdir there && echo \"$PWD/there p\" >root/.slipway/owner"),
	    "it is that of one that is there");
	is_err(store_claim(store, "/git/blog.git", "p"), ERR_CONFIG,
	    "there, environment p; choose another root",
	    "whose it may well be");
	ok(sh("rm root/.slipway/owner"), "until the file is removed");
	is_ok(store_claim(store, "/git/blog.git", "p"), "it changes hands");
	is_ok(store_check_above(store_root(store), "/git/shop.git", "p"),
	    "nobody's is above it");
	root = path_join(store_root(store), "releases/x");
	is_err(store_check_above(root, "/git/shop.git", "p"), ERR_CONFIG,
	    "releases/x is in the root of another environment: ",
	    "a root in that of another");
	is_ok(store_check_above(root, "/git/blog.git", "p"),
	    "but in its own, as when it has moved there");
	free(root);
}

static void
test_hooks(void)
{
	struct vec hooks = VEC_INIT, odd = VEC_INIT;
	struct str all = STR_INIT;

	is_ok(store_hooks(store, FIRST, &hooks, &odd), "hooks are listed");
	ok(hooks.n == 1 && strcmp(hooks.v[0], "before_migrate") == 0,
	    "the executable one");
	vec_join(&odd, "\n", &all);
	is_str(all.s, "deploy/after_build is not executable: git update-index"
	    " --chmod=+x deploy/after_build\n"
	    "deploy/after_clear is not a regular file and does not run\n"
	    "deploy/after_test is not a regular file and does not run\n"
	    "deploy/after_x names no phase\n"
	    "deploy/before_tset names no phase (did you mean before_test?)",
	    "and the others are told");
	str_release(&all);
	vec_release(&hooks);
	vec_release(&odd);
}

static void
test_make(void)
{
	struct str live = STR_INIT;
	struct vec whole = VEC_INIT, partial = VEC_INIT;

	is_err(make("x"), ERR_USAGE, "not the name", "a wrong name");
	ok(sh("mkdir -p root/releases/" FIRST ".partial/old"), "a partial");
	is_ok(make(FIRST), "a release is made over it");
	ok(sh("test ! -e root/releases/" FIRST "/old"), "without its files");
	is_err(make(FIRST), ERR_FAILED, "is there already", "once only");
	is_ok(make(SECOND), "another one");
	is_ok(store_list(store, &whole, &partial), "both are listed");
	is_int((int64_t)whole.n, 2, "as whole");
	is_int((int64_t)partial.n, 0, "none as partial");
	test_hooks();
	is_ok(store_current(store, &live), "nothing is live");
	is_str(live.s, "", "yet");
	is_ok(seal(FIRST, false), "sealed");
	is_ok(store_flip(store, FIRST), "flipped");
	is_ok(store_current(store, &live), "now");
	is_str(live.s, FIRST, "the first is live");
	is_err(store_flip(store, "20200101000000"), ERR_NOT_FOUND,
	    "there is no release", "a flip to nothing");
	is_err(store_remove(store, FIRST), ERR_REFUSED, "it is live",
	    "the live one stays");
	is_err(store_fail(store, FIRST, 1), ERR_REFUSED, "it is live",
	    "and cannot fail");
	str_release(&live);
	vec_release(&whole);
	vec_release(&partial);
}

static void
test_shared(void)
{
	struct vec seeded = VEC_INIT, missing = VEC_INIT, paths = VEC_INIT;
	struct str changed = STR_INIT;
	int64_t count;

	vec_split(&paths, "up/load/ a none/", " ");
	is_ok(store_missing_shared(store, repo, commit, &paths, &missing),
	    "what is missing");
	ok(missing.n == 1 && strcmp(missing.v[0], "a") == 0,
	    "a file, and no new folder");
	is_err(link_shared("sites/default/files/", &seeded), ERR_REFUSED,
	    "is a symlink", "never through a symlink");
	ok(sh("test ! -e /etc/files"), "and /etc is untouched");
	is_err(link_shared("../x", &seeded), ERR_CONFIG, "does not stay",
	    "never outside");
	is_err(link_shared("a", &seeded), ERR_NOT_FOUND, "is missing",
	    "a file is not seeded");
	is_ok(link_shared("up/load/", &seeded), "a folder is");
	is_int((int64_t)seeded.n, 1, "and named");
	is_ok(link_shared("up/load/", &seeded), "again is no error");
	ok(sh("test \"$(readlink root/releases/" FIRST "/up/load)\" ="
	    " ../../../" "shared/up/load && test -f root/shared/up/load/u"),
	    "the link and the seed are right");
	is_err(link_shared("up/load", &seeded), ERR_CONFIG, "is a folder",
	    "the wrong kind");
	is_ok(verify(FIRST, &changed, &count), "verified");
	is_int(count, 0, "shared links are no change");
	ok(sh("echo b >root/releases/" FIRST "/a &&"
	    " rm root/releases/" FIRST "/deploy/after_x"), "two changes");
	is_ok(verify(FIRST, &changed, &count), "verified");
	is_int(count, 2, "both are counted");
	is_str(changed.s, "a deploy/after_x", "and named");
	vec_release(&seeded);
	vec_release(&missing);
	vec_release(&paths);
	str_release(&changed);
}

static void
is_verified(const char *want, const char *what)
{
	struct str all = STR_INIT;
	int64_t count;

	is_ok(verify(SECOND, &all, &count), "verified");
	is_str(all.s, want, "%s", what);
	str_release(&all);
}

#define IN_SECOND "cd root/releases/" SECOND " && "
#define BUILT "root/.slipway/manifest/" SECOND ".built"

/* Nearly what a crash leaves, and nobody's of ours. */
#define OTHERS "root/releases/old.partial root/shared/.wallet.seed" \
	" root/shared/.seed root/.current.old.tmp root/.current.1.2.tmp" \
	" root/.current..tmp"

/* What commands did before the seal is the release, no later edit is. */
static void
test_sealed(void)
{
	static const struct {
		const char *line;
		const char *changed;
		const char *what;
	} edits[] = {
		{ "echo b >a", "a", "a file written again" },
		{ "printf 'a\nB\n' >a", "a", "with the same size" },
		{ "printf 'a\nb\n' >a", "", "with the same content" },
		{ "chmod 600 a", "", "another mode" },
		{ "chmod 700 a", "a", "an executable one" },
		{ "chmod 644 a", "", "and back" },
		{ "echo r >deploy/README", "deploy/README",
		    "what was gone is back" },
		{ "rm deploy/README", "", "or not" },
		{ "mkdir -p up/load && ln -s x up/load/u", "up/load/u",
		    "so in a folder that was gone" },
		{ "rm -r up", "", "or not" },
		{ "rmdir sites/default && ln -s /etc sites/default",
		    "sites/default", "a symlink that was a folder" },
		{ "rm sites/default", "", "or nothing" },
		{ "chmod -x deploy/after_x", "deploy/after_x", "a mode" },
		{ "chmod +x deploy/after_x", "", "as it was" },
		{ "ln -sf /bin/false deploy/after_test", "deploy/after_test",
		    "a symlink elsewhere" },
		{ "ln -sf /bin/true deploy/after_test", "", "as it was" },
		{ "rm deploy/before_tset", "deploy/before_tset",
		    "what no command touched" },
	};
	const char *all = "a deploy/README deploy/after_test deploy/after_x"
	    " sites/default up/load/u";
	struct str damaged = STR_INIT;
	int64_t count;

	ok(sh(IN_SECOND "echo b >>a && rm -r deploy/README up sites/default &&"
	    " mkdir sites/default && chmod +x deploy/after_x &&"
	    " ln -sf /bin/true deploy/after_test"), "commands run");
	is_verified(all, "what they changed");
	is_ok(seal(SECOND, true), "sealed as it is");
	is_verified("", "nothing has changed since");
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		char *line = xasprintf(IN_SECOND "%s", edits[i].line);

		ok(sh(line), "%s", edits[i].line);
		is_verified(edits[i].changed, edits[i].what);
		free(line);
	}
	ok(sh(IN_SECOND "echo r >deploy/before_tset"), "put back");
	ok(sh(": >" BUILT), "what was kept is damaged");
	is_err(verify(SECOND, &damaged, &count), ERR_CORRUPT,
	    SECOND ".built", "which is told");
	is_ok(seal(SECOND, false), "no command has run");
	ok(sh("test ! -e " BUILT), "nothing is kept");
	is_verified(all, "the commit counts");
	is_ok(seal(SECOND, true), "sealed again");
	ok(sh("test -s " BUILT), "it is kept");
}

static void
test_sweep(void)
{
	struct vec swept = VEC_INIT, stays = VEC_INIT;

	ok(sh("mkdir -p root/releases/" SECOND ".partial/x root/shared/."
	    SECOND ".seed/x && ln -s releases/x root/.current.4711.tmp && : >"
	    BUILT), "a crash");
	ok(sh("touch " OTHERS), "and what others have, called nearly so");
	is_ok(store_sweep(store, &swept, &stays), "is swept");
	is_int((int64_t)swept.n, 3, "by name");
	ok(sh("test ! -e " BUILT), "with what was built");
	ok(sh("ls " OTHERS), "and nothing of others");
	ok(sh("rm " OTHERS), "which goes");
	vec_release(&swept);
}

static void
test_end(void)
{
	struct vec swept = VEC_INIT, names = VEC_INIT, busy = VEC_INIT;
	struct vec stays = VEC_INIT;
	char *dir = xasprintf("%s/releases/" SECOND, store_root(store));
	struct str changed = STR_INIT;
	char *record;
	int64_t count;
	pid_t pid;
	int fds[2];
	char byte;

	vec_push(&names, SECOND);
	if (pipe(fds) == -1)
		abort();
	pid = fork();
	if (pid == 0) {
		if (chdir(dir) == -1 || write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ok(read(fds[0], &byte, 1) == 1, "a process in the release");
	is_ok(store_busy(store, &names, &busy), "is looked for");
	ok(busy.n == 1 && str_starts_with(busy.v[0], SECOND " "),
	    "and found");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_ok(store_record_path(store, SECOND, "r", &record), "a record");
	ok(sh("echo r > root/.slipway/record/" SECOND "/r"), "is written");
	is_ok(store_remove(store, SECOND), "removed");
	is_ok(store_remove(store, SECOND), "again is no error");
	ok(sh("test ! -e root/.slipway/record/" SECOND " && test ! -e"
	    " root/.slipway/manifest/" SECOND " && test ! -e " BUILT),
	    "with all that was its");
	is_err(verify(SECOND, &changed, &count), ERR_NOT_FOUND,
	    "there is no release", "and gone");
	is_ok(make(SECOND), "made again");
	ok(sh("rm root/releases/" SECOND "/a"), "and changed");
	is_ok(seal(SECOND, true), "and sealed");
	is_ok(store_sweep(store, &swept, &stays), "a sweep");
	ok(sh("test -s " BUILT), "leaves what was built");
	is_ok(store_fail(store, SECOND, 1), "failed");
	ok(sh("test -d root/.slipway/failed/" SECOND " && test ! -e " BUILT),
	    "kept");
	is_ok(store_fail(store, SECOND, 0), "keeping none");
	ok(sh("test ! -e root/.slipway/failed/" SECOND), "gone");
	is_ok(store_flip(store, ""), "current is taken away");
	ok(sh("test ! -L root/current && mkdir root/current"), "a folder");
	is_err(store_flip(store, FIRST), ERR_FAILED, "move it away",
	    "a real folder is refused");
	close(fds[0]);
	free(dir);
	free(record);
	vec_release(&swept);
	vec_release(&names);
	vec_release(&busy);
}

int
main(void)
{
	set_up();
	test_claim();
	test_make();
	test_shared();
	test_sealed();
	test_end();
	test_sweep();
	store_close(store);
	repo_close(repo);
	return tap_done();
}
