/*
 * manifest - what a release should contain, and the look of each file when
 * it was written.
 *
 * The file is mapped, not parsed; numbers are little-endian:
 *
 *	offset  size
 *	     0     8  "SLIPMAN1"
 *	     8     4  number of entries
 *	    12     4  size of the names in bytes
 *	    16    20  commit (binary)
 *	    36    20  tree (binary)
 *	    56     8  when the last file had been written, epoch nanoseconds
 *	    64  72*n  entries, sorted by path (bytewise)
 *	     …        names, each with its NUL
 *	     …    32  SHA-256 of everything before
 *
 *	an entry:
 *	     0     4  offset of its name in the names
 *	     4     4  mode as in git: 0100644, 0100755, 0120000
 *	     8    20  blob (binary)
 *	    28     4  flags: 1 the file is not the blob's bytes (converted),
 *	              2 there is no file (see below)
 *	    32     8  size in bytes
 *	    40     8  mtime, epoch nanoseconds
 *	    48     8  inode
 *	    56     8  ctime, epoch nanoseconds
 *	    64     8  first 8 bytes of the SHA-256 of the written bytes
 *
 * A file whose stat data equals its entry is taken for unchanged, unless
 * its mtime is not older than the moment the manifest was finished (it may
 * have been written again within the same tick). One that differs is
 * compared by content before it is called changed.
 *
 * When commands have run in a release, a second manifest beside the first,
 * called RELEASE.built, holds the entries whose files they changed or
 * removed, as these were when the release was sealed.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "err.h"

/* The flags of an entry. */
#define MANIFEST_CONVERTED 1
#define MANIFEST_GONE 2

struct manifest_entry {
	const char *path;
	uint32_t mode;
	unsigned char blob[20];
	uint32_t flags;
	uint64_t size_bytes;
	int64_t mtime_ns;
	uint64_t inode;
	int64_t ctime_ns;
	unsigned char digest[8];
};

/* One under construction. */
struct manifest_draft;

struct manifest_draft *manifest_draft_new(void);
void manifest_draft_free(struct manifest_draft *draft);

/* Add an entry, in any order; the path is copied. */
void manifest_draft_add(struct manifest_draft *draft,
    const struct manifest_entry *entry);

/*
 * Sort, and write the file durably. ERR_CORRUPT when a path is there
 * twice. "commit" and "tree" are 40 hexadecimal digits.
 */
const struct err *manifest_draft_write(struct manifest_draft *draft,
    int dirfd, const char *path, const char *commit, const char *tree);

/* One mapped for reading. */
struct manifest;

/*
 * ERR_NOT_FOUND without the file, ERR_CORRUPT when the checksum, a length
 * or the order is wrong.
 */
const struct err *manifest_open(struct manifest **manifest, int dirfd,
    const char *path);
void manifest_close(struct manifest *manifest);

size_t manifest_size(const struct manifest *manifest);

/* What it is the manifest of, in hexadecimal digits. */
void manifest_oids(const struct manifest *manifest, char commit[41],
    char tree[41]);

/* Entry "i"; the path is lent until manifest_close(). */
void manifest_get(const struct manifest *manifest, size_t i,
    struct manifest_entry *entry);

/* Find a path: its index, or -1. */
int64_t manifest_find(const struct manifest *manifest, const char *path);

/* What a file on disk is, compared with its entry. */
enum manifest_state {
	MANIFEST_SAME,		/* vouched for by its stat data */
	MANIFEST_UNKNOWN,	/* the content has to be looked at */
	MANIFEST_MODE,		/* another mode, type the same */
	MANIFEST_OTHER		/* another type or size */
};

enum manifest_state manifest_compare(const struct manifest *manifest,
    const struct manifest_entry *entry, const struct stat *st);

/* Fill in size, times and inode of a file that has just been written. */
void manifest_entry_stat(struct manifest_entry *entry,
    const struct stat *st);

/* The first 8 bytes of the SHA-256 of these bytes. */
void manifest_digest(unsigned char digest[8], const void *bytes,
    size_t len);

/* The same of a whole file, read in pieces; the file offset stays. */
const struct err *manifest_digest_fd(unsigned char digest[8], int fd);

#endif
