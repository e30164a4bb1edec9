/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walker, over a playbook with all three kinds of steps. */
#include <run/run.h>

#include "play_util.h"
#include "tap.h"

static struct pw_play *load_whole(const struct pw_play_env *env)
{
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	struct pw_err err = PW_ERR_INIT;
	if (pw_file_read("tests/play/valid/whole.yaml", 1 << 20, &text, &len, &err) < 0)
		return NULL;
	return load_good(text, env);
}

static struct pw_step_result result(const char *outcome)
{
	return (struct pw_step_result){ .id = "x", .outcome = outcome, .says = "It said so." };
}

static int feed(struct pw_walk *walk, const char *outcome)
{
	struct pw_step_result r = result(outcome);
	struct pw_err err = PW_ERR_INIT;
	int rc = pw_walk_feed(walk, &r, &err);
	if (rc < 0)
		printf("# %s\n", err.text);
	return rc;
}

static const char *row(const struct pw_walk *walk, enum pw_layer layer)
{
	return pw_ledger_word(pw_walk_ledger(walk)->rows[layer].state);
}

static void test_path(const struct pw_play *play, struct pw_arena *arena)
{
	struct pw_scope *scope = pw_scope_new(arena);
	struct pw_walk *walk = pw_walk_new(play, scope, arena);
	unsigned best, worst;
	const int *ahead = NULL;
	is_int(pw_walk_want(walk), PW_WALK_CHECK, "a check first");
	is_str(pw_walk_step(walk)->id, "by-name", "the start");
	ok(!pw_walk_verdict(walk), "no verdict yet");
	pw_walk_left(walk, &best, &worst);
	is_int(best, 1, "one step at least");
	is_int(worst, 3, "three at most");
	size_t n = pw_walk_reachable(walk, arena, &ahead);
	is_int(n, 4, "all can be reached");
	is_str(play->steps[ahead[0]].id, "by-name", "the nearest first");
	is_str(play->steps[ahead[3]].id, "sub", "the farthest last");

	struct pw_step_result r = result("timeout");
	struct pw_val *evidence = pw_val_map(arena);
	pw_map_set_int(evidence, "ms", 12);
	r.evidence = evidence;
	is_int(pw_walk_feed(walk, &r, NULL), PW_OK, "fed");
	is_int(pw_walk_want(walk), PW_WALK_ASK, "a question next");
	is_str(pw_val_text(pw_map_get(pw_scope_get(scope, "by-name"), "")), "It said so.", "the step is what it says");
	ok(pw_val_is(pw_scope_get(scope, "by-name.addresses"), PW_VAL_NULL), "declared and not found: null");
	is_str(pw_val_text(pw_scope_get(scope, "by-name.outcome")), "timeout", "its outcome");
	is_str(pw_val_text(pw_scope_get(scope, "this.outcome")), "timeout", "it is the last one");
	is_str(row(walk, PW_LAYER_KUBERNETES), "suspected", "a component is suspected, so its layer");
	is_str(row(walk, PW_LAYER_CNI), "suspected", "a layer is suspected");
	is_str(row(walk, PW_LAYER_APPLICATION), "untested", "the others are not");

	is_int(feed(walk, "fails"), PW_OK, "answered");
	is_str(pw_val_text(pw_scope_get(scope, "person.answer")), "fails", "the answer");
	is_int(pw_walk_want(walk), PW_WALK_CALL, "another playbook next");
	pw_walk_left(walk, &best, &worst);
	is_int(best + worst, 2, "it is the last");
	is_int(pw_walk_reachable(walk, arena, &ahead), 1, "nothing else ahead");
	is_int(feed(walk, "fault"), PW_OK, "a fault in it");
	is_int(pw_walk_want(walk), PW_WALK_DONE, "done");
	ok(!pw_walk_step(walk), "no step");
	is_str(pw_walk_verdict(walk)->id, "sub-fault", "the verdict");
	is_str(pw_val_text(pw_scope_get(scope, "sub.layer")), "", "what the callee did not leave is empty");
	is_str(row(walk, PW_LAYER_APPLICATION), "at-fault", "its layer");
	is_str(row(walk, PW_LAYER_CNI), "suspected", "what was suspected stays so");
	is_str(pw_walk_ledger(walk)->rows[PW_LAYER_APPLICATION].because[0], "sub", "because of the deciding step");
	const struct pw_step_result *const *walked;
	is_int(pw_walk_results(walk, &walked), 3, "three results");
	is_str(walked[1]->id, "person", "with the steps' ids");
	pw_walk_left(walk, &best, &worst);
	is_int(best + worst, 0, "nothing is left");
}

static void test_refusals(const struct pw_play *play, struct pw_arena *arena)
{
	struct pw_walk *walk = pw_walk_new(play, pw_scope_new(arena), arena);
	struct pw_err err = PW_ERR_INIT;
	struct pw_step_result r = result("conected");
	is_int(pw_walk_feed(walk, &r, &err), PW_SYNTAX, "no outcome of the step");
	is_str(err.text, "the step by-name cannot end in \"conected\"", "said");
	r.outcome = NULL;
	is_int(pw_walk_feed(walk, &r, &err), PW_SYNTAX, "none at all");
	is_str(pw_walk_step(walk)->id, "by-name", "it stays where it was");
	(void)feed(walk, "mismatch");
	r = result("resolved");
	is_int(pw_walk_feed(walk, &r, &err), PW_INTERNAL, "it has ended");
	is_int(pw_walk_rewind(walk, "sub", &err), PW_USAGE, "not walked");
	is_str(err.text, "the step sub was not walked, so there is no way back to it", "said");
}

