/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>
#include <proc/wire.h>

enum { ARENA = 1 << 22 };

static struct pw_val *sample(struct pw_arena *arena)
{
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_str(doc, "text", "caf\xc3\xa9 \x01");
	pw_map_set_int(doc, "number", -9007199254740993LL);
	pw_map_set_bool(doc, "yes", true);
	pw_seq_add_str(pw_map_set_seq(doc, "list"), "one");
	return doc;
}

static void test_pieces(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA);
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 65536);
	struct pw_val *doc = sample(arena), *got = NULL;
	is_int(pw_wire_put(&out, doc, 4096, NULL), PW_OK, "a document is framed");
	is_int(pw_wire_put(&out, doc, 4096, NULL), PW_OK, "and another");
	ok(out.data[0] == 0 && out.data[1] == 0, "the length is big endian");

	struct pw_wire_reader reader;
	pw_wire_reader_init(&reader, 4096);
	size_t found = 0, early = 0;
	for (size_t i = 0; i < out.len; i++) {
		(void)pw_wire_feed(&reader, out.data + i, 1, NULL);
		int rc = pw_wire_next(&reader, arena, &got, NULL);
		found += rc == 1;
		early += rc == 1 && i + 1 != out.len / 2 && i + 1 != out.len;
	}
	ok(found == 2 && early == 0, "byte by byte, each document comes when it is whole");
	ok(pw_val_equal(got, doc), "and is what was sent");
	is_int(pw_wire_pending(&reader), 0, "nothing is left over");
	pw_wire_reader_release(&reader);

	pw_wire_reader_init(&reader, 4096);
	is_int(pw_wire_feed(&reader, out.data, out.len - 1, NULL), PW_OK, "two in one piece, the second cut");
	is_int(pw_wire_next(&reader, arena, &got, NULL), 1, "the first is there");
	is_int(pw_wire_next(&reader, arena, &got, NULL), 0, "the second not yet");
	is_int(pw_wire_pending(&reader), (long long)out.len / 2 - 1, "what is pending at the end was truncated");
	pw_wire_reader_release(&reader);
}

static const char *refused(const void *data, size_t len, size_t max, int want)
{
	static struct pw_err err;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA);
	struct pw_wire_reader reader;
	struct pw_val *got = NULL;
	pw_err_clear(&err);
	pw_wire_reader_init(&reader, max);
	int rc = pw_wire_feed(&reader, data, len, &err);
	if (rc == PW_OK)
		rc = pw_wire_next(&reader, arena, &got, &err);
	pw_wire_reader_release(&reader);
	is_int(rc, want, "the code");
	return err.text;
}

static void test_refusals(void)
{
	is_str(refused("\xff\xff\xff\xff", 4, 1000, PW_NOMEM), "a document of 4294967295 bytes was announced, at most 1000 are accepted",
	       "a frame too long is refused at its head");
	is_str(refused("\0\0\0\2[]", 6, 1000, PW_SYNTAX), "a document that is not a JSON object", "a list is no document");
	ok(strstr(refused("\0\0\0\4{\"a\"", 8, 1000, PW_SYNTAX), "JSON"), "cut JSON in a whole frame is garbage");
	ok(*refused("\0\0\0\0", 4, 1000, PW_SYNTAX), "an empty frame is garbage");
	char deep[4 + 400] = { 0, 0, 1, (char)0x90 };
	memset(deep + 4, '[', 400);
	ok(*refused(deep, sizeof deep, 1000, PW_SYNTAX), "too deep is refused");

	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA);
	PW_CLEAN_BUF struct pw_buf out;
	struct pw_err err = PW_ERR_INIT;
	pw_buf_init(&out, 200);
	is_int(pw_wire_put(&out, sample(arena), 10, &err), PW_NOMEM, "a document longer than it may be is not sent");
	is_int(out.len, 0, "not even in part");
	(void)pw_wire_put(&out, sample(arena), 1000, NULL);
	size_t before = out.len;
	(void)pw_wire_put(&out, sample(arena), 1000, NULL);
	is_int(pw_wire_put(&out, sample(arena), 1000, NULL), PW_NOMEM, "a queue that is full refuses");
	ok(out.len == before || out.len == 2 * before, "and holds whole frames only");
	ok(pw_buf_ok(&out), "and can be written still");
}

static void test_pipe(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA);
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 1 << 20);
	struct pw_val *doc = pw_val_map(arena), *got = NULL;
	char big[200000];
	memset(big, 'x', sizeof big);
	pw_map_set(doc, "big", pw_val_strn(arena, big, sizeof big)); /* more than a pipe holds */
	(void)pw_wire_put(&out, doc, 1 << 20, NULL);

	int fds[2];
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	struct pw_wire_reader reader;
	pw_wire_reader_init(&reader, 1 << 20);
	size_t at = 0, stalls = 0;
	int rc = 0;
	is_int(pw_wire_fill(&reader, fds[0], NULL), 1, "nothing to read yet is not the end");
	while (rc == 0 && stalls < 100) {
		stalls += (size_t)pw_wire_flush(&out, &at, fds[1], NULL);
		(void)pw_wire_fill(&reader, fds[0], NULL);
		rc = pw_wire_next(&reader, arena, &got, NULL);
	}
	ok(rc == 1 && stalls > 0 && pw_val_equal(got, doc), "a document larger than the pipe arrives in pieces");

	(void)pw_wire_send(fds[1], sample(arena), 4096, NULL);
	(void)close(fds[1]);
	is_int(pw_wire_fill(&reader, fds[0], NULL), 1, "what was written before the end");
	is_int(pw_wire_next(&reader, arena, &got, NULL), 1, "is a document");
	is_int(pw_wire_fill(&reader, fds[0], NULL), 0, "then comes the end");
	(void)close(fds[0]);
	pw_wire_reader_release(&reader);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
	(void)sig;
	pipes = pipes + 1;
}

static void test_broken(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA);
	struct pw_err err = PW_ERR_INIT;
	struct sigaction sa = { .sa_handler = on_pipe };
	(void)sigaction(SIGPIPE, &sa, NULL);
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	(void)close(fds[0]);
	is_int(pw_wire_send(fds[1], sample(arena), 4096, &err), PW_NET, "writing to a pipe nobody reads");
	is_str(err.text, "the other side of the pipe is gone", "says so");
	is_int(pipes, 0, "and raises no SIGPIPE");
	(void)raise(SIGPIPE);
	is_int(pipes, 1, "while others' are delivered as before");
	(void)close(fds[1]);
}

/* A reader that is full has not come to the end. */
static void test_full(void)
{
	static const char zeros[200000] = { 0 };
	struct pw_err err = PW_ERR_INIT;
	struct pw_wire_reader reader;
	FILE *file = tmpfile();
	if (!file || fwrite(zeros, 1, sizeof zeros, file) != sizeof zeros || fflush(file) != 0 || lseek(fileno(file), 0, SEEK_SET) != 0) {
		ok(false, "a file of zeros");
		return;
	}
	pw_wire_reader_init(&reader, 1000);
	int rc = 1;
	for (int i = 0; rc == 1 && i < 10; i++)
		rc = pw_wire_fill(&reader, fileno(file), &err);
	is_int(rc, PW_NOMEM, "frames that nobody takes are not read for ever");
	is_str(err.text, "no room for more documents from a pipe", "nor taken for the end of the stream");
	pw_wire_reader_release(&reader);
	(void)fclose(file);
}

int main(void)
{
	test_pieces();
	test_refusals();
	test_pipe();
	test_broken();
	test_full();
	return tap_done();
}
