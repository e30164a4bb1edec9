/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Playbooks that are right: they load without a complaint, pass their own tests, and those take every edge. */
#include "play_util.h"
#include "tap.h"

static void case_done(void *arg, size_t index, const struct pw_play_test *test, bool passed, const char *why)
{
	(void)arg;
	ok(passed, "case %zu -> %s%s%s", index + 1, test->verdict, why ? ": " : "", why ? why : "");
}

static void check_file(const char *name)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	PW_CLEAN_FREE char *text = NULL, *path = NULL;
	PW_CLEAN_BUF struct pw_buf shown;
	size_t len = 0;
	struct pw_play *play = NULL;
	struct pw_err err = PW_ERR_INIT;
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_play_coverage coverage = { 0, 0, NULL };
	pw_buf_init(&shown, 1);
	if (!ok(fake_playbook(env.arg, name, &text, &len, &path, &err) == PW_OK, "%s is there %s", name, err.text))
		return;
	int rc = pw_play_load(text, len, path, &env, arena, diags, &play, &err);
	if (rc == PW_OK)
		is_int(pw_play_lint(play, &env, diags), PW_OK, "the proofs are made");
	pw_buf_release(&shown);
	show_diags(diags, path, text, len, &shown);
	is_str(pw_buf_str(&shown), "", name);
	if (rc < 0)
		return;
	is_int(pw_play_run_tests(play, arena, case_done, NULL, &coverage, &err), PW_OK, "its tests run");
	is_int(coverage.taken, coverage.edges, "they take every edge");
	for (size_t i = 0; i < pw_val_count(coverage.missed); i++)
		printf("# missed %s\n", pw_val_text(pw_val_at(coverage.missed, i)));
	pw_play_free(play);
}

int main(void)
{
	check_file("whole");
	check_file("callee");
	check_file("asks");
	return tap_done();
}
