/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loops: many outcomes as one, and who differed. */
#include <packetwalk/cleanup.h>

#include <string.h>

#include <run/run.h>

#include "tap.h"

static void rolls(struct pw_arena *arena, const char *a, const char *b, const char *c, const char *want, const char *what)
{
	const char *outcomes[] = { a, b, c };
	size_t n = 0;
	while (n < 3 && outcomes[n])
		n++;
	is_str(pw_loop_outcome(outcomes, n, arena), want, what);
}

static void test_outcome(struct pw_arena *arena)
{
	rolls(arena, NULL, NULL, NULL, "empty", "nothing to run over");
	rolls(arena, "connected", NULL, NULL, "every-connected", "one");
	rolls(arena, "connected", "connected", "connected", "every-connected", "all alike");
	rolls(arena, "connected", "refused", "connected", "mixed", "two that differ");
	rolls(arena, "unknown", "refused", "connected", "mixed", "they differ whatever the third is");
	rolls(arena, "connected", "unknown", "connected", "unknown", "every is not proven, and no difference was seen");
	rolls(arena, "unknown", "unknown", NULL, "unknown", "nothing is known");
	rolls(arena, "skipped", "skipped", NULL, "skipped", "nothing was run");
	rolls(arena, "skipped", "connected", NULL, "every-connected", "of those that were run");
	rolls(arena, "skipped", "unknown", NULL, "unknown", "one skipped, one not known");
}

static void add(struct pw_val *items, const char *name, const char *outcome)
{
	struct pw_val *item = pw_seq_add_map(items);
	pw_map_set_str(item, "item", name);
	pw_map_set_str(item, "outcome", outcome);
	pw_map_set_str(item, "says", "It said so.");
	pw_map_set_int(pw_map_set_map(item, "evidence"), "ms", 7);
}

static const char *const words[] = { "connected", "refused", "timeout", "unknown", "skipped" };
enum { WORDS = sizeof words / sizeof *words };

static void test_differs(struct pw_arena *arena)
{
	struct pw_val *items = pw_val_seq(arena);
	add(items, "api-1", "connected");
	add(items, "api-2", "refused");
	add(items, "api-3", "connected");
	struct pw_val *evidence = pw_loop_evidence(items, words, WORDS, arena);
	is_str(pw_map_str(evidence, "differs", NULL), "refused: api-2; connected: api-1, api-3", "the rarer first");
	is_str(pw_map_str(evidence, "first", NULL), "api-2", "where to look");
	is_int(pw_val_count(pw_val_get(evidence, "where.connected")), 2, "by outcome");
	ok(pw_val_is(pw_val_get(evidence, "where.timeout"), PW_VAL_SEQ), "an outcome that did not come is an empty list");
	is_str(pw_val_text(pw_val_get(evidence, "items.1.outcome")), "refused", "each item");
	is_str(pw_val_text(pw_map_get(pw_val_get(evidence, "items.1"), "")), "api-2", "with its text");
	long long ms = 0;
	ok(pw_val_to_int(pw_val_get(evidence, "items.2.evidence.ms"), &ms) && ms == 7, "and its evidence");
}

static void test_alike(struct pw_arena *arena)
{
	struct pw_val *items = pw_val_seq(arena);
	struct pw_val *evidence = pw_loop_evidence(items, words, WORDS, arena);
	is_str(pw_map_str(evidence, "differs", NULL), "", "of none");
	is_str(pw_map_str(evidence, "first", NULL), "", "there is no first");
	add(items, "a", "timeout");
	add(items, "b", "timeout");
	evidence = pw_loop_evidence(items, words, WORDS, arena);
	is_str(pw_map_str(evidence, "differs", NULL), "", "nobody differs");
	is_str(pw_map_str(evidence, "first", NULL), "a", "the first of all");
	evidence = pw_loop_evidence(NULL, words, WORDS, arena);
	ok(pw_val_is(pw_map_get(evidence, "items"), PW_VAL_SEQ), "no items at all: a step that was not run");
}

static void test_items(struct pw_arena *arena)
{
	struct pw_val *items = pw_val_seq(arena), *one = pw_seq_add_map(items), *item = pw_map_set_map(one, "item");
	pw_map_set_str(item, "", "10.0.0.1:80");
	pw_map_set_str(item, "node", "n1");
	pw_map_set_str(one, "outcome", "refused");
	pw_map_set(pw_seq_add_map(items), "item", pw_val_int(arena, 443));
	struct pw_val *evidence = pw_loop_evidence(items, words, WORDS, arena);
	is_str(pw_val_text(pw_val_get(evidence, "items.0.node")), "n1", "the item's fields are there");
	is_str(pw_map_str(evidence, "differs", NULL), "refused: 10.0.0.1:80; unknown: 443", "numbers have a text; no outcome is not known");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 22);
	test_outcome(arena);
	test_differs(arena);
	test_alike(arena);
	test_items(arena);
	return tap_done();
}
