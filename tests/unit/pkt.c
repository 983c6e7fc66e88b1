#include "pkt.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static void
test_add(void)
{
	struct str out = STR_INIT;
	char longest[PKT_MAX];

	pkt_add(&out, "a\n", 2);
	pkt_add(&out, "", 0);
	pkt_add_flush(&out);
	is_str(out.s, "0006a\n00040000", "lines and flush are framed");
	str_clear(&out);
	memset(longest, 'x', sizeof(longest));
	pkt_add(&out, longest, sizeof(longest));
	ok(strncmp(out.s, "fff0x", 5) == 0 && out.len == PKT_MAX + 4,
	    "the longest line has length fff0");
	str_release(&out);
}

static void
test_faults(void)
{
	static const struct {
		const char *input, *part;
	} cases[] = {
		{ "0001", "'0001' is no length" },
		{ "0002", "'0002' is no length" },
		{ "0003", "'0003' is no length" },
		{ "fff1", "'fff1' is no length" },
		{ "ffff", "'ffff' is no length" },
		{ "00g0", "'00g0' is no length" },
		{ " 123", "' 123' is no length" },
		{ "+123", "'+123' is no length" },
		{ "\033[2J", "'\\x1b[2J' is no length" },
		{ "0", "in the middle of a line" },
		{ "0006a", "in the middle of a line" },
		{ "0006", "in the middle of a line" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pkt_reader reader = PKT_READER_INIT;
		enum pkt_kind kind;
		const char *bytes;
		size_t len;

		str_add(&reader.buf, cases[i].input);
		reader.closed = true;
		is_err(pkt_next(&reader, &kind, &bytes, &len), ERR_PROTOCOL,
		    cases[i].part, "fault %zu is found", i);
		pkt_reader_release(&reader);
	}
}

/* Every byte in a read of its own, as a slow peer sends them. */
static void
test_pieces(void)
{
	static const char input[] = "0008a\0bc00040000000Ahello\n";
	struct pkt_reader reader = PKT_READER_INIT;
	struct str seen = STR_INIT;
	enum pkt_kind kind;
	const char *bytes;
	size_t len;
	int pair[2];

	ok(pipe2(pair, O_NONBLOCK | O_CLOEXEC) == 0, "a pipe");
	is_ok(pkt_fill(&reader, pair[0]), "would-block is no error");
	is_ok(pkt_next(&reader, &kind, &bytes, &len), "nothing to take");
	is_int(kind, PKT_MORE, "nothing there asks for more");
	for (size_t i = 0; i < sizeof(input) - 1; i++) {
		if (write(pair[1], input + i, 1) != 1 ||
		    pkt_fill(&reader, pair[0]) != NULL ||
		    pkt_next(&reader, &kind, &bytes, &len) != NULL)
			break;
		if (kind == PKT_DATA)
			str_addf(&seen, "%zu@%zu:%d ", len, i,
			    len == 4 && memcmp(bytes, "a\0bc", 4) == 0);
		else if (kind == PKT_FLUSH)
			str_addf(&seen, "flush@%zu ", i);
	}
	is_str(seen.s, "4@7:1 0@11:0 flush@15 6@25:0 ",
	    "each line arrives with its last byte");
	close(pair[1]);
	is_ok(pkt_fill(&reader, pair[0]), "fill at the end");
	is_ok(pkt_next(&reader, &kind, &bytes, &len), "next at the end");
	is_int(kind, PKT_END, "the end between messages is clean");
	close(pair[0]);
	is_err(pkt_fill(&reader, pair[0]), ERR_SYSTEM,
	    "read: Bad file descriptor", "a read that fails is told");
	pkt_reader_release(&reader);
	str_release(&seen);
}

int
main(void)
{
	test_add();
	test_faults();
	test_pieces();
	return tap_done();
}
