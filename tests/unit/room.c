/*
 * What a file system takes, and how it is said.
 */
#include "room.h"

#include <fcntl.h>
#include <unistd.h>

#include "tap.h"

static const struct {
	int64_t bytes;
	int64_t inodes;
	const char *want;
} cases[] = {
	{ 0, 0, "0 kB and 0 inodes" },
	{ 999999, 1, "999 kB and 1 inodes" },
	{ 5340000, 21912, "5.3 MB and 21912 inodes" },
	{ 812000000, INT64_MAX, "812 MB" },
	{ 20500000000, INT64_MAX, "20.5 GB" },
};

int
main(void)
{
	struct room room = { .block_bytes = 4096 };
	int fd = open(tap_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str out = STR_INIT;

		room_add(&out, cases[i].bytes, cases[i].inodes);
		is_str(out.s, cases[i].want, "%s", cases[i].want);
		str_release(&out);
	}
	is_int(room_rounded(&room, 0), 0, "an empty file takes no block");
	is_int(room_rounded(&room, 1), 4096, "one byte takes one");
	is_int(room_rounded(&room, 4096), 4096, "a full block is one");
	is_int(room_rounded(&room, 4097), 8192, "one byte more is two");
	is_ok(room_look(&room, fd), "a look");
	ok(room.block_bytes > 0 && room.free_bytes >= 0 &&
	    room.free_inodes >= 0, "finds figures");
	is_err(room_look(&room, -1), ERR_SYSTEM, "look for room",
	    "no descriptor");
	close(fd);
	return tap_done();
}
