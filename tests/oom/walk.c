/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A walk to its end, back, and to another end. */
#include "oom.h"

#include <run/run.h>

#include "../unit/play_util.h"

static int feed(struct pw_walk *walk, const char *outcome, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_step_result result = { .outcome = outcome, .says = "It said so." };
	struct pw_val *items = pw_val_seq(arena), *item = pw_seq_add_map(items);
	pw_map_set_str(item, "item", "api-1");
	pw_map_set_str(item, "outcome", "refused");
	result.items = items;
	if (!items || pw_arena_failed(arena))
		return PW_NOMEM;
	return pw_walk_feed(walk, &result, err);
}

static int go(struct pw_walk *walk, struct pw_scope *scope, struct pw_arena *arena, struct pw_err *err)
{
	static const char *const outcomes[] = { "timeout", "fails", "healthy" };
	int rc = PW_OK;
	for (size_t i = 0; rc == PW_OK && i < 3; i++)
		rc = feed(walk, outcomes[i], arena, err);
	if (rc == PW_OK)
		rc = pw_walk_rewind(walk, "by-name", err);
	if (rc == PW_OK)
		rc = feed(walk, "resolved", arena, err);
	if (rc == PW_OK)
		rc = feed(walk, "mixed", arena, err);
	if (rc < 0)
		return rc;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	rc = pw_scope_expand_text(scope, pw_walk_verdict(walk)->says, &out, err);
	struct pw_val *val = NULL;
	return rc < 0 ? rc : pw_scope_expand(scope, "${each.items} and ${each}", arena, &val, err);
}

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	struct pw_play *play = NULL;
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_diags *diags = pw_diags_new(arena);
	int rc = pw_file_read("tests/play/valid/whole.yaml", 1 << 20, &text, &len, err);
	if (rc == PW_OK)
		rc = pw_play_load(text, len, "whole.yaml", &env, arena, diags, &play, err);
	if (rc < 0)
		return rc;
	struct pw_scope *scope = arena ? pw_scope_new(arena) : NULL;
	struct pw_walk *walk = scope ? pw_walk_new(play, scope, arena) : NULL;
	rc = walk ? go(walk, scope, arena, err) : PW_NOMEM;
	pw_play_free(play);
	return rc;
}

const struct oom_scenario oom_scenario = { run, false };
