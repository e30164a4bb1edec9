/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Complaints: order, ceiling, and how they look. */
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

#include <stdio.h>
#include <string.h>

#include "tap.h"

static struct pw_place at(const char *file, unsigned line, unsigned col)
{
	return (struct pw_place){ file, line, col };
}

static void shows(const struct pw_diags *diags, size_t i, const char *source, const char *want, const char *what)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 100000);
	pw_diag_format(pw_diags_at(diags, i), source, source ? strlen(source) : 0, &out);
	is_str(pw_buf_str(&out), want, what);
}

static void test_format(struct pw_arena *arena)
{
	struct pw_diags *diags = pw_diags_new(arena);
	const char *source = "\xef\xbb\xbf" "name: a\r\nsteps:\r\n  name: \xc3\xbc b\r\n";
	pw_diags_add(diags, 0, at("x.yaml", 3, 9), "PW0123", "write it well", "it is %s", "wrong");
	shows(diags, 0, source,
	      "x.yaml:3:9: error[PW0123]: it is wrong\n"
	      "     3 |   name: \xc3\xbc b\n"
	      "       |         ^\n"
	      "  fix: write it well\n", "file, line, caret, fix");
	pw_diags_add_two(diags, 1, at("x.yaml", 3, 3), at("x.yaml", 1, 1), "PW0102", NULL, "twice");
	shows(diags, 1, source,
	      "x.yaml:3:3: warning[PW0102]: twice\n"
	      "     3 |   name: \xc3\xbc b\n"
	      "       |   ^\n"
	      "x.yaml:1:1: note: the other place\n"
	      "     1 | name: a\n"
	      "       | ^\n", "the other place, without the byte order mark");
	pw_diags_chain(diags, "included from a.yaml:3:5");
	pw_diags_add_two(diags, 0, at("x.yaml", 9, 1), at("y.yaml", 1, 2), "PW0200", NULL, "elsewhere");
	shows(diags, 2, source, "x.yaml:9:1: error[PW0200]: elsewhere\ny.yaml:1:2: note: the other place\n  included from a.yaml:3:5\n",
	      "a line that is not there, another file, the chain");
	pw_diags_chain(diags, NULL);
	pw_diags_add(diags, 0, at(NULL, 0, 0), "PW0200", NULL, "nowhere");
	shows(diags, 3, NULL, "error[PW0200]: nowhere\n", "no place at all");
	pw_diags_add(diags, 0, at("a\x1b.yaml", 2, 0), "PW0200", "\x1b[2J", "\xe2\x80\xae");
	shows(diags, 4, "\n\x1b]0;x\x07\n", "a\\x1b.yaml:2: error[PW0200]: \\u{202E}\n     2 | \\x1b]0;x\\x07\n  fix: \\x1b[2J\n",
	      "nothing hostile reaches the terminal");
	pw_diags_add(diags, 0, at("x", 1, 4), "PW0200", NULL, "t");
	shows(diags, 5, "\ta\x01" "b", "x:1:4: error[PW0200]: t\n     1 | \\ta\\x01b\n       |        ^\n", "the caret counts what is shown");
	pw_diags_add(diags, 0, at("x", 1, 400), "PW0200", NULL, "t");
	shows(diags, 6, "ab", "x:1:400: error[PW0200]: t\n     1 | ab\n       |   ^\n", "a column beyond the line");
}

static void test_long_line(struct pw_arena *arena)
{
	char source[3001], shown[200];
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(source + i, "\xe2\x82\xac", 3);
	source[3000] = '\0';
	struct pw_diags *diags = pw_diags_new(arena);
	pw_diags_add(diags, 0, at("x", 1, 501), "PW0200", NULL, "middle");
	pw_diags_add(diags, 0, at("x", 1, 1), "PW0200", NULL, "start");
	pw_diags_add(diags, 0, at("x", 1, 1001), "PW0200", NULL, "end");
	static const int carets[] = { 60, 0, 100 };
	for (size_t i = 0; i < 3; i++) {
		PW_CLEAN_BUF struct pw_buf out;
		pw_buf_init(&out, 100000);
		pw_diag_format(pw_diags_at(diags, i), source, 3000, &out);
		const char *line = strchr(pw_buf_str(&out), '\n') + 1;
		is_int(strcspn(line, "\n"), 9 + 300, "100 columns of a long line are shown");
		(void)snprintf(shown, sizeof shown, "       | %*s^\n", carets[i], "");
		is_str(strchr(line, '\n') + 1, shown, "and the caret stands under the place");
	}
}

static void test_order(struct pw_arena *arena)
{
	struct pw_diags *diags = pw_diags_new(arena);
	pw_diags_add(diags, 0, at("b", 1, 1), "P1", NULL, "1");
	pw_diags_add(diags, 1, at("a", 2, 1), "P2", NULL, "2");
	pw_diags_add(diags, 0, at("a", 1, 9), "P3", NULL, "3");
	pw_diags_add(diags, 0, at("a", 1, 2), "P4", NULL, "4");
	pw_diags_add(diags, 0, at("a", 1, 2), "P5", NULL, "5");
	pw_diags_add(diags, 0, at(NULL, 0, 0), "P6", NULL, "6");
	pw_diags_sort(diags);
	char order[16] = "";
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++)
		strcat(order, pw_diags_at(diags, i)->text);
	is_str(order, "645321", "by file, line, column; equals as they came");
	is_int(pw_diags_count(diags, 0), 5, "errors");
	is_int(pw_diags_count(diags, 1), 1, "warnings");
	ok(pw_diags_at(diags, 6) == NULL && pw_diags_at(NULL, 0) == NULL && pw_diags_count(NULL, -1) == 0, "beyond the end");
}

static void test_ceiling(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_diags *diags = pw_diags_new(arena);
	for (unsigned i = 0; i < 1500; i++)
		pw_diags_add(diags, 0, at("a", i + 1, 1), "P", NULL, "x");
	is_int(pw_diags_count(diags, -1), 1000, "no more than 1,000");
	PW_CLEAN_ARENA struct pw_arena *small = pw_arena_new(300);
	struct pw_diags *few = pw_diags_new(small);
	for (unsigned i = 0; i < 100; i++)
		pw_diags_add(few, 0, at("a", i + 1, 1), "P", NULL, "x");
	ok(pw_arena_failed(small) && pw_diags_count(few, -1) < 100, "out of memory is remembered by the arena");
	pw_diags_add(NULL, 0, at("a", 1, 1), "P", NULL, "x");
	ok(pw_diags_new(NULL) == NULL, "no arena, no diags");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_format(arena);
	test_long_line(arena);
	test_order(arena);
	test_ceiling();
	return tap_done();
}
