/*
 * Blocks go to a file without a name that anybody looks for, as they are
 * finished; what stays in memory is a row of the index for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "release/format.h"
#include "release/manifest.h"
#include "str.h"

/* So much is written at once. */
#define BUFFER_BYTES (128 * 1024)

struct row {
	uint64_t block;
	uint32_t n_entries;
	uint32_t depth;			/* 0 is the release itself */
};

struct manifest_draft {
	int dirfd;			/* lent */
	int fd;
	char *path;
	char *temp;
	const struct err *err;		/* the first one */
	struct str buffer;
	uLong checksum;			/* of what has been written */
	uint64_t written_bytes;		/* without the header */
	struct row *rows;
	size_t n_rows;
	size_t size;
	uint64_t n_entries;

	/* The block under construction. */
	bool is_open;
	unsigned char tree[20];
	struct str entries;		/* names count from the texts' start */
	struct str texts;
	size_t last_name;		/* where it is in texts */
	struct str folder;		/* the path of the last block */
};

const struct err *
manifest_begin(struct manifest_draft **draft, int dirfd, const char *path)
{
	struct manifest_draft *begun = xcalloc(1, sizeof(*begun));

	*draft = begun;
	begun->dirfd = dirfd;
	begun->path = xstrdup(path);
	begun->temp = xasprintf("%s.new", path);
	str_init(&begun->buffer);
	str_init(&begun->entries);
	str_init(&begun->texts);
	str_init(&begun->folder);
	begun->checksum = crc32(0, NULL, 0);
	begun->fd = -1;
	if (unlinkat(dirfd, begun->temp, 0) == -1 && errno != ENOENT)
		begun->err = err_system("remove %s", begun->temp);
	else
		begun->fd = openat(dirfd, begun->temp, O_WRONLY | O_CREAT |
		    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (begun->fd == -1 && begun->err == NULL)
		begun->err = err_system("create %s", begun->temp);
	return begun->err;
}

static const struct err *
write_at(int fd, const void *bytes, size_t len, uint64_t at)
{
	if (lseek(fd, (off_t)at, SEEK_SET) == -1)
		return err_system("seek");
	return file_write_fd(fd, bytes, len);
}

static void
write_out(struct manifest_draft *draft, const void *bytes, size_t len)
{
	if (draft->err == NULL)
		draft->err = write_at(draft->fd, bytes, len, HEADER_BYTES +
		    draft->written_bytes);
	draft->checksum = crc32_z(draft->checksum, bytes, len);
	draft->written_bytes += len;
}

static void
flush(struct manifest_draft *draft)
{
	if (draft->buffer.len > 0)
		write_out(draft, draft->buffer.s, draft->buffer.len);
	str_clear(&draft->buffer);
}

/* What is large goes past the buffer. */
static void
put(struct manifest_draft *draft, const void *bytes, size_t len)
{
	if (draft->buffer.len + len > BUFFER_BYTES)
		flush(draft);
	if (len > BUFFER_BYTES)
		write_out(draft, bytes, len);
	else
		str_add_bytes(&draft->buffer, bytes, len);
}

static uint64_t
offset(const struct manifest_draft *draft)
{
	return HEADER_BYTES + draft->written_bytes + draft->buffer.len;
}

static void
add_row(struct manifest_draft *draft, const char *path, size_t n_entries)
{
	struct row *row;

	if (draft->n_rows > 0 && draft->err == NULL &&
	    manifest_order(draft->folder.s, path) >= 0)
		draft->err = err_new(ERR_CORRUPT,
		    "folder %s is there twice, or not in order", path);
	str_clear(&draft->folder);
	str_add(&draft->folder, path);
	if (draft->n_rows == draft->size) {
		draft->size = draft->size == 0 ? 64 : draft->size * 2;
		draft->rows = xreallocarray(draft->rows, draft->size,
		    sizeof(*draft->rows));
	}
	row = &draft->rows[draft->n_rows++];
	row->block = offset(draft);
	row->n_entries = (uint32_t)n_entries;
	row->depth = *path == '\0' ? 0 : (uint32_t)path_depth(path);
	draft->n_entries += n_entries;
}

/* The texts come behind the entries, and the block is filled up. */
static void
close_block(struct manifest_draft *draft)
{
	unsigned char head[BLOCK_HEAD_BYTES];
	size_t n = draft->entries.len / ENTRY_BYTES;
	size_t texts_at = BLOCK_HEAD_BYTES + draft->entries.len;

	if (!draft->is_open)
		return;
	draft->is_open = false;
	while ((texts_at + draft->texts.len) % BLOCK_ALIGN != 0)
		str_addch(&draft->texts, '\0');
	if (texts_at + draft->texts.len > UINT32_MAX && draft->err == NULL)
		draft->err = err_new(ERR_FAILED, "folder %s is too large for"
		    " a manifest", draft->texts.s);
	for (size_t k = 0; k < n; k++) {
		unsigned char *row = (unsigned char *)draft->entries.s +
		    k * ENTRY_BYTES;

		put32(row + AT_NAME, get32(row + AT_NAME) +
		    (uint32_t)texts_at);
	}
	put32(head + AT_BLOCK_BYTES, (uint32_t)(texts_at + draft->texts.len));
	put32(head + AT_BLOCK_ENTRIES, (uint32_t)n);
	memcpy(head + AT_TREE, draft->tree, sizeof(draft->tree));
	add_row(draft, draft->texts.s, n);
	put(draft, head, sizeof(head));
	put(draft, draft->entries.s, draft->entries.len);
	put(draft, draft->texts.s, draft->texts.len);
}

void
manifest_add_folder(struct manifest_draft *draft, const char *path,
    const unsigned char tree[20])
{
	close_block(draft);
	draft->is_open = true;
	memcpy(draft->tree, tree, sizeof(draft->tree));
	str_clear(&draft->entries);
	str_clear(&draft->texts);
	str_add_bytes(&draft->texts, path, strlen(path) + 1);
	draft->last_name = 0;
}

void
manifest_add(struct manifest_draft *draft,
    const struct manifest_entry *entry)
{
	unsigned char row[ENTRY_BYTES];

	if (draft->err == NULL && draft->last_name > 0 &&
	    strcmp(draft->texts.s + draft->last_name, entry->name) >= 0)
		draft->err = err_new(ERR_CORRUPT, "%s/%s is there twice, or"
		    " not in order", draft->texts.s, entry->name);
	draft->last_name = draft->texts.len;
	put32(row + AT_NAME, (uint32_t)draft->texts.len);
	put16(row + AT_MODE, (uint16_t)entry->mode);
	put16(row + AT_ENTRY_FLAGS, (uint16_t)entry->flags);
	memcpy(row + AT_CONTENT, entry->content, sizeof(entry->content));
	put64(row + AT_SIZE, entry->size_bytes);
	put64(row + AT_MTIME, (uint64_t)entry->mtime_ns);
	put64(row + AT_INODE, entry->inode);
	put64(row + AT_CTIME, (uint64_t)entry->ctime_ns);
	str_add_bytes(&draft->entries, row, sizeof(row));
	str_add_bytes(&draft->texts, entry->name, strlen(entry->name) + 1);
}

void
manifest_copy(struct manifest_draft *draft, const struct manifest *base,
    size_t i, size_t n)
{
	const unsigned char *blocks;
	size_t len, at = 0;
	uint64_t from;

	close_block(draft);
	blocks = manifest_blocks(base, i, n, &len);
	flush(draft);
	from = offset(draft);
	for (size_t k = i; k < i + n; k++) {
		struct manifest_folder folder;

		manifest_folder(base, k, &folder);
		add_row(draft, folder.path, folder.n_entries);
		draft->rows[draft->n_rows - 1].block = from + at;
		at += get32(blocks + at + AT_BLOCK_BYTES);
	}
	put(draft, blocks, len);
}

/* How many folders follow "i" that are deeper, and itself. */
static void
put_index(struct manifest_draft *draft)
{
	size_t n = draft->n_rows;
	uint32_t *beneath = xcalloc(n + 1, sizeof(*beneath));
	uint64_t before = 0;

	for (size_t i = n; i-- > 0;) {
		size_t next = i + 1;

		while (next < n && draft->rows[next].depth >
		    draft->rows[i].depth)
			next += beneath[next];
		beneath[i] = (uint32_t)(next - i);
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char row[INDEX_BYTES];

		put64(row + AT_BLOCK, draft->rows[i].block);
		put32(row + AT_BENEATH, beneath[i]);
		put32(row + AT_BEFORE, (uint32_t)before);
		before += draft->rows[i].n_entries;
		put(draft, row, sizeof(row));
	}
	free(beneath);
}

static const struct err *
put_commit(unsigned char *at, const char *hex)
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

static const struct err *
write_header(struct manifest_draft *draft, const char *commit,
    unsigned int flags, uint64_t index)
{
	unsigned char header[HEADER_BYTES] = FORMAT_MAGIC;
	const struct err *err;
	struct timespec now;
	uLong checksum;

	/* The coarse clock is the one that file times are taken from. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	err = put_commit(header + AT_COMMIT, commit);
	if (err != NULL)
		return err;
	put32(header + AT_FLAGS, flags);
	put32(header + AT_N_FOLDERS, (uint32_t)draft->n_rows);
	put32(header + AT_N_ENTRIES, (uint32_t)draft->n_entries);
	put32(header + AT_UID, (uint32_t)geteuid());
	put64(header + AT_FINISHED, (uint64_t)format_nanoseconds(&now));
	put64(header + AT_INDEX, index);
	checksum = crc32(crc32(0, NULL, 0), header + AT_CHECKED,
	    HEADER_BYTES - AT_CHECKED);
	checksum = crc32_combine(checksum, draft->checksum,
	    (z_off_t)draft->written_bytes);
	put32(header + AT_CHECKSUM, (uint32_t)checksum);
	return write_at(draft->fd, header, sizeof(header), 0);
}

const struct err *
manifest_finish(struct manifest_draft *draft, const char *commit,
    unsigned int flags)
{
	const struct err *err;
	uint64_t index;

	close_block(draft);
	index = offset(draft);
	put_index(draft);
	flush(draft);
	if (draft->err == NULL && draft->n_entries > UINT32_MAX)
		draft->err = err_new(ERR_FAILED,
		    "too many files for a manifest");
	if (draft->err == NULL)
		draft->err = write_header(draft, commit, flags, index);
	if (draft->err == NULL && renameat(draft->dirfd, draft->temp,
	    draft->dirfd, draft->path) == -1)
		draft->err = err_system("rename %s", draft->temp);
	err = draft->err == NULL ? NULL : err_add(draft->err, "manifest %s",
	    draft->path);
	manifest_abandon(draft);
	return err;
}

void
manifest_abandon(struct manifest_draft *draft)
{
	if (draft == NULL)
		return;
	if (draft->fd != -1)
		unlinkat(draft->dirfd, draft->temp, 0);
	file_close(&draft->fd);
	free(draft->path);
	free(draft->temp);
	free(draft->rows);
	str_release(&draft->buffer);
	str_release(&draft->entries);
	str_release(&draft->texts);
	str_release(&draft->folder);
	free(draft);
}
