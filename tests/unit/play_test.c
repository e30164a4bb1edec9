/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A playbook's own cases: what fails, why, and which edges were never taken. */
#include "play_util.h"
#include "tap.h"

static const char text[] =
	"packetwalk: 1\nname: t\ntitle: T\n"
	"inputs:\n  to: {type: service}\n"
	"start: name\n"
	"steps:\n"
	"  name:\n"
	"    check: ask_name\n"
	"    with: {name: \"${to.fqdn}\"}\n"
	"    on:\n"
	"      resolved: {go: each, says: \"${this.server} of ${name.addresses.0}\"}\n"
	"      [timeout, nxdomain]: {verdict: dns}\n"
	"      else: {verdict: dns}\n"
	"  each:\n"
	"    check: knock\n"
	"    for: ${to.endpoints}\n"
	"    with: {address: \"${item.address}\", port: \"${item.port}\"}\n"
	"    on:\n"
	"      every-connected: {verdict: fine}\n"
	"      else: {verdict: closed}\n"
	"verdicts:\n"
	"  dns: {layer: kubernetes, component: coredns, says: \"No ${name.addresses}\"}\n"
	"  fine: {layer: none, says: Fine.}\n"
	"  closed: {layer: application, component: app-bind, says: \"${each.first}\"}\n"
	"tests:\n"
	"  - {given: {outcomes: {name: timeout}}, expect: {verdict: dns, path: [name]}}\n"
	"  - {given: {outcomes: {name: timeout}}, expect: {verdict: fine}}\n"
	"  - {given: {outcomes: {name: resolved}}, expect: {verdict: fine}}\n"
	"  - {given: {outcomes: {name: resolved, each: every-connected}}, expect: {verdict: fine, path: [name]}}\n"
	"  - {given: {outcomes: {name: timeout}}, expect: {verdict: dns, path: [name, each]}}\n"
	"  - {given: {outcomes: {name: timeout}}, expect: {verdict: dns, path: [each]}}\n"
	"  - {given: {outcomes: {name: resolved, each: mixed}, evidence: {name: {addresses: []}}}, expect: {verdict: closed}}\n";

static const char *const want[] = {
	NULL,
	"the verdict is \"dns\", not \"fine\"",
	"the walk reaches the step \"each\", and the case gives no outcome for it",
	"the path goes on: step 2 is \"each\"",
	"step 2 of the path is missing, not \"each\"",
	"step 1 of the path is \"name\", not \"each\"",
	"name: ${name.addresses.0} is not known",
};

static void case_done(void *arg, size_t index, const struct pw_play_test *test, bool passed, const char *why)
{
	size_t *n = arg;
	(void)test;
	is_int(index, *n, "in order");
	is_str(why, want[index], "why");
	ok(passed == !want[index], "case %zu", index + 1);
	++*n;
}

static void test_circle(struct pw_arena *arena)
{
	static const char circle[] =
		"packetwalk: 1\nname: t\ntitle: T\nstart: a\nsteps:\n  a: {check: look, on: {else: {go: b}}}\n  b: {check: look, on: {else: {go: a}}}\n"
		"verdicts: {v: {layer: none, says: x}}\ntests:\n  - {given: {outcomes: {a: same, b: same}}, expect: {verdict: v}}\n";
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_play *play = load_good(circle, &env);
	struct pw_play_coverage coverage = { 0, 0, NULL };
	if (!ok(play != NULL, "it loads: the linter is not the loader"))
		return;
	is_int(pw_play_run_tests(play, arena, NULL, NULL, &coverage, NULL), PW_OK, "a circle ends");
	is_int(coverage.taken, 2, "having gone round");
	pw_play_free(play);
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_play *play = load_good(text, &env);
	struct pw_play_coverage coverage = { 0, 0, NULL };
	size_t n = 0;
	if (!ok(play != NULL, "loads"))
		return tap_done();
	is_int(pw_play_run_tests(play, arena, case_done, &n, &coverage, NULL), PW_OK, "runs");
	is_int(n, sizeof want / sizeof *want, "every case");
	is_int(coverage.edges, 5, "edges: a list of outcomes is one, else is one");
	is_int(coverage.taken, 3, "taken by some case, failed or not");
	is_int(pw_val_count(coverage.missed), 2, "the others");
	is_str(pw_val_text(pw_val_at(coverage.missed, 0)), "name: else", "by step and outcomes");
	is_str(pw_val_text(pw_val_at(coverage.missed, 1)), "each: else", "in order");
	pw_play_free(play);
	test_circle(arena);
	return tap_done();
}
