/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_DATAPLANE_UTIL_H
#define TESTS_UNIT_DATAPLANE_UTIL_H

#include <packetwalk/cleanup.h>
#include <packetwalk/dataplane.h>

#include <stdio.h>
#include <string.h>

#include "tap.h"

/* One rule set and what walks over it gave; freed at the end of the scope. */
static inline struct pw_rules *rules_of(struct pw_arena *arena, const char *save)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = pw_rules_add_iptables_save(rules, PW_RULES_TEXT, save, strlen(save), "test.save", &err);
	ok(rc == PW_OK, "the dump parses: %s", err.text);
	return rules;
}

static inline const struct pw_val *walk(struct pw_arena *arena, const struct pw_rules *rules, const struct pw_packet *packet)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *ret = pw_val_map(arena);
	int rc = pw_rules_walk(rules, packet, arena, ret, &err);
	if (rc != PW_OK)
		ok(false, "the walk works: %s", err.text);
	return ret;
}

static inline const char *outcome_of(struct pw_arena *arena, const struct pw_rules *rules, const struct pw_packet *packet)
{
	return pw_map_str(walk(arena, rules, packet), "outcome", "?");
}

/* "a,b,c" of a list of strings */
static inline const char *joined(struct pw_arena *arena, const struct pw_val *seq)
{
	const char *text = "";
	for (size_t i = 0; i < pw_val_count(seq); i++)
		text = pw_arena_printf(arena, "%s%s%s", text, i ? "," : "", pw_val_text(pw_val_at(seq, i)));
	return text;
}

#endif
