/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the outcomes of a loop's items become the outcome of the step. */
#include <run/run.h>

#include <string.h>

const char *pw_loop_outcome(const char *const *outcomes, size_t n, struct pw_arena *arena)
{
	if (!n)
		return "empty";
	for (size_t i = 1; i < n; i++)
		if (strcmp(outcomes[i], outcomes[0]))
			return "mixed";
	/* unknown and skipped mean the same of one item and of all. */
	if (!strcmp(outcomes[0], PW_OUTCOME_UNKNOWN) || !strcmp(outcomes[0], PW_OUTCOME_SKIPPED))
		return outcomes[0];
	return pw_arena_printf(arena, "every-%s", outcomes[0]);
}
