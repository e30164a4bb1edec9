/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framed documents over a pipe, both directions, in whatever pieces the pipe has. */
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <doc/json.h>

enum { READ_BYTES = 65536 }; /* what a pipe holds: pipe(7) */

void pw_wire_reader_init(struct pw_wire_reader *reader, size_t max)
{
	/* Room for one frame and the read that completed it. */
	pw_buf_init(&reader->in, max + PW_WIRE_HEAD + READ_BYTES);
	reader->at = 0;
	reader->max = max;
}

void pw_wire_reader_release(struct pw_wire_reader *reader)
{
	pw_buf_release(&reader->in);
	reader->at = 0;
}

size_t pw_wire_pending(const struct pw_wire_reader *reader)
{
	return reader->in.len - reader->at;
}

static size_t frame_length(const struct pw_wire_reader *reader)
{
	uint8_t head[PW_WIRE_HEAD];
	memcpy(head, reader->in.data + reader->at, sizeof head);
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

/* A frame that can never be taken is refused at its head, before its body is stored. */
static int check_head(const struct pw_wire_reader *reader, struct pw_err *err)
{
	if (pw_wire_pending(reader) < PW_WIRE_HEAD)
		return PW_OK;
	size_t len = frame_length(reader);
	if (len > reader->max)
		return pw_err_set(err, PW_NOMEM, "a document of %zu bytes was announced, at most %zu are accepted", len, reader->max);
	return PW_OK;
}

static void compact(struct pw_wire_reader *reader)
{
	if (!reader->at)
		return;
	size_t left = pw_wire_pending(reader);
	memmove(reader->in.data, reader->in.data + reader->at, left);
	reader->in.len = left;
	reader->in.data[left] = '\0';
	reader->at = 0;
}

int pw_wire_feed(struct pw_wire_reader *reader, const void *data, size_t len, struct pw_err *err)
{
	compact(reader);
	pw_buf_add(&reader->in, data, len);
	if (!pw_buf_ok(&reader->in))
		return pw_err_set(err, PW_NOMEM, "no memory for a document from a pipe");
	return check_head(reader, err);
}

int pw_wire_fill(struct pw_wire_reader *reader, int fd, struct pw_err *err)
{
	char data[READ_BYTES];
	size_t room = reader->max + PW_WIRE_HEAD + READ_BYTES - pw_wire_pending(reader);
	if (!room) /* a read of nothing would look like the end */
		return pw_err_set(err, PW_NOMEM, "no room for more documents from a pipe");
	ssize_t n = read(fd, data, room < sizeof data ? room : sizeof data);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot read from a pipe");
	if (n == 0)
		return 0;
	int rc = pw_wire_feed(reader, data, (size_t)n, err);
	return rc < 0 ? rc : 1;
}

int pw_wire_next(struct pw_wire_reader *reader, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	int rc = check_head(reader, err);
	if (rc < 0)
		return rc;
	if (pw_wire_pending(reader) < PW_WIRE_HEAD)
		return 0;
	size_t len = frame_length(reader);
	if (pw_wire_pending(reader) - PW_WIRE_HEAD < len)
		return 0;
	const struct pw_json_limits limits = { .bytes = reader->max, .depth = PW_WIRE_DEPTH };
	struct pw_val *doc = NULL;
	rc = pw_json_parse(reader->in.data + reader->at + PW_WIRE_HEAD, len, NULL, &limits, arena, &doc, err);
	if (rc < 0)
		return rc;
	if (!pw_val_is(doc, PW_VAL_MAP))
		return pw_err_set(err, PW_SYNTAX, "a document that is not a JSON object");
	reader->at += PW_WIRE_HEAD + len;
	*ret = doc;
	return 1;
}

int pw_wire_put(struct pw_buf *out, const struct pw_val *doc, size_t max, struct pw_err *err)
{
	struct pw_buf body;
	pw_buf_init(&body, max);
	pw_json_write(&body, doc, 0);
	if (!pw_buf_ok(&body)) {
		pw_buf_release(&body);
		return pw_err_set(err, PW_NOMEM, "a document is longer than %zu bytes, or memory is out", max);
	}
	size_t before = out->len, len = body.len;
	const uint8_t head[PW_WIRE_HEAD] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };
	pw_buf_add(out, head, sizeof head);
	pw_buf_add(out, pw_buf_str(&body), len);
	pw_buf_release(&body);
	if (pw_buf_ok(out))
		return PW_OK;
	out->len = before;
	if (out->data)
		out->data[before] = '\0';
	out->failed = PW_OK;
	return pw_err_set(err, PW_NOMEM, "too much is waiting to be written to a pipe, or memory is out");
}

ssize_t pw_write_quiet(int fd, const void *data, size_t len)
{
	sigset_t pipe_only, before, pending;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	(void)sigpending(&pending);
	(void)sigprocmask(SIG_BLOCK, &pipe_only, &before);
	ssize_t n = write(fd, data, len);
	int sys = errno;
	/* Take back the signal we caused, and only that one. */
	if (n < 0 && sys == EPIPE && !sigismember(&pending, SIGPIPE)) {
		const struct timespec now = { 0, 0 };
		while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
			;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = sys;
	return n;
}

int pw_wire_flush(struct pw_buf *out, size_t *at, int fd, struct pw_err *err)
{
	while (*at < out->len) {
		ssize_t n = pw_write_quiet(fd, out->data + *at, out->len - *at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n < 0 && errno == EPIPE)
			return pw_err_set(err, PW_NET, "the other side of the pipe is gone");
		if (n < 0)
			return pw_err_sys(err, PW_IO, errno, "cannot write to a pipe");
		*at += (size_t)n;
	}
	pw_buf_clear(out);
	*at = 0;
	return 0;
}

int pw_wire_send(int fd, const struct pw_val *doc, size_t max, struct pw_err *err)
{
	struct pw_buf out;
	size_t at = 0;
	pw_buf_init(&out, max + PW_WIRE_HEAD);
	int rc = pw_wire_put(&out, doc, max, err);
	if (rc == PW_OK)
		rc = pw_wire_flush(&out, &at, fd, err);
	pw_buf_release(&out);
	return rc;
}
