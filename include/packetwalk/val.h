/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_VAL_H
#define PACKETWALK_VAL_H

#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/arena.h>
#include <packetwalk/err.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * A value of a document: parameters, observations, evidence, YAML, JSON, all
 * the same tree. Values live in an arena; there is nothing to free. Every
 * reader takes NULL and values of another kind and answers "not there", so
 * hostile documents need no ladder of checks.
 *
 * YAML scalars are PW_VAL_STR with their text as written (`no`, `0800` stay
 * text): the reader's wish types them, not their looks. JSON keeps its types.
 */
enum pw_val_kind {
	PW_VAL_NULL, PW_VAL_BOOL, PW_VAL_INT, PW_VAL_REAL, PW_VAL_STR, PW_VAL_SEQ, PW_VAL_MAP,
};

struct pw_val;

struct pw_place {
	const char *file;  /* NULL if not from a file; lives as long as the arena */
	unsigned line;     /* 1-based, 0 if unknown */
	unsigned col;      /* 1-based */
};

/* Building. NULL on out-of-memory (also remembered by the arena). */
struct pw_val *pw_val_map(struct pw_arena *arena);
struct pw_val *pw_val_seq(struct pw_arena *arena);
struct pw_val *pw_val_null(struct pw_arena *arena);
struct pw_val *pw_val_bool(struct pw_arena *arena, bool value);
struct pw_val *pw_val_int(struct pw_arena *arena, long long value);
struct pw_val *pw_val_real(struct pw_arena *arena, double value);
struct pw_val *pw_val_str(struct pw_arena *arena, const char *text); /* copies; NULL text: null value */
struct pw_val *pw_val_strn(struct pw_arena *arena, const char *text, size_t len);
struct pw_val *pw_val_copy(struct pw_arena *arena, const struct pw_val *val); /* deep */

/* Adds or replaces. Key is copied into the map's arena. NULL map or value: no-op. */
void pw_map_set(struct pw_val *map, const char *key, struct pw_val *value);
void pw_map_set_str(struct pw_val *map, const char *key, const char *text);
void pw_map_set_strf(struct pw_val *map, const char *key, const char *fmt, ...) PW_PRINTF(3, 4);
void pw_map_set_int(struct pw_val *map, const char *key, long long value);
void pw_map_set_real(struct pw_val *map, const char *key, double value);
void pw_map_set_bool(struct pw_val *map, const char *key, bool value);
struct pw_val *pw_map_set_map(struct pw_val *map, const char *key); /* fresh child, returned */
struct pw_val *pw_map_set_seq(struct pw_val *map, const char *key);
void pw_seq_add(struct pw_val *seq, struct pw_val *value);
void pw_seq_add_str(struct pw_val *seq, const char *text);
struct pw_val *pw_seq_add_map(struct pw_val *seq);

/* Reading. */
enum pw_val_kind pw_val_kind(const struct pw_val *val);   /* NULL counts as null */
bool pw_val_is(const struct pw_val *val, enum pw_val_kind kind);
size_t pw_val_count(const struct pw_val *val);            /* items of a seq or map, else 0 */
const struct pw_val *pw_val_at(const struct pw_val *val, size_t i); /* item of seq, value of map entry */
const char *pw_map_key(const struct pw_val *map, size_t i);
struct pw_place pw_map_key_place(const struct pw_val *map, size_t i);
const struct pw_val *pw_map_get(const struct pw_val *map, const char *key);
/* The first map of a seq that holds the text `value` under `key`; NULL if none does. A key that is not there reads as "". */
const struct pw_val *pw_seq_find(const struct pw_val *seq, const char *key, const char *value);
/* Dotted walk through maps and numeric seq indexes: "spec.ports.0.port". */
const struct pw_val *pw_val_get(const struct pw_val *val, const char *path);
struct pw_place pw_val_place(const struct pw_val *val);
bool pw_val_quoted(const struct pw_val *val); /* a YAML scalar written in quotes or as a block */

/* Text of a STR; NULL for everything else. Borrow. May hold NUL from JSON: see len. */
const char *pw_val_text(const struct pw_val *val);
size_t pw_val_text_len(const struct pw_val *val);
/* Typed by wish: INT, or STR that is wholly a decimal integer. */
bool pw_val_to_int(const struct pw_val *val, long long *ret);
bool pw_val_to_real(const struct pw_val *val, double *ret);
bool pw_val_to_bool(const struct pw_val *val, bool *ret); /* BOOL, or STR "true"/"false" */

/* One-liners over a map with a default for "not there". */
const char *pw_map_str(const struct pw_val *map, const char *key, const char *otherwise);
long long pw_map_int(const struct pw_val *map, const char *key, long long otherwise);
/* How many: 0 when missing or negative, a million million at most, so that sums and products of recorded counts cannot overflow. */
long long pw_map_count(const struct pw_val *map, const char *key);
bool pw_map_bool(const struct pw_val *map, const char *key, bool otherwise);

bool pw_val_equal(const struct pw_val *a, const struct pw_val *b); /* deep, map order ignored */

#pragma GCC visibility pop

#endif
