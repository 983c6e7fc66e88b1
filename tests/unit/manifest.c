#include "release/manifest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "str.h"
#include "tap.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static const unsigned char tree[20] = { 1, 2, 3 };

static int dirfd;

static struct manifest_entry
entry(const char *name, uint32_t mode)
{
	struct manifest_entry row = { .name = name, .mode = mode,
	    .flags = MANIFEST_CONVERTED, .size_bytes = 5,
	    .mtime_ns = 1700000000123456789, .inode = 42,
	    .ctime_ns = 1700000000223456789 };

	memset(row.content, 0xab, sizeof(row.content));
	return row;
}

/* What ends with a slash is a folder, anything else a file of the last. */
static void
add_paths(struct manifest_draft *draft, const char *const *paths)
{
	for (size_t i = 0; paths[i] != NULL; i++) {
		size_t len = strlen(paths[i]);
		struct manifest_entry row;
		char *folder;

		if (paths[i][len - 1] != '/') {
			row = entry(path_base(paths[i]), 0100644);
			manifest_add(draft, &row);
			continue;
		}
		folder = xstrndup(paths[i], len - 1);
		manifest_add_folder(draft, folder, tree);
		free(folder);
	}
}

static const struct err *
write_paths(const char *const *paths, const char *name, const char *commit)
{
	struct manifest_draft *draft;
	const struct err *err;

	err = manifest_begin(&draft, dirfd, name);
	if (err != NULL) {
		manifest_abandon(draft);
		return err;
	}
	manifest_add_folder(draft, "", tree);
	add_paths(draft, paths);
	return manifest_finish(draft, commit, MANIFEST_PLAIN);
}

static const char *const some[] = {
	"f", "z", "a.b/", "a.b/1", "a/", "a/2", "a/3", "a/b/", "a/b/4", "c/",
	NULL
};

static void
test_round(void)
{
	static const struct {
		const char *path;
		size_t n_entries, n_folders, first;
	} want[] = {
		{ "", 2, 5, 0 }, { "a.b", 1, 1, 2 }, { "a", 2, 2, 3 },
		{ "a/b", 1, 1, 5 }, { "c", 0, 1, 6 },
	};
	struct manifest_entry got, same = entry("3", 0100644);
	struct manifest *manifest;
	char commit[41];

	is_ok(write_paths(some, "m", COMMIT), "a manifest is written");
	is_ok(manifest_open(&manifest, dirfd, "m"), "and opened");
	is_int((int64_t)manifest_n_folders(manifest), 5, "with its folders");
	is_int((int64_t)manifest_n_entries(manifest), 6, "and entries");
	is_int(manifest_flags(manifest), MANIFEST_PLAIN, "and flags");
	is_int(manifest_uid(manifest), (int64_t)geteuid(), "and owner");
	manifest_commit(manifest, commit);
	is_str(commit, COMMIT, "and commit");
	for (size_t i = 0; i < 5; i++) {
		struct manifest_folder folder;

		manifest_folder(manifest, i, &folder);
		is_str(folder.path, want[i].path, "folder %zu", i);
		ok(folder.n_entries == want[i].n_entries &&
		    folder.n_folders == want[i].n_folders &&
		    folder.first == want[i].first &&
		    memcmp(folder.tree, tree, 20) == 0, "with all it has");
		is_int(manifest_find_folder(manifest, want[i].path),
		    (int64_t)i, "is found");
	}
	is_int(manifest_find_entry(manifest, 2, "3"), 1, "an entry is found");
	manifest_entry(manifest, 2, 1, &got);
	ok(strcmp(got.name, "3") == 0 && got.mode == same.mode &&
	    got.flags == same.flags && got.size_bytes == same.size_bytes &&
	    got.inode == same.inode && got.mtime_ns == same.mtime_ns &&
	    got.ctime_ns == same.ctime_ns &&
	    memcmp(got.content, same.content, 20) == 0,
	    "every field comes back");
	is_int(manifest_find_entry(manifest, 2, "4"), -1, "another is not");
	is_int(manifest_find_folder(manifest, "a/"), -1, "nor a folder");
	manifest_close(manifest);
}

