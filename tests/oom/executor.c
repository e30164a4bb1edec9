/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A task from start to result. Its child is a copy of this process and meets the same failure: that is a result too. */
#include "oom.h"

#include <stdint.h>

#include <packetwalk/cleanup.h>
#include <vantage/executor.h>

enum { PATIENCE_MS = 30000 };

static int judge(struct pw_ctx *ctx, const struct pw_val *obs, struct pw_result *result, struct pw_err *err)
{
	(void)ctx;
	(void)obs;
	(void)err;
	pw_map_set_int(pw_result_evidence(result), "ms", 1);
	pw_result_set(result, "fine", "all is well");
	return PW_OK;
}

static const struct pw_outcome outcomes[] = { { "fine", PW_CLASS_OK, "well", NULL, NULL }, { NULL, PW_CLASS_OK, NULL, NULL, NULL } };
static const struct pw_evidence evidence[] = { { "ms", PW_TYPE_INT, "ms", "time" }, { NULL, PW_TYPE_STR, NULL, NULL } };
static const struct pw_check check = { PW_CHECK_HEAD("sample"), .summary = "Sample", .outcomes = outcomes, .evidence = evidence,
	.timeout_ms = 10000, .judge = judge };

static int finish(struct pw_executor *ex, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_task_done done;
	const struct pw_task task = { .id = 1, .check = &check };
	int rc = pw_executor_start(ex, &task, err);
	if (rc == PW_OK)
		rc = pw_executor_wait(ex, PATIENCE_MS, -1, arena, &done, err);
	if (rc < 0)
		return rc;
	return rc == 1 ? done.code : PW_TIMEOUT;
}

static int run(struct pw_err *err)
{
	const struct pw_executor_config config = {0};
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_executor *ex = pw_executor_new(&config, err);
	if (!ex)
		return PW_NOMEM;
	int rc = finish(ex, arena, err);
	pw_executor_free(ex);
	return rc;
}

/* A log line that is not kept, a frame read again in larger pieces: some failures are survived. */
const struct oom_scenario oom_scenario = { run, true };
