/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger: per layer what is cleared, suspected, at fault, or untested, and by which steps. */
#include <run/ledger.h>

#include <string.h>

const char *pw_ledger_word(enum pw_ledger_state state)
{
	static const char *const words[] = { "untested", "cleared", "suspected", "at-fault" };
	return (unsigned)state < sizeof words / sizeof *words ? words[state] : "untested";
}

static void note(struct pw_ledger_row *row, const char *step)
{
	for (size_t i = 0; i < row->n_because; i++)
		if (!strcmp(row->because[i], step))
			return;
	if (row->n_because < sizeof row->because / sizeof *row->because)
		row->because[row->n_because++] = step;
}

void pw_ledger_clear(struct pw_ledger *ledger, const struct pw_play_claim *claim, const char *step)
{
	struct pw_ledger_row *row = &ledger->rows[claim->layer];
	note(row, step);
	if (!claim->component && row->state != PW_LEDGER_AT_FAULT)
		row->state = PW_LEDGER_CLEARED;
}

void pw_ledger_suspect(struct pw_ledger *ledger, const struct pw_play_claim *claim, const char *step)
{
	struct pw_ledger_row *row = &ledger->rows[claim->layer];
	note(row, step);
	if (row->state != PW_LEDGER_AT_FAULT)
		row->state = PW_LEDGER_SUSPECTED;
}

void pw_ledger_conclude(struct pw_ledger *ledger, enum pw_layer layer, const char *step)
{
	if (layer < PW_LAYER_COUNT) {
		ledger->rows[layer].state = PW_LEDGER_AT_FAULT;
		note(&ledger->rows[layer], step);
	}
	for (size_t i = 0; layer == PW_LAYER_NONE && i < PW_LAYER_COUNT; i++)
		if (ledger->rows[i].state == PW_LEDGER_SUSPECTED) {
			ledger->rows[i].state = PW_LEDGER_CLEARED;
			note(&ledger->rows[i], step);
		}
}
