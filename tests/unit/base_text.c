/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text and time helpers. */
#include <base/text.h>

#include <limits.h>
#include <string.h>

#include "tap.h"

static void test_distance(void)
{
	is_int(pw_edit_distance("same", "same"), 0, "equal");
	is_int(pw_edit_distance("", "abc"), 3, "from nothing");
	is_int(pw_edit_distance("kitten", "sitting"), 3, "the textbook case");
	is_int(pw_edit_distance("verdcit", "verdict"), 1, "a swap is one step");
	is_int(pw_edit_distance("titel", "title"), 1, "a swap at the end");
	char longer[80];
	memset(longer, 'a', sizeof longer - 1);
	longer[79] = '\0';
	is_int(pw_edit_distance(longer, "a"), 65, "too long to compare is far away");
	longer[64] = '\0';
	is_int(pw_edit_distance(longer, "a"), 63, "64 bytes are compared");
	static const char *const names[] = { "title", "steps", "start", "on" };
	is_str(pw_nearest("titel", names, 4), "title", "nearest");
	is_str(pw_nearest("stat", names, 4), "start", "nearest of two close ones");
	is_str(pw_nearest("no", names, 4), "on", "a short word swapped");
	ok(pw_nearest("ab", names, 4) == NULL, "a short word is not near any other short word");
	ok(pw_nearest("verdict", names, 4) == NULL, "nothing near");
	ok(pw_nearest("x", names, 0) == NULL, "no names");
}

static void test_uint(void)
{
	unsigned long long v = 7;
	ok(pw_parse_uint("0", 10, &v) && v == 0, "zero");
	ok(pw_parse_uint("010", 10, &v) && v == 10, "leading zeros are decimal");
	ok(pw_parse_uint("18446744073709551615", ULLONG_MAX, &v) && v == ULLONG_MAX, "the largest");
	v = 7;
	ok(!pw_parse_uint("18446744073709551616", ULLONG_MAX, &v) && v == 7, "one more does not wrap; result untouched");
	ok(!pw_parse_uint("11", 10, &v), "over the limit");
	ok(!pw_parse_uint("9", 4, &v), "a digit over the limit");
	ok(!pw_parse_uint("", 10, &v) && !pw_parse_uint("-1", 10, &v) && !pw_parse_uint("+1", 10, &v), "empty, signs");
	ok(!pw_parse_uint(" 1", 10, &v) && !pw_parse_uint("1 ", 10, &v) && !pw_parse_uint("0x1", 10, &v), "blanks, hex");
}

static void lasts(const char *text, unsigned want)
{
	unsigned ms = 0;
	ok(pw_parse_duration(text, &ms) && ms == want, "duration '%s' is %u ms", text, want);
}

static void test_duration(void)
{
	lasts("500ms", 500);
	lasts("2s", 2000);
	lasts("1m30s", 90000);
	lasts("2h", 7200000);
	lasts("1h1m1s1ms", 3661001);
	lasts("3", 3000);
	lasts("0", 0);
	lasts("0s", 0);
	static const char *const wrong[] = { "", "s", "ms", "-1s", "1x", "1s1s", "30s1m", "1m30", "1.5s", " 1s", "1s ",
					     "1 s", "99999999h", "4294968", "1d", "1ss" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		unsigned ms = 42;
		ok(!pw_parse_duration(wrong[i], &ms) && ms == 42, "'%s' is no duration", wrong[i]);
	}
}

