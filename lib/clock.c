#include "clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SECOND_MS	INT64_C(1000)
#define MINUTE_MS	(60 * SECOND_MS)
#define HOUR_MS		(60 * MINUTE_MS)
#define DAY_MS		(24 * HOUR_MS)
#define WEEK_MS		(7 * DAY_MS)

/* The last instant that has a year of four digits. */
#define LAST_AT		INT64_C(253402300799999)

struct unit {
	const char *name;
	int64_t ms;
};

static const struct unit duration_units[] = {
	{ "",	SECOND_MS },
	{ "ms",	1 },
	{ "s",	SECOND_MS },
	{ "m",	MINUTE_MS },
	{ "h",	HOUR_MS },
	{ "d",	DAY_MS },
	{ NULL,	0 }
};

static const struct unit ago_units[] = {
	{ "s",	     SECOND_MS },
	{ "sec",     SECOND_MS },
	{ "second",  SECOND_MS },
	{ "seconds", SECOND_MS },
	{ "m",	     MINUTE_MS },
	{ "min",     MINUTE_MS },
	{ "minute",  MINUTE_MS },
	{ "minutes", MINUTE_MS },
	{ "h",	     HOUR_MS },
	{ "hour",    HOUR_MS },
	{ "hours",   HOUR_MS },
	{ "d",	     DAY_MS },
	{ "day",     DAY_MS },
	{ "days",    DAY_MS },
	{ "w",	     WEEK_MS },
	{ "week",    WEEK_MS },
	{ "weeks",   WEEK_MS },
	{ NULL,	     0 }
};

static const char *const weekdays[] = {
	"sunday", "monday", "tuesday", "wednesday", "thursday", "friday",
	"saturday"
};

/*
 * What a date and a time may look like: 0 is a digit, every other
 * character stands for itself. The longest comes first because all of
 * them begin alike.
 */
static const char *const shapes[] = {
	"0000-00-00 00:00:00.000",
	"0000-00-00 00:00:00",
	"0000-00-00 00:00",
	"0000-00-00"
};

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t
clamp(int64_t at)
{
	if (at < 0)
		return 0;
	return at > LAST_AT ? LAST_AT : at;
}

static void
split_utc(struct tm *tm, int64_t at)
{
	time_t seconds = (time_t)(clamp(at) / 1000);

	gmtime_r(&seconds, tm);
}

static void
split_local(struct tm *tm, int64_t at)
{
	time_t seconds = (time_t)(clamp(at) / 1000);

	tzset();
	localtime_r(&seconds, tm);
}

void
clock_iso(char out[CLOCK_ISO_SIZE], int64_t at)
{
	struct tm tm;
	size_t len;

	split_utc(&tm, at);
	len = strftime(out, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, CLOCK_ISO_SIZE - len, ".%03uZ",
	    (unsigned int)(clamp(at) % 1000));
}

void
clock_stamp(char out[CLOCK_STAMP_SIZE], int64_t at)
{
	struct tm tm;

	split_utc(&tm, at);
	strftime(out, CLOCK_STAMP_SIZE, "%Y%m%d%H%M%S", &tm);
}

/* The next "digits" characters as a number; they are known to be digits. */
static int
take_number(const char **s, int digits)
{
	int n = 0;

	while (digits-- > 0)
		n = n * 10 + (*(*s)++ - '0');
	return n;
}

/* mktime() takes the 31st of February for a day in March; we do not. */
static bool
is_real(const struct tm *tm)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	int year = tm->tm_year + 1900;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year >= 1970 && tm->tm_mon >= 0 && tm->tm_mon < 12 &&
	    tm->tm_mday >= 1 &&
	    tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1) &&
	    tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

const struct err *
clock_parse_stamp(int64_t *at, const char *stamp)
{
	struct tm tm = { 0 };
	const char *s = stamp;

	*at = 0;
	if (strlen(stamp) == 14 && strspn(stamp, "0123456789") == 14) {
		tm.tm_year = take_number(&s, 4) - 1900;
		tm.tm_mon = take_number(&s, 2) - 1;
		tm.tm_mday = take_number(&s, 2);
		tm.tm_hour = take_number(&s, 2);
		tm.tm_min = take_number(&s, 2);
		tm.tm_sec = take_number(&s, 2);
		if (is_real(&tm)) {
			*at = (int64_t)timegm(&tm) * 1000;
			return NULL;
		}
	}
	return err_new(ERR_USAGE,
	    "'%s' is not a release: 20261120101458 is one", stamp);
}

static bool
has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++) {
		if (*shape == '0' ? !isdigit((unsigned char)*text) :
		    *shape == ' ' ? *text != ' ' && *text != 'T' :
		    *text != *shape)
			return false;
	}
	return true;
}

/* The length of the date and time at the start of "text", 0 for none. */
static size_t
date_len(const char *text)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		if (has_shape(text, shapes[i]))
			return strlen(shapes[i]);
	}
	return 0;
}

