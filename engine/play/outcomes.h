/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_OUTCOMES_H
#define ENGINE_PLAY_OUTCOMES_H

#include <play/play.h>

/* The words a loop ends in besides every-X (and unknown, skipped). */
#define PW_OUTCOME_EVERY "every-"
#define PW_OUTCOME_MIXED "mixed"   /* two outcomes were seen that differ */
#define PW_OUTCOME_EMPTY "empty"   /* the list was empty */
#define PW_ANSWER_NOT_SURE "not-sure"
#define PW_WORD_CALLEE "callee"    /* as a verdict: that of the called playbook */

bool pw_play_edge_names(const struct pw_play_edge *edge, const char *outcome); /* by name, not by else */

#endif
