/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_LEDGER_H
#define ENGINE_RUN_LEDGER_H

#include <run/run.h>

/*
 * What a walk has cleared and suspected, down to the component. The row of a
 * layer (struct pw_ledger) follows from it: suspected while the layer or any
 * component of it is; cleared once the layer as a whole is. Clearing one
 * component does not clear its layer.
 */
struct pw_suspicion { enum pw_layer layer; const char *component; const char *step; };
struct pw_book {
	struct pw_ledger ledger;
	struct pw_suspicion *open; size_t n_open, cap_open;  /* components suspected now */
	bool whole[PW_LAYER_COUNT];     /* the layer as a whole is suspected */
	bool touched[PW_LAYER_COUNT];   /* something of it was cleared or suspected */
};

/* An edge was taken: its clears first, then its suspects. False: out of memory. */
bool pw_book_take(struct pw_book *book, const struct pw_play_edge *edge, const char *step, struct pw_arena *arena);
/* The walk ended, decided by `step`. */
bool pw_book_close(struct pw_book *book, const struct pw_play_verdict *verdict, const char *step, struct pw_arena *arena);
/* A copy that shares nothing that changes. */
bool pw_book_copy(struct pw_book *to, const struct pw_book *from, struct pw_arena *arena);

#endif
