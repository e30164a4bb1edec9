/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens inside a check's own process: move to the vantage, give up
 * rights, look, judge, and write one frame. Everything here may be killed at
 * any point; the parent believes only a whole frame and a clean exit.
 */
#include "job.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include "borrow/tools.h"
#include "enter.h"
#include "privs.h"

enum { ARENA_MAX = 256 << 20 }; /* backstop under sanitizers; else the address space limit comes first */

static void put_error(struct pw_val *frame, const struct pw_err *err, int code)
{
	struct pw_val *error = pw_map_set_map(frame, "error");
	pw_map_set_int(error, "code", code);
	pw_map_set_str(error, "text", err->text);
}

static int observe(const struct pw_job *job, struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_vantage_enter(&job->vantage, ctx, err);
	if (rc == PW_OK)
		rc = pw_privs_keep(job->check->needs, err);
	if (rc == PW_OK)
		rc = job->check->probe(ctx, observation, err);
	if (rc < 0)
		return rc;
	if (pw_arena_failed(ctx->arena))
		return pw_err_set(err, PW_NOMEM, "the check %s saw more than it had memory for", job->check->name);
	return PW_OK;
}

static int decide(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_val *frame, struct pw_err *err)
{
	struct pw_result result;
	int rc = pw_privs_keep(PW_NEEDS_NOTHING, err);
	if (rc < 0)
		return rc;
	pw_result_init(&result, ctx->check, ctx->arena);
	rc = pw_judge(ctx, observation, &result, err);
	if (rc < 0)
		return rc;
	if (result.unknown)
		pw_map_set_bool(frame, "unknown", true);
	else
		pw_map_set_str(frame, "outcome", result.outcome->word);
	pw_map_set_str(frame, "says", result.says);
	pw_map_set(frame, "evidence", result.evidence);
	return PW_OK;
}

/* What it finds to be in the container travels in the frame, for those that come after. */
static int borrow(const struct pw_job *job, struct pw_ctx *ctx, struct pw_val *frame, struct pw_val *observation, struct pw_err *err)
{
	struct pw_tools tools = { .ctx = ctx, .via = job->via, .vantage = &job->vantage, .known = job->container };
	struct pw_val *found;
	int rc = pw_tools_open(&tools, &found, err);
	if (found)
		pw_map_set(frame, "container", found);
	if (rc == PW_OK)
		rc = pw_check_borrow(job->check)(ctx, &tools, observation, err);
	if (rc == PW_OK && pw_arena_failed(ctx->arena))
		rc = pw_err_set(err, PW_NOMEM, "the check %s saw more than it had memory for", job->check->name);
	return rc;
}

/* A probe or judge that fails without a word is still told apart from others. */
static int fill(const struct pw_job *job, struct pw_ctx *ctx, struct pw_val *frame, struct pw_err *err)
{
	const struct pw_val *observation = job->observation;
	int rc = PW_OK;
	if (!job->observed) {
		struct pw_val *fresh = pw_map_set_map(frame, "observation");
		observation = fresh;
		if (pw_job_borrows(job))
			rc = borrow(job, ctx, frame, fresh, err);
		else if (job->check->probe)
			rc = observe(job, ctx, fresh, err);
	}
	if (rc == PW_OK && !job->probe_only)
		rc = decide(ctx, observation, frame, err);
	if (rc < 0 && !err->code)
		(void)pw_err_set(err, rc, "the check %s failed (%s) and did not say why", job->check->name, pw_code_word(rc));
	return rc;
}

int pw_job_child(void *arg, int out_fd)
{
	const struct pw_job_run *run = arg;
	const struct pw_job *job = run->job;
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA_MAX);
	struct pw_val *frame = pw_val_map(arena);
	struct pw_ctx ctx;
	pw_ctx_init(&ctx, job->check, job->params, job->facts, arena, job->timeout_ms + (pw_job_borrows(job) ? PW_BORROW_EXTRA_MS : 0));
	ctx.vantage = job->where;
	int rc = fill(job, &ctx, frame, &err);
	if (rc < 0)
		put_error(frame, &err, rc);
	rc = pw_wire_send(out_fd, frame, run->max_output + PW_FRAME_EXTRA, &err);
	if (rc != PW_NOMEM)
		return rc < 0;
	/* Too large: say that instead. */
	PW_CLEAN_ARENA struct pw_arena *small = pw_arena_new(PW_FRAME_EXTRA);
	frame = pw_val_map(small);
	pw_err_clear(&err);
	(void)pw_err_set(&err, PW_NOMEM, "the check %s saw more than %zu bytes", job->check->name, run->max_output);
	put_error(frame, &err, PW_NOMEM);
	return pw_wire_send(out_fd, frame, PW_FRAME_EXTRA, NULL) < 0;
}