static bool
parse_date(int64_t *at, const char *text)
{
	size_t len = date_len(text);
	bool utc = len > 10 && text[len] == 'Z';
	struct tm tm = { .tm_isdst = -1 };
	const char *s = text;
	int ms = 0;

	if (len == 0 || text[len + utc] != '\0')
		return false;
	tm.tm_year = take_number(&s, 4) - 1900;
	s++;
	tm.tm_mon = take_number(&s, 2) - 1;
	s++;
	tm.tm_mday = take_number(&s, 2);
	if (len > 10) {
		s++;
		tm.tm_hour = take_number(&s, 2);
		s++;
		tm.tm_min = take_number(&s, 2);
	}
	if (len > 16) {
		s++;
		tm.tm_sec = take_number(&s, 2);
	}
	if (len > 19) {
		s++;
		ms = take_number(&s, 3);
	}
	if (!is_real(&tm))
		return false;
	*at = (int64_t)(utc ? timegm(&tm) : mktime(&tm)) * 1000 + ms;
	return true;
}

/* Midnight, local time, "days" before the day of "now_at". */
static int64_t
day_start(int64_t now_at, int days)
{
	struct tm tm;

	split_local(&tm, now_at);
	tm.tm_mday -= days;
	tm.tm_hour = 0;
	tm.tm_min = 0;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000;
}

static bool
parse_day(int64_t *at, const char *text, int64_t now_at)
{
	struct tm tm;
	int days = -1;

	split_local(&tm, now_at);
	if (strcasecmp(text, "today") == 0)
		days = 0;
	if (strcasecmp(text, "yesterday") == 0)
		days = 1;
	for (int i = 0; i < 7; i++) {
		if (strcasecmp(text, weekdays[i]) == 0)
			days = (tm.tm_wday - i + 7) % 7;
	}
	if (days == -1)
		return false;
	*at = day_start(now_at, days);
	return true;
}

/* A number at "*s", which is moved behind it; -1 for none or too many. */
static int64_t
parse_number(const char **s)
{
	int64_t n = -1;

	for (; isdigit((unsigned char)**s); (*s)++) {
		if (n > LAST_AT)
			return -1;
		n = (n == -1 ? 0 : n) * 10 + (**s - '0');
	}
	return n;
}

/* "n" of the unit spelled by the first "len" bytes; -1 for no such unit. */
static int64_t
in_units(const struct unit *units, const char *name, size_t len, int64_t n)
{
	for (; units->name != NULL; units++) {
		if (strlen(units->name) != len ||
		    strncasecmp(units->name, name, len) != 0)
			continue;
		return n > LAST_AT / units->ms ? -1 : n * units->ms;
	}
	return -1;
}

/* "2h", "2 hours", "2 hours ago". */
static bool
parse_ago(int64_t *at, const char *text, int64_t now_at)
{
	const char *s = text;
	int64_t ms, n = parse_number(&s);
	size_t len;

	if (n == -1)
		return false;
	s += strspn(s, " ");
	len = strcspn(s, " ");
	ms = in_units(ago_units, s, len, n);
	s += len;
	s += strspn(s, " ");
	if (ms == -1 || ms > now_at ||
	    (*s != '\0' && strcasecmp(s, "ago") != 0))
		return false;
	*at = now_at - ms;
	return true;
}

const struct err *
clock_parse_when(int64_t *at, const char *text, int64_t now_at)
{
	*at = 0;
	if (parse_date(at, text) || parse_day(at, text, now_at) ||
	    parse_ago(at, text, now_at))
		return NULL;
	return err_new(ERR_USAGE, "'%s' is not a time: write 2026-11-20, "
	    "'2026-11-20 10:14', 2026-11-20T10:14:58Z, '3 days ago', 2h, "
	    "today, yesterday or friday", text);
}

const struct err *
clock_parse_duration(int64_t *ms, const char *text)
{
	const char *s = text;
	int64_t n = parse_number(&s);

	*ms = n == -1 ? -1 : in_units(duration_units, s, strlen(s), n);
	if (*ms != -1)
		return NULL;
	*ms = 0;
	return err_new(ERR_USAGE, "'%s' is not a duration: write 90, 90s, "
	    "5m, 2h, 1d or 250ms", text);
}

void
clock_add_duration(struct str *str, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms < SECOND_MS)
		str_addf(str, "%" PRId64 " ms", ms);
	else if (ms < MINUTE_MS)
		str_addf(str, "%" PRId64 ".%02" PRId64 " s",
		    ms / SECOND_MS, ms % SECOND_MS / 10);
	else if (ms < HOUR_MS)
		str_addf(str, "%" PRId64 " m %02" PRId64 " s",
		    ms / MINUTE_MS, ms % MINUTE_MS / SECOND_MS);
	else
		str_addf(str, "%" PRId64 " h %02" PRId64 " m",
		    ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
}

void
clock_add_local(struct str *str, int64_t at)
{
	char text[32];
	struct tm tm;

	split_local(&tm, at);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	str_add(str, text);
}

void
clock_add_local_seconds(struct str *str, int64_t at)
{
	char text[8];
	struct tm tm;

	clock_add_local(str, at);
	split_local(&tm, at);
	strftime(text, sizeof(text), ":%S", &tm);
	str_add(str, text);
}
