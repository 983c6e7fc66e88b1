#include "journal/event.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"
#include "path.h"
#include "tap.h"

static void
test_lines(void)
{
	char *path = path_join(tap_folder(), "1.jsonl");
	struct event_log *log = event_log_open(path);
	struct json_flat flat = JSON_FLAT_INIT;
	struct str text = STR_INIT;

	event_add(log, "output", "ssib", "text", "a\n\"b\"", "none", NULL,
	    "n", (int64_t)-3000000000, "ok", 1);
	event_add(log, "state", "");
	ok(event_log_error(log) == NULL, "nothing was lost");
	event_log_close(log);
	is_ok(file_read(&text, path, 4096), "the log is read");
	ok(strchr(text.s, '\n') < text.s + text.len - 1 &&
	    text.s[text.len - 1] == '\n', "there are two lines");
	is_ok(json_flat_parse(&flat, text.s, strcspn(text.s, "\n")),
	    "the first is an object");
	is_str(json_flat_get(&flat, "event"), "output", "its kind");
	is_str(json_flat_get(&flat, "text"), "a\n\"b\"", "a text");
	ok(json_flat_get(&flat, "none") == NULL, "a null");
	is_int(json_flat_int(&flat, "n", 0), -3000000000, "a number");
	is_str(json_flat_get(&flat, "ok"), "true", "a boolean");
	is_int((int64_t)strlen(json_flat_get(&flat, "at")), 24, "a time");
	json_flat_release(&flat);
	str_release(&text);
	free(path);
}

static void
test_lost(void)
{
	char *path = path_join(tap_folder(), "file/1.jsonl");
	char *file = path_join(tap_folder(), "file");
	struct event_log *log;

	is_ok(file_replace(AT_FDCWD, file, "", 0, 0600), "a file in the way");
	log = event_log_open(path);

	ok(log != NULL, "there is a log where none can be written");
	event_add(log, "state", "s", "state", "live");
	ok(event_log_error(log) != NULL &&
	    strstr(event_log_error(log), "Not a directory") != NULL,
	    "the reason is kept");
	event_log_close(log);
	log = event_log_open("/dev/full");
	event_add(log, "state", "s", "state", "live");
	ok(event_log_error(log) != NULL &&
	    strstr(event_log_error(log), "No space") != NULL,
	    "a full disk is told");
	event_log_close(log);
	event_log_close(NULL);
	free(file);
	free(path);
}

int
main(void)
{
	test_lines();
	test_lost();
	return tap_done();
}
