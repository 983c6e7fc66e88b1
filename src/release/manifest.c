#include "release/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"
#include "path.h"
#include "release/format.h"

struct manifest {
	const unsigned char *map;
	size_t map_bytes;
	bool is_lent;			/* not mapped by us */
	const unsigned char *index;
	size_t n_folders;
	size_t n_entries;
	int64_t finished_ns;
	unsigned int flags;
	uid_t uid;
};

int
manifest_order(const char *a, const char *b)
{
	size_t i = 0;
	unsigned char x, y;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	if (a[i] == b[i])
		return 0;
	/* The release itself, "", comes before all that is in it. */
	if (a[0] == '\0' || b[0] == '\0')
		return a[0] == '\0' ? -1 : 1;
	x = a[i] == '\0' ? '/' : (unsigned char)a[i];
	y = b[i] == '\0' ? '/' : (unsigned char)b[i];
	if (x != y)
		return x < y ? -1 : 1;
	return a[i] == '\0' ? -1 : 1;
}

static const unsigned char *
block_of(const struct manifest *manifest, size_t i)
{
	return manifest->map + get64(manifest->index + i * INDEX_BYTES +
	    AT_BLOCK);
}

/* The path follows the entries. */
static const char *
path_of(const unsigned char *block)
{
	return (const char *)block + BLOCK_HEAD_BYTES +
	    (size_t)get32(block + AT_BLOCK_ENTRIES) * ENTRY_BYTES;
}

static const unsigned char *
row_of(const unsigned char *block, size_t k)
{
	return block + BLOCK_HEAD_BYTES + k * ENTRY_BYTES;
}

static const char *
name_of(const unsigned char *block, size_t k)
{
	return (const char *)block + get32(row_of(block, k) + AT_NAME);
}

