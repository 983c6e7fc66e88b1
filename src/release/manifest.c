#include "manifest.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "str.h"

#define MAGIC "SLIPMAN1"
#define HEADER_BYTES 64
#define ENTRY_BYTES 72
#define PIECE_BYTES (64 * 1024)

/* Where the parts of the header are. */
#define AT_COUNT 8
#define AT_NAMES_SIZE 12
#define AT_COMMIT 16
#define AT_TREE 36
#define AT_FINISHED 56

struct manifest_draft {
	struct manifest_entry *entries;
	size_t n;
	size_t size;
};

struct manifest {
	const unsigned char *map;
	size_t map_bytes;
	const unsigned char *entries;
	const char *names;
	size_t names_bytes;
	size_t n;
	int64_t finished_ns;
};

static void
put32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static void
put64(unsigned char *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t
get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t
get64(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static int64_t
nanoseconds(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

struct manifest_draft *
manifest_draft_new(void)
{
	return xcalloc(1, sizeof(struct manifest_draft));
}

void
manifest_draft_free(struct manifest_draft *draft)
{
	if (draft == NULL)
		return;
	for (size_t i = 0; i < draft->n; i++)
		free((char *)draft->entries[i].path);
	free(draft->entries);
	free(draft);
}

void
manifest_draft_add(struct manifest_draft *draft,
    const struct manifest_entry *entry)
{
	if (draft->n == draft->size) {
		draft->size = draft->size == 0 ? 256 : draft->size * 2;
		draft->entries = xreallocarray(draft->entries, draft->size,
		    sizeof(*draft->entries));
	}
	draft->entries[draft->n] = *entry;
	draft->entries[draft->n++].path = xstrdup(entry->path);
}

static int
by_path(const void *a, const void *b)
{
	const struct manifest_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static const struct err *
sort(struct manifest_draft *draft)
{
	if (draft->n < 2)
		return NULL;
	qsort(draft->entries, draft->n, sizeof(*draft->entries), by_path);
	for (size_t i = 1; i < draft->n; i++) {
		if (by_path(&draft->entries[i - 1], &draft->entries[i]) == 0)
			return err_new(ERR_CORRUPT, "%s is there twice",
			    draft->entries[i].path);
	}
	return NULL;
}

static const struct err *
put_oid(unsigned char *at, const char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 40; i++) {
		const char *digit = hex[i] == '\0' ? NULL :
		    strchr(digits, hex[i]);

		if (digit == NULL)
			return err_new(ERR_CORRUPT,
			    "\"%s\" is no object name", hex);
		at[i / 2] = (unsigned char)(at[i / 2] << 4 |
		    (digit - digits));
	}
	return NULL;
}

static void
put_entry(unsigned char *at, const struct manifest_entry *entry,
    size_t name)
{
	put32(at, (uint32_t)name);
	put32(at + 4, entry->mode);
	memcpy(at + 8, entry->blob, 20);
	put32(at + 28, entry->flags);
	put64(at + 32, entry->size_bytes);
	put64(at + 40, (uint64_t)entry->mtime_ns);
	put64(at + 48, entry->inode);
	put64(at + 56, (uint64_t)entry->ctime_ns);
	memcpy(at + 64, entry->digest, 8);
}

static const struct err *
add_header(struct str *out, size_t n, size_t names_bytes,
    const char *commit, const char *tree)
{
	unsigned char header[HEADER_BYTES] = MAGIC;
	const struct err *err;
	struct timespec now;

	/* The coarse clock is the one that file times are taken from. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	put32(header + AT_COUNT, (uint32_t)n);
	put32(header + AT_NAMES_SIZE, (uint32_t)names_bytes);
	put64(header + AT_FINISHED, (uint64_t)nanoseconds(&now));
	err = put_oid(header + AT_COMMIT, commit);
	if (err == NULL)
		err = put_oid(header + AT_TREE, tree);
	if (err == NULL)
		str_add_bytes(out, header, sizeof(header));
	return err;
}

static void
add_checksum(struct str *out)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)out->s, out->len);
	SHA256Final(sum, &ctx);
	str_add_bytes(out, sum, sizeof(sum));
}

const struct err *
manifest_draft_write(struct manifest_draft *draft, int dirfd,
    const char *path, const char *commit, const char *tree)
{
	struct str out = STR_INIT, names = STR_INIT;
	const struct err *err;

	err = sort(draft);
	if (err != NULL)
		return err;
	for (size_t i = 0; i < draft->n; i++)
		str_add_bytes(&names, draft->entries[i].path,
		    strlen(draft->entries[i].path) + 1);
	if (names.len > UINT32_MAX || draft->n > UINT32_MAX) {
		err = err_new(ERR_FAILED, "too many files for a manifest");
		goto done;
	}
	err = add_header(&out, draft->n, names.len, commit, tree);
	if (err != NULL)
		goto done;
	str_reserve(&out, draft->n * ENTRY_BYTES + names.len +
	    SHA256_DIGEST_LENGTH);
	for (size_t i = 0, name = 0; i < draft->n; i++) {
		unsigned char row[ENTRY_BYTES];

		put_entry(row, &draft->entries[i], name);
		str_add_bytes(&out, row, sizeof(row));
		name += strlen(draft->entries[i].path) + 1;
	}
	str_add_bytes(&out, names.s, names.len);
	add_checksum(&out);
	err = file_replace(dirfd, path, out.s, out.len, 0644);
done:
	str_release(&names);
	str_release(&out);
	return err;
}

static bool
checksum_holds(const struct manifest *manifest)
{
	size_t len = manifest->map_bytes - SHA256_DIGEST_LENGTH;
	unsigned char sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, manifest->map, len);
	SHA256Final(sum, &ctx);
	return memcmp(sum, manifest->map + len, sizeof(sum)) == 0;
}

/* Names are checked before any of them is used as a string. */
static bool
entries_hold(const struct manifest *manifest)
{
	const char *previous = NULL;

	if (manifest->names_bytes > 0 &&
	    manifest->names[manifest->names_bytes - 1] != '\0')
		return false;
	for (size_t i = 0; i < manifest->n; i++) {
		const unsigned char *row = manifest->entries +
		    i * ENTRY_BYTES;
		uint32_t mode = get32(row + 4);
		const char *name;

		if (get32(row) >= manifest->names_bytes)
			return false;
		if (mode != 0100644 && mode != 0100755 && mode != 0120000)
			return false;
		name = manifest->names + get32(row);
		if (previous != NULL && strcmp(previous, name) >= 0)
			return false;
		previous = name;
	}
	return true;
}

static const struct err *
check(struct manifest *manifest)
{
	const unsigned char *map = manifest->map;
	uint64_t want;

	if (manifest->map_bytes < HEADER_BYTES + SHA256_DIGEST_LENGTH ||
	    memcmp(map, MAGIC, strlen(MAGIC)) != 0)
		return err_new(ERR_CORRUPT, "not a manifest");
	manifest->n = get32(map + AT_COUNT);
	manifest->names_bytes = get32(map + AT_NAMES_SIZE);
	manifest->finished_ns = (int64_t)get64(map + AT_FINISHED);
	want = HEADER_BYTES + (uint64_t)manifest->n * ENTRY_BYTES +
	    manifest->names_bytes + SHA256_DIGEST_LENGTH;
	if (want != manifest->map_bytes)
		return err_new(ERR_CORRUPT, "the length is wrong");
	if (!checksum_holds(manifest))
		return err_new(ERR_CORRUPT, "the checksum is wrong");
	manifest->entries = map + HEADER_BYTES;
	manifest->names = (const char *)manifest->entries +
	    manifest->n * ENTRY_BYTES;
	if (!entries_hold(manifest))
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

void
manifest_close(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	if (manifest->map != NULL)
		munmap((void *)manifest->map, manifest->map_bytes);
	free(manifest);
}

size_t
manifest_size(const struct manifest *manifest)
{
	return manifest->n;
}

static void
get_oid(const unsigned char *at, char oid[41])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 20; i++) {
		oid[2 * i] = digits[at[i] >> 4];
		oid[2 * i + 1] = digits[at[i] & 15];
	}
	oid[40] = '\0';
}

void
manifest_oids(const struct manifest *manifest, char commit[41],
    char tree[41])
{
	get_oid(manifest->map + AT_COMMIT, commit);
	get_oid(manifest->map + AT_TREE, tree);
}

void
manifest_get(const struct manifest *manifest, size_t i,
    struct manifest_entry *entry)
{
	const unsigned char *row = manifest->entries + i * ENTRY_BYTES;

	entry->path = manifest->names + get32(row);
	entry->mode = get32(row + 4);
	memcpy(entry->blob, row + 8, 20);
	entry->flags = get32(row + 28);
	entry->size_bytes = get64(row + 32);
	entry->mtime_ns = (int64_t)get64(row + 40);
	entry->inode = get64(row + 48);
	entry->ctime_ns = (int64_t)get64(row + 56);
	memcpy(entry->digest, row + 64, 8);
}

int64_t
manifest_find(const struct manifest *manifest, const char *path)
{
	size_t low = 0, high = manifest->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const unsigned char *row = manifest->entries +
		    middle * ENTRY_BYTES;
		int order = strcmp(path, manifest->names + get32(row));

		if (order == 0)
			return (int64_t)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

enum manifest_state
manifest_compare(const struct manifest *manifest,
    const struct manifest_entry *entry, const struct stat *st)
{
	mode_t type = entry->mode == 0120000 ? S_IFLNK : S_IFREG;

	if ((st->st_mode & S_IFMT) != type ||
	    (uint64_t)st->st_size != entry->size_bytes)
		return MANIFEST_OTHER;
	if (type == S_IFREG && (st->st_mode & 07777) !=
	    (entry->mode & 07777))
		return MANIFEST_MODE;
	if (nanoseconds(&st->st_mtim) != entry->mtime_ns ||
	    nanoseconds(&st->st_ctim) != entry->ctime_ns ||
	    (uint64_t)st->st_ino != entry->inode ||
	    entry->mtime_ns >= manifest->finished_ns)
		return MANIFEST_UNKNOWN;
	return MANIFEST_SAME;
}

void
manifest_entry_stat(struct manifest_entry *entry, const struct stat *st)
{
	entry->size_bytes = (uint64_t)st->st_size;
	entry->mtime_ns = nanoseconds(&st->st_mtim);
	entry->ctime_ns = nanoseconds(&st->st_ctim);
	entry->inode = (uint64_t)st->st_ino;
}

void
manifest_digest(unsigned char digest[8], const void *bytes, size_t len)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, bytes, len);
	SHA256Final(sum, &ctx);
	memcpy(digest, sum, 8);
}

const struct err *
manifest_digest_fd(unsigned char digest[8], int fd)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	char *piece = xmalloc(PIECE_BYTES);
	const struct err *err = NULL;
	off_t offset = 0;
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	for (;;) {
		ssize_t len = pread(fd, piece, PIECE_BYTES, offset);

		if (len == -1 && errno == EINTR)
			continue;
		if (len == -1)
			err = err_system("read");
		if (len <= 0)
			break;
		SHA256Update(&ctx, (const uint8_t *)piece, (size_t)len);
		offset += len;
	}
	SHA256Final(sum, &ctx);
	memcpy(digest, sum, 8);
	free(piece);
	return err;
}