static void test_time(void)
{
	is_int(pw_parse_rfc3339("1970-01-01T00:00:01Z"), 1, "one second");
	is_int(pw_parse_rfc3339("2024-02-29T12:34:56Z"), 1709210096, "a leap day");
	is_int(pw_parse_rfc3339("2026-01-02T03:04:05.678901Z"), 1767323045, "a fraction is cut off");
	is_int(pw_parse_rfc3339("2026-01-02T05:04:05+02:00"), 1767323045, "east");
	is_int(pw_parse_rfc3339("2026-01-01T22:34:05-04:30"), 1767323045, "west");
	is_int(pw_parse_rfc3339("1969-12-31T23:59:59Z"), -1, "before the epoch");
	is_int(pw_parse_rfc3339("2016-12-31T23:59:60Z"), 1483228800, "a leap second");
	static const char *const wrong[] = { "", "2026", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+1:00", "2026-1-01T00:00:00Z", "2026-01-01X00:00:00Z" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		is_int(pw_parse_rfc3339(wrong[i]), 0, wrong[i]);
	is_int(pw_parse_rfc3339(NULL), 0, "NULL is no time");
	char text[32];
	pw_format_rfc3339(1767323045678, text);
	is_str(text, "2026-01-02T03:04:05.678Z", "format");
	pw_format_rfc3339(-1, text);
	is_str(text, "1969-12-31T23:59:59.999Z", "format before the epoch");
	pw_format_rfc3339(INT64_MAX, text);
	is_str(text, "1970-01-01T00:00:00.000Z", "a time beyond the calendar");
	ok(pw_now_ms() > 1700000000000, "the clock is set");
	int64_t before = pw_mono_ms();
	ok(before >= 0 && pw_mono_ms() >= before, "monotonic time does not go back");
}

static void test_hash(void)
{
	ok(pw_hash64("", 0) == 0xcbf29ce484222325u, "FNV-1a of nothing");
	ok(pw_hash64("foobar", 6) == 0x85944171f73967e8u, "FNV-1a of foobar, from the draft's test vectors");
	ok(pw_key_hash("abcdefgh", 8) == pw_key_hash("abcdefgh", 8), "the key hash is the same within a process");
	ok(pw_key_hash("abcdefgh", 8) != pw_key_hash("abcdefgi", 8), "the last byte of a word counts");
	ok(pw_key_hash("a", 1) != pw_key_hash("a\0", 2), "the length counts");
}

static void test_glob(void)
{
	ok(pw_glob("*", "") && pw_glob("", "") && pw_glob("**", "x"), "stars match nothing and anything");
	ok(pw_glob("web-*", "web-1") && !pw_glob("web-*", "api-1"), "prefix");
	ok(pw_glob("*-?.local", "a-b-1.local"), "backtracks to the star");
	ok(!pw_glob("?", "") && !pw_glob("a", "ab") && !pw_glob("ab", "a"), "whole text");
	char text[2001];
	memset(text, 'a', 2000);
	text[2000] = '\0';
	ok(!pw_glob("*a*a*a*a*a*a*a*a*a*b", text), "many stars do not explode");
}

static void test_utf8(void)
{
	uint32_t c = 0;
	ok(pw_utf8_next("a", 1, &c) == 1 && c == 'a', "ASCII");
	ok(pw_utf8_next("\xc3\xa9", 2, &c) == 2 && c == 0xe9, "two bytes");
	ok(pw_utf8_next("\xe2\x82\xac", 3, &c) == 3 && c == 0x20ac, "three bytes");
	ok(pw_utf8_next("\xf4\x8f\xbf\xbf", 4, &c) == 4 && c == 0x10ffff, "the last character");
	ok(!pw_utf8_next("\xf4\x90\x80\x80", 4, &c) && !pw_utf8_next("\xf5\x80\x80\x80", 4, &c), "beyond the last");
	ok(!pw_utf8_next("\xe0\x80\xaf", 3, &c) && !pw_utf8_next("\xf0\x80\x80\xaf", 4, &c), "overlong");
	ok(!pw_utf8_next("\xe2\x82", 2, &c) && !pw_utf8_next("", 0, &c), "cut off, empty");
	ok(!pw_utf8_next("\x80", 1, &c) && !pw_utf8_next("\xc3(", 2, &c), "stray and missing continuation");
}

int main(void)
{
	test_distance();
	test_uint();
	test_duration();
	test_time();
	test_hash();
	test_glob();
	test_utf8();
	return tap_done();
}
