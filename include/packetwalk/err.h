/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_ERR_H
#define PACKETWALK_ERR_H

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * "The tool failed." Never used for "the cluster is broken": that is a result
 * (ctx.h). Held by value, no heap, so reporting out-of-memory cannot fail.
 *
 * A function that can fail takes `struct pw_err *err` last (NULL: the caller
 * does not care) and returns PW_OK or a negative code, the one it set.
 */

/* Few codes, by what the caller does about them. */
enum pw_code {
	PW_OK = 0,
	PW_USAGE = -1,       /* the caller or user asked for nonsense */
	PW_SYNTAX = -2,      /* a document, dump or frame does not parse */
	PW_IO = -3,          /* a local file, pipe or process */
	PW_NET = -4,         /* a peer could not be reached or broke off */
	PW_AUTH = -5,        /* no or wrong credentials (HTTP 401, TLS) */
	PW_DENIED = -6,      /* known, but not permitted (HTTP 403, EPERM) */
	PW_TIMEOUT = -7,     /* the deadline passed */
	PW_NOMEM = -8,       /* allocation failed or a ceiling was reached */
	PW_UNSUPPORTED = -9, /* not possible on this kernel, version or build */
	PW_INTERNAL = -10,   /* a defect of packetwalk or a plugin */
	PW_ABSENT = -11,     /* the thing asked for does not exist (HTTP 404) */
	PW_CANCELLED = -12,  /* the user or the walk gave up on it */
};

struct pw_err {
	int code;        /* enum pw_code; PW_OK when empty */
	int sys;         /* saved errno, 0 if none */
	unsigned line;   /* 1-based, 0 if no place */
	unsigned col;    /* 1-based, 0 if unknown */
	char file[128];  /* empty if no place */
	char text[512];  /* one sentence, cut with "..." when too long */
};

#define PW_ERR_INIT { 0, 0, 0, 0, {0}, {0} }

#define PW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Says what was tried, on what, what happened, what to do. Returns `code`. */
int pw_err_set(struct pw_err *err, int code, const char *fmt, ...) PW_PRINTF(3, 4);

/* As pw_err_set, appends ": " and the text of `sys` (an errno). */
int pw_err_sys(struct pw_err *err, int code, int sys, const char *fmt, ...) PW_PRINTF(4, 5);

/* As pw_err_set, with the place in a document. `file` may be NULL. */
int pw_err_at(struct pw_err *err, int code, const char *file, unsigned line, unsigned col,
	      const char *fmt, ...) PW_PRINTF(6, 7);

/* Puts context and ": " in front of the text. Returns the code already set. */
int pw_err_wrap(struct pw_err *err, const char *fmt, ...) PW_PRINTF(2, 3);

void pw_err_clear(struct pw_err *err);

/* Stable lower-case word of a code ("denied"), for records and messages. */
const char *pw_code_word(int code);

#pragma GCC visibility pop

#endif
