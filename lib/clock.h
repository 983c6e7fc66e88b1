/*
 * clock - instants and durations, in milliseconds.
 *
 * An "_at" is epoch milliseconds UTC; 0 means "not yet". Durations are
 * measured on the monotonic clock, which no administrator turns back.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

/* "2026-11-20T10:14:58.120Z" and a NUL. */
#define CLOCK_ISO_SIZE 25

/* "20261120101458" and a NUL. */
#define CLOCK_STAMP_SIZE 15

int64_t clock_now_ms(void);
int64_t clock_monotonic_ms(void);

/* Format an instant as ISO 8601 with milliseconds, UTC. */
void clock_iso(char out[CLOCK_ISO_SIZE], int64_t at);

/* Format an instant as the name of a release, UTC, whole seconds. */
void clock_stamp(char out[CLOCK_STAMP_SIZE], int64_t at);

/* The instant of a stamp; ERR_USAGE when it is not one. */
const struct err *clock_parse_stamp(int64_t *at, const char *stamp);

/*
 * An instant as people and scripts write it: "2026-11-20",
 * "2026-11-20 10:14[:58]", the same with T and an optional Z (UTC), "3 days
 * ago", "2h", "yesterday", "today", "friday" (the last one, today included).
 * Without Z, local time. ERR_USAGE says what is understood.
 */
const struct err *clock_parse_when(int64_t *at, const char *text,
    int64_t now_at);

/*
 * A duration as in "90", "90s", "5m", "2h", "1d", "250ms": milliseconds,
 * seconds without a unit. ERR_USAGE otherwise.
 */
const struct err *clock_parse_duration(int64_t *ms, const char *text);

/* "12 ms", "1.21 s", "3 m 05 s", "2 h 10 m": for people. */
void clock_add_duration(struct str *str, int64_t ms);

/* "2026-11-20 10:14" in local time: for people. */
void clock_add_local(struct str *str, int64_t at);

/* "2026-11-20 10:14:58" likewise. */
void clock_add_local_seconds(struct str *str, int64_t at);

#endif
