#include "report/paint.h"

#include <string.h>

#include "report/line.h"
#include "tap.h"

static void
test_choose(void)
{
	is_err(paint_choose("green"), ERR_USAGE, "--color green: say auto,"
	    " always or never", "no colour has a name");
	is_ok(paint_choose("never"), "never");
	ok(!paint_is_on(), "is off");
	is_ok(paint_choose("auto"), "auto");
	ok(!paint_is_on(), "is off where there is no terminal");
	is_ok(paint_choose("always"), "always");
	ok(paint_is_on(), "is on");
}

static void
test_word(void)
{
	struct str out = STR_INIT;

	is_ok(paint_choose("always"), "with colours");
	paint_lead(&out, PAINT_BAD, "error:");
	paint_word(&out, paint_of_state("live"), "live");
	paint_word(&out, paint_of_state("superseded"), " superseded");
	is_str(out.s, "\x1b[31merror:\x1b[m \x1b[32mlive\x1b[m superseded",
	    "words have theirs");
	str_clear(&out);
	is_ok(paint_choose("never"), "without");
	paint_lead(&out, PAINT_BAD, "error:");
	paint_word(&out, PAINT_GOOD, "live");
	is_str(out.s, "error: live", "words are plain");
	str_release(&out);
}

/* A line that a command printed, without and with colours. */
static const struct {
	const char *text, *plain, *coloured;
} outputs[] = {
	{ "done", "done", "done" },
	{ "\x1b[31mred", "\\x1b[31mred", "\x1b[31mred\x1b[m" },
	{ "\x1b[1ma\tb\x1b[0m", "\\x1b[1ma        b\\x1b[0m",
	    "\x1b[1ma       b\x1b[0m\x1b[m" },
	{ "\x1b[2Jgone\x1b]0;t\a", "\\x1b[2Jgone\\x1b]0;t\\x07",
	    "\\x1b[2Jgone\\x1b]0;t\\x07" },
	{ "10%\r50%\r\x1b[32mok", "\\x1b[32mok", "\x1b[32mok\x1b[m" },
};

static void
test_output(void)
{
	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
		struct str out = STR_INIT;

		is_ok(paint_choose("never"), "without colours");
		line_output(&out, outputs[i].text);
		is_str(out.s, outputs[i].plain, "output %zu", i);
		str_clear(&out);
		is_ok(paint_choose("always"), "with colours");
		line_output(&out, outputs[i].text);
		is_str(out.s, outputs[i].coloured, "output %zu", i);
		str_release(&out);
	}
}

static void
test_guard(void)
{
	struct str text = STR_INIT, out = STR_INIT;

	str_add_bytes(&text, "a\x1b[31mb\n\n\xff\0c\r\nd", 15);
	is_ok(paint_choose("never"), "without colours");
	paint_guard(&out, &text);
	is_str(out.s, "a\\x1b[31mb\n\n\\xff\\x00c\\x0d\nd", "nothing passes");
	str_clear(&out);
	is_ok(paint_choose("always"), "with colours");
	paint_guard(&out, &text);
	is_str(out.s, "a\x1b[31mb\n\n\\xff\\x00c\\x0d\nd",
	    "but colours, where they are wanted");
	str_release(&text);
	str_release(&out);
}

int
main(void)
{
	test_choose();
	test_word();
	test_output();
	test_guard();
	return tap_done();
}
