#include "clock.h"

#include <stdlib.h>
#include <time.h>

#include "tap.h"

/* 2026-11-20T10:14:58.120Z, a Friday. */
#define NOW INT64_C(1795169698120)

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static void
test_format(void)
{
	static const struct {
		int64_t at;
		const char *iso, *stamp;
	} cases[] = {
		{ NOW, "2026-11-20T10:14:58.120Z", "20261120101458" },
		{ 0, "1970-01-01T00:00:00.000Z", "19700101000000" },
		{ 7, "1970-01-01T00:00:00.007Z", "19700101000000" },
		{ -1, "1970-01-01T00:00:00.000Z", "19700101000000" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z", "99991231235959" },
	};
	char iso[CLOCK_ISO_SIZE], stamp[CLOCK_STAMP_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		clock_iso(iso, cases[i].at);
		is_str(iso, cases[i].iso, "iso %s", cases[i].iso);
		clock_stamp(stamp, cases[i].at);
		is_str(stamp, cases[i].stamp, "stamp %s", cases[i].stamp);
	}
}

static void
test_stamp(void)
{
	static const char *const wrong[] = {
		"", "2026112010145", "202611201014580", "20261320101458",
		"20260229101458", "20261120241458", "20261120106058",
		"20261120101460", "2026112010145x", "19691231235959",
		"20261100101458",
	};
	int64_t at;

	is_ok(clock_parse_stamp(&at, "20261120101458"), "a stamp");
	is_int(at, NOW - 120, "is the whole second");
	is_ok(clock_parse_stamp(&at, "20240229000000"), "a leap day");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		is_err(clock_parse_stamp(&at, wrong[i]), ERR_USAGE,
		    "is not a release", "no stamp: '%s'", wrong[i]);
}

static void
test_when(void)
{
	static const struct {
		const char *text;
		int64_t at;
	} cases[] = {
		{ "2026-11-20T10:14:58Z", NOW - 120 },
		{ "2026-11-20T10:14:58.120Z", NOW },
		{ "2026-11-20 10:14Z", NOW - 58120 },
		{ "2026-11-20 11:14:58", NOW - 120 },
		{ "2026-11-20T11:14", NOW - 58120 },
		{ "2026-11-20", INT64_C(1795129200000) },
		{ "2026-07-01", INT64_C(1782856800000) },
		{ "today", INT64_C(1795129200000) },
		{ "Friday", INT64_C(1795129200000) },
		{ "yesterday", INT64_C(1795129200000) - DAY },
		{ "thursday", INT64_C(1795129200000) - DAY },
		{ "saturday", INT64_C(1795129200000) - 6 * DAY },
		{ "3 days ago", NOW - 3 * DAY },
		{ "1 day", NOW - DAY },
		{ "2h", NOW - 2 * HOUR },
		{ "2 Hours ago", NOW - 2 * HOUR },
		{ "90 min ago", NOW - 3 * HOUR / 2 },
		{ "1w", NOW - 7 * DAY },
		{ "10s", NOW - 10000 },
	};
	static const char *const wrong[] = {
		"", "now-ish", "2026", "2026-11", "2026-11-31", "2026-13-01",
		"2026-11-20 25:00", "2026-11-20 10:14:5", "2026-11-20Z",
		"2026-11-20T10:14:58z", "2026-11-20 10:14 ", "90", "h",
		"2 fortnights", "2h later", "-2h", "9999999999999999999h",
		"400000000h", "2hago",
	};
	int64_t at;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_ok(clock_parse_when(&at, cases[i].text, NOW), "'%s'",
		    cases[i].text);
		is_int(at, cases[i].at, "... its instant");
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		is_err(clock_parse_when(&at, wrong[i], NOW), ERR_USAGE,
		    "3 days ago", "no time: '%s'", wrong[i]);
}

/* The night in which a clock is set forward has a day of 23 hours. */
static void
test_short_day(void)
{
	int64_t at, noon_at = INT64_C(1774778400000);

	is_ok(clock_parse_when(&at, "yesterday", noon_at), "a short day");
	is_int(at, INT64_C(1774652400000), "does not move midnight");
}

static void
test_duration(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "90", 90000 }, { "90s", 90000 }, { "5m", 300000 },
		{ "2h", 2 * HOUR }, { "1d", DAY }, { "250ms", 250 },
		{ "0", 0 },
	};
	static const char *const wrong[] = {
		"", "s", "-1", "1.5h", "5 m", "5w", "5mm", " 5",
		"99999999999999999999", "9999999999999d",
	};
	int64_t ms;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_ok(clock_parse_duration(&ms, cases[i].text), "'%s'",
		    cases[i].text);
		is_int(ms, cases[i].ms, "... in milliseconds");
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		is_err(clock_parse_duration(&ms, wrong[i]), ERR_USAGE,
		    "250ms", "no duration: '%s'", wrong[i]);
}

static void
test_words(void)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ -5, "0 ms" }, { 0, "0 ms" }, { 999, "999 ms" },
		{ 1000, "1.00 s" }, { 1219, "1.21 s" }, { 59999, "59.99 s" },
		{ 60000, "1 m 00 s" }, { 65999, "1 m 05 s" },
		{ HOUR - 1, "59 m 59 s" }, { HOUR, "1 h 00 m" },
		{ 130 * 60000, "2 h 10 m" }, { 50 * HOUR, "50 h 00 m" },
	};
	struct str text = STR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		str_clear(&text);
		clock_add_duration(&text, cases[i].ms);
		is_str(text.s, cases[i].text, "%s", cases[i].text);
	}
	str_clear(&text);
	clock_add_local(&text, NOW);
	is_str(text.s, "2026-11-20 11:14", "local time");
	str_clear(&text);
	clock_add_local_seconds(&text, NOW);
	is_str(text.s, "2026-11-20 11:14:58", "to the second");
	str_release(&text);
}

int
main(void)
{
	int64_t before_ms = clock_monotonic_ms(), wall_s = time(NULL);

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	test_format();
	test_stamp();
	test_when();
	test_short_day();
	test_duration();
	test_words();
	ok(clock_monotonic_ms() >= before_ms, "the monotonic clock");
	ok(clock_now_ms() / 1000 - wall_s < 3600 &&
	    clock_now_ms() / 1000 >= wall_s - 1, "the wall clock");
	return tap_done();
}
