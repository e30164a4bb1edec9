/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The value tree: building, reading by wish, indexes, copies, equality. */
#include <packetwalk/cleanup.h>
#include <packetwalk/val.h>

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "tap.h"

static void test_build(struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	pw_map_set_str(map, "name", "web");
	pw_map_set_strf(map, "place", "%s:%d", "x", 3);
	pw_map_set_int(map, "port", 80);
	pw_map_set_real(map, "ms", 1.5);
	pw_map_set_bool(map, "up", true);
	pw_map_set_str(map, "none", NULL);
	struct pw_val *ports = pw_map_set_seq(map, "ports");
	pw_seq_add_str(ports, "a");
	pw_map_set_int(pw_seq_add_map(ports), "port", 443);
	pw_map_set_str(pw_map_set_map(map, "spec"), "type", "ClusterIP");
	is_int(pw_val_count(map), 8, "eight entries");
	is_str(pw_map_key(map, 0), "name", "entries keep their order");
	is_str(pw_map_str(map, "name", "?"), "web", "a string");
	is_str(pw_map_str(map, "place", "?"), "x:3", "a formatted string");
	is_int(pw_map_int(map, "port", 0), 80, "an int");
	ok(pw_map_bool(map, "up", false), "a bool");
	ok(pw_val_is(pw_map_get(map, "none"), PW_VAL_NULL), "NULL text is a null value");
	is_int(pw_map_int(pw_val_get(map, "ports.1"), "port", 0), 443, "a path through a list");
	is_str(pw_val_text(pw_val_get(map, "spec.type")), "ClusterIP", "a path through maps");
	struct pw_val *links = pw_val_seq(arena);
	pw_seq_add_str(links, "eth0");
	pw_map_set_str(pw_seq_add_map(links), "name", "lo");
	pw_map_set_int(pw_seq_add_map(links), "mtu", 1500);
	ok(pw_seq_find(links, "name", "lo") == pw_val_at(links, 1), "a map of a list by what it holds");
	ok(pw_seq_find(links, "name", "") == pw_val_at(links, 0) && !pw_seq_find(links, "name", "eth0"), "a key that is not there reads as empty");
	ok(!pw_seq_find(map, "name", "web") && !pw_seq_find(NULL, "name", ""), "nothing is found in what is no list");
	pw_map_set_int(map, "port", 81);
	is_int(pw_map_int(map, "port", 0), 81, "set replaces");
	is_int(pw_val_count(map), 8, "and does not add");
	ok(!pw_arena_failed(arena), "no failure");
}

static void test_forgiving(struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena), *seq = pw_val_seq(arena), *text = pw_val_str(arena, "x");
	pw_map_set(NULL, "a", text);
	pw_map_set(seq, "a", text);
	pw_map_set(map, NULL, text);
	pw_map_set(map, "a", NULL);
	pw_seq_add(map, text);
	pw_seq_add(NULL, text);
	pw_seq_add(seq, NULL);
	pw_map_set_int(text, "a", 1);
	pw_seq_add_str(map, "a");
	ok(pw_map_set_map(seq, "a") == NULL && pw_seq_add_map(NULL) == NULL, "children of what has none");
	ok(pw_val_count(map) == 0 && pw_val_count(seq) == 0, "building on the wrong kind does nothing");
	ok(!pw_val_count(text) && !pw_val_count(NULL), "scalars and NULL count nothing");
	ok(!pw_val_at(NULL, 0) && !pw_val_at(seq, 0) && !pw_map_key(seq, 0) && !pw_map_get(text, "a"), "reads find nothing");
	ok(!pw_map_get(map, NULL) && !pw_val_get(NULL, "a") && pw_val_get(map, NULL) == map, "NULL keys and paths");
	ok(!pw_val_get(seq, "x") && !pw_val_get(seq, "-1") && !pw_val_get(seq, "99999999999999999999"), "no such index");
	ok(!pw_val_get(map, "") && !pw_val_get(map, "..") && !pw_val_get(map, "a.b"), "odd paths");
	ok(!pw_val_text(seq) && !pw_val_text_len(NULL) && !pw_val_quoted(NULL), "text of what has none");
	is_int(pw_val_place(NULL).line, 0, "no place");
	is_int(pw_map_key_place(seq, 3).line, 0, "no key place");
	is_int(pw_val_kind(NULL), PW_VAL_NULL, "NULL counts as null");
}

