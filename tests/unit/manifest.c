#include "release/manifest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "str.h"
#include "tap.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define TREE "89abcdef0123456789abcdef0123456789abcdef"

static int dirfd;

static struct manifest_entry
entry(const char *path, uint32_t mode)
{
	struct manifest_entry row = { .path = path, .mode = mode,
	    .flags = MANIFEST_CONVERTED, .size_bytes = 5,
	    .mtime_ns = 1700000000123456789, .inode = 42,
	    .ctime_ns = 1700000000223456789 };

	memset(row.blob, 0xab, sizeof(row.blob));
	manifest_digest(row.digest, "hello", 5);
	return row;
}

static const struct err *
write_paths(const char *const *paths, const char *name)
{
	struct manifest_draft *draft = manifest_draft_new();
	const struct err *err;

	for (size_t i = 0; paths[i] != NULL; i++) {
		struct manifest_entry row = entry(paths[i], 0100644);

		manifest_draft_add(draft, &row);
	}
	err = manifest_draft_write(draft, dirfd, name, COMMIT, TREE);
	manifest_draft_free(draft);
	return err;
}

static void
test_round(void)
{
	static const char *const paths[] = {
		"z", "a/b", "a-b", "a", "\xc3\xa4", NULL
	};
	static const char *const sorted[] = {
		"a", "a-b", "a/b", "z", "\xc3\xa4"
	};
	struct manifest *manifest;
	struct manifest_entry got, want;
	char oid[41], tree[41];

	is_ok(write_paths(paths, "m"), "a manifest is written");
	is_ok(manifest_open(&manifest, dirfd, "m"), "and opened");
	is_int((int64_t)manifest_size(manifest), 5, "with its entries");
	manifest_oids(manifest, oid, tree);
	is_str(oid, COMMIT, "and its commit");
	is_str(tree, TREE, "and its tree");
	for (int i = 0; i < 5; i++) {
		manifest_get(manifest, (size_t)i, &got);
		is_str(got.path, sorted[i], "entry %d is sorted", i);
		is_int(manifest_find(manifest, sorted[i]), i,
		    "%s is found", sorted[i]);
	}
	want = entry("", 0100644);
	ok(got.mode == want.mode && got.flags == want.flags &&
	    got.size_bytes == want.size_bytes && got.inode == want.inode &&
	    got.mtime_ns == want.mtime_ns && got.ctime_ns == want.ctime_ns &&
	    memcmp(got.blob, want.blob, 20) == 0 &&
	    memcmp(got.digest, want.digest, 8) == 0,
	    "every field comes back");
	is_int(manifest_find(manifest, "a/"), -1, "what is not there");
	is_int(manifest_find(manifest, ""), -1, "the empty path");
	manifest_close(manifest);
}

static void
test_empty(void)
{
	static const char *const none[] = { NULL };
	struct manifest *manifest;

	is_ok(write_paths(none, "empty"), "an empty manifest is written");
	is_ok(manifest_open(&manifest, dirfd, "empty"), "and opened");
	is_int((int64_t)manifest_size(manifest), 0, "with nothing in it");
	is_int(manifest_find(manifest, "a"), -1, "and nothing is found");
	manifest_close(manifest);
	manifest_close(NULL);
	manifest_draft_free(NULL);
}

static void
test_refusals(void)
{
	static const char *const twice[] = { "a", "b", "a", NULL };
	struct manifest_draft *draft = manifest_draft_new();
	struct manifest *manifest;

	is_err(write_paths(twice, "twice"), ERR_CORRUPT, "a is there twice",
	    "a path twice");
	is_err(manifest_draft_write(draft, dirfd, "bad", "012", TREE),
	    ERR_CORRUPT, "is no object name", "a short commit");
	is_err(manifest_draft_write(draft, dirfd, "bad", COMMIT, "x"),
	    ERR_CORRUPT, "is no object name", "a wrong tree");
	is_err(manifest_open(&manifest, dirfd, "bad"), ERR_NOT_FOUND,
	    "there is no manifest of it", "nothing was written then");
	ok(manifest == NULL, "and nothing is opened");
	manifest_draft_free(draft);
}

