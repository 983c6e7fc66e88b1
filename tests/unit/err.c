/*
 * err - texts, codes, exit statuses, and how long an error is readable.
 */
#include "err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static void
test_codes(void)
{
	static const struct {
		enum err_code code;
		const char *name;
		int exit_status;
	} cases[] = {
		{ ERR_SYSTEM,	   "system",	  1 },
		{ ERR_FAILED,	   "failed",	  1 },
		{ ERR_USAGE,	   "usage",	  2 },
		{ ERR_CONFIG,	   "config",	  2 },
		{ ERR_REFUSED,	   "refused",	  3 },
		{ ERR_BUSY,	   "busy",	  4 },
		{ ERR_ROLLED_BACK, "rolled-back", 5 },
		{ ERR_BROKEN,	   "broken",	  6 },
		{ ERR_NOT_FOUND,   "not-found",	  1 },
	};

	is_int(err_exit_status(NULL), 0, "success exits with 0");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct err *err = err_new(cases[i].code, NULL);

		is_int(err_exit_status(err), cases[i].exit_status,
		    "%s: its exit status", cases[i].name);
		is_str(err_code_name(cases[i].code), cases[i].name,
		    "its name");
		ok(err_code_by_name(cases[i].name) == cases[i].code,
		    "and back");
		ok(*err->text != '\0', "it has words of its own");
	}
	for (int i = 0; i < ERR_COUNT; i++)
		ok(err_code_by_name(err_code_name((enum err_code)i)) ==
		    (enum err_code)i, "code %d has a name", i);
	ok(err_code_by_name("nobody") == ERR_FAILED, "an unknown name");
}

static void
test_texts(void)
{
	const struct err *err, *again;
	char long_text[2 * ERR_TEXT_MAX];

	errno = ENOENT;
	err = err_system("open %s", "/srv/x");
	is_str(err->text, "open /srv/x: No such file or directory",
	    "a system error tells why");
	is_int(err->sys_errno, ENOENT, "and keeps errno");
	again = err_add(err, "config of %s", "shop");
	is_str(again->text, "config of shop: open /srv/x: No such file or"
	    " directory", "the noun comes in front");
	is_int(again->sys_errno, ENOENT, "errno goes along");
	is_str(err->text, "open /srv/x: No such file or directory",
	    "the first one is as it was");
	again = err_recode(err, ERR_CONFIG);
	is_int(err_exit_status(again), 2, "the same text, another code");
	is_str(again->text, err->text, "really the same");
	ok(err_first(err, again) == err && err_first(NULL, again) == again,
	    "the first error wins");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err = err_new(ERR_FAILED, "%s", long_text);
	is_int((int64_t)strlen(err->text), ERR_TEXT_MAX - 1,
	    "a long text is cut");
	is_str(err->text + ERR_TEXT_MAX - 4, "...", "and says so");
}

static void
test_ring(void)
{
	const struct err *first = err_new(ERR_FAILED, "first");

	for (int i = 1; i < ERR_RING; i++)
		err_new(ERR_FAILED, "another");
	is_str(first->text, "first", "readable for a whole ring");
}

static void
test_kept(void)
{
	struct err_kept kept = ERR_KEPT_INIT;
	const struct err *err;

	err_keep(&kept, NULL);
	ok(err_kept(&kept) == NULL, "of no errors none is kept");
	for (int i = 1; i <= 3 * ERR_RING; i++)
		err_keep(&kept, err_new(i == 1 ? ERR_BUSY : ERR_FAILED,
		    "number %d", i));
	err = err_kept(&kept);
	is_str(err->text, "number 1", "of more than a ring the first is");
	is_int(err->code, ERR_BUSY, "with its code");
	kept = (struct err_kept)ERR_KEPT_INIT;
	is_str(err->text, "number 1", "which is readable as any other");
	err_keep(&kept, err_new(ERR_BROKEN, "%s", ""));
	is_int(err_kept(&kept)->code, ERR_BROKEN, "so is one without words");
}

/* What main() prints goes to standard error, made visible. */
static void
test_print(void)
{
	char name[] = "/tmp/slipway-err-XXXXXX", got[200] = "";
	int saved = dup(STDERR_FILENO), fd = mkstemp(name);
	ssize_t n;

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	err_print("slipway", err_new(ERR_FAILED, "bad \x1b[31m name"));
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	n = pread(fd, got, sizeof(got) - 1, 0);
	is_str(n < 0 ? NULL : got, "slipway: bad \\x1b[31m name\n",
	    "printed once, and harmless");
	close(fd);
	close(saved);
	unlink(name);
}

int
main(void)
{
	test_codes();
	test_texts();
	test_ring();
	test_kept();
	test_print();
	return tap_done();
}
