/*
 * log - a file of lines that one process appends to and others follow.
 *
 * A line is written with one write(2) on an O_APPEND descriptor, so lines
 * of several writers never mix, and a reader sees whole lines only: it
 * stops before a line without its newline and reads it next time.
 *
 * A follower keeps no descriptor of the writer and cannot hold it up.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

struct log;

/* Open for appending, creating the file with mode 0644. */
const struct err *log_open(struct log **log, const char *path);
void log_close(struct log *log);

/* Append one line; "line" has no newline in it, one is added. */
const struct err *log_add(struct log *log, const char *line, size_t len);

struct log_tail;

/*
 * Follow a file from its beginning. It need not exist yet.
 */
const struct err *log_tail_open(struct log_tail **tail, const char *path);
void log_tail_close(struct log_tail *tail);

/*
 * The next whole line without its newline, replacing the contents of
 * "line". "*found" is false when there is none yet.
 */
const struct err *log_tail_next(struct log_tail *tail, struct str *line,
    bool *found);

/*
 * Have the kernel tell when the file grows. It takes its time to close what
 * tells, some 10 to 20 ms: who follows for a shorter time looks instead.
 */
void log_tail_watch(struct log_tail *tail);

/*
 * Wait until the file may have grown, at most "timeout_ms". Uses inotify
 * where the file is watched, and a short sleep otherwise, or where that is
 * not to be had.
 */
void log_tail_wait(struct log_tail *tail, int64_t timeout_ms);

/*
 * A descriptor that becomes readable when a watched file may have grown,
 * for poll(2) together with others, or -1; log_tail_wait() drains it.
 */
int log_tail_fd(const struct log_tail *tail);

#endif