/* Folders go over as they stand, between some that are written. */
static void
test_copy(void)
{
	struct manifest_entry row = entry("new", 0100755);
	struct manifest *manifest, *copy;
	struct manifest_folder folder;
	struct manifest_draft *draft;

	is_ok(manifest_open(&manifest, dirfd, "m"), "one to copy from");
	is_ok(manifest_begin(&draft, dirfd, "copy"), "another is begun");
	manifest_add_folder(draft, "", tree);
	manifest_add(draft, &row);
	manifest_copy(draft, manifest, 1, 1);
	manifest_copy(draft, manifest, 2, 2);
	manifest_add_folder(draft, "b", tree);
	manifest_add(draft, &row);
	ok(!file_exists(dirfd, "copy"), "nothing is seen of it before");
	is_ok(manifest_finish(draft, COMMIT, 0), "it is finished");
	is_ok(manifest_open(&copy, dirfd, "copy"), "and opened");
	is_int((int64_t)manifest_n_folders(copy), 5, "with its folders");
	is_int(manifest_find_folder(copy, "a/b"), 3, "in their order");
	manifest_folder(copy, 2, &folder);
	is_int((int64_t)folder.n_folders, 2, "and what is beneath them");
	is_int(manifest_find_entry(copy, 3, "4"), 0, "and their entries");
	is_int(manifest_find_entry(copy, 4, "new"), 0, "and new ones");
	manifest_close(copy);
	manifest_close(manifest);
}

static void
test_refusals(void)
{
	static const char *const twice[] = { "a", "a", NULL };
	static const char *const order[] = { "b", "a", NULL };
	static const char *const folders[] = { "b/", "a/", NULL };
	static const char *const none[] = { NULL };
	struct manifest_draft *draft;
	struct manifest *manifest;

	is_err(write_paths(twice, "bad", COMMIT), ERR_CORRUPT,
	    "a is there twice", "a name twice");
	is_err(write_paths(order, "bad", COMMIT), ERR_CORRUPT,
	    "not in order", "entries out of order");
	is_err(write_paths(folders, "bad", COMMIT), ERR_CORRUPT,
	    "folder a is there twice", "folders out of order");
	is_err(write_paths(none, "bad", "012"), ERR_CORRUPT,
	    "is no object name", "a short commit");
	is_err(manifest_begin(&draft, dirfd, "no/such"), ERR_SYSTEM,
	    "create no/such.new", "a folder that is not there");
	is_err(manifest_finish(draft, COMMIT, 0), ERR_SYSTEM,
	    "create no/such.new", "is told again in the end");
	is_err(manifest_open(&manifest, dirfd, "bad"), ERR_NOT_FOUND,
	    "there is no manifest of it", "nothing was written");
	ok(manifest == NULL, "and nothing is opened");
	ok(!file_exists(dirfd, "bad.new"), "and nothing is left");
	is_ok(write_paths(none, "empty", COMMIT), "one of nothing");
	is_ok(manifest_open(&manifest, dirfd, "empty"), "can be opened");
	is_int((int64_t)manifest_n_entries(manifest), 0, "and is empty");
	manifest_close(manifest);
	manifest_close(NULL);
	manifest_abandon(NULL);
}

/* Every byte that is flipped, and every cut, has to be noticed. */
static void
test_damage(void)
{
	struct str bytes = STR_INIT;
	struct manifest *manifest;
	int unseen = 0;

	is_ok(file_read_at(&bytes, dirfd, "m", 65536), "one to damage");
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.s[i] ^= 0x20;
		file_replace(dirfd, "hurt", bytes.s, bytes.len, 0644);
		bytes.s[i] ^= 0x20;
		if (manifest_open(&manifest, dirfd, "hurt") == NULL)
			unseen++;
		manifest_close(manifest);
		file_replace(dirfd, "hurt", bytes.s, i, 0644);
		if (manifest_open(&manifest, dirfd, "hurt") == NULL)
			unseen++;
		manifest_close(manifest);
	}
	is_int(unseen, 0, "%zu flipped bytes and cuts are seen", bytes.len);
	is_err(manifest_open(&manifest, dirfd, "."), ERR_CORRUPT,
	    "not a manifest", "a folder is no manifest");
	str_release(&bytes);
}

