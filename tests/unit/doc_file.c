/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading files: whole, bounded, and never anything but a file. */
#include <doc/lines.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static char dir[64] = "/tmp/packetwalk-doc_file.XXXXXX";
static char path[128];

static const char *in_dir(const char *name)
{
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void fill(const char *name, const char *text, size_t len)
{
	PW_CLEAN_FILE FILE *f = fopen(in_dir(name), "we");
	ok(f && fwrite(text, 1, len, f) == len, "a file to read");
}

static void fails(const char *name, size_t max, int code, const char *before, const char *after)
{
	char *text = NULL, full[256];
	size_t len = 7;
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_file_read(in_dir(name), max, &text, &len, &err), code, name);
	(void)snprintf(full, sizeof full, "%s%s%s", before, path, after);
	is_str(err.text, full, "the text");
	ok(!text && len == 7, "nothing is returned");
}

static void test_read(void)
{
	char large[50000];
	memset(large, 'x', sizeof large);
	large[100] = '\0';
	fill("large", large, sizeof large);
	fill("empty", "", 0);
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_file_read(in_dir("large"), sizeof large, &text, &len, &err), PW_OK, "exactly the ceiling");
	ok(len == sizeof large && text && !memcmp(text, large, len) && !text[len], "every byte, and a NUL behind");
	PW_CLEAN_FREE char *nothing = NULL;
	is_int(pw_file_read(in_dir("empty"), 10, &nothing, &len, &err), PW_OK, "an empty file");
	ok(len == 0 && nothing && !*nothing, "is an empty text");
	PW_CLEAN_FREE char *status = NULL;
	ok(pw_file_read("/proc/self/status", 1 << 16, &status, &len, &err) == PW_OK && len > 100, "a file that says it has no size");
}

static void test_errors(void)
{
	fails("large", 49999, PW_SYNTAX, "cannot read ", ": it is larger than the 49999 bytes allowed");
	fails("absent", 10, PW_ABSENT, "cannot open ", ": No such file or directory");
	fails("large/x", 10, PW_ABSENT, "cannot open ", ": Not a directory");
	fails(".", 10, PW_IO, "cannot read ", ": it is a directory, a file is wanted");
	ok(mkfifo(in_dir("fifo"), 0600) == 0, "a pipe");
	fails("fifo", 10, PW_IO, "cannot read ", ": it is not a regular file (\"-\" reads standard input)");
	ok(chmod(in_dir("empty"), 0) == 0, "a file without permissions");
	if (geteuid() == 0)
		tap_skip("a file one may not read", "root may read everything");
	else
		fails("empty", 10, PW_DENIED, "cannot open ", ": Permission denied");
}

static void test_stdin(void)
{
	fill("stdin", "from stdin", 10);
	PW_CLEAN_CLOSE int saved = dup(STDIN_FILENO), fd = open(in_dir("stdin"), O_RDONLY | O_CLOEXEC);
	ok(fd >= 0 && dup2(fd, STDIN_FILENO) == 0, "a file as standard input");
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_file_read("-", 100, &text, &len, &err), PW_OK, "\"-\" reads it");
	is_str(text, "from stdin", "whole");
	ok(lseek(STDIN_FILENO, 0, SEEK_SET) == 0, "again");
	is_int(pw_file_read("-", 5, &text, &len, &err), PW_SYNTAX, "with a ceiling, too");
	is_str(err.text, "cannot read standard input: it is larger than the 5 bytes allowed", "and a name");
	ok(saved < 0 || dup2(saved, STDIN_FILENO) == 0, "put back");
}

static void clean_up(void)
{
	static const char *const names[] = { "large", "empty", "fifo", "stdin" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unlink(in_dir(names[i]));
	ok(rmdir(dir) == 0, "nothing is left");
}

static void test_lines(void)
{
	const char *text = "\xef\xbb\xbf" "a\r\nb\r\rc\xe2\x80\xa8" "d";
	size_t n = strlen(text), len = 0;
	unsigned line = 0, col = 0;
	const char *found = pw_line_find(text, n, 1, &len);
	ok(found == text + 3 && len == 1, "the first line begins after the byte order mark");
	found = pw_line_find(text, n, 3, &len);
	ok(found && len == 0, "an empty line");
	found = pw_line_find(text, n, 5, &len);
	ok(found && *found == 'd' && len == 1, "every kind of line break");
	ok(!pw_line_find(text, n, 6, &len) && !pw_line_find(text, n, 0, &len), "no such line");
	pw_line_place(text, n, 6, &line, &col);
	ok(line == 2 && col == 1, "place of an offset: %u:%u", line, col);
	pw_line_place(text, n, n, &line, &col);
	ok(line == 5 && col == 2, "place of the end: %u:%u", line, col);
	pw_line_place("", 0, 0, &line, &col);
	ok(line == 1 && col == 1, "place in nothing: %u:%u", line, col);
}

int main(void)
{
	ok(mkdtemp(dir) != NULL, "a folder");
	test_read();
	test_errors();
	test_stdin();
	clean_up();
	test_lines();
	return tap_done();
}
