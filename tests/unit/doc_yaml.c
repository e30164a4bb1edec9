/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML: trees, places, everything that is refused, and in which words. */
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct pw_yaml_limits limits = { 4096, 8, 100 };

static const struct pw_val *read_text(struct pw_arena *arena, const char *text)
{
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *val = NULL;
	struct pw_diags *diags = pw_diags_new(arena);
	int r = pw_yaml_parse(text, strlen(text), "x.yaml", &limits, arena, diags, &val, &err);
	ok(r == PW_OK && pw_diags_count(diags, -1) == 0, "reads %.40s (%s)", text, err.text);
	return val;
}

static void is_at(struct pw_place at, unsigned line, unsigned col, const char *what)
{
	ok(at.line == line && at.col == col && at.file && !strcmp(at.file, "x.yaml"), "%s: wanted %u:%u, got %u:%u", what, line, col, at.line, at.col);
}

static void test_read(struct pw_arena *arena)
{
	const struct pw_val *val = read_text(arena, "# c\r\nname: web\r\non: no\r\nport: 0800\nlist:\n  - a\n  - {b: 'c', d: \"e\"}\n\"q\": |\n  t\n  u\n");
	is_str(pw_map_str(val, "name", "?"), "web", "a word; CRLF leaves no trace");
	is_str(pw_map_str(val, "on", "?"), "no", "on and no are words");
	is_str(pw_map_str(val, "port", "?"), "0800", "0800 stays as written");
	is_str(pw_val_text(pw_val_get(val, "list.1.b")), "c", "a flow map in a list");
	is_str(pw_map_str(val, "q", "?"), "t\nu\n", "a block scalar");
	ok(!pw_val_quoted(pw_map_get(val, "name")) && pw_val_quoted(pw_val_get(val, "list.1.b")) &&
	   pw_val_quoted(pw_val_get(val, "list.1.d")) && pw_val_quoted(pw_map_get(val, "q")), "quotes and blocks are remembered");
	is_at(pw_val_place(val), 2, 1, "the map");
	is_at(pw_val_place(pw_map_get(val, "port")), 4, 7, "a value");
	is_at(pw_map_key_place(val, 3), 5, 1, "a key");
	is_at(pw_val_place(pw_val_get(val, "list.1.d")), 7, 17, "deep inside");
	val = read_text(arena, "\xef\xbb\xbf" "a: \xc3\xbc\xc3\xb6, b");
	is_str(pw_map_str(val, "a", "?"), "\xc3\xbc\xc3\xb6, b", "a byte order mark; UTF-8");
	is_at(pw_val_place(pw_map_get(val, "a")), 1, 4, "the mark counts no column");
	val = read_text(arena, "a:\nb: ~\nc: null\nd: 'null'\ne: !!str ~\n");
	ok(pw_val_is(pw_map_get(val, "a"), PW_VAL_NULL) && pw_val_is(pw_map_get(val, "b"), PW_VAL_NULL) &&
	   pw_val_is(pw_map_get(val, "c"), PW_VAL_NULL), "nothing, ~ and null are null");
	ok(pw_val_is(pw_map_get(val, "d"), PW_VAL_STR) && pw_val_is(pw_map_get(val, "e"), PW_VAL_STR), "not in quotes or as !!str");
	val = read_text(arena, "[timeout, reset]: {go: x}\n[a]: b\nnull: c\n'<<': d\n");
	is_str(pw_map_key(val, 0), "[timeout, reset]", "a list of words as a key");
	is_str(pw_val_text(pw_val_get(val, "[a]")), "b", "a list of one");
	is_str(pw_map_str(val, "null", "?"), "c", "null as a key is a word");
	is_str(pw_map_str(val, "<<", "?"), "d", "a quoted << is a word");
	val = read_text(arena, "a: &x {p: 1}\nb: *x\nc: [*x, *x]\nd: &x 2\ne: *x\n");
	is_str(pw_val_text(pw_val_get(val, "b.p")), "1", "an alias");
	is_str(pw_val_text(pw_val_get(val, "c.1.p")), "1", "aliases in a list");
	is_str(pw_map_str(val, "e", "?"), "2", "an anchor given again");
	is_str(pw_val_text(read_text(arena, "--- word\n...\n")), "word", "a document of one word");
}