/* Every byte that is flipped, and every cut, has to be noticed. */
static void
test_damage(void)
{
	static const char *const paths[] = { "a", "b/c", NULL };
	struct str bytes = STR_INIT;
	struct manifest *manifest;
	int unseen = 0;

	is_ok(write_paths(paths, "m"), "a manifest to damage");
	is_ok(file_read_at(&bytes, dirfd, "m", 65536), "is read");
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
		enum manifest_state state;
	} cases[] = {
		{ "equal", S_IFREG | 0644, 5, 0, 0, 42, MANIFEST_SAME },
		{ "older", S_IFREG | 0644, 5, -1, 0, 42, MANIFEST_UNKNOWN },
		{ "ctime", S_IFREG | 0644, 5, 0, 1, 42, MANIFEST_UNKNOWN },
		{ "inode", S_IFREG | 0644, 5, 0, 0, 43, MANIFEST_UNKNOWN },
		{ "mode", S_IFREG | 0755, 5, 0, 0, 42, MANIFEST_MODE },
		{ "setuid", S_IFREG | 04644, 5, 0, 0, 42, MANIFEST_MODE },
		{ "size", S_IFREG | 0644, 6, 0, 0, 42, MANIFEST_OTHER },
		{ "link", S_IFLNK | 0777, 5, 0, 0, 42, MANIFEST_OTHER },
		{ "folder", S_IFDIR | 0755, 5, 0, 0, 42, MANIFEST_OTHER },
	};
	static const char *const paths[] = { "a", NULL };
	struct manifest *manifest;
	struct manifest_entry row;

	is_ok(write_paths(paths, "m"), "a manifest to compare with");
	is_ok(manifest_open(&manifest, dirfd, "m"), "is opened");
	manifest_get(manifest, 0, &row);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stat st = { .st_mode = cases[i].mode,
		    .st_size = cases[i].size, .st_ino = cases[i].inode };

		st.st_mtim.tv_sec = st.st_ctim.tv_sec = 1700000000;
		st.st_mtim.tv_nsec = 123456789 + cases[i].mtime;
		st.st_ctim.tv_nsec = 223456789 + cases[i].ctime;
		is_int(manifest_compare(manifest, &row, &st), cases[i].state,
		    "compare: %s", cases[i].name);
	}
	manifest_close(manifest);
}

/* A file of the last tick may change again without its time changing. */
static void
test_racy(void)
{
	struct manifest_draft *draft = manifest_draft_new();
	struct manifest_entry row = entry("a", 0100644);
	struct manifest *manifest;
	struct stat st = { .st_mode = S_IFREG | 0644 };

	clock_gettime(CLOCK_REALTIME, &st.st_mtim);
	st.st_mtim.tv_sec += 100;
	manifest_entry_stat(&row, &st);
	manifest_draft_add(draft, &row);
	is_ok(manifest_draft_write(draft, dirfd, "racy", COMMIT, TREE),
	    "a file younger than its manifest");
	is_ok(manifest_open(&manifest, dirfd, "racy"), "is opened");
	manifest_get(manifest, 0, &row);
	is_int(manifest_compare(manifest, &row, &st), MANIFEST_UNKNOWN,
	    "and not taken on trust");
	manifest_close(manifest);
	manifest_draft_free(draft);
}

static void
test_digest(void)
{
	static const unsigned char hello[8] = {
		0x2c, 0xf2, 0x4d, 0xba, 0x5f, 0xb0, 0xa3, 0x0e
	};
	unsigned char digest[8], again[8];
	size_t len = 300000;
	char *bytes = calloc(1, len);
	int fd;

	manifest_digest(digest, "hello", 5);
	ok(memcmp(digest, hello, 8) == 0, "the digest is SHA-256");
	is_ok(file_replace(dirfd, "big", bytes, len, 0644), "a large file");
	fd = openat(dirfd, "big", O_RDONLY | O_CLOEXEC);
	is_ok(manifest_digest_fd(again, fd), "is read in pieces");
	manifest_digest(digest, bytes, len);
	ok(memcmp(digest, again, 8) == 0, "with the same digest");
	close(fd);
	is_err(manifest_digest_fd(again, fd), ERR_SYSTEM, "read",
	    "a closed descriptor");
	free(bytes);
}

int
main(void)
{
	dirfd = open(tap_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_round();
	test_empty();
	test_refusals();
	test_damage();
	test_compare();
	test_racy();
	test_digest();
	close(dirfd);
	return tap_done();
}
