/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_JSON_LEX_H
#define ENGINE_DOC_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/err.h>

struct pw_val;
struct pw_arena;

/*
 * yajl, made safe. yajl does not check its own allocations; here one that
 * fails ends the parse with PW_NOMEM. Scalars arrive as values in the arena of
 * the moment (pw_json_lex_into). After a failure every call returns its code.
 */
struct pw_json_lex;

/* Each returns PW_OK or a code, with the error set (pw_json_lex_err, _fail). */
struct pw_json_events {
	int (*open)(void *arg, bool map);
	int (*close)(void *arg);
	int (*key)(void *arg, const char *key, size_t len); /* NUL-terminated, in the arena */
	int (*value)(void *arg, struct pw_val *value);      /* NULL: out of memory */
};

/* `file` (NULL: none) is borrowed. `token_max`: ceiling of one string, in bytes. NULL on OOM. */
struct pw_json_lex *pw_json_lex_new(const struct pw_json_events *events, void *arg, const char *file, size_t token_max);
void pw_json_lex_free(struct pw_json_lex *lex);
void pw_json_lex_into(struct pw_json_lex *lex, struct pw_arena *arena);
int pw_json_lex_feed(struct pw_json_lex *lex, const char *text, size_t len, struct pw_err *err);
int pw_json_lex_end(struct pw_json_lex *lex, struct pw_err *err);

/* For the event functions. */
struct pw_err *pw_json_lex_err(struct pw_json_lex *lex);  /* of the caller, may be NULL */
size_t pw_json_lex_offset(const struct pw_json_lex *lex); /* bytes eaten since the beginning */
int pw_json_lex_fail(struct pw_json_lex *lex, int code, const char *fmt, ...) PW_PRINTF(3, 4); /* with the place */
/* Line and column of the token at hand. Only when all text came in one piece. */
void pw_json_lex_place(struct pw_json_lex *lex, unsigned *ret_line, unsigned *ret_col);

#endif
