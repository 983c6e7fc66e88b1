#include "report/say.h"

#include <string.h>
#include <unistd.h>

#include "file.h"
#include "str.h"

/* More notes than this fill the pipe of a client that does not read. */
#define NOTES_MAX 100

/* A client that is gone is no reason to fail. */
static void
write_out(struct str *text)
{
	if (text->len > 0 &&
	    file_write_fd(STDERR_FILENO, text->s, text->len) != NULL)
		str_clear(text);
	str_release(text);
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
