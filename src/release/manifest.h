/*
 * manifest - what a release should contain, and the look of each file when
 * it was written.
 *
 * The file is mapped, not parsed. It is a header, one block for each folder
 * of the commit, and an index of the blocks. A folder comes before what is
 * in it, its subfolders in the order of git's trees, so all that is beneath
 * one is a run of blocks, and goes over into the manifest of the next
 * release as it stands. Numbers are little-endian:
 *
 *	offset  size
 *	     0     8  "SLIPMAN2"
 *	     8     4  CRC-32 of the file behind this number
 *	    12     4  flags: 1 attributes change nothing, 2 an export,
 *	              4 the release shares no inodes, 8 its links to
 *	              shared/ are those of RELEASE.shared
 *	    16    20  commit (binary)
 *	    36     4  number of folders; the first is the release itself
 *	    40     4  number of entries in all of them
 *	    44     4  user id of whoever wrote the release
 *	    48     8  when the last file had been written, epoch nanoseconds
 *	    56     8  offset of the index
 *	    64     …  blocks, each at a multiple of 4
 *	     …  16*f  index
 *
 *	a block:
 *	     0     4  its size in bytes
 *	     4     4  number of entries
 *	     8    20  tree (binary)
 *	    28  60*n  entries, sorted by name (bytewise)
 *	     …        path of the folder ("" for the release), then the names
 *	              of the entries, each with its NUL; NULs up to the size
 *
 *	an entry:
 *	     0     4  offset of its name in the block
 *	     4     2  mode as in git: 0100644, 0100755, 0120000
 *	     6     2  flags, see below
 *	     8    20  what is in the file, as a blob of git (binary)
 *	    28     8  size in bytes
 *	    36     8  mtime, epoch nanoseconds
 *	    44     8  inode
 *	    52     8  ctime, epoch nanoseconds; 0: the release shares its
 *	              inodes, and a link that comes or goes changes it
 *
 *	of the index:
 *	     0     8  offset of the block
 *	     8     4  number of folders beneath it, itself included
 *	    12     4  entries in the blocks before it
 *
 * A file whose stat data equals its entry is taken for unchanged, unless
 * its mtime is not older than the moment the manifest was finished (it may
 * have been written again within the same tick). One that differs is
 * compared by content before it is called changed.
 *
 * When commands have run in a release, a second manifest beside the first,
 * called RELEASE.built, holds what they made of it: entries whose files
 * they changed or removed, and what they added, as these were when the
 * release was sealed. It has the folders that this takes, with those above
 * them, and no trees. Where that is, a folder of the commit to which a
 * command gave another mode or owner, and one that commands added, has
 * these: 4 bytes each, as stat(2) has them; otherwise zeros.
 *
 * RELEASE.shared is a text: a line with its path for each link to shared/
 * that was put into the release. Without that file there are none, unless
 * the flag is missing: a version before wrote that manifest, and recorded
 * none.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "err.h"

/* The flags of a manifest. */
#define MANIFEST_PLAIN 1
#define MANIFEST_EXPORT 2
#define MANIFEST_ALONE 4
#define MANIFEST_SHARED 8

/* The flags of an entry. */
#define MANIFEST_CONVERTED 1	/* not the bytes of the commit's blob */
#define MANIFEST_GONE 2		/* there is no file */
#define MANIFEST_ADDED 4	/* the commit has no such file, and what is
				 * in it is not known */

#define MANIFEST_SYMLINK 0120000

struct manifest_entry {
	const char *name;
	uint32_t mode;
	unsigned int flags;
	unsigned char content[20];
	uint64_t size_bytes;
	int64_t mtime_ns;
	uint64_t inode;
	int64_t ctime_ns;
};

struct manifest_folder {
	const char *path;
	unsigned char tree[20];
	size_t n_entries;
	size_t n_folders;	/* beneath it, itself included */
	size_t first;		/* entries in the folders before it */
};

/* One mapped for reading. */
struct manifest;

