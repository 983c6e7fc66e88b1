#include "release/content.h"

#include <errno.h>
#include <fcntl.h>
#include <sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "str.h"

#define PIECE_BYTES (64 * 1024)

static void
begin(SHA1_CTX *ctx, unsigned long long size_bytes)
{
	char head[32];
	int len = snprintf(head, sizeof(head), "blob %llu", size_bytes);

	SHA1Init(ctx);
	SHA1Update(ctx, (const uint8_t *)head, (size_t)len + 1);
}

void
content_of_bytes(unsigned char name[CONTENT_BYTES], const void *bytes,
    size_t len)
{
	SHA1_CTX ctx;

	begin(&ctx, len);
	SHA1Update(&ctx, bytes, len);
	SHA1Final(name, &ctx);
}

const struct err *
content_of_fd(unsigned char name[CONTENT_BYTES], int fd)
{
	const struct err *err = NULL;
	struct stat st;
	off_t at = 0;
	SHA1_CTX ctx;
	char *piece;

	if (fstat(fd, &st) == -1)
		return err_system("stat");
	begin(&ctx, (unsigned long long)st.st_size);
	piece = xmalloc(PIECE_BYTES);
	for (;;) {
		ssize_t len = pread(fd, piece, PIECE_BYTES, at);

		if (len == -1 && errno == EINTR)
			continue;
		if (len == -1)
			err = err_system("read");
		if (len <= 0)
			break;
		SHA1Update(&ctx, (const uint8_t *)piece, (size_t)len);
		at += len;
	}
	SHA1Final(name, &ctx);
	free(piece);
	return err;
}

const struct err *
content_of(unsigned char name[CONTENT_BYTES], int dirfd, const char *path)
{
	struct str target = STR_INIT;
	const struct err *err;
	int fd;

	fd = openat(dirfd, path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1) {
		err = content_of_fd(name, fd);
		file_close(&fd);
		return err == NULL ? NULL : err_add(err, "%s", path);
	}
	if (errno != ELOOP)
		return err_system("open %s", path);
	err = file_readlink(&target, dirfd, path);
	if (err == NULL)
		content_of_bytes(name, target.s, target.len);
	str_release(&target);
	return err;
}
