/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Playbooks of any kind: loaded or refused with a complaint; what the linter
 * finds no error in walks to an end whatever happens on the way.
 */
#include "fuzz.h"

#include <run/run.h>

#include "../unit/play_util.h"

static int no_playbook(void *arg, const char *name, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err)
{
	(void)arg, (void)ret, (void)ret_len, (void)ret_path;
	return pw_err_set(err, PW_ABSENT, "there is no playbook %s", name);
}

static void check_diags(const struct pw_diags *diags, const char *text, size_t size)
{
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++) {
		struct pw_buf out;
		pw_buf_init(&out, 1 << 20);
		pw_diag_format(pw_diags_at(diags, i), text, size, &out);
		MUST(pw_buf_ok(&out) && pw_diags_at(diags, i)->id[0] == 'P');
		pw_buf_release(&out);
	}
}

/* Takes outcomes by the bytes of the input. */
static void walk(const struct pw_play *play, const uint8_t *data, size_t size, struct pw_arena *arena)
{
	struct pw_walk *walk = pw_walk_new(play, pw_scope_new(arena), arena);
	for (size_t i = 0; walk && pw_walk_want(walk) != PW_WALK_DONE; i++) {
		const char *const *words = NULL;
		size_t n = pw_play_outcomes(pw_walk_step(walk), arena, &words);
		unsigned best, worst;
		pw_walk_left(walk, &best, &worst);
		MUST(i < play->n_steps && n > 0 && best >= 1 && worst >= best);
		struct pw_step_result result = { .outcome = words[(size ? data[i % size] : i) % n] };
		MUST(pw_walk_feed(walk, &result, NULL) == PW_OK);
	}
}

static void use(const struct pw_play *play, const struct pw_play_env *env, const uint8_t *data, size_t size)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(256 << 20);
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_play_coverage coverage;
	MUST(pw_play_lint(play, env, diags) == PW_OK);
	check_diags(diags, play->source, play->source_len);
	MUST(pw_play_run_tests(play, arena, NULL, NULL, &coverage, NULL) == PW_OK);
	MUST(coverage.taken + pw_val_count(coverage.missed) == coverage.edges);
	if (pw_diags_count(diags, 0) == 0)
		walk(play, data, size, arena);
	for (int format = PW_GRAPH_TEXT; format <= PW_GRAPH_DOT; format++) {
		struct pw_buf out;
		pw_buf_init(&out, 64 << 20);
		pw_play_graph(play, (enum pw_graph)format, NULL, 0, &out);
		MUST(pw_buf_ok(&out));
		pw_buf_release(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(256 << 20);
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_play_env env = { fake_check, fake_names, no_playbook, NULL, NULL, fake_playbook_names };
	struct pw_play *play = NULL;
	struct pw_err err = PW_ERR_INIT;
	int rc = pw_play_load((const char *)data, size, "x.yaml", &env, arena, diags, &play, &err);
	MUST(rc == PW_OK || (rc == PW_SYNTAX && pw_diags_count(diags, 0) > 0 && err.text[0]));
	check_diags(diags, (const char *)data, size);
	if (rc == PW_OK)
		use(play, &env, data, size);
	pw_play_free(play);
	return 0;
}
