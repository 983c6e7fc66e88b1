#include "tap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count, failures;
static char folder[] = "/tmp/slipway-unit-XXXXXX";
static bool have_folder;

static void report(bool passed, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
report(bool passed, const char *fmt, va_list ap)
{
	printf("%sok %d - ", passed ? "" : "not ", ++count);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	failures += !passed;
}

bool
ok(bool passed, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(passed, fmt, ap);
	va_end(ap);
	return passed;
}

bool
is_str(const char *got, const char *want, const char *fmt, ...)
{
	bool passed = got == want ||
	    (got != NULL && want != NULL && strcmp(got, want) == 0);
	va_list ap;

	va_start(ap, fmt);
	report(passed, fmt, ap);
	va_end(ap);
	if (!passed) {
		diag("got  '%s'", got == NULL ? "(null)" : got);
		diag("want '%s'", want == NULL ? "(null)" : want);
	}
	return passed;
}

bool
is_int(int64_t got, int64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		diag("got %" PRId64 ", want %" PRId64, got, want);
	return got == want;
}

bool
is_ok(const struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(err == NULL, fmt, ap);
	va_end(ap);
	if (err != NULL)
		diag("error: %s", err->text);
	return err == NULL;
}

bool
is_err(const struct err *err, enum err_code code, const char *part,
    const char *fmt, ...)
{
	bool passed = err != NULL && err->code == code &&
	    strstr(err->text, part) != NULL;
	va_list ap;

	va_start(ap, fmt);
	report(passed, fmt, ap);
	va_end(ap);
	if (!passed) {
		diag("got  %s: %s", err == NULL ? "success" :
		    err_code_name(err->code), err == NULL ? "" : err->text);
		diag("want %s: ...%s...", err_code_name(code), part);
	}
	return passed;
}

void
diag(const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *line = strtok(text, "\n"); line != NULL;
	    line = strtok(NULL, "\n"))
		printf("# %s\n", line);
	fflush(stdout);
}

void
skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	exit(0);
}

static void
remove_folder(void)
{
	char command[2 * sizeof(folder) + 32];

	snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf %s",
	    folder, folder);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", folder);
}

const char *
tap_folder(void)
{
	if (!have_folder) {
		if (mkdtemp(folder) == NULL) {
			perror("mkdtemp");
			exit(1);
		}
		have_folder = true;
		atexit(remove_folder);
	}
	return folder;
}

bool
sh(const char *line)
{
	char *command;
	int status;

	if (asprintf(&command, "cd %s && { %s\n} >/dev/null 2>&1",
	    tap_folder(), line) == -1)
		abort();
	status = system(command);
	free(command);
	return status == 0;
}

int
tap_done(void)
{
	printf("1..%d\n", count);
	return failures == 0 ? 0 : 1;
}
