/*
 * format - where the numbers of a manifest are, for the two files that read
 * and write one. The picture is in manifest.h.
 */
#ifndef FORMAT_H
#define FORMAT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define FORMAT_MAGIC "SLIPMAN2"
#define FORMAT_OLD_MAGIC "SLIPMAN1"
#define FORMAT_MAGIC_BYTES 8

/* The header. */
#define AT_CHECKSUM 8
#define AT_CHECKED 12			/* from here on */
#define AT_FLAGS 12
#define AT_COMMIT 16
#define AT_N_FOLDERS 36
#define AT_N_ENTRIES 40
#define AT_UID 44
#define AT_FINISHED 48
#define AT_INDEX 56
#define HEADER_BYTES 64

/* A block. */
#define AT_BLOCK_BYTES 0
#define AT_BLOCK_ENTRIES 4
#define AT_TREE 8
#define BLOCK_HEAD_BYTES 28
#define BLOCK_ALIGN 4

/* Of a folder of the second manifest, in the place of a tree. */
#define AT_LOOK_MODE 0
#define AT_LOOK_UID 4

/* An entry. */
#define AT_NAME 0
#define AT_MODE 4
#define AT_ENTRY_FLAGS 6
#define AT_CONTENT 8
#define AT_SIZE 28
#define AT_MTIME 36
#define AT_INODE 44
#define AT_CTIME 52
#define ENTRY_BYTES 60

/* A row of the index. */
#define AT_BLOCK 0
#define AT_BENEATH 8
#define AT_BEFORE 12
#define INDEX_BYTES 16

struct manifest;

/* The blocks of "n" folders from "i" on, which follow each other. */
const void *manifest_blocks(const struct manifest *manifest, size_t i,
    size_t n, size_t *len);

static inline void
put16(unsigned char *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void
put32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void
put64(unsigned char *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static inline uint16_t
get16(const unsigned char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t
get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t
get64(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline int64_t
format_nanoseconds(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

#endif