/* The load fails: err and the one error in diags agree. */
static void fails_len(const char *text, size_t len, unsigned line, unsigned col, const char *id, const char *want)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *val = NULL;
	is_int(pw_yaml_parse(text, len, "x.yaml", &limits, arena, diags, &val, &err), PW_SYNTAX, "refused");
	is_str(err.text, want, "the text");
	ok(err.line == line && err.col == col, "wanted %u:%u, got %u:%u", line, col, err.line, err.col);
	ok(!val && !strcmp(err.file, "x.yaml"), "no tree, the file");
	const struct pw_diag *diag = pw_diags_at(diags, pw_diags_count(diags, -1) - 1);
	is_str(diag ? diag->text : NULL, want, "diags have it, too");
	is_str(diag ? diag->id : NULL, id, "the id");
}
#define FAILS(text, line, col, id, want) fails_len((text), sizeof(text) - 1, (line), (col), (id), (want))

static void test_syntax(void)
{
	FAILS("a: @x\n", 1, 4, "PW0101", "a value cannot begin with \"@\"");
	FAILS("a: `x`", 1, 4, "PW0101", "a value cannot begin with \"`\"");
	FAILS("a: b: c\n", 1, 5, "PW0101", "a \":\" stands where no key can be");
	FAILS("a: 1\n b: 2\n", 2, 3, "PW0101", "a \":\" stands where no key can be");
	FAILS("a: \"x\nb: 1\n", 3, 1, "PW0101", "a quote that is opened is never closed");
	FAILS("a: 'x\n---\n", 2, 1, "PW0101", "a quote that is opened is not closed before the document ends");
	FAILS("a: \"\\q\"\n", 1, 5, "PW0101", "this escape is not known in double quotes");
	FAILS("a: [1, 2\nb: 3\n", 2, 2, "PW0101", "a \"[\" is not closed, or a comma is missing");
	FAILS("a: {b: ${c}}\n", 1, 9, "PW0101", "a \"{\" is not closed, or a comma is missing");
	FAILS("a:\n  b: \"x\" y\n", 2, 10, "PW0101", "this is no key of the map it is indented under");
	FAILS("a:\n  - 1\n  b: 2\n", 3, 3, "PW0101", "this is no item of the list it is indented under");
	FAILS("a: - b\n", 1, 4, "PW0101", "a \"-\" stands where no list can begin");
	FAILS("a: 1\nb\n", 3, 1, "PW0101", "this line is neither \"key: value\" nor part of the value before it");
	FAILS("a: !x!y z\n", 1, 4, "PW0101", "the tag's prefix is not known");
	FAILS("a: 1\nb: @", 2, 4, "PW0101", "a value cannot begin with \"@\"");
	FAILS("%FOO\n---\nx", 1, 5, "PW0101", "a line that begins with \"%\" is a directive, and this one is not known");
	FAILS("a: %x", 1, 4, "PW0101", "a value cannot begin with \"%\"");
}

static void test_tabs(void)
{
	FAILS("a:\n\tb: 2\n", 2, 1, "PW0103", "a tab is used for indentation");
	FAILS("a: 1\n  \tb: 2\n", 2, 3, "PW0103", "a tab is used for indentation");
	FAILS("a:\n  b: |\n    text\n\tmore\n", 4, 1, "PW0103", "a tab is used for indentation");
}

static void test_not_text(void)
{
	FAILS("a: x\0y\n", 1, 5, "PW0104", "a NUL byte is not text: is this a binary file?");
	FAILS("a: 1\nb: \xff\n", 2, 4, "PW0104", "the byte 0xff is not valid UTF-8");
	FAILS("a: \xc3", 1, 4, "PW0104", "the byte 0xc3 is not valid UTF-8");
	FAILS("a: 1\r\nb: \x1b[m\n", 2, 4, "PW0104", "the control character U+001B is not allowed");
	FAILS("a: \xc2\x9b\n", 1, 4, "PW0104", "the control character U+009B is not allowed");
	FAILS("\x7f" "ELF\1\1", 0, 0, "PW0104", "this is not YAML but a program (ELF)");
	FAILS("\xff\xfe" "a\0", 0, 0, "PW0104", "this is not YAML but UTF-16; save it as UTF-8");
	FAILS("\x1f\x8b\x08", 0, 0, "PW0104", "this is not YAML but a gzip file; unpack it first");
	FAILS("a: \"x\\0y\"", 1, 4, "PW0104", "a NUL character is not text");
}

