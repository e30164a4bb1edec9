/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_JSON_H
#define ENGINE_DOC_JSON_H

#include <packetwalk/buf.h>
#include <packetwalk/val.h>

/* bytes: of the text of one document, or of one item of a stream and of all
 * that is not an item; depth: of nesting, at most PW_JSON_DEPTH_MAX. */
struct pw_json_limits { size_t bytes; unsigned depth; };
#define PW_JSON_DEPTH_MAX 512u

/* A whole document into a tree (yajl). Duplicate keys: the last wins, as in the
 * API server. A leading BOM is skipped. Values keep file:line:col if `file` is given. */
int pw_json_parse(const char *text, size_t len, const char *file, const struct pw_json_limits *limits,
		  struct pw_arena *arena, struct pw_val **ret, struct pw_err *err);

/*
 * Streaming: an API list of any size. Each element of the top-level "items"
 * array is built alone in `scratch`, handed to `item`, and forgotten; the rest
 * of the document (kind, metadata.continue, a Status) is kept in `rest`, without items.
 * A single object (no items) is handed to `item` once at the end, unless it is
 * a Status. `item` returns PW_OK, or a code that ends the stream. After a
 * failure every further call returns the same code.
 */
struct pw_json_stream;
typedef int (*pw_json_item_fn)(void *arg, const struct pw_val *item, struct pw_err *err);
struct pw_json_stream *pw_json_stream_new(const struct pw_json_limits *item_limits, pw_json_item_fn item, void *arg);
int pw_json_stream_feed(struct pw_json_stream *stream, const char *data, size_t len, struct pw_err *err);
int pw_json_stream_end(struct pw_json_stream *stream, struct pw_err *err);
const struct pw_val *pw_json_stream_rest(const struct pw_json_stream *stream); /* valid until free */
void pw_json_stream_free(struct pw_json_stream *stream);

/* Writes. indent 0: one line. Strings are made valid UTF-8 (bad bytes become
 * U+FFFD); what is unsafe on a terminal is written as \uNNNN. */
void pw_json_write(struct pw_buf *out, const struct pw_val *val, unsigned indent);
void pw_json_write_str(struct pw_buf *out, const char *text, size_t len);

#endif
