/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON: whole documents, places, limits, errors, writing. */
#include <doc/json.h>
#include <packetwalk/cleanup.h>

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct pw_json_limits limits = { 1 << 20, 32 };

static struct pw_val *read_text(struct pw_arena *arena, const char *text)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *val = NULL;
	int r = pw_json_parse(text, strlen(text), "x.json", &limits, arena, &val, &err);
	ok(r == PW_OK, "reads %.60s (%s)", text, err.text);
	return val;
}

static void fails(const char *text, size_t len, int code, unsigned line, unsigned col, const char *want)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *val = NULL;
	is_int(pw_json_parse(text, len, "x.json", &limits, arena, &val, &err), code, "the code");
	is_str(err.text, want, "the text");
	ok(err.line == line && err.col == col, "the place is %u:%u, is %u:%u", line, col, err.line, err.col);
	ok(!val && !strcmp(err.file, "x.json"), "no value, the file");
}
#define FAILS(text, line, col, want) fails((text), sizeof(text) - 1, PW_SYNTAX, (line), (col), (want))

static void test_read(struct pw_arena *arena)
{
	const struct pw_val *val = read_text(arena, "{\"a\": [1, -2.5, true, null, \"x\"],\n  \"b\\u00e9\": {\"c\": 1e2}}");
	is_int(pw_val_kind(pw_val_get(val, "a.0")), PW_VAL_INT, "int");
	is_int(pw_val_kind(pw_val_get(val, "a.1")), PW_VAL_REAL, "real");
	is_int(pw_val_kind(pw_val_get(val, "a.2")), PW_VAL_BOOL, "bool");
	is_int(pw_val_kind(pw_val_get(val, "a.3")), PW_VAL_NULL, "null");
	is_int(pw_val_kind(pw_val_get(val, "a.4")), PW_VAL_STR, "str");
	is_int(pw_val_kind(pw_val_get(val, "b\xc3\xa9.c")), PW_VAL_REAL, "an exponent makes a real; escaped keys");
	struct pw_place at = pw_val_place(pw_val_get(val, "a.4"));
	ok(at.line == 1 && at.col == 29 && !strcmp(at.file, "x.json"), "place of a string: %u:%u", at.line, at.col);
	at = pw_map_key_place(val, 1);
	ok(at.line == 2 && at.col == 3, "place of a key: %u:%u", at.line, at.col);
	at = pw_val_place(pw_val_get(val, "b\xc3\xa9"));
	ok(at.line == 2 && at.col == 14, "place of a map: %u:%u", at.line, at.col);
	is_int(pw_map_int(read_text(arena, "{\"a\":1,\"b\":2,\"a\":3}"), "a", 0), 3, "the last of equal keys wins");
	long long i = 0;
	ok(pw_val_to_int(read_text(arena, "-9223372036854775808"), &i) && i == LLONG_MIN, "the smallest int");
	is_int(pw_val_kind(read_text(arena, "9223372036854775808")), PW_VAL_REAL, "one beyond the largest is a real");
	is_int(pw_val_text_len(read_text(arena, "\"a\\u0000b\"")), 3, "a NUL in a value is kept");
	ok(read_text(arena, "\xef\xbb\xbf {}") != NULL, "a byte order mark");
	is_int(pw_val_count(read_text(arena, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")), 1, "depth 32");
}

static void test_errors(void)
{
	FAILS("", 1, 1, "cannot read this as JSON: it is empty");
	FAILS(" \n ", 2, 2, "cannot read this as JSON: it is empty");
	FAILS("{\"a\": 1,\n \"b\" 2}", 2, 6, "cannot read this as JSON: parse error: object key and value must be separated by a colon (':')");
	FAILS("{\"a\": [1, 2", 1, 12, "cannot read this as JSON: parse error: premature EOF");
	FAILS("{} {}", 1, 4, "cannot read this as JSON: parse error: trailing garbage");
	FAILS("<html>", 1, 1, "cannot read this as JSON: it begins with \"<\", so it is probably an HTML or XML page");
	FAILS("{\"a\": nope}", 1, 7, "cannot read this as JSON: lexical error: invalid string in json text.");
	FAILS("\"\xff\"", 1, 2, "cannot read this as JSON: lexical error: invalid bytes in UTF8 string.");
	FAILS("{\"a\\u0000b\": 1}", 1, 11, "a key holds a NUL character");
	FAILS("[1e999]", 1, 6, "the number 1e999 is too large");
	FAILS("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, 33, "cannot read this as JSON: it is nested deeper than 32 levels");
	char digits[300];
	memset(digits, '1', sizeof digits);
	fails(digits, sizeof digits, PW_SYNTAX, 1, 301, "a number of 300 characters is too long to read");
	char *large = calloc(1, limits.bytes + 1);
	if (large)
		fails(large, limits.bytes + 1, PW_SYNTAX, 0, 0, "cannot read this as JSON: it is larger than the 1048576 bytes allowed");
	free(large);
}

static void test_room(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1000);
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *val = NULL;
	const char *text = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]";
	is_int(pw_json_parse(text, strlen(text), NULL, &limits, arena, &val, &err), PW_NOMEM, "an arena too small is out of memory");
	is_str(err.text, "out of memory while reading JSON", "and says so");
}

static void writes(const struct pw_val *val, unsigned indent, const char *want, const char *what)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 100000);
	pw_json_write(&out, val, indent);
	is_str(pw_buf_str(&out), want, what);
}

