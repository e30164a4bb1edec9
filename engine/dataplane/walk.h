/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DATAPLANE_WALK_H
#define ENGINE_DATAPLANE_WALK_H

#include "rules.h"

/*
 * A packet goes through the rules as a set of worlds. Where the packet alone
 * does not decide (a random choice, an ipset, an unknown match) both ways are
 * followed; worlds that became equal again merge, so the work stays small.
 */
enum {
	PW_W_DNAT = 1u << 0,      /* destination rewritten */
	PW_W_SNAT = 1u << 1,      /* source rewritten: SNAT or MASQUERADE */
	PW_W_ACCEPTED = 1u << 2,  /* a filter rule accepted it explicitly */
	PW_W_NOTRACK = 1u << 3,
	PW_W_LOCAL = 1u << 4,     /* REDIRECTed to this host */
	PW_W_HAS_SRC = 1u << 5,
	PW_W_HAS_DST = 1u << 6,
};

struct pw_world {
	struct pw_key src, dst;
	uint32_t mark;
	uint16_t sport, dport; /* 0: unknown */
	uint16_t flags;
};

struct pw_worlds {
	struct pw_world *items; /* `few` or the heap */
	size_t n, cap;
	struct pw_world few[2];
};

struct pw_drop {
	const struct pw_rules_rule *rule;  /* NULL: the policy of `base` */
	const struct pw_rules_chain *base;
	enum pw_act verdict;               /* PW_ACT_DROP or PW_ACT_REJECT */
	const char *text;                  /* of a REJECT */
	bool certain;
};

enum { PW_JUMPS_MAX = 32 }; /* nf_tables allows 16 (NFT_JUMP_STACK_SIZE) */

struct pw_passage {
	const struct pw_rules *rules;
	const struct pw_packet *packet;
	struct pw_arena *arena;
	const struct pw_rules_chain *base; /* being run */
	enum pw_hook hook;
	bool looped;                       /* a local packet on its second leg, through lo */
	uint8_t family;                    /* 4, 6, 0: unknown */
	bool has_proto;
	uint64_t proto;
	uint32_t ctstate;
	const struct pw_key *locals;
	size_t n_locals;

	struct pw_drop *drops;
	size_t n_drops;
	const struct pw_rules_rule *dnat_rule, *accept_rule; /* the first that did */
	struct pw_val *targets, *trail, *unknown;            /* any may be NULL: not wanted */
	const struct pw_rules_rule **seen;                   /* in the trail */
	size_t n_seen;
	const struct pw_rules_chain *inside[PW_JUMPS_MAX]; /* the chains that the one being run was jumped to from */
	unsigned long steps;
	bool exhausted, oom;
};

enum pw_tri { PW_NO, PW_MAYBE, PW_YES };

/* Packet into the walk (eval.c). */
int pw_passage_init(struct pw_passage *walk, const struct pw_rules *rules, const struct pw_packet *packet, struct pw_arena *arena,
		 struct pw_world *ret_world, struct pw_err *err);
enum pw_tri pw_eval_rule(struct pw_passage *walk, const struct pw_world *world, const struct pw_rules_rule *rule);
enum pw_tri pw_eval_field(const struct pw_passage *walk, const struct pw_world *world, enum pw_field field, struct pw_key *ret); /* PW_NO: has none */
bool pw_world_local(const struct pw_passage *walk, const struct pw_world *world);
bool pw_passage_proto_has_ports(const struct pw_passage *walk);

/* Chains (run.c). */
void pw_worlds_init(struct pw_worlds *worlds);
void pw_worlds_release(struct pw_worlds *worlds);
void pw_worlds_add(struct pw_passage *walk, struct pw_worlds *worlds, const struct pw_world *world); /* merges equals */
void pw_worlds_add_all(struct pw_passage *walk, struct pw_worlds *worlds, const struct pw_worlds *more);
/* One base chain, policy included: what gets past it is added to `out`. */
void pw_run_base(struct pw_passage *walk, const struct pw_rules_chain *base, const struct pw_worlds *in, struct pw_worlds *out);
/* All base chains of a hook. `every`: all families, and drops do not stop what follows (pw_rules_find_drops). */
void pw_run_hook(struct pw_passage *walk, enum pw_hook hook, bool every, const struct pw_worlds *in, struct pw_worlds *out);
int pw_passage_result(const struct pw_passage *walk, struct pw_err *err); /* out of memory, out of budget */

/* Evidence of a rule, or of the policy of `base` when rule is NULL. */
void pw_passage_say_rule(const struct pw_rules_rule *rule, const struct pw_rules_chain *base, struct pw_val *map);

#endif
