#include "room.h"

#include <inttypes.h>
#include <sys/statvfs.h>

#define KB INT64_C(1000)
#define MB (1000 * KB)
#define GB (1000 * MB)

const struct err *
room_look(struct room *room, int fd)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) == -1)
		return err_system("look for room");
	room->block_bytes = (int64_t)fs.f_frsize;
	/* Some have no limits, and say so with zeros. */
	room->free_bytes = fs.f_blocks == 0 ? INT64_MAX :
	    (int64_t)fs.f_bavail * room->block_bytes;
	room->free_inodes = fs.f_files == 0 ? INT64_MAX :
	    (int64_t)fs.f_favail;
	return NULL;
}

int64_t
room_rounded(const struct room *room, int64_t size_bytes)
{
	int64_t blocks = (size_bytes + room->block_bytes - 1) /
	    room->block_bytes;

	return blocks * room->block_bytes;
}

void
room_add(struct str *out, int64_t bytes, int64_t inodes)
{
	if (bytes < MB)
		str_addf(out, "%" PRId64 " kB", bytes / KB);
	else if (bytes < 100 * MB)
		str_addf(out, "%.1f MB", (double)bytes / MB);
	else if (bytes < 10 * GB)
		str_addf(out, "%" PRId64 " MB", bytes / MB);
	else
		str_addf(out, "%.1f GB", (double)bytes / GB);
	if (inodes != INT64_MAX)
		str_addf(out, " and %" PRId64 " inodes", inodes);
}
