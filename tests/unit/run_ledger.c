/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger: claims in, states and reasons out. */
#include <run/ledger.h>

#include <packetwalk/cleanup.h>

#include "tap.h"

static const struct pw_play_claim kubernetes = { .layer = PW_LAYER_KUBERNETES }, coredns = { .layer = PW_LAYER_KUBERNETES, .component = "coredns" },
	proxy = { .layer = PW_LAYER_KUBERNETES, .component = "kube-proxy" };

static void clears(struct pw_book *book, const struct pw_play_claim *claim, const char *step, struct pw_arena *arena)
{
	(void)pw_book_take(book, &(struct pw_play_edge){ .clears = claim, .n_clears = 1 }, step, arena);
}

static void suspects(struct pw_book *book, const struct pw_play_claim *claim, const char *step, struct pw_arena *arena)
{
	(void)pw_book_take(book, &(struct pw_play_edge){ .suspects = claim, .n_suspects = 1 }, step, arena);
}

static void is_row(const struct pw_book *book, const char *state, size_t n, const char *first, const char *what)
{
	const struct pw_ledger_row *row = &book->ledger.rows[PW_LAYER_KUBERNETES];
	is_str(pw_ledger_word(row->state), state, what);
	is_int(row->n_because, n, "how many reasons");
	if (n && row->n_because)
		is_str(row->because[0], first, "the first reason");
}

static void test_layer(struct pw_arena *arena)
{
	struct pw_book book = { 0 };
	is_row(&book, "untested", 0, NULL, "at first");
	suspects(&book, &kubernetes, "a", arena);
	suspects(&book, &kubernetes, "b", arena);
	suspects(&book, &kubernetes, "b", arena);
	is_row(&book, "suspected", 2, "a", "suspected twice");
	clears(&book, &coredns, "c", arena);
	is_row(&book, "suspected", 2, "a", "one component of it is clear: still suspected");
	clears(&book, &kubernetes, "d", arena);
	is_row(&book, "cleared", 1, "d", "cleared, for a reason of its own");
	suspects(&book, &coredns, "e", arena);
	is_row(&book, "suspected", 1, "e", "suspected again");
}

static void test_components(struct pw_arena *arena)
{
	struct pw_book book = { 0 };
	clears(&book, &coredns, "a", arena);
	is_row(&book, "untested", 0, NULL, "one component clear is not the layer");
	suspects(&book, &coredns, "b", arena);
	suspects(&book, &proxy, "c", arena);
	is_row(&book, "suspected", 2, "b", "two are suspected");
	clears(&book, &coredns, "d", arena);
	is_row(&book, "suspected", 1, "c", "one is left, and its reason");
	clears(&book, &proxy, "e", arena);
	is_row(&book, "untested", 0, NULL, "none is left, and the rest was not tested");
}

static void test_ends(struct pw_arena *arena)
{
	static const struct pw_play_verdict fault = { .layer = PW_LAYER_KUBERNETES }, none = { .layer = PW_LAYER_NONE };
	static const struct pw_play_claim either[] = { { .layer = PW_LAYER_KUBERNETES, .component = "coredns" }, { .layer = PW_LAYER_CNI } };
	static const struct pw_play_verdict open = { .layer = PW_LAYER_UNKNOWN, .could_be = either, .n_could_be = 2 };
	struct pw_book book = { 0 }, before;
	suspects(&book, &kubernetes, "a", arena);
	ok(pw_book_copy(&before, &book, arena), "copied");
	(void)pw_book_close(&book, &fault, "b", arena);
	is_row(&book, "at-fault", 2, "a", "at fault, with what led there");
	is_row(&before, "suspected", 1, "a", "the copy is its own");
	(void)pw_book_close(&before, &none, "c", arena);
	is_row(&before, "cleared", 1, "c", "healthy: what was suspected is clear");
	is_int(before.ledger.rows[PW_LAYER_CNI].state, PW_LEDGER_UNTESTED, "what was not tested is not");
	struct pw_book third = { 0 };
	clears(&third, &kubernetes, "x", arena);
	(void)pw_book_close(&third, &fault, "y", arena);
	is_row(&third, "at-fault", 1, "y", "what once cleared it is no reason");
	struct pw_book fourth = { 0 };
	(void)pw_book_close(&fourth, &open, "z", arena);
	is_row(&fourth, "suspected", 1, "z", "not decided: what could be is suspected");
	is_int(fourth.ledger.rows[PW_LAYER_CNI].state, PW_LEDGER_SUSPECTED, "all of it");
}

static void test_many(struct pw_arena *arena)
{
	struct pw_book book = { 0 };
	for (int i = 0; i < 40; i++)
		suspects(&book, &kubernetes, pw_arena_printf(arena, "s%d", i), arena);
	is_row(&book, "suspected", 32, "s8", "the newest reasons are kept");
	for (int i = 0; i < 40; i++)
		suspects(&book, &coredns, "c", arena);
	is_int(book.n_open, 40, "and every open suspicion");
	is_str(pw_ledger_word((enum pw_ledger_state)9), "untested", "a state that is none");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 22);
	test_layer(arena);
	test_components(arena);
	test_ends(arena);
	test_many(arena);
	return tap_done();
}
