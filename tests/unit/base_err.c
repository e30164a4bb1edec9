/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The error object: texts, places, cutting, wrapping. */
#include <packetwalk/check.h>
#include <packetwalk/err.h>

#include <errno.h>
#include <string.h>

#include "tap.h"

static void test_set(void)
{
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_err_set(&err, PW_USAGE, "cannot open %s", "x"), PW_USAGE, "set returns the code");
	is_str(err.text, "cannot open x", "the text is formatted");
	is_int(err.code, PW_USAGE, "the code is kept");
	is_int(pw_err_sys(&err, PW_IO, ENOENT, "cannot open %s", "/x"), PW_IO, "sys returns the code");
	is_str(err.text, "cannot open /x: No such file or directory", "sys appends the reason");
	is_int(err.sys, ENOENT, "errno is kept");
	is_int(pw_err_at(&err, PW_SYNTAX, "a.yaml", 3, 7, "bad"), PW_SYNTAX, "at returns the code");
	is_str(err.file, "a.yaml", "file is kept");
	ok(err.line == 3 && err.col == 7 && err.sys == 0, "place is kept, errno of the earlier error is not");
	pw_err_set(&err, PW_NET, "again: %s", err.text);
	is_str(err.text, "again: bad", "arguments may lie in the error itself");
	pw_err_clear(&err);
	ok(err.code == PW_OK && !err.text[0] && !err.file[0] && !err.line, "clear empties");
	is_int(pw_err_set(NULL, PW_NET, "x"), PW_NET, "NULL is a caller who does not care");
	is_int(pw_err_sys(NULL, PW_IO, EIO, "x"), PW_IO, "NULL with errno");
	is_int(pw_err_at(NULL, PW_SYNTAX, NULL, 1, 1, "x"), PW_SYNTAX, "NULL with a place");
	is_int(pw_err_at(&err, PW_SYNTAX, NULL, 1, 1, "x"), PW_SYNTAX, "the file may be NULL");
	is_str(err.file, "", "a NULL file leaves it empty");
}

static void test_wrap(void)
{
	struct pw_err err = PW_ERR_INIT;
	pw_err_set(&err, PW_DENIED, "not permitted");
	is_int(pw_err_wrap(&err, "reading %s", "pods"), PW_DENIED, "wrap returns the code already set");
	is_str(err.text, "reading pods: not permitted", "context stands in front");
}

static void test_cut(void)
{
	struct pw_err err = PW_ERR_INIT;
	char big[2000];
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	pw_err_set(&err, PW_IO, "%s", big);
	is_int(strlen(err.text), sizeof err.text - 1, "a long text fills the room");
	is_str(err.text + sizeof err.text - 4, "...", "and shows that it was cut");
	pw_err_wrap(&err, "outer");
	ok(!strncmp(err.text, "outer: xxx", 10), "wrap keeps the front");
	is_str(err.text + sizeof err.text - 4, "...", "and cuts the end");
	pw_err_sys(&err, PW_IO, ENOENT, "%s", big);
	is_str(err.text + sizeof err.text - 4, "...", "sys cuts, too");
	for (size_t i = 0; i + 2 < sizeof big; i += 2)
		memcpy(big + i, "\xc3\xa9", 2);
	pw_err_set(&err, PW_IO, "%s", big);
	ok(strlen(err.text) == 511 && (unsigned char)err.text[507] == 0xa9, "a cut on a character's edge stays there");
	pw_err_set(&err, PW_IO, "a%s", big);
	ok(strlen(err.text) == 510 && (unsigned char)err.text[506] == 0xa9, "a cut never splits a UTF-8 character");
	pw_err_at(&err, PW_SYNTAX, big, 1, 1, "x");
	ok(!strncmp(err.file, "...", 3) && strlen(err.file) < sizeof err.file, "a long path keeps its end");
}

static void test_words(void)
{
	is_str(pw_code_word(PW_OK), "ok", "code ok");
	is_str(pw_code_word(PW_DENIED), "denied", "code denied");
	is_str(pw_code_word(PW_CANCELLED), "cancelled", "code cancelled");
	is_str(pw_code_word(-99), "unknown", "a code not known");
	is_str(pw_code_word(5), "unknown", "a positive code");
	is_str(pw_class_word(PW_CLASS_SKIPPED), "skipped", "class");
	is_str(pw_class_word((enum pw_class)77), "unknown", "a class not known");
	is_str(pw_effect_word(PW_EFFECT_PRIVILEGED), "privileged", "effect");
	is_str(pw_type_word(PW_TYPE_STR), "string", "type string");
	is_str(pw_type_word(PW_TYPE_NODE), "node", "type node");
}

int main(void)
{
	test_set();
	test_wrap();
	test_cut();
	test_words();
	return tap_done();
}
