/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a check asks of its context, and how it gives its result. */
#include "ctx_priv.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <cluster/cluster.h>

enum { SAYS_MAX = 2048 }; /* bytes of the plain sentence */

void pw_ctx_init(struct pw_ctx *ctx, const struct pw_check *check, const struct pw_val *params,
		 const struct pw_facts *facts, struct pw_arena *arena, unsigned timeout_ms)
{
	*ctx = (struct pw_ctx){ .check = check, .params = params, .facts = facts, .arena = arena,
		.deadline_ms = pw_mono_ms() + timeout_ms, .vantage = "here", .root_fd = -1,
		.no_root = "no files are read here" };
}

const struct pw_val *pw_ctx_val(const struct pw_ctx *ctx, const char *name)
{
	return pw_map_get(ctx->params, name);
}

bool pw_ctx_has(const struct pw_ctx *ctx, const char *name)
{
	return pw_val_kind(pw_ctx_val(ctx, name)) != PW_VAL_NULL;
}

const char *pw_ctx_str(const struct pw_ctx *ctx, const char *name)
{
	const struct pw_val *val = pw_ctx_val(ctx, name);
	long long number;
	if (pw_val_is(val, PW_VAL_INT) && pw_val_to_int(val, &number)) /* a port read as text */
		return pw_arena_printf(ctx->arena, "%lld", number);
	return pw_val_text(val);
}

long long pw_ctx_int(const struct pw_ctx *ctx, const char *name)
{
	long long number = 0;
	(void)pw_val_to_int(pw_ctx_val(ctx, name), &number);
	return number;
}

bool pw_ctx_bool(const struct pw_ctx *ctx, const char *name)
{
	bool yes = false;
	(void)pw_val_to_bool(pw_ctx_val(ctx, name), &yes);
	return yes;
}

unsigned pw_ctx_ms(const struct pw_ctx *ctx, const char *name)
{
	unsigned ms = 0;
	const char *text = pw_ctx_str(ctx, name);
	if (text)
		(void)pw_parse_duration(text, &ms);
	return ms;
}

const struct pw_facts *pw_ctx_facts(const struct pw_ctx *ctx)
{
	if (ctx->facts)
		return ctx->facts;
	struct pw_facts *empty = pw_facts_new(ctx->arena);
	if (empty)
		pw_facts_finish(empty);
	return empty;
}

struct pw_arena *pw_ctx_arena(struct pw_ctx *ctx)
{
	return ctx->arena;
}

unsigned pw_ctx_remaining_ms(const struct pw_ctx *ctx)
{
	int64_t left = ctx->deadline_ms - pw_mono_ms();
	return left > 1 ? (unsigned)left : 1;
}

const char *pw_ctx_vantage(const struct pw_ctx *ctx)
{
	return ctx->vantage;
}

/* ---- the result ---- */

void pw_result_init(struct pw_result *result, const struct pw_check *check, struct pw_arena *arena)
{
	*result = (struct pw_result){ .check = check, .arena = arena, .evidence = pw_val_map(arena), .err = PW_ERR_INIT };
}

const struct pw_outcome *pw_outcome_find(const struct pw_check *check, const char *word)
{
	for (const struct pw_outcome *o = check->outcomes; word && o && o->word; o++)
		if (!strcmp(o->word, word))
			return o;
	return NULL;
}

static void say(struct pw_result *result, const char *fmt, va_list ap) PW_PRINTF(2, 0);
static void say(struct pw_result *result, const char *fmt, va_list ap)
{
	char text[SAYS_MAX];
	int n = vsnprintf(text, sizeof text, fmt, ap);
	if (n >= (int)sizeof text)
		memcpy(text + sizeof text - sizeof "...", "...", sizeof "...");
	result->says = pw_arena_strdup(result->arena, n < 0 ? "" : text);
}

static bool first_time(struct pw_result *result, const char *outcome)
{
	if (result->err.code)
		return false;
	if (!result->outcome && !result->unknown)
		return true;
	(void)pw_err_set(&result->err, PW_INTERNAL, "the check %s decided twice: %s, then %s; this is a defect of the check",
			 result->check->name, result->outcome ? result->outcome->word : PW_OUTCOME_UNKNOWN, outcome);
	return false;
}

void pw_result_set(struct pw_result *result, const char *outcome, const char *fmt, ...)
{
	if (!first_time(result, outcome))
		return;
	result->outcome = pw_outcome_find(result->check, outcome);
	if (!result->outcome) {
		(void)pw_err_set(&result->err, PW_INTERNAL,
				 "the check %s ended in \"%s\", which it does not declare; this is a defect of the check",
				 result->check->name, outcome);
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	say(result, fmt, ap);
	va_end(ap);
}

void pw_result_unknown(struct pw_result *result, const char *fmt, ...)
{
	if (!first_time(result, PW_OUTCOME_UNKNOWN))
		return;
	result->unknown = true;
	va_list ap;
	va_start(ap, fmt);
	say(result, fmt, ap);
	va_end(ap);
}

struct pw_val *pw_result_evidence(struct pw_result *result)
{
	return result->evidence;
}

int pw_evidence_check(const struct pw_check *check, const struct pw_val *evidence, struct pw_err *err)
{
	for (size_t i = 0; i < pw_val_count(evidence); i++) {
		const char *key = pw_map_key(evidence, i);
		const struct pw_evidence *e = check->evidence;
		while (e && e->name && strcmp(e->name, key) != 0)
			e++;
		if (!e || !e->name)
			return pw_err_set(err, PW_INTERNAL,
					  "the check %s gave the evidence \"%.64s\", which it does not declare; this is a defect of the check",
					  check->name, key);
	}
	return PW_OK;
}

int pw_judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	const struct pw_check *check = ctx->check;
	int rc = check->judge(ctx, observation, result, err);
	if (rc < 0)
		return rc;
	if (result->err.code) {
		if (err)
			*err = result->err;
		return result->err.code;
	}
	if (!result->outcome && !result->unknown)
		return pw_err_set(err, PW_INTERNAL, "the check %s ended without an outcome; this is a defect of the check", check->name);
	if (pw_arena_failed(result->arena))
		return pw_err_set(err, PW_NOMEM, "the check %s ran out of memory", check->name);
	return pw_evidence_check(check, result->evidence, err);
}
