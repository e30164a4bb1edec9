/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A playbook full of mistakes: without memory it must not look better than it is. */
#include "oom.h"

#include "../unit/play_util.h"

static const char text[] =
	"packetwalk: 1\nname: bad\ntitle: x\ninputs: {to: {type: servise}, a: {type: pod, default: \"${b.ip}\"}, b: {type: pod}}\nstart: one\n"
	"steps:\n"
	"  one: {check: knock, titel: x, with: {prot: 1, address: \"${two.peer}\"}, on: {connected: {go: two}, refused: {go: tow}}}\n"
	"  two: {playbook: callee-broken, on: {healthy: {verdict: no}, else: {go: one}}}\n"
	"  three: {check: knok, on: {[a, b, a]: {verdict: v, clears: [cni/x, cni], suspects: cni}}}\n"
	"verdicts:\n  v: {layer: cni, component: overlai, says: \"${three\"}\n"
	"tests:\n  - {given: {outcomes: {one: x, four: y}, c: d}, expect: {verdict: w}}\n";

enum { COMPLAINTS = 24 };

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	struct pw_play *play = NULL;
	struct pw_play_env env = FAKE_ENV("tests/play/invalid");
	struct pw_diags *diags = pw_diags_new(arena);
	int rc = pw_play_load(text, sizeof text - 1, "bad.yaml", &env, arena, diags, &play, err);
	pw_play_free(play);
	if (rc != PW_SYNTAX)
		return rc == PW_OK ? pw_err_set(err, PW_INTERNAL, "it was accepted") : rc;
	PW_CLEAN_BUF struct pw_buf out;
	show_diags(diags, "bad.yaml", text, sizeof text - 1, &out);
	if (!pw_buf_ok(&out))
		return PW_NOMEM;
	if (pw_diags_count(diags, 0) != COMPLAINTS)
		return pw_err_set(err, PW_INTERNAL, "there are %zu complaints", pw_diags_count(diags, 0));
	return PW_OK;
}

const struct oom_scenario oom_scenario = { run, false };
