/*
 * A manifest of any bytes: it is refused, or all of it can be walked, every
 * folder and entry is found by its name, and written down again it holds
 * the same. The checksum is put right first, as nothing would pass it.
 */
#include "release/manifest.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "fuzz.h"
#include "path.h"
#include "release/format.h"

/* To write takes ten times as long as the rest: one in so many is. */
#define WRITTEN_EACH 8

static char place[] = "/dev/shm/slipway-fuzz-XXXXXX";
static int dirfd = -1;

static void
remove_folder(void)
{
	unlinkat(dirfd, "m", 0);
	rmdir(place);
}

static void
open_folder(void)
{
	if (dirfd != -1)
		return;
	if (mkdtemp(place) == NULL)
		abort();
	dirfd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atexit(remove_folder);
}

static void
check_folder(const struct manifest *manifest, size_t i, size_t *first)
{
	struct manifest_folder folder;
	struct manifest_entry entry;

	manifest_folder(manifest, i, &folder);
	assert(i == 0 ? *folder.path == '\0' : path_is_beneath(folder.path));
	assert(folder.first == *first);
	assert(folder.n_folders > 0 &&
	    i + folder.n_folders <= manifest_n_folders(manifest));
	assert(manifest_find_folder(manifest, folder.path) == (int64_t)i);
	for (size_t k = 0; k < folder.n_entries; k++) {
		manifest_entry(manifest, i, k, &entry);
		assert(*entry.name != '\0' &&
		    strchr(entry.name, '/') == NULL);
		assert(entry.mode == 0100644 || entry.mode == 0100755 ||
		    entry.mode == MANIFEST_SYMLINK);
		assert(manifest_find_entry(manifest, i, entry.name) ==
		    (int64_t)k);
	}
	assert(manifest_find_entry(manifest, i, "") == -1);
	*first += folder.n_entries;
}

static void
check_all(const struct manifest *manifest)
{
	char commit[41];
	size_t first = 0;

	for (size_t i = 0; i < manifest_n_folders(manifest); i++)
		check_folder(manifest, i, &first);
	assert(first == manifest_n_entries(manifest));
	manifest_commit(manifest, commit);
	assert(strlen(commit) == 40);
	assert(manifest_find_folder(manifest, "/") == -1);
}

/* By folders and entries, or by whole runs of folders. */
static void
write_again(const struct manifest *manifest, bool by_runs)
{
	struct manifest_draft *draft;
	char commit[41];

	assert(manifest_begin(&draft, dirfd, "m") == NULL);
	for (size_t i = 0; i < manifest_n_folders(manifest); i++) {
		struct manifest_folder folder;

		manifest_folder(manifest, i, &folder);
		if (by_runs && i > 0) {
			manifest_copy(draft, manifest, i, folder.n_folders);
			i += folder.n_folders - 1;
			continue;
		}
		manifest_add_folder(draft, folder.path, folder.tree);
		for (size_t k = 0; k < folder.n_entries; k++) {
			struct manifest_entry entry;

			manifest_entry(manifest, i, k, &entry);
			manifest_add(draft, &entry);
		}
	}
	manifest_commit(manifest, commit);
	assert(manifest_finish(draft, commit, manifest_flags(manifest)) ==
	    NULL);
}

static void
check_same(const struct manifest *a, const struct manifest *b)
{
	assert(manifest_n_folders(a) == manifest_n_folders(b));
	assert(manifest_n_entries(a) == manifest_n_entries(b));
	assert(manifest_flags(a) == manifest_flags(b));
	for (size_t i = 0; i < manifest_n_folders(a); i++) {
		struct manifest_folder x, y;
		struct manifest_entry p, q;

		manifest_folder(a, i, &x);
		manifest_folder(b, i, &y);
		assert(strcmp(x.path, y.path) == 0);
		assert(x.n_entries == y.n_entries);
		assert(x.n_folders == y.n_folders && x.first == y.first);
		assert(memcmp(x.tree, y.tree, sizeof(x.tree)) == 0);
		for (size_t k = 0; k < x.n_entries; k++) {
			manifest_entry(a, i, k, &p);
			manifest_entry(b, i, k, &q);
			assert(strcmp(p.name, q.name) == 0);
			assert(p.mode == q.mode && p.flags == q.flags);
			assert(memcmp(p.content, q.content, 20) == 0);
			assert(p.size_bytes == q.size_bytes);
			assert(p.mtime_ns == q.mtime_ns);
			assert(p.inode == q.inode);
			assert(p.ctime_ns == q.ctime_ns);
		}
	}
}

static void
check_written(const struct manifest *manifest, bool by_runs)
{
	struct manifest *again;
	const struct err *err;

	open_folder();
	write_again(manifest, by_runs);
	err = manifest_open(&again, dirfd, "m");
	assert(err == NULL);
	check_same(manifest, again);
	manifest_close(again);
	unlinkat(dirfd, "m", 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = (unsigned char *)fuzz_copy(data, size);
	struct manifest *manifest;
	const struct err *err;
	uint32_t sum = 0;

	if (size >= HEADER_BYTES) {
		memcpy(bytes, FORMAT_MAGIC, FORMAT_MAGIC_BYTES);
		sum = (uint32_t)crc32_z(0, bytes + AT_CHECKED,
		    size - AT_CHECKED);
		put32(bytes + AT_CHECKSUM, sum);
	}
	err = manifest_lend(&manifest, bytes, size);
	if (err == NULL) {
		check_all(manifest);
		if (sum % WRITTEN_EACH == 0)
			check_written(manifest, sum / WRITTEN_EACH % 2 == 1);
	} else {
		assert(manifest == NULL && err->code == ERR_CORRUPT);
	}
	manifest_close(manifest);
	free(bytes);
	return 0;
}
