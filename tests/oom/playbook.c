/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A playbook that calls another: loaded, proven, tested, drawn and described. */
#include "oom.h"

#include "../unit/play_util.h"

static int describe(const struct pw_play *play, const struct pw_play_env *env)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, (size_t)1 << 24);
	pw_play_graph(play, PW_GRAPH_TEXT, NULL, 0, &out);
	pw_play_graph(play, PW_GRAPH_MERMAID, NULL, 0, &out);
	pw_play_graph(play, PW_GRAPH_DOT, NULL, 0, &out);
	pw_play_reference(&out);
	pw_play_schema(env, &out);
	return pw_buf_ok(&out) ? PW_OK : PW_NOMEM;
}

static int prove(struct pw_play *play, const struct pw_play_env *env, struct pw_arena *arena, struct pw_diags *diags, struct pw_err *err)
{
	struct pw_play_coverage coverage = { 0, 0, NULL };
	int rc = pw_play_lint(play, env, diags);
	if (rc < 0)
		return rc;
	rc = pw_play_run_tests(play, arena, NULL, NULL, &coverage, err);
	if (rc < 0)
		return rc;
	if (pw_diags_count(diags, -1) || coverage.taken != coverage.edges)
		return pw_err_set(err, PW_INTERNAL, "a proof, a test or an edge is missing");
	return describe(play, env);
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
	if (rc == PW_OK)
		rc = prove(play, &env, arena, diags, err);
	pw_play_free(play);
	return rc;
}

const struct oom_scenario oom_scenario = { run, false };