/* A name is looked up in its folder, and nowhere else. */
static bool
is_name(const char *name)
{
	return *name != '\0' && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/*
 * Texts are checked before any of them is used as one: they lie behind the
 * entries, and the block ends with a NUL.
 */
static bool
block_holds(const unsigned char *block, size_t room_bytes)
{
	uint32_t bytes, n;
	size_t texts;

	if (room_bytes < BLOCK_HEAD_BYTES)
		return false;
	bytes = get32(block + AT_BLOCK_BYTES);
	n = get32(block + AT_BLOCK_ENTRIES);
	if (bytes > room_bytes || bytes % BLOCK_ALIGN != 0 ||
	    n > bytes / ENTRY_BYTES)
		return false;
	texts = BLOCK_HEAD_BYTES + (size_t)n * ENTRY_BYTES;
	if (texts >= bytes || block[bytes - 1] != '\0')
		return false;
	for (uint32_t k = 0; k < n; k++) {
		const unsigned char *row = row_of(block, k);
		uint16_t mode = get16(row + AT_MODE);

		if (get32(row + AT_NAME) <= texts ||
		    get32(row + AT_NAME) >= bytes)
			return false;
		if (mode != 0100644 && mode != 0100755 &&
		    mode != MANIFEST_SYMLINK)
			return false;
		if (!is_name(name_of(block, k)) || (k > 0 &&
		    strcmp(name_of(block, k - 1), name_of(block, k)) >= 0))
			return false;
	}
	return *path_of(block) == '\0' || path_is_beneath(path_of(block));
}

/* A folder that is open, while those beneath it are looked at. */
struct above {
	const char *path;
	size_t end;		/* behind the last beneath it */
};

/* True when the folder lies in the one that it is said to lie in. */
static bool
lies_in(const struct above *above, const char *path, size_t end)
{
	size_t len = strlen(above->path);

	if (len > 0 && (strncmp(path, above->path, len) != 0 ||
	    path[len++] != '/'))
		return false;
	return end <= above->end && is_name(path + len);
}

/*
 * Folders nest as the index says, and none is left out: names are taken
 * apart by that.
 */
static bool
nests(const struct manifest *manifest)
{
	struct above *stack = xcalloc(manifest->n_folders,
	    sizeof(*stack));
	bool good = true;
	size_t n = 0;

	for (size_t i = 0; i < manifest->n_folders && good; i++) {
		const char *path = path_of(block_of(manifest, i));
		size_t end = i + get32(manifest->index + i * INDEX_BYTES +
		    AT_BENEATH);

		while (n > 0 && stack[n - 1].end <= i)
			n--;
		good = n == 0 ? i == 0 : lies_in(&stack[n - 1], path, end);
		stack[n++] = (struct above){ path, end };
	}
	free(stack);
	return good;
}

/* Blocks follow each other, and so do the folders beneath a folder. */
static bool
blocks_hold(const struct manifest *manifest, uint64_t end)
{
	uint64_t at = HEADER_BYTES;
	const char *previous = NULL;
	size_t before = 0;

	for (size_t i = 0; i < manifest->n_folders; i++) {
		const unsigned char *row = manifest->index + i * INDEX_BYTES;
		const unsigned char *block = manifest->map + at;

		if (get64(row + AT_BLOCK) != at || at >= end ||
		    !block_holds(block, end - at))
			return false;
		if (get32(row + AT_BEFORE) != before ||
		    get32(row + AT_BENEATH) == 0 ||
		    get32(row + AT_BENEATH) > manifest->n_folders - i)
			return false;
		if (previous == NULL ? *path_of(block) != '\0' :
		    manifest_order(previous, path_of(block)) >= 0)
			return false;
		previous = path_of(block);
		before += get32(block + AT_BLOCK_ENTRIES);
		at += get32(block + AT_BLOCK_BYTES);
	}
	return at == end && before == manifest->n_entries;
}

/* What the versions before this one wrote vouches for nothing any more. */
static const struct err *
not_ours(const unsigned char *map, size_t len)
{
	if (len >= FORMAT_MAGIC_BYTES && memcmp(map, FORMAT_OLD_MAGIC,
	    FORMAT_MAGIC_BYTES) == 0)
		return err_new(ERR_CORRUPT, "an older version of Slipway"
		    " wrote it; deploy the commit again");
	return err_new(ERR_CORRUPT, "not a manifest");
}

static const struct err *
check(struct manifest *manifest)
{
	const unsigned char *map = manifest->map;
	uint64_t index;

	if (manifest->map_bytes < HEADER_BYTES ||
	    memcmp(map, FORMAT_MAGIC, FORMAT_MAGIC_BYTES) != 0)
		return not_ours(map, manifest->map_bytes);
	if (crc32_z(0, map + AT_CHECKED, manifest->map_bytes - AT_CHECKED) !=
	    get32(map + AT_CHECKSUM))
		return err_new(ERR_CORRUPT, "the checksum is wrong");
	manifest->flags = get32(map + AT_FLAGS);
	manifest->n_folders = get32(map + AT_N_FOLDERS);
	manifest->n_entries = get32(map + AT_N_ENTRIES);
	manifest->uid = get32(map + AT_UID);
	manifest->finished_ns = (int64_t)get64(map + AT_FINISHED);
	index = get64(map + AT_INDEX);
	if (manifest->n_folders == 0 || index > manifest->map_bytes ||
	    manifest->map_bytes - index !=
	    (uint64_t)manifest->n_folders * INDEX_BYTES)
		return err_new(ERR_CORRUPT, "the length is wrong");
	manifest->index = map + index;
	if (!blocks_hold(manifest, index) || !nests(manifest))
		return err_new(ERR_CORRUPT, "the entries are not in order");
	return NULL;
}

static const struct err *
map_file(struct manifest *manifest, int dirfd, const char *path)
{
	const struct err *err = NULL;
	struct stat st;
	void *map;
	int fd;

	fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ?
		    err_new(ERR_NOT_FOUND, "there is no manifest of it in"
		    " .slipway/manifest, so nobody can tell whether it is"
		    " what was deployed; deploy its commit again") :
		    err_system("open");
	if (fstat(fd, &st) == -1) {
		err = err_system("stat");
	} else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		err = err_new(ERR_CORRUPT, "not a manifest");
	} else {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
		    fd, 0);
		if (map == MAP_FAILED) {
			err = err_system("map");
		} else {
			manifest->map = map;
			manifest->map_bytes = (size_t)st.st_size;
		}
	}
	close(fd);
	return err;
}

const struct err *
manifest_open(struct manifest **manifest, int dirfd, const char *path)
{
	struct manifest *opened = xcalloc(1, sizeof(*opened));
	const struct err *err;

	*manifest = NULL;
	err = map_file(opened, dirfd, path);
	if (err == NULL)
		err = check(opened);
	if (err != NULL) {
		manifest_close(opened);
		return err_add(err, "manifest %s", path);
	}
	*manifest = opened;
	return NULL;
}

const struct err *
manifest_lend(struct manifest **manifest, const void *bytes, size_t len)
{
	struct manifest *opened = xcalloc(1, sizeof(*opened));
	const struct err *err;

	opened->map = bytes;
	opened->map_bytes = len;
	opened->is_lent = true;
	err = check(opened);
	if (err != NULL) {
		manifest_close(opened);
		opened = NULL;
	}
	*manifest = opened;
	return err;
}

void
manifest_close(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	if (manifest->map != NULL && !manifest->is_lent)
		munmap((void *)manifest->map, manifest->map_bytes);
	free(manifest);
}

unsigned int
manifest_flags(const struct manifest *manifest)
{
	return manifest->flags;
}

uid_t
manifest_uid(const struct manifest *manifest)
{
	return manifest->uid;
}

