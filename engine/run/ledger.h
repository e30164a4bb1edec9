/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_LEDGER_H
#define ENGINE_RUN_LEDGER_H

#include <run/run.h>

/* How edges and verdicts move the rows of the ledger. */

/* Clearing a whole layer clears its row; clearing one component leaves a
 * suspected or untested row as it is, with the step noted. */
void pw_ledger_clear(struct pw_ledger *ledger, const struct pw_play_claim *claim, const char *step);
/* A layer at fault stays so; anything else becomes suspected. */
void pw_ledger_suspect(struct pw_ledger *ledger, const struct pw_play_claim *claim, const char *step);
/* The end: a layer verdict puts its row at fault; `none` clears every row that was tested. */
void pw_ledger_conclude(struct pw_ledger *ledger, enum pw_layer layer, const char *step);

#endif