static void test_rewind(const struct pw_play *play, struct pw_arena *arena)
{
	struct pw_scope *scope = pw_scope_new(arena);
	struct pw_walk *walk = pw_walk_new(play, scope, arena);
	const struct pw_step_result *const *walked;
	(void)feed(walk, "timeout");
	(void)feed(walk, "fails");
	(void)feed(walk, "healthy");
	is_str(pw_walk_verdict(walk)->id, "healthy", "healthy");
	is_str(row(walk, PW_LAYER_CNI), "cleared", "what was suspected is cleared by the end");
	is_str(row(walk, PW_LAYER_INFRASTRUCTURE), "untested", "what was not tested stays so");
	is_int(pw_walk_rewind(walk, "person", NULL), PW_OK, "back");
	is_str(pw_walk_step(walk)->id, "person", "before the question");
	ok(!pw_walk_verdict(walk) && !pw_scope_get(scope, "person") && !pw_scope_get(scope, "sub"), "what followed is forgotten");
	is_str(pw_val_text(pw_scope_get(scope, "this.outcome")), "timeout", "the last one is the one before");
	is_str(row(walk, PW_LAYER_CNI), "suspected", "so is the ledger");
	is_int(pw_walk_results(walk, &walked), 1, "one result is left");
	(void)feed(walk, "works");
	is_str(pw_walk_verdict(walk)->id, "undecided", "the other way");
	is_str(row(walk, PW_LAYER_APPLICATION), "suspected", "what could be is suspected");
	is_int(pw_walk_rewind(walk, "by-name", NULL), PW_OK, "to the start");
	ok(!pw_scope_get(scope, "this"), "nothing has ended");
	is_str(row(walk, PW_LAYER_CNI), "untested", "nothing is known");
	(void)feed(walk, "resolved");
	is_str(pw_walk_step(walk)->id, "each", "another way again");
}

static void test_loop(const struct pw_play *play, struct pw_arena *arena)
{
	struct pw_scope *scope = pw_scope_new(arena);
	struct pw_walk *walk = pw_walk_new(play, scope, arena);
	(void)feed(walk, "resolved");
	is_str(row(walk, PW_LAYER_KUBERNETES), "untested", "one component cleared is not the layer");
	struct pw_val *items = pw_val_seq(arena);
	static const char *const outcomes[] = { "connected", "connected", "refused" };
	for (size_t i = 0; i < 3; i++) {
		struct pw_val *item = pw_seq_add_map(items);
		pw_map_set_strf(item, "item", "api-%zu", i + 1);
		pw_map_set_str(item, "outcome", outcomes[i]);
	}
	struct pw_step_result r = result(pw_loop_outcome(outcomes, 3, arena));
	r.items = items;
	is_int(pw_walk_feed(walk, &r, NULL), PW_OK, "fed");
	is_str(pw_walk_verdict(walk)->id, "one-differs", "mixed");
	is_str(pw_val_text(pw_scope_get(scope, "each.first")), "api-3", "the one that differs");
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	is_int(pw_scope_expand_text(scope, pw_walk_verdict(walk)->says, &out, NULL), PW_OK, "filled in");
	is_str(pw_buf_str(&out), "Not all alike: refused: api-3; connected: api-1, api-2; look at api-3; refused are api-3 of api-1.", "the sentence");
}

static void test_adopt(struct pw_arena *arena)
{
	static const char text[] =
		"packetwalk: 1\nname: t\ntitle: t\ninputs: {to: {type: service}}\nstart: call\n"
		"steps:\n  call: {playbook: callee, on: {healthy: {verdict: ok}, else: {verdict: callee, suspects: cni}}}\n"
		"verdicts:\n  ok: {layer: none, says: Fine.}\n"
		"tests:\n  - {given: {outcomes: {call: fault}}, expect: {verdict: callee, path: [call]}}\n";
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_play *play = load_good(text, &env);
	if (!ok(play != NULL, "loads"))
		return;
	struct pw_walk *walk = pw_walk_new(play, pw_scope_new(arena), arena);
	(void)feed(walk, "fault");
	is_int(pw_walk_want(walk), PW_WALK_DONE, "done");
	ok(pw_walk_adopts_callee(walk) && !pw_walk_verdict(walk), "with the callee's verdict");
	is_str(row(walk, PW_LAYER_CNI), "suspected", "the ledger moved");
	pw_play_free(play);
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_play *play = load_whole(&env);
	if (ok(play != NULL, "the playbook loads")) {
		test_path(play, arena);
		test_refusals(play, arena);
		test_rewind(play, arena);
		test_loop(play, arena);
	}
	test_adopt(arena);
	pw_play_free(play);
	return tap_done();
}
