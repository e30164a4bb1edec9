/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROC_WIRE_H
#define ENGINE_PROC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <packetwalk/buf.h>
#include <packetwalk/val.h>

/*
 * Documents over a pipe: 4 bytes of length, big endian, then that many bytes
 * of one JSON object. Both sides state the longest frame they accept; nothing
 * is allocated on the word of the other side alone.
 */
#define PW_WIRE_HEAD 4u
#define PW_WIRE_DEPTH 64u        /* nesting of a document */

struct pw_wire_reader {
	struct pw_buf in;
	size_t at;                   /* start of the first byte not yet taken */
	size_t max;                  /* bytes of one document */
};

void pw_wire_reader_init(struct pw_wire_reader *reader, size_t max);
void pw_wire_reader_release(struct pw_wire_reader *reader);

/* Adds bytes that arrived. PW_NOMEM if out of memory, or as soon as a frame is announced that is too long. */
int pw_wire_feed(struct pw_wire_reader *reader, const void *data, size_t len, struct pw_err *err);

/* Reads what `fd` has now (one read). 1: something came or it would block; 0: end of file. Errors as pw_wire_feed, PW_IO.
 * Whole documents must be taken before the next call: PW_NOMEM when there is no room besides them. */
int pw_wire_fill(struct pw_wire_reader *reader, int fd, struct pw_err *err);

/* The next whole document, a map, into *ret. 1: there was one; 0: not yet; PW_SYNTAX: not JSON, or not a map;
 * PW_NOMEM: out of memory. */
int pw_wire_next(struct pw_wire_reader *reader, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err);

/* Bytes of an unfinished frame: at the end of the stream, a truncated one. */
size_t pw_wire_pending(const struct pw_wire_reader *reader);

/* A frame appended to `out`: PW_NOMEM if the document is longer than `max` or memory is out; `out` is then as before. */
int pw_wire_put(struct pw_buf *out, const struct pw_val *doc, size_t max, struct pw_err *err);

/* Writes from out->data + *at. 1: it would block, come back; 0: all written, `out` is clear; PW_NET: the other side is gone. */
int pw_wire_flush(struct pw_buf *out, size_t *at, int fd, struct pw_err *err);

/* One whole frame to a blocking descriptor. */
int pw_wire_send(int fd, const struct pw_val *doc, size_t max, struct pw_err *err);

/* write(2) that answers EPIPE without a SIGPIPE. */
ssize_t pw_write_quiet(int fd, const void *data, size_t len);

#endif