static bool int_of(struct pw_arena *arena, const char *text, long long want)
{
	long long got = 42;
	return pw_val_to_int(pw_val_str(arena, text), &got) && got == want;
}

static void test_wishes(struct pw_arena *arena)
{
	long long i = 42;
	double d = 42;
	bool b = false;
	ok(int_of(arena, "0", 0) && int_of(arena, "0800", 800) && int_of(arena, "-0", 0), "text as int is decimal");
	ok(int_of(arena, "9223372036854775807", LLONG_MAX), "the largest");
	ok(int_of(arena, "-9223372036854775808", LLONG_MIN), "the smallest");
	static const char *const wrong[] = { "", "-", "+1", "1 ", " 1", "0x10", "1.0", "1e3", "9223372036854775808",
					     "-9223372036854775809", "--1" };
	for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++)
		ok(!pw_val_to_int(pw_val_str(arena, wrong[n]), &i) && i == 42, "'%s' is no int", wrong[n]);
	ok(!pw_val_to_int(pw_val_strn(arena, "1\0x", 3), &i), "a NUL does not hide the rest of a number");
	ok(!pw_val_to_int(pw_val_real(arena, 1), &i) && !pw_val_to_int(NULL, &i), "a real is no int");
	ok(pw_val_to_real(pw_val_str(arena, "1.5e3"), &d) && d > 1499 && d < 1501, "text as real");
	ok(pw_val_to_real(pw_val_int(arena, 3), &d) && d > 2.9 && d < 3.1, "an int is a real");
	ok(!pw_val_to_real(pw_val_str(arena, "inf"), &d) && !pw_val_to_real(pw_val_str(arena, "0x1p3"), &d) &&
	   !pw_val_to_real(pw_val_str(arena, "1e999"), &d) && !pw_val_to_real(pw_val_str(arena, "e"), &d), "no real");
	ok(pw_val_to_bool(pw_val_str(arena, "true"), &b) && b, "text true");
	ok(pw_val_to_bool(pw_val_str(arena, "false"), &b) && !b, "text false");
	ok(!pw_val_to_bool(pw_val_str(arena, "yes"), &b) && !pw_val_to_bool(pw_val_str(arena, "no"), &b) &&
	   !pw_val_to_bool(pw_val_str(arena, "True"), &b), "yes, no and True are text");
	is_int(pw_map_int(NULL, "x", -3), -3, "the default int");
	is_str(pw_map_str(NULL, "x", "?"), "?", "the default string");
	ok(pw_map_bool(NULL, "x", true), "the default bool");
}

static void test_big_map(void)
{
	enum { N = 200000 };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_val *map = pw_val_map(arena), *seq = pw_val_seq(arena);
	char key[32];
	clock_t start = clock();
	for (int i = 0; i < N; i++) {
		(void)snprintf(key, sizeof key, "key-%d", i);
		pw_map_set_int(map, key, i);
		pw_seq_add(seq, pw_val_int(arena, i));
	}
	bool good = pw_val_count(map) == N && pw_val_count(seq) == N;
	for (int i = 0; i < N; i++) {
		(void)snprintf(key, sizeof key, "key-%d", i);
		good = good && pw_map_int(map, key, -1) == i;
	}
	ok(good, "200,000 entries are found again");
	ok(!pw_map_get(map, "key-200000"), "and one that is not there is not");
	ok((double)(clock() - start) / CLOCKS_PER_SEC < 10, "in a time that is not quadratic");
	pw_map_set_int(map, "key-7", -7);
	ok(pw_map_int(map, "key-7", 0) == -7 && pw_val_count(map) == N, "replacing in an indexed map");
	for (int i = 0; i < 40; i++) {
		struct pw_val *small = pw_val_map(arena);
		for (int j = 0; j < i; j++) {
			(void)snprintf(key, sizeof key, "%d", j);
			pw_map_set_int(small, key, j);
		}
		for (int j = 0; j < i; j++) {
			(void)snprintf(key, sizeof key, "%d", j);
			good = good && pw_map_int(small, key, -1) == j;
		}
	}
	ok(good, "maps of every size around the index's threshold");
}

