#include "journal/event.h"

#include <stdarg.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "json.h"
#include "log.h"

struct event_log {
	struct log *log;
	char *error;		/* of the first line that was lost */
};

static void
keep_error(struct event_log *log, const struct err *err)
{
	if (err != NULL && log->error == NULL)
		log->error = xstrdup(err->text);
}

struct event_log *
event_log_open(const char *path)
{
	struct event_log *log = xcalloc(1, sizeof(*log));

	keep_error(log, log_open(&log->log, path));
	return log;
}

const char *
event_log_error(const struct event_log *log)
{
	return log->error;
}

void
event_log_close(struct event_log *log)
{
	if (log == NULL)
		return;
	log_close(log->log);
	free(log->error);
	free(log);
}

static void
add_pairs(struct json *json, const char *types, va_list ap)
{
	for (; *types != '\0'; types++) {
		const char *key = va_arg(ap, const char *);

		switch (*types) {
		case 's':
			json_key_string(json, key, va_arg(ap, const char *));
			break;
		case 'i':
			json_key_int(json, key, va_arg(ap, int64_t));
			break;
		case 'b':
			json_key_bool(json, key, va_arg(ap, int) != 0);
			break;
		default:
			abort();
		}
	}
}

void
event_add(struct event_log *log, const char *event, const char *types, ...)
{
	struct str line = STR_INIT;
	struct json json = JSON_INIT(&line);
	va_list ap;

	if (log->log == NULL)
		return;
	json_object(&json);
	json_key_time(&json, "at", clock_now_ms());
	json_key_string(&json, "event", event);
	va_start(ap, types);
	add_pairs(&json, types, ap);
	va_end(ap);
	json_end(&json);
	keep_error(log, log_add(log->log, line.s, line.len));
	str_release(&line);
}
