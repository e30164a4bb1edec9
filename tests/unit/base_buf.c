/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Buffers and arenas: growth, ceilings, sticky failure, escaping. */
#include <packetwalk/arena.h>
#include <packetwalk/buf.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void test_append(void)
{
	PW_CLEAN_BUF struct pw_buf buf;
	pw_buf_init(&buf, 1000);
	is_str(pw_buf_str(&buf), "", "an empty buffer reads as an empty string");
	pw_buf_puts(&buf, "one ");
	pw_buf_putc(&buf, '2');
	pw_buf_printf(&buf, " %s %d", "three", 4);
	pw_buf_add(&buf, "!?", 1);
	is_str(pw_buf_str(&buf), "one 2 three 4!", "appends of every kind");
	ok(pw_buf_ok(&buf), "no failure");
	pw_buf_clear(&buf);
	is_str(pw_buf_str(&buf), "", "clear empties");
	for (int i = 0; i < 100; i++)
		pw_buf_puts(&buf, "0123456789");
	ok(pw_buf_ok(&buf) && buf.len == 1000, "exactly the ceiling fits");
	pw_buf_putc(&buf, 'x');
	ok(!pw_buf_ok(&buf) && buf.failed == PW_NOMEM, "one more fails");
	is_int(buf.len, 1000, "and appends nothing");
	ok(pw_buf_take(&buf) == NULL, "a failed buffer cannot be taken");
	pw_buf_clear(&buf);
	pw_buf_printf(&buf, "%1001d", 1);
	ok(!pw_buf_ok(&buf), "printf honours the ceiling");
	pw_buf_puts(&buf, "a");
	is_str(pw_buf_str(&buf), "", "the failure is sticky");
}

static void test_take(void)
{
	struct pw_buf buf;
	pw_buf_init(&buf, SIZE_MAX);
	PW_CLEAN_FREE char *nothing = pw_buf_take(&buf);
	is_str(nothing, "", "taking an empty buffer gives an empty string");
	pw_buf_puts(&buf, "mine");
	PW_CLEAN_FREE char *taken = pw_buf_take(&buf);
	is_str(taken, "mine", "take hands the string over");
	ok(buf.data == NULL && buf.len == 0, "and leaves the buffer empty");
	pw_buf_release(&buf);
	pw_buf_release(NULL);
}

static void escapes(const char *text, size_t len, const char *want, const char *what)
{
	PW_CLEAN_BUF struct pw_buf buf;
	pw_buf_init(&buf, 1000);
	pw_buf_escaped(&buf, text, len);
	is_str(pw_buf_str(&buf), want, what);
}

static void test_escaped(void)
{
	escapes("plain \"text\" \\", 14, "plain \"text\" \\", "printable ASCII stays");
	escapes("a\nb\tc\r", 6, "a\\nb\\tc\\x0d", "line breaks and tabs");
	escapes("\x1b[31m\x07", 6, "\\x1b[31m\\x07", "terminal sequences");
	escapes("a\0b\x7f", 4, "a\\x00b\\x7f", "NUL and DEL");
	escapes("\xc2\x9b" "31m", 5, "\\u{009B}31m", "C1 control sequence introducer");
	escapes("\xe2\x80\xae" "evil\xe2\x81\xa9", 10, "\\u{202E}evil\\u{2069}", "bidi controls");
	escapes("\xe2\x80\xa8\xef\xbb\xbf", 6, "\\u{2028}\\u{FEFF}", "line separator and byte order mark");
	escapes("\xf3\xa0\x81\xa1", 4, "\\u{E0061}", "tag characters");
	escapes("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "other UTF-8 stays");
	escapes("\xff\xc3", 2, "\\xff\\xc3", "invalid and cut-off UTF-8");
	escapes("\xc0\xaf\xed\xa0\x80", 5, "\\xc0\\xaf\\xed\\xa0\\x80", "overlong form and surrogate");
}

static void test_arena(void)
{
	struct pw_arena *arena = pw_arena_new(100000);
	char *p = pw_arena_alloc(arena, 3);
	ok(p && !p[0] && !p[2] && (uintptr_t)p % _Alignof(max_align_t) == 0, "zeroed and aligned");
	is_str(pw_arena_strdup(arena, "text"), "text", "strdup");
	is_str(pw_arena_strndup(arena, "text", 2), "te", "strndup");
	is_str(pw_arena_printf(arena, "%d-%s", 7, "x"), "7-x", "printf");
	ok(pw_arena_strdup(arena, NULL) == NULL && !pw_arena_failed(arena), "NULL in, NULL out, no failure");
	char *large = pw_arena_alloc(arena, 50000);
	ok(large && !large[49999], "larger than a chunk");
	ok(pw_arena_used(arena) >= 50000 && pw_arena_used(arena) < 50200, "used is counted");
	ok(pw_arena_alloc(arena, 60000) == NULL && pw_arena_failed(arena), "the ceiling fails and is remembered");
	ok(pw_arena_alloc(arena, 10) != NULL, "a small one still fits");
	pw_arena_clear(arena);
	ok(!pw_arena_failed(arena) && pw_arena_used(arena) == 0, "clear forgets");
	p = pw_arena_alloc(arena, 1000);
	ok(p && !p[0] && !p[999], "reused memory is zeroed again");
	ok(pw_arena_array(arena, SIZE_MAX / 2, 4) == NULL && pw_arena_failed(arena), "count * size does not wrap");
	pw_arena_free(arena);
	pw_arena_free(NULL);
	ok(pw_arena_failed(NULL) && pw_arena_alloc(NULL, 1) == NULL, "a NULL arena counts as failed");
	is_int(pw_arena_used(NULL), 0, "and holds nothing");
}

static void test_arena_many(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	bool good = true;
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 1; i < 20000; i++) {
			char *p = pw_arena_alloc(arena, i % 97);
			good = good && p;
			if (p)
				memset(p, 0xaa, i % 97);
		}
		pw_arena_clear(arena);
	}
	ok(good && !pw_arena_failed(arena), "many small allocations over several lives");
	ok(pw_arena_alloc(arena, 5 << 20) != NULL, "one huge allocation");
	pw_arena_clear(arena);
	ok(pw_arena_alloc(arena, 1) != NULL, "works after its chunk was let go");
}

int main(void)
{
	test_append();
	test_take();
	test_escaped();
	test_arena();
	test_arena_many();
	return tap_done();
}
