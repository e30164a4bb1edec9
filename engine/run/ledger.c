/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger: which layers are cleared, suspected, at fault, and which step says so. */
#include <run/ledger.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *pw_ledger_word(enum pw_ledger_state state)
{
	static const char *const words[] = { [PW_LEDGER_UNTESTED] = "untested", [PW_LEDGER_CLEARED] = "cleared",
					     [PW_LEDGER_SUSPECTED] = "suspected", [PW_LEDGER_AT_FAULT] = "at-fault" };
	return (size_t)state < COUNT(words) ? words[state] : "untested";
}

/* Adds a step to the reasons, once; the newest 32 are kept. */
static void add_reason(struct pw_ledger_row *row, const char *step)
{
	for (size_t i = 0; i < row->n_because; i++)
		if (!strcmp(row->because[i], step))
			return;
	if (row->n_because == COUNT(row->because))
		memmove(row->because, row->because + 1, (--row->n_because) * sizeof *row->because);
	row->because[row->n_because++] = step;
}

static void set_state(struct pw_ledger_row *row, enum pw_ledger_state state, const char *step)
{
	if (row->state != state)
		row->n_because = 0;
	row->state = state;
	add_reason(row, step);
}

/* Drops the suspicions that a claim answers. */
static void drop(struct pw_book *book, const struct pw_play_claim *claim)
{
	size_t n = 0;
	for (size_t i = 0; i < book->n_open; i++) {
		const struct pw_suspicion *open = &book->open[i];
		bool same = open->layer == claim->layer && (!claim->component || !strcmp(open->component, claim->component));
		if (!same)
			book->open[n++] = *open;
	}
	book->n_open = n;
}

static bool is_open(const struct pw_book *book, enum pw_layer layer)
{
	for (size_t i = 0; i < book->n_open; i++)
		if (book->open[i].layer == layer)
			return true;
	return book->whole[layer];
}

/* The steps whose suspicions are still open, and nothing else. */
static void keep_reasons(struct pw_book *book, enum pw_layer layer)
{
	struct pw_ledger_row *row = &book->ledger.rows[layer];
	if (book->whole[layer])
		return;
	row->n_because = 0;
	for (size_t i = 0; i < book->n_open; i++)
		if (book->open[i].layer == layer)
			add_reason(row, book->open[i].step);
}

static void clear(struct pw_book *book, const struct pw_play_claim *claim, const char *step)
{
	struct pw_ledger_row *row = &book->ledger.rows[claim->layer];
	bool was_open = is_open(book, claim->layer);
	book->touched[claim->layer] = true;
	drop(book, claim);
	if (!claim->component) {
		book->whole[claim->layer] = false;
		set_state(row, PW_LEDGER_CLEARED, step);
	} else if (was_open && is_open(book, claim->layer)) {
		keep_reasons(book, claim->layer);
	} else if (was_open) {
		/* What was suspected is answered, the rest of the layer is not. */
		row->state = PW_LEDGER_UNTESTED;
		row->n_because = 0;
	}
}

static bool add_open(struct pw_book *book, const struct pw_play_claim *claim, const char *step, struct pw_arena *arena)
{
	if (book->n_open == book->cap_open) {
		size_t cap = book->cap_open ? book->cap_open * 2 : 8;
		struct pw_suspicion *open = pw_arena_array(arena, cap, sizeof *open);
		if (!open)
			return false;
		if (book->n_open)
			memcpy(open, book->open, book->n_open * sizeof *open);
		book->open = open;
		book->cap_open = cap;
	}
	book->open[book->n_open++] = (struct pw_suspicion){ claim->layer, claim->component, step };
	return true;
}

static bool suspect(struct pw_book *book, const struct pw_play_claim *claim, const char *step, struct pw_arena *arena)
{
	book->touched[claim->layer] = true;
	set_state(&book->ledger.rows[claim->layer], PW_LEDGER_SUSPECTED, step);
	if (!claim->component) {
		book->whole[claim->layer] = true;
		return true;
	}
	return add_open(book, claim, step, arena);
}

bool pw_book_take(struct pw_book *book, const struct pw_play_edge *edge, const char *step, struct pw_arena *arena)
{
	for (size_t i = 0; i < edge->n_clears; i++)
		clear(book, &edge->clears[i], step);
	for (size_t i = 0; i < edge->n_suspects; i++)
		if (!suspect(book, &edge->suspects[i], step, arena))
			return false;
	return true;
}

bool pw_book_close(struct pw_book *book, const struct pw_play_verdict *verdict, const char *step, struct pw_arena *arena)
{
	struct pw_ledger_row *rows = book->ledger.rows;
	if (verdict->layer < PW_LAYER_COUNT) {
		struct pw_ledger_row *row = &rows[verdict->layer];
		/* The suspicions that led here are reasons as well; what cleared it is not. */
		if (row->state != PW_LEDGER_SUSPECTED)
			row->n_because = 0;
		row->state = PW_LEDGER_AT_FAULT;
		add_reason(row, step);
	}
	for (size_t i = 0; verdict->layer == PW_LAYER_NONE && i < PW_LAYER_COUNT; i++)
		if (book->touched[i] && rows[i].state != PW_LEDGER_CLEARED)
			set_state(&rows[i], PW_LEDGER_CLEARED, step);
	for (size_t i = 0; verdict->layer == PW_LAYER_UNKNOWN && i < verdict->n_could_be; i++)
		if (!suspect(book, &verdict->could_be[i], step, arena))
			return false;
	return true;
}

bool pw_book_copy(struct pw_book *to, const struct pw_book *from, struct pw_arena *arena)
{
	*to = *from;
	to->cap_open = from->n_open;
	to->open = from->n_open ? pw_arena_array(arena, from->n_open, sizeof *to->open) : NULL;
	if (from->n_open && !to->open)
		return false;
	if (from->n_open)
		memcpy(to->open, from->open, from->n_open * sizeof *to->open);
	return true;
}