static void test_empty(void)
{
	FAILS("", 1, 1, "PW0105", "the file is empty: there is no document in it");
	FAILS("\xef\xbb\xbf# only\n\n", 1, 1, "PW0105", "the file is empty: there is no document in it");
	FAILS("---\n", 1, 1, "PW0105", "the file is empty: there is no document in it");
}

static void test_limits(void)
{
	char *large = malloc(5000);
	if (large) {
		memset(large, '#', 5000);
		fails_len(large, 5000, 0, 0, "PW0106", "the file has 5000 bytes, more than the 4096 allowed");
	}
	free(large);
	FAILS("[[[[[[[[[1]]]]]]]]]", 1, 9, "PW0106", "the document is nested deeper than 8 levels");
	FAILS("a: &a [[[[[1]]]]]\nb: [[[*a]]]\n", 2, 7, "PW0106", "the document is nested deeper than 8 levels");
	FAILS("a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b]\n", 3, 8, "PW0106", "the document has more than 100 nodes once its aliases are expanded");
	char list[1000] = "[";
	for (int i = 0; i < 100; i++)
		strcat(list, "1,");
	fails_len(list, strlen(list), 1, 200, "PW0106", "the document has more than 100 nodes");
	FAILS("a: &a [*a]\n", 1, 8, "PW0107", "the alias *a names something it is itself inside of");
	FAILS("b: *q\n", 1, 4, "PW0107", "the alias *q names no anchor before it");
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	(void)read_text(arena, "[[[[[[[[1]]]]]]]]");
	struct pw_diags *diags = pw_diags_new(arena);
	const struct pw_val *val = NULL;
	const char *loop = "\na: &a\n  - b\n  - *a\n";
	(void)pw_yaml_parse(loop, strlen(loop), "x.yaml", &limits, arena, diags, &val, NULL);
	is_at(pw_diags_at(diags, 0)->place, 4, 5, "the alias");
	is_at(pw_diags_at(diags, 0)->other, 2, 4, "and what it names");
}

/* The load goes on: one complaint, with its second place if `other_line` is not 0. */
static const struct pw_val *complains(struct pw_arena *arena, const char *text, unsigned line, unsigned col, unsigned other_line, const char *id, const char *want)
{
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *val = NULL;
	is_int(pw_yaml_parse(text, strlen(text), "x.yaml", &limits, arena, diags, &val, &err), PW_OK, "the load goes on");
	is_int(pw_diags_count(diags, -1), 1, "one complaint");
	const struct pw_diag *diag = pw_diags_at(diags, 0);
	if (!diag)
		return NULL;
	is_str(diag->id, id, "the id");
	is_str(diag->text, want, "the text");
	is_at(diag->place, line, col, "the place");
	is_int(diag->other.line, other_line, "the other place");
	if (diag->severity == 0) {
		is_int(pw_yaml_parse(text, strlen(text), "x.yaml", &limits, arena, NULL, &val, &err), PW_SYNTAX, "without diags it is an error");
		is_str(err.text, want, "of the same text");
	}
	return val;
}

static void test_complaints(struct pw_arena *arena)
{
	const struct pw_val *val = complains(arena, "a: 1\nb: 2\na: {c: 3}\nd: 4\n", 3, 1, 1, "PW0102", "the key \"a\" is given twice");
	ok(!strcmp(pw_map_str(val, "a", "?"), "1") && !strcmp(pw_map_str(val, "d", "?"), "4"), "the first stays, the rest is read");
	complains(arena, "[x, y]: 1\n? - x\n  - y\n: 2\n", 2, 3, 1, "PW0102", "the key \"[x, y]\" is given twice");
	val = complains(arena, "b: &b {x: 1}\na:\n  <<: *b\n  y: 2\n", 3, 3, 0, "PW0108", "merge keys (<<) are not supported");
	ok(pw_val_count(pw_map_get(val, "a")) == 1, "nothing is merged");
	complains(arena, "? {a: 1}\n: b\n", 1, 3, 0, "PW0109", "a key must be a word, not a map or a list of anything else");
	complains(arena, "? [a, [b]]\n: b\n", 1, 3, 0, "PW0109", "a key must be a word, not a map or a list of anything else");
	complains(arena, "? [a b]\n: b\n", 1, 3, 0, "PW0109", "a key must be a word, not a map or a list of anything else");
	val = complains(arena, "a: {{ x }}\n", 1, 5, 0, "PW0109", "a key must be a word, not a map or a list of anything else");
	val = complains(arena, "a: 1\n---\nb: 2\n", 2, 1, 0, "PW0110", "a second document begins here, but one is wanted");
	ok(!strcmp(pw_map_str(val, "a", "?"), "1"), "the first document");
	complains(arena, "a: !foo b\n", 1, 4, 0, "PW0111", "the tag !foo is ignored");
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_err err = PW_ERR_INIT;
	const char *three = "a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n";
	ok(pw_yaml_parse(three, strlen(three), "x.yaml", &limits, arena, diags, &val, &err) == PW_OK &&
	   pw_diags_count(diags, 0) == 3, "all of them in one pass");
}

