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

/* ---- between iptables_rule.c and iptables_target.c ---- */

enum {
	PW_IPT_MATCHES = 48,  /* of one rule; iptables-save prints a handful */
	PW_IPT_RANGES = 96,   /* multiport takes 15 ports */
	PW_IPT_ACTIONS = 8,
};
/* The rule being built. */
struct pw_ipt_build {
	const struct pw_ipt_place *place;
	struct pw_ipt_cursor cursor;
	struct pw_match matches[PW_IPT_MATCHES];
	struct pw_range ranges[PW_IPT_RANGES];
	struct pw_action actions[PW_IPT_ACTIONS];
	unsigned n_matches, n_ranges, n_actions;
	struct pw_ipt_token module;     /* the last -m */
	const char *unknown;            /* start of a stretch that is not understood, NULL: none */
	bool unknown_true;              /* ... that always matches (recent --set) */
	bool in_target;
	bool negate;
	const char *negate_at;
	const char *why;
};

bool pw_ipt_any_of(struct pw_ipt_token token, const char *const *words, size_t n);
#define PW_IPT_ANY_OF(token, words) pw_ipt_any_of((token), (words), sizeof(words) / sizeof *(words))

const char *pw_ipt_keep(struct pw_ipt_build *b, const char *text, size_t len); /* a copy in the rules' arena */
bool pw_ipt_value(struct pw_ipt_build *b, struct pw_ipt_token *ret);           /* of the option just read */
bool pw_ipt_port(const char *text, size_t len, struct pw_range *ret);          /* "80", "80:90", ":1023", "1024:" */
bool pw_ipt_addr_span(const char *text, size_t len, struct pw_range *ret);     /* "a", "a/len", "a-b" */
bool pw_ipt_masked(struct pw_ipt_token token, uint32_t *ret_value, uint32_t *ret_mask); /* value[/mask] */

void pw_ipt_add_action(struct pw_ipt_build *b, struct pw_action action);
void pw_ipt_target(struct pw_ipt_build *b, struct pw_ipt_token name, bool go);
/* An option after -j. `target` tells MARK's from CONNMARK's. False: its value is missing. */
bool pw_ipt_target_option(struct pw_ipt_build *b, struct pw_ipt_token target, struct pw_ipt_token option);

#endif