static void
test_compare(void)
{
	static const struct {
		const char *name;
		mode_t mode;
		int64_t size, mtime, ctime;
		ino_t inode;
		uid_t uid;
		enum manifest_state state;
	} cases[] = {
		{ "equal", S_IFREG | 0644, 5, 0, 0, 42, 0, MANIFEST_SAME },
		{ "older", S_IFREG | 0644, 5, -1, 0, 42, 0,
		    MANIFEST_UNKNOWN },
		{ "ctime", S_IFREG | 0644, 5, 0, 1, 42, 0,
		    MANIFEST_UNKNOWN },
		{ "inode", S_IFREG | 0644, 5, 0, 0, 43, 0,
		    MANIFEST_UNKNOWN },
		{ "mode", S_IFREG | 0755, 5, 0, 0, 42, 0, MANIFEST_MODE },
		{ "owner", S_IFREG | 0644, 5, 0, 0, 42, 1, MANIFEST_MODE },
		{ "setuid", S_IFREG | 04644, 5, 0, 0, 42, 0, MANIFEST_MODE },
		{ "size", S_IFREG | 0644, 6, 0, 0, 42, 0, MANIFEST_OTHER },
		{ "link", S_IFLNK | 0777, 5, 0, 0, 42, 0, MANIFEST_OTHER },
		{ "folder", S_IFDIR | 0755, 5, 0, 0, 42, 0,
		    MANIFEST_OTHER },
	};
	struct manifest *manifest;
	struct manifest_entry row;
	struct stat st = { 0 };

	is_ok(manifest_open(&manifest, dirfd, "m"), "one to compare with");
	manifest_entry(manifest, 0, 0, &row);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		st = (struct stat){ .st_mode = cases[i].mode,
		    .st_size = cases[i].size, .st_ino = cases[i].inode,
		    .st_uid = geteuid() + cases[i].uid };
		st.st_mtim.tv_sec = st.st_ctim.tv_sec = 1700000000;
		st.st_mtim.tv_nsec = 123456789 + cases[i].mtime;
		st.st_ctim.tv_nsec = 223456789 + cases[i].ctime;
		is_int(manifest_compare(manifest, &row, &st), cases[i].state,
		    "compare: %s", cases[i].name);
	}
	st = (struct stat){ .st_mode = S_IFREG | 0644, .st_size = 5,
	    .st_ino = 42, .st_uid = geteuid() };
	st.st_mtim = (struct timespec){ 1700000000, 123456789 };
	row.ctime_ns = 0;
	is_int(manifest_compare(manifest, &row, &st), MANIFEST_SAME,
	    "a ctime that tells nothing");
	manifest_close(manifest);
}

/* A file of the last tick may change again without its time changing. */
static void
test_racy(void)
{
	struct manifest_entry row = entry("a", 0100644);
	struct stat st = { .st_mode = S_IFREG | 0644, .st_uid = geteuid() };
	struct manifest_draft *draft;
	struct manifest *manifest;

	clock_gettime(CLOCK_REALTIME, &st.st_mtim);
	st.st_mtim.tv_sec += 100;
	manifest_entry_stat(&row, &st);
	is_ok(manifest_begin(&draft, dirfd, "racy"), "one is begun");
	manifest_add_folder(draft, "", tree);
	manifest_add(draft, &row);
	is_ok(manifest_finish(draft, COMMIT, 0), "with a file that is younger");
	is_ok(manifest_open(&manifest, dirfd, "racy"), "and opened");
	manifest_entry(manifest, 0, 0, &row);
	is_int(manifest_compare(manifest, &row, &st), MANIFEST_UNKNOWN,
	    "the file is not taken on trust");
	manifest_close(manifest);
}

static void
test_order(void)
{
	static const char *const sorted[] = {
		"", "a-b", "a.b", "a", "a/b", "a/b/c", "a0", "\xc3\xa4"
	};
	int wrong = 0;

	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 8; k++) {
			int order = manifest_order(sorted[i], sorted[k]);

			wrong += (order < 0) != (i < k) ||
			    (order == 0) != (i == k);
		}
	}
	is_int(wrong, 0, "folders stand as in git's trees");
}

int
main(void)
{
	dirfd = open(tap_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_round();
	test_copy();
	test_refusals();
	test_damage();
	test_compare();
	test_racy();
	test_order();
	close(dirfd);
	return tap_done();
}