static void test_all(struct pw_arena *arena)
{
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *all = NULL;
	const char *text = "---\na: &x 1\n---\n# nothing\n---\nb: 2\n...\n---\n[c]\n---\n";
	is_int(pw_yaml_parse_all(text, strlen(text), "x.yaml", &limits, arena, NULL, &all, &err), PW_OK, "a stream of documents");
	is_int(pw_val_count(all), 3, "empty ones are left out");
	is_str(pw_val_text(pw_val_get(all, "1.b")), "2", "the second");
	is_at(pw_val_place(pw_val_at(all, 1)), 6, 1, "its place");
	is_int(pw_yaml_parse_all("# c\n", 4, "x.yaml", &limits, arena, NULL, &all, &err), PW_OK, "a file of comments");
	is_int(pw_val_count(all), 0, "is an empty list");
	text = "a: &x 1\n---\nb: *x\n";
	is_int(pw_yaml_parse_all(text, strlen(text), "x.yaml", &limits, arena, NULL, &all, &err), PW_SYNTAX, "anchors do not reach across documents");
	is_str(err.text, "the alias *x names no anchor before it", "and it says so");
	text = "a: 1\n---\nb: 'x\n";
	is_int(pw_yaml_parse_all(text, strlen(text), NULL, &limits, arena, NULL, &all, &err), PW_SYNTAX, "an error after ---");
	ok(err.line == 4 && err.col == 1 && !err.file[0], "has its place in the whole file; no file name is fine");
}

static void test_room(void)
{
	bool good = true;
	struct pw_err err = PW_ERR_INIT;
	const char *text = "a: &x {b: [1, 2, 3], c: d}\ne: *x\n[f, g]: h\na: 2\n";
	for (size_t room = 0; room < 3000; room += 16) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(room);
		struct pw_diags *diags = pw_diags_new(arena);
		const struct pw_val *val = NULL;
		int r = pw_yaml_parse(text, strlen(text), "x.yaml", &limits, arena, diags, &val, &err);
		good = good && (r == PW_NOMEM ? !val && !strncmp(err.text, "out of memory while reading ", 28)
					      : r == PW_OK && !pw_arena_failed(arena) && pw_diags_count(diags, 0) == 1);
	}
	ok(good, "an arena of any size: the whole tree and its complaint, or out of memory");
}

static void test_big(void)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 16 << 20);
	for (int i = 0; i < 30000; i++)
		pw_buf_printf(&text, "k%d: [a, &n%d b]\n", i, i);
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_err err = PW_ERR_INIT;
	const struct pw_val *val = NULL;
	is_int(pw_yaml_parse(pw_buf_str(&text), text.len, "x.yaml", &pw_yaml_bundle_limits, arena, NULL, &val, &err), PW_OK, "a large map with many anchors");
	is_str(pw_val_text(pw_val_get(val, "k29999.1")), "b", "its last entry");
	is_int(pw_yaml_parse(pw_buf_str(&text), text.len, "x.yaml", &pw_yaml_playbook_limits, arena, NULL, &val, &err), PW_SYNTAX, "a playbook may not be so large");
	is_str(err.text, "the document has more than 100000 nodes", "and hears why");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_read(arena);
	test_syntax();
	test_tabs();
	test_not_text();
	test_empty();
	test_limits();
	test_complaints(arena);
	test_all(arena);
	test_room();
	test_big();
	return tap_done();
}