/*
 * ERR_NOT_FOUND without the file, ERR_CORRUPT when the checksum, a length
 * or the order is wrong.
 */
const struct err *manifest_open(struct manifest **manifest, int dirfd,
    const char *path);

/* One that is in memory, which stays the caller's until it is closed. */
const struct err *manifest_lend(struct manifest **manifest,
    const void *bytes, size_t len);
void manifest_close(struct manifest *manifest);

unsigned int manifest_flags(const struct manifest *manifest);
uid_t manifest_uid(const struct manifest *manifest);

/* The commit that it is the manifest of, in hexadecimal digits. */
void manifest_commit(const struct manifest *manifest, char commit[41]);

/* How many folders, the release itself included, and entries there are. */
size_t manifest_n_folders(const struct manifest *manifest);
size_t manifest_n_entries(const struct manifest *manifest);

/* Folder "i"; what is lent is lent until manifest_close(). */
void manifest_folder(const struct manifest *manifest, size_t i,
    struct manifest_folder *folder);

/*
 * The mode and owner that a folder of a release, which is "st", must have:
 * what the folder "made" of the second manifest says, or, false, as it was
 * made, when it may have inherited its group, and has its setgid bit from
 * there. NULL or one without a tree: it says nothing.
 */
bool manifest_folder_look(const struct manifest *manifest,
    const struct manifest_folder *made, const struct stat *st, mode_t *mode,
    uid_t *uid);

/* For the second manifest: these, in the place of a tree. */
void manifest_put_look(unsigned char tree[20], const struct stat *st);

/* Entry "k" of folder "i". */
void manifest_entry(const struct manifest *manifest, size_t i, size_t k,
    struct manifest_entry *entry);

/* The folder of this path, or the entry of this name in folder "i": -1. */
int64_t manifest_find_folder(const struct manifest *manifest,
    const char *path);
int64_t manifest_find_entry(const struct manifest *manifest, size_t i,
    const char *name);

/*
 * The order of folders: that of git's trees, which compares names as if
 * each ended with a slash.
 */
int manifest_order(const char *a, const char *b);

/* What a file on disk is, compared with its entry. */
enum manifest_state {
	MANIFEST_SAME,		/* vouched for by its stat data */
	MANIFEST_UNKNOWN,	/* the content has to be looked at */
	MANIFEST_MODE,		/* another mode or owner, type the same */
	MANIFEST_OTHER		/* another type or size */
};

enum manifest_state manifest_compare(const struct manifest *manifest,
    const struct manifest_entry *entry, const struct stat *st);

/* Fill in size, times and inode of a file that has just been written. */
void manifest_entry_stat(struct manifest_entry *entry,
    const struct stat *st);

/*
 * One being written, from its first folder to its last:
 *
 *	err = manifest_begin(&draft, dirfd, "20261120101500");
 *	manifest_add_folder(draft, "", tree);
 *	manifest_add(draft, &entry);		its entries, sorted
 *	manifest_add_folder(draft, "css", tree);
 *	manifest_copy(draft, base, i, n);	folders of another as they are
 *	err = manifest_finish(draft, commit, flags);
 *
 * Nothing of it is to be seen before the last call, which makes the file
 * and frees the draft in any case. An error on the way is kept until then.
 * The file is not synced: whoever seals the release syncs it all.
 */
struct manifest_draft;

const struct err *manifest_begin(struct manifest_draft **draft, int dirfd,
    const char *path);
void manifest_add_folder(struct manifest_draft *draft, const char *path,
    const unsigned char tree[20]);
void manifest_add(struct manifest_draft *draft,
    const struct manifest_entry *entry);
void manifest_copy(struct manifest_draft *draft,
    const struct manifest *base, size_t i, size_t n);
const struct err *manifest_finish(struct manifest_draft *draft,
    const char *commit, unsigned int flags);

/* Without a file. NULL is allowed. */
void manifest_abandon(struct manifest_draft *draft);

#endif