static void test_copy_equal(struct pw_arena *arena)
{
	PW_CLEAN_ARENA struct pw_arena *other = pw_arena_new(SIZE_MAX);
	struct pw_val *map = pw_val_map(arena);
	pw_map_set_str(map, "a", "x");
	pw_map_set_real(map, "r", 0.5);
	pw_map_set_bool(map, "b", true);
	pw_map_set(map, "n", pw_val_null(arena));
	pw_map_set_int(pw_seq_add_map(pw_map_set_seq(map, "list")), "i", 9);
	struct pw_val *copy = pw_val_copy(other, map);
	ok(pw_val_equal(map, copy), "a copy is equal");
	pw_map_set_str(copy, "a", "y");
	ok(!pw_val_equal(map, copy), "and its own");
	ok(pw_val_is(pw_val_copy(other, NULL), PW_VAL_NULL), "a copy of NULL is null");
	struct pw_val *swapped = pw_val_map(arena), *ordered = pw_val_map(arena);
	pw_map_set_int(swapped, "b", 2);
	pw_map_set_int(swapped, "a", 1);
	pw_map_set_int(ordered, "a", 1);
	pw_map_set_int(ordered, "b", 2);
	ok(pw_val_equal(swapped, ordered), "the order of a map does not matter");
	pw_map_set_int(ordered, "c", 3);
	ok(!pw_val_equal(swapped, ordered) && !pw_val_equal(ordered, swapped), "one more entry does");
	struct pw_val *ab = pw_val_seq(arena), *ba = pw_val_seq(arena);
	pw_seq_add_str(ab, "a");
	pw_seq_add_str(ab, "b");
	pw_seq_add_str(ba, "b");
	pw_seq_add_str(ba, "a");
	ok(!pw_val_equal(ab, ba), "the order of a list matters");
	ok(pw_val_equal(NULL, pw_val_null(arena)) && !pw_val_equal(NULL, ab), "NULL equals null");
	ok(!pw_val_equal(pw_val_str(arena, "1"), pw_val_int(arena, 1)), "kinds differ");
}

static void test_out_of_room(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(400);
	struct pw_val *map = pw_val_map(arena);
	for (int i = 0; i < 100; i++) {
		char key[16];
		(void)snprintf(key, sizeof key, "%d", i);
		pw_map_set_int(map, key, i);
	}
	ok(pw_arena_failed(arena), "the arena remembers that something was lost");
	ok(pw_val_count(map) < 100, "what did not fit is not there");
	PW_CLEAN_ARENA struct pw_arena *large = pw_arena_new(SIZE_MAX);
	struct pw_val *big = pw_val_seq(large);
	for (int i = 0; i < 1000; i++)
		pw_seq_add_str(big, "text");
	ok(pw_val_copy(arena, big) == NULL, "a copy is whole or not at all");
	ok(pw_val_map(NULL) == NULL && pw_val_str(NULL, "x") == NULL && pw_val_copy(NULL, big) == NULL, "no arena, no value");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_build(arena);
	test_wishes(arena);
	test_copy_equal(arena);
	test_forgiving(arena);
	test_big_map();
	test_out_of_room();
	return tap_done();
}
