/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_RULES_H
#define TESTS_FUZZ_RULES_H

#include <packetwalk/dataplane.h>

#include "fuzz.h"

/* Whatever was parsed, every question about it has an answer. */
static inline void ask_rules(const struct pw_rules *rules, const struct pw_packet *packets, size_t n, struct pw_arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		struct pw_val *ret = pw_val_map(arena);
		int rc = pw_rules_walk(rules, &packets[i], arena, ret, NULL);
		MUST(rc == PW_NOMEM || (rc == PW_OK && pw_map_str(ret, "outcome", NULL)));
		rc = pw_rules_find_drops(rules, &packets[i], arena, ret, NULL);
		MUST(rc == PW_NOMEM || rc == PW_OK);
	}
	MUST(pw_rules_drop_counters(rules, pw_val_map(arena)) == PW_OK);
}

#endif