bool
manifest_folder_look(const struct manifest *manifest,
    const struct manifest_folder *made, const struct stat *st, mode_t *mode,
    uid_t *uid)
{
	bool sealed = made != NULL && get32(made->tree + AT_LOOK_MODE) != 0;

	if (sealed) {
		*mode = (mode_t)get32(made->tree + AT_LOOK_MODE);
		*uid = (uid_t)get32(made->tree + AT_LOOK_UID);
	} else {
		*mode = S_IFDIR | 0755 | (st->st_mode & S_ISGID);
		*uid = manifest->uid;
	}
	return sealed;
}

void
manifest_put_look(unsigned char tree[20], const struct stat *st)
{
	memset(tree, 0, 20);
	put32(tree + AT_LOOK_MODE, (uint32_t)st->st_mode);
	put32(tree + AT_LOOK_UID, (uint32_t)st->st_uid);
}

void
manifest_commit(const struct manifest *manifest, char commit[41])
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = manifest->map + AT_COMMIT;

	for (int i = 0; i < 20; i++) {
		commit[2 * i] = digits[at[i] >> 4];
		commit[2 * i + 1] = digits[at[i] & 15];
	}
	commit[40] = '\0';
}

size_t
manifest_n_folders(const struct manifest *manifest)
{
	return manifest->n_folders;
}

size_t
manifest_n_entries(const struct manifest *manifest)
{
	return manifest->n_entries;
}

void
manifest_folder(const struct manifest *manifest, size_t i,
    struct manifest_folder *folder)
{
	const unsigned char *row = manifest->index + i * INDEX_BYTES;
	const unsigned char *block = block_of(manifest, i);

	folder->path = path_of(block);
	memcpy(folder->tree, block + AT_TREE, sizeof(folder->tree));
	folder->n_entries = get32(block + AT_BLOCK_ENTRIES);
	folder->n_folders = get32(row + AT_BENEATH);
	folder->first = get32(row + AT_BEFORE);
}

void
manifest_entry(const struct manifest *manifest, size_t i, size_t k,
    struct manifest_entry *entry)
{
	const unsigned char *block = block_of(manifest, i);
	const unsigned char *row = row_of(block, k);

	entry->name = name_of(block, k);
	entry->mode = get16(row + AT_MODE);
	entry->flags = get16(row + AT_ENTRY_FLAGS);
	memcpy(entry->content, row + AT_CONTENT, sizeof(entry->content));
	entry->size_bytes = get64(row + AT_SIZE);
	entry->mtime_ns = (int64_t)get64(row + AT_MTIME);
	entry->inode = get64(row + AT_INODE);
	entry->ctime_ns = (int64_t)get64(row + AT_CTIME);
}

const void *
manifest_blocks(const struct manifest *manifest, size_t i, size_t n,
    size_t *len)
{
	const unsigned char *from = block_of(manifest, i);
	const unsigned char *to = i + n == manifest->n_folders ?
	    manifest->index : block_of(manifest, i + n);

	*len = (size_t)(to - from);
	return from;
}

int64_t
manifest_find_folder(const struct manifest *manifest, const char *path)
{
	size_t low = 0, high = manifest->n_folders;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = manifest_order(path,
		    path_of(block_of(manifest, middle)));

		if (order == 0)
			return (int64_t)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

int64_t
manifest_find_entry(const struct manifest *manifest, size_t i,
    const char *name)
{
	const unsigned char *block = block_of(manifest, i);
	size_t low = 0, high = get32(block + AT_BLOCK_ENTRIES);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, name_of(block, middle));

		if (order == 0)
			return (int64_t)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

/* Where inodes are shared, ctime is 0 and tells nothing. */
enum manifest_state
manifest_compare(const struct manifest *manifest,
    const struct manifest_entry *entry, const struct stat *st)
{
	mode_t type = entry->mode == MANIFEST_SYMLINK ? S_IFLNK : S_IFREG;

	if ((st->st_mode & S_IFMT) != type ||
	    (uint64_t)st->st_size != entry->size_bytes)
		return MANIFEST_OTHER;
	if (st->st_uid != manifest->uid || (type == S_IFREG &&
	    (st->st_mode & 07777) != (entry->mode & 07777)))
		return MANIFEST_MODE;
	if (format_nanoseconds(&st->st_mtim) != entry->mtime_ns ||
	    (uint64_t)st->st_ino != entry->inode ||
	    entry->mtime_ns >= manifest->finished_ns)
		return MANIFEST_UNKNOWN;
	if (entry->ctime_ns != 0 &&
	    format_nanoseconds(&st->st_ctim) != entry->ctime_ns)
		return MANIFEST_UNKNOWN;
	return MANIFEST_SAME;
}

void
manifest_entry_stat(struct manifest_entry *entry, const struct stat *st)
{
	entry->size_bytes = (uint64_t)st->st_size;
	entry->mtime_ns = format_nanoseconds(&st->st_mtim);
	entry->ctime_ns = format_nanoseconds(&st->st_ctim);
	entry->inode = (uint64_t)st->st_ino;
}
