/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_CTX_H
#define PACKETWALK_CTX_H

#include <stdbool.h>

#include <packetwalk/check.h>

#pragma GCC visibility push(default) /* plugins link against these */

/* What a check is given, and where it puts its result. */

struct pw_facts;

/* Parameters, already typed, checked against the declaration and defaulted. */
const char *pw_ctx_str(const struct pw_ctx *ctx, const char *name);        /* NULL if not given */
long long pw_ctx_int(const struct pw_ctx *ctx, const char *name);          /* 0 if not given */
bool pw_ctx_bool(const struct pw_ctx *ctx, const char *name);
unsigned pw_ctx_ms(const struct pw_ctx *ctx, const char *name);            /* a duration ("2s", "500ms") in ms */
const struct pw_val *pw_ctx_val(const struct pw_ctx *ctx, const char *name); /* lists and maps */
bool pw_ctx_has(const struct pw_ctx *ctx, const char *name);

/* The cluster as far as it was asked for (enum pw_fact of the declaration);
 * never NULL in judge, empty in probe. Each kind says whether it is known. */
const struct pw_facts *pw_ctx_facts(const struct pw_ctx *ctx);

struct pw_arena *pw_ctx_arena(struct pw_ctx *ctx);       /* lives as long as the check */
unsigned pw_ctx_remaining_ms(const struct pw_ctx *ctx);  /* until the deadline, at least 1 */
const char *pw_ctx_vantage(const struct pw_ctx *ctx);    /* "here", "pod shop/web", "node n1" */

/* Result. One call: picks the declared outcome and says it in one plain
 * sentence. A second call, or a word not declared, is an internal error. */
void pw_result_set(struct pw_result *result, const char *outcome, const char *fmt, ...) PW_PRINTF(3, 4);

/* Map of evidence; keys must be declared. Never NULL. */
struct pw_val *pw_result_evidence(struct pw_result *result);

/* For a judge that cannot know (a fact kind was denied, a dump was missing):
 * outcome `unknown`, with what was missing and what would settle it. */
void pw_result_unknown(struct pw_result *result, const char *fmt, ...) PW_PRINTF(2, 3);

#pragma GCC visibility pop

#endif