static void test_write(struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	pw_map_set_str(map, "s", "a\"\\\n\x01\x7f");
	pw_map_set_int(map, "i", LLONG_MIN);
	pw_map_set_real(map, "r", 0.1);
	pw_map_set_bool(map, "b", false);
	pw_map_set(map, "n", pw_val_null(arena));
	pw_map_set_map(map, "m");
	pw_seq_add_str(pw_map_set_seq(map, "l"), "x");
	writes(map, 0, "{\"s\":\"a\\\"\\\\\\n\\u0001\\u007f\",\"i\":-9223372036854775808,\"r\":0.1,\"b\":false,\"n\":null,\"m\":{},\"l\":[\"x\"]}", "one line");
	struct pw_val *list = pw_val_seq(arena);
	pw_map_set_int(pw_seq_add_map(list), "a", 1);
	pw_seq_add(list, pw_val_seq(arena));
	writes(list, 2, "[\n  {\n    \"a\": 1\n  },\n  []\n]", "indented");
	writes(pw_val_real(arena, 2), 0, "2.0", "a whole real stays a real");
	writes(pw_val_real(arena, 1e300), 0, "1e+300", "a large real");
	writes(pw_val_real(arena, 1.0 / 3), 0, "0.33333333333333331", "a real reads back as the same");
	writes(pw_val_real(arena, (double)INFINITY), 0, "null", "infinity is no JSON");
	writes(NULL, 0, "null", "NULL");
	writes(pw_val_str(arena, "a\xff\xc3\xa9\xc0\xaf"), 0, "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"", "bad bytes become U+FFFD");
	writes(pw_val_str(arena, "\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\xa1"), 0, "\"\\u009b\\u202e\\udb40\\udc61\"", "what is unsafe on a terminal is escaped");
	writes(pw_val_strn(arena, "a\0b", 3), 0, "\"a\\u0000b\"", "a NUL");
}

static void test_round_trip(struct pw_arena *arena)
{
	const char *text = "{\"a\":[1,2.5,true,null,\"\\u009b \\ud83d\\ude00\"],\"b\":{\"c\":{}}}";
	const struct pw_val *val = read_text(arena, text);
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 100000);
	pw_json_write(&out, val, 3);
	ok(pw_val_equal(val, read_text(arena, pw_buf_str(&out))), "what is written reads back the same");
	struct pw_buf small;
	pw_buf_init(&small, 10);
	pw_json_write(&small, val, 0);
	ok(!pw_buf_ok(&small), "a buffer too small says so");
	pw_buf_release(&small);
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_read(arena);
	test_errors();
	test_room();
	test_write(arena);
	test_round_trip(arena);
	return tap_done();
}
