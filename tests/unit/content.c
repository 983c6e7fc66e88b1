#include "release/content.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "tap.h"

int
main(void)
{
	/* printf hello | git hash-object --stdin */
	static const unsigned char hello[CONTENT_BYTES] = {
		0xb6, 0xfc, 0x4c, 0x62, 0x0b, 0x67, 0xd9, 0x5f, 0x95, 0x3a,
		0x5c, 0x1c, 0x12, 0x30, 0xaa, 0xab, 0x5d, 0xb5, 0xa1, 0xb0
	};
	unsigned char name[CONTENT_BYTES], again[CONTENT_BYTES];
	size_t len = 300000;
	char *bytes = calloc(1, len);
	int dirfd = open(tap_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	content_of_bytes(name, "hello", 5);
	ok(memcmp(name, hello, sizeof(name)) == 0, "as git names a blob");
	is_ok(file_replace(dirfd, "big", bytes, len, 0644), "a large file");
	is_ok(content_of(again, dirfd, "big"), "is read in pieces");
	content_of_bytes(name, bytes, len);
	ok(memcmp(name, again, sizeof(name)) == 0, "to the same end");
	is_int(symlinkat("hello", dirfd, "link"), 0, "a symlink");
	is_ok(content_of(again, dirfd, "link"), "is not followed");
	ok(memcmp(hello, again, sizeof(again)) == 0, "its target is hashed");
	is_err(content_of(again, dirfd, "none"), ERR_SYSTEM, "open none",
	    "what is not there");
	is_err(content_of_fd(again, -1), ERR_SYSTEM, "stat",
	    "a closed descriptor");
	free(bytes);
	close(dirfd);
	return tap_done();
}
