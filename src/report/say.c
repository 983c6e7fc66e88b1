#include "report/say.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"

/* More notes than this fill the pipe of a client that does not read. */
#define NOTES_MAX 100

/* How long a client that does not read is waited for, in all. */
#define PATIENCE_MS 500

/*
 * A client that is gone, or does not read, is no reason to fail or wait.
 * False for such a one.
 */
static bool
write_out(struct str *text)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	size_t at = 0;
	bool all;

	while (at < text->len) {
		struct pollfd fd = { STDERR_FILENO, POLLOUT, 0 };
		int64_t left_ms = until_ms - clock_monotonic_ms();
		size_t len = text->len - at;
		ssize_t n;

		if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) <= 0 ||
		    (fd.revents & POLLOUT) == 0)
			break;
		n = write(STDERR_FILENO, text->s + at,
		    len < PIPE_BUF ? len : PIPE_BUF);
		if (n == -1)
			break;
		at += (size_t)n;
	}
	all = at == text->len;
	str_release(text);
	return all;
}

/* A reason may have several lines; each is made visible by itself. */
static void
add_lines(struct str *out, const char *word, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		str_add(out, word);
		str_add_visible(out, text, len);
		str_addch(out, '\n');
		text += len;
		text += *text == '\n';
	}
}

void
say_notes(const struct vec *notes)
{
	struct str out = STR_INIT;

	for (size_t i = 0; i < notes->n && i < NOTES_MAX; i++)
		add_lines(&out, "", notes->v[i]);
	if (notes->n > NOTES_MAX)
		str_addf(&out, "and %zu more like these\n",
		    notes->n - NOTES_MAX);
	write_out(&out);
}

void
say_line(const char *line, void *gone)
{
	struct str out = STR_INIT;
	bool *is_gone = gone;

	if (*is_gone)
		return;
	add_lines(&out, "", line);
	if (*line == '\0')
		str_addch(&out, '\n');
	*is_gone = !write_out(&out);
}

void
say_error(const struct err *err)
{
	struct str out = STR_INIT;

	if (err != NULL)
		add_lines(&out, "error: ", err->text);
	write_out(&out);
}

void
say_refused(const struct err *err)
{
	struct str out = STR_INIT;

	if (err == NULL)
		return;
	add_lines(&out, "error: ", err->text);
	str_add(&out, "hint: the push was refused; nothing has changed on"
	    " the server\n");
	write_out(&out);
}
