/*
 * Each thread has a ring of its own, so that workers of a checkout can fail
 * side by side without a lock. It is not in the thread's own storage, which
 * is filled with zeros whenever a process begins.
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

static struct err_ring first_ring;
static _Thread_local struct err_ring *ring = &first_ring;

static const struct {
	const char *name;
	int exit_status;
	const char *text;
} codes[ERR_COUNT] = {
	[ERR_SYSTEM]	  = { "system",	     1, "system error" },
	[ERR_FAILED]	  = { "failed",	     1, "failed" },
	[ERR_USAGE]	  = { "usage",	     2, "wrong usage" },
	[ERR_CONFIG]	  = { "config",	     2, "invalid configuration" },
	[ERR_REFUSED]	  = { "refused",     3, "refused by policy" },
	[ERR_BUSY]	  = { "busy",	     4, "busy" },
	[ERR_ROLLED_BACK] = { "rolled-back", 5,
	    "the deploy failed and was rolled back" },
	[ERR_BROKEN]	  = { "broken",	     6,
	    "the deploy failed and needs a hand" },
	[ERR_NOT_FOUND]	  = { "not-found",   1, "not found" },
	[ERR_CORRUPT]	  = { "corrupt",     1, "stored data are damaged" },
	[ERR_PROTOCOL]	  = { "protocol",    1, "protocol error" },
	[ERR_GIT]	  = { "git",	     1, "git failed" },
	[ERR_JOURNAL]	  = { "journal",     1, "the journal failed" },
	[ERR_TIMEOUT]	  = { "timeout",     1, "timed out" },
	[ERR_INTERRUPTED] = { "interrupted", 1, "interrupted" },
	[ERR_CANCELLED]	  = { "cancelled",   1, "cancelled" },
};

void
err_use_ring(struct err_ring *own)
{
	own->next = 0;
	ring = own;
}

static struct err_slot *
take_slot(enum err_code code, int sys_errno)
{
	struct err_slot *slot = &ring->slots[ring->next++ % ERR_RING];

	slot->err.code = code;
	slot->err.sys_errno = sys_errno;
	slot->err.text = slot->text;
	return slot;
}

/* Mark a text that did not fit, so that nobody takes it for the whole. */
static void
mark_cut(struct err_slot *slot, int len)
{
	if (len >= 0 && (size_t)len >= sizeof(slot->text))
		memcpy(slot->text + sizeof(slot->text) - 4, "...", 4);
}

const struct err *
err_new(enum err_code code, const char *fmt, ...)
{
	struct err_slot *slot = take_slot(code, 0);
	va_list ap;

	if (fmt == NULL) {
		slot->err.text = codes[code].text;
		return &slot->err;
	}
	va_start(ap, fmt);
	mark_cut(slot, vsnprintf(slot->text, sizeof(slot->text), fmt, ap));
	va_end(ap);
	return &slot->err;
}

const struct err *
err_system(const char *fmt, ...)
{
	int saved = errno;
	struct err_slot *slot = take_slot(ERR_SYSTEM, saved);
	char what[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	mark_cut(slot, snprintf(slot->text, sizeof(slot->text), "%s: %s",
	    what, strerror(saved)));
	errno = saved;
	return &slot->err;
}

const struct err *
err_add(const struct err *err, const char *fmt, ...)
{
	struct err_slot *slot = take_slot(err->code, err->sys_errno);
	char what[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	mark_cut(slot, snprintf(slot->text, sizeof(slot->text), "%s: %s",
	    what, err->text));
	return &slot->err;
}

const struct err *
err_recode(const struct err *err, enum err_code code)
{
	struct err_slot *slot = take_slot(code, err->sys_errno);

	snprintf(slot->text, sizeof(slot->text), "%s", err->text);
	return &slot->err;
}

int
err_exit_status(const struct err *err)
{
	return err == NULL ? 0 : codes[err->code].exit_status;
}

const char *
err_code_name(enum err_code code)
{
	return codes[code].name;
}

enum err_code
err_code_by_name(const char *name)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		if (strcmp(codes[i].name, name) == 0)
			return (enum err_code)i;
	}
	return ERR_FAILED;
}

const struct err *
err_first(const struct err *first, const struct err *next)
{
	return first != NULL ? first : next;
}

void
err_keep(struct err_kept *kept, const struct err *err)
{
	if (err == NULL || kept->is)
		return;
	kept->is = true;
	kept->err = *err;
	snprintf(kept->text, sizeof(kept->text), "%s", err->text);
	kept->err.text = kept->text;
}

const struct err *
err_kept(const struct err_kept *kept)
{
	struct err_slot *slot;

	if (!kept->is)
		return NULL;
	slot = take_slot(kept->err.code, kept->err.sys_errno);
	memcpy(slot->text, kept->text, sizeof(slot->text));
	return &slot->err;
}

void
err_print(const char *program, const struct err *err)
{
	struct str line = STR_INIT;

	str_addf(&line, "%s: ", program);
	str_add_visible(&line, err->text, strlen(err->text));
	str_addch(&line, '\n');
	fputs(line.s, stderr);
	str_release(&line);
}
