/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks, and RFC 3339 times both ways without the C library's time zone state. */
#include <base/text.h>

#include <stdio.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60 };

int64_t pw_now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t pw_mono_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in
 * March here, so that the leap day is a year's last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/* `n` digits at *p, then the byte `after` (0: whatever follows). -1 if not so. */
static int take_digits(const char **p, int n, char after)
{
	int value = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	if (after && *(*p)++ != after)
		return -1;
	return value;
}

/* "Z" or "+hh:mm" to the end of the text; seconds east of UTC. */
static bool take_zone(const char *p, int *ret_s)
{
	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*ret_s = 0;
		return true;
	}
	if (*p != '+' && *p != '-')
		return false;
	int sign = *p++ == '-' ? -1 : 1;
	int hour = take_digits(&p, 2, ':');
	int minute = hour < 0 ? -1 : take_digits(&p, 2, 0);
	if (hour > 23 || minute < 0 || minute > 59 || *p)
		return false;
	*ret_s = sign * (hour * 60 + minute) * 60;
	return true;
}

int64_t pw_parse_rfc3339(const char *text)
{
	const char *p = text;
	int year, month, day, hour, minute, second, zone;
	if (!text || (year = take_digits(&p, 4, '-')) < 0 || (month = take_digits(&p, 2, '-')) < 1 || month > 12 ||
	    (day = take_digits(&p, 2, 0)) < 1 || day > month_days(year, month))
		return 0;
	if (*p != 'T' && *p != 't' && *p != ' ')
		return 0;
	p++;
	/* 60 is a leap second */
	if ((hour = take_digits(&p, 2, ':')) < 0 || hour > 23 || (minute = take_digits(&p, 2, ':')) < 0 ||
	    minute > 59 || (second = take_digits(&p, 2, 0)) < 0 || second > 60)
		return 0;
	if (*p == '.') {
		p++;
		if (take_digits(&p, 1, 0) < 0)
			return 0;
		while (*p >= '0' && *p <= '9')
			p++;
	}
	if (!take_zone(p, &zone))
		return 0;
	return days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - zone;
}

void pw_format_rfc3339(int64_t ms, char out[32])
{
	int64_t seconds = ms / 1000, rest = ms % 1000;
	if (rest < 0) {
		rest += 1000;
		seconds--;
	}
	time_t when = (time_t)seconds;
	struct tm tm = { 0 };
	if (!gmtime_r(&when, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
		(void)snprintf(out, 32, "1970-01-01T00:00:00.000Z");
		return;
	}
	/* The masks tell the compiler what the checks above already ensure. */
	(void)snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (tm.tm_year + 1900) & 0x3fff,
		       (tm.tm_mon + 1) & 0xf, tm.tm_mday & 0x1f, tm.tm_hour & 0x1f, tm.tm_min & 0x3f,
		       tm.tm_sec & 0x3f, (int)rest & 0x3ff);
}
