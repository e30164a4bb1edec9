/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DATAPLANE_IPTABLES_H
#define ENGINE_DATAPLANE_IPTABLES_H

#include "rules.h"

/* A rule specification ("-s … -m … -j …") cut into tokens. */
struct pw_ipt_cursor { const char *at, *end; bool bad_quote; };
struct pw_ipt_token { const char *text; size_t len; };

bool pw_ipt_next(struct pw_ipt_cursor *cursor, struct pw_ipt_token *ret); /* false at the end, or at a quote that never closes */
bool pw_ipt_is(struct pw_ipt_token token, const char *word);

/* Where a rule belongs: jumps are to chains of the same table. */
struct pw_ipt_place {
	struct pw_rules *rules;
	enum pw_rules_backend backend;
	enum pw_family family;
	const char *table;
	size_t table_len;
};

/* Matches and target of one rule; the chain word has been read already. NULL with *ret_why when it cannot be read
 * (or out of memory: the arena knows). The rule borrows `text`. */
struct pw_rules_rule *pw_ipt_rule(const struct pw_ipt_place *place, struct pw_ipt_cursor cursor, const char **ret_why);

#endif
