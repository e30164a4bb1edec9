/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_BASE_TEXT_H
#define ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small text and time helpers that libc lacks. */

unsigned pw_edit_distance(const char *a, const char *b); /* Levenshtein with transposition, at most 64 bytes each */
/* The nearest of `names` at distance <= 2, NULL if none. */
const char *pw_nearest(const char *word, const char *const *names, size_t n);
bool pw_parse_uint(const char *text, unsigned long long max, unsigned long long *ret); /* whole, decimal, no sign */
bool pw_parse_duration(const char *text, unsigned *ret_ms); /* "500ms", "2s", "1m30s", "2h"; a bare number is seconds */
int64_t pw_parse_rfc3339(const char *text);                 /* Unix seconds, 0 if not a time */
void pw_format_rfc3339(int64_t ms, char out[32]);           /* "2026-01-02T03:04:05.678Z" */
int64_t pw_now_ms(void);                                    /* CLOCK_REALTIME */
int64_t pw_mono_ms(void);                                   /* CLOCK_MONOTONIC */
uint64_t pw_hash64(const void *data, size_t len);           /* FNV-1a: names things, protects nothing */
bool pw_glob(const char *pattern, const char *text);        /* * and ? */

/* Length of the UTF-8 character at the start of `text` (1..4), 0 if it is not
 * one (overlong, surrogate, cut off, above U+10FFFF) or len is 0. */
size_t pw_utf8_next(const char *text, size_t len, uint32_t *ret_char);

/* A character that must not reach a terminal as it is: controls, and what
 * reorders, breaks or hides text (bidi controls of UAX #9, line and paragraph
 * separators, the byte order mark, tags). */
bool pw_char_unsafe(uint32_t c);

/* Hash for tables whose keys a stranger chooses: SipHash-1-3 under a key that
 * differs in every process, so collisions cannot be prepared. Not stable: never store it. */
uint64_t pw_key_hash(const char *key, size_t len);

#endif
