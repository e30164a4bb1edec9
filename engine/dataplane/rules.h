/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DATAPLANE_RULES_H
#define ENGINE_DATAPLANE_RULES_H

#include <stdint.h>

#include <packetwalk/buf.h>
#include <packetwalk/dataplane.h>

/*
 * The model behind pw_rules. iptables options and nft expressions become the
 * same thing: matches over fields of a packet, then actions. Every value
 * (address, port, mark, interface name) is a 128-bit key, so that every test is
 * a range test and every set or verdict map one hash table.
 */

struct pw_key { uint64_t hi, lo; };
struct pw_range { struct pw_key lo, hi; };

enum pw_field {
	PW_F_SADDR, PW_F_DADDR,     /* IPv4 as ::ffff:a.b.c.d */
	PW_F_PROTO,                 /* IP protocol number */
	PW_F_SPORT, PW_F_DPORT,
	PW_F_PORT,                  /* multiport --ports: either */
	PW_F_IIF, PW_F_OIF,         /* name, packed into the key */
	PW_F_MARK,
	PW_F_CTSTATE,               /* PW_CT_* bits */
	PW_F_SRC_TYPE, PW_F_DST_TYPE, /* RTN_* of rtnetlink.h */
	PW_F_TCPFLAGS,
	PW_F_ICMP_TYPE,
	PW_F_NFPROTO,               /* 4 or 6 */
	PW_F_CHANCE,                /* statistic, numgen, jhash: any value may come up */
	PW_F_UNKNOWN,               /* not known from the packet */
};
#define PW_FIELDS_MAX 6u            /* of one concatenation */

enum pw_ct_bit {
	PW_CT_INVALID = 1u << 0, PW_CT_ESTABLISHED = 1u << 1, PW_CT_RELATED = 1u << 2, PW_CT_NEW = 1u << 3,
	PW_CT_UNTRACKED = 1u << 6, PW_CT_SNAT = 1u << 7, PW_CT_DNAT = 1u << 8,
};

struct pw_rules_chain;
struct pw_rules_rule;

enum pw_act {
	PW_ACT_PASS,                /* LOG, counters, ...: goes on with the next action or rule */
	PW_ACT_ACCEPT, PW_ACT_DROP, PW_ACT_REJECT, PW_ACT_RETURN,
	PW_ACT_JUMP, PW_ACT_GOTO,
	PW_ACT_DNAT, PW_ACT_SNAT,   /* SNAT: MASQUERADE too */
	PW_ACT_REDIRECT,
	PW_ACT_MARK,                /* mark = (mark & and) ^ xor */
	PW_ACT_NOTRACK,
	PW_ACT_QUEUE,               /* a program decides */
	PW_ACT_VMAP,                /* look the key up, then do what the element says */
};

struct pw_nat { struct pw_key lo, hi; bool has_addr; uint16_t port_lo, port_hi; };

struct pw_action {
	enum pw_act kind;
	const char *text;           /* REJECT: the answer; QUEUE and unknown DNAT: the name */
	union {
		struct pw_rules_chain *chain;
		struct pw_nat nat;
		struct { uint32_t keep, flip; } mark;
		struct { const struct pw_set *set; uint8_t fields[PW_FIELDS_MAX]; uint8_t n; } vmap;
	} u;
};

struct pw_elem {
	struct pw_elem *next;       /* of all elements */
	struct pw_elem *same;       /* of the same hash bucket, or of the ones with ranges */
	struct pw_action action;    /* of a map */
	struct pw_range ranges[];   /* one per field */
};

struct pw_set {
	struct pw_set *next;        /* of the same bucket of names */
	const char *name, *table;
	uint8_t family;
	uint8_t n_fields;
	bool unreadable;            /* holds elements that could not be read: a miss is no proof */
	size_t n;
	struct pw_elem *first, **last;
	struct pw_elem *loose;      /* elements with a range in some field */
	struct pw_elem **buckets;   /* exact ones */
	size_t n_buckets;           /* a power of two, 0: not indexed */
};

enum pw_match_op { PW_M_RANGES, PW_M_SET, PW_M_ANYBIT, PW_M_MASKED, PW_M_CHANCE, PW_M_UNKNOWN };

struct pw_match {
	uint8_t op, n_fields;
	bool negate;
	uint8_t fields[PW_FIELDS_MAX];
	uint32_t n;                 /* of ranges */
	union {
		const struct pw_range *ranges; /* one field, any of them */
		const struct pw_set *set;
		struct { uint64_t mask, value; } bits;
		const char *text;   /* PW_M_UNKNOWN: as written */
	} u;
};

struct pw_rules_rule {
	struct pw_rules_rule *next;   /* of the chain */
	struct pw_rules_rule *same;   /* of the same index bucket, or of the ones without a key */
	struct pw_rules_chain *chain;
	const char *text;             /* as iptables-save or nft prints it, without counters */
	uint64_t packets, bytes;
	bool counted;                 /* has a counter */
	unsigned number;              /* in its chain, from 1 */
	const struct pw_match *matches;
	const struct pw_action *actions;
	uint16_t n_matches, n_actions;
};

enum pw_hook {
	PW_HOOK_NONE, PW_HOOK_INGRESS, PW_HOOK_PREROUTING, PW_HOOK_INPUT, PW_HOOK_FORWARD, PW_HOOK_OUTPUT,
	PW_HOOK_POSTROUTING, PW_HOOK_EGRESS,
};
enum pw_chain_type { PW_CHAIN_FILTER, PW_CHAIN_NAT, PW_CHAIN_OTHER };
enum pw_family { PW_FAM_ANY, PW_FAM_IP, PW_FAM_IP6, PW_FAM_INET, PW_FAM_BRIDGE, PW_FAM_NETDEV, PW_FAM_ARP };

struct pw_rules_chain {
	struct pw_rules_chain *next;  /* of all chains */
	struct pw_rules_chain *same;  /* of the same hash bucket */
	const char *name, *table, *dev;
	enum pw_rules_backend backend;
	uint8_t family, hook, type;
	bool native;                  /* written by nft, not by iptables */
	bool declared, policy_drop;
	bool dirty;                   /* got rules since it was indexed */
	bool renumber;                /* got a rule in front of others */
	uint64_t policy_packets;
	bool policy_counted;
	int prio;
	size_t n_rules;
	struct pw_rules_rule *first, **last;
	struct pw_rules_rule *loose;  /* rules that the index does not hold, in order */
	struct pw_rules_rule **buckets;
	size_t n_buckets;             /* a power of two, 0: not indexed */
};

enum { PW_SET_BUCKETS = 4096 }; /* a power of two */

struct pw_rules {
	struct pw_arena *arena;
	struct pw_rules_chain *chains, **last_chain;
	struct pw_rules_chain **buckets;
	size_t n_buckets, n_chains, n_declared, n_rules;
	struct pw_rules_chain **base; /* sorted by hook, priority, order of reading */
	size_t n_base;
	struct pw_set *sets[PW_SET_BUCKETS]; /* named ones: kube-proxy makes one per endpoint with affinity */
	struct pw_val *problems;
	const char **locals;        /* addresses of the namespace that pw_rules_read ran in */
	size_t n_locals;
};

/* Keys (key.c). Parsers answer false for what they cannot read. */
struct pw_key pw_key_num(uint64_t n);
int pw_key_compare(struct pw_key a, struct pw_key b);
bool pw_key_in(const struct pw_range *range, struct pw_key key);
bool pw_range_exact(const struct pw_range *range);
bool pw_key_addr(const char *text, size_t len, struct pw_key *ret, bool *ret_v6);
bool pw_range_addr(const char *text, size_t len, struct pw_range *ret, bool *ret_v6); /* "a", "a/len", "a/mask" */
void pw_range_prefix(struct pw_key addr, bool v6, unsigned len, struct pw_range *ret);
bool pw_range_iface(const char *text, size_t len, char wildcard, struct pw_range *ret); /* "eth0", "eth+" */
bool pw_key_proto(const char *text, size_t len, uint64_t *ret);
bool pw_key_number(const char *text, size_t len, uint64_t max, uint64_t *ret); /* decimal or 0x */
uint64_t pw_keys_hash(const struct pw_key *keys, size_t n);
void pw_key_format_addr(struct pw_key key, char out[48]); /* canonical literal */
bool pw_key_is_v4(struct pw_key key);

/* The model (rules.c). */
struct pw_rules_chain *pw_rules_chain_get(struct pw_rules *rules, enum pw_rules_backend backend, enum pw_family family,
					  const char *table, size_t table_len, const char *name, size_t name_len); /* made when missing */
struct pw_rules_chain *pw_rules_chain_find(const struct pw_rules *rules, enum pw_rules_backend backend, enum pw_family family,
					   const char *table, const char *name);
void pw_rules_declare(struct pw_rules *rules, struct pw_rules_chain *chain);
void pw_rules_append(struct pw_rules *rules, struct pw_rules_chain *chain, struct pw_rules_rule *rule);
void pw_rules_insert(struct pw_rules *rules, struct pw_rules_chain *chain, struct pw_rules_rule *rule, unsigned at);
void pw_rules_problem(struct pw_rules *rules, const char *file, unsigned line, const char *fmt, ...) PW_PRINTF(4, 5);
int pw_rules_finish(struct pw_rules *rules, struct pw_err *err); /* after reading: indexes, order of base chains */
bool pw_rules_has_table(const struct pw_rules *rules, enum pw_rules_backend backend, enum pw_family family, const char *table);
const char *pw_rules_backend_word(enum pw_rules_backend backend);
const char *pw_family_word(unsigned family);
enum pw_family pw_family_of(const char *word, size_t len); /* PW_FAM_ANY if none */
const char *pw_hook_word(unsigned hook);
enum pw_hook pw_hook_of(const char *word, size_t len);
/* "filter" for what iptables wrote, "inet fw" for what nft wrote, "ip6 filter" for ip6tables. */
const char *pw_rules_table_name(const struct pw_rules_chain *chain, char *out, size_t size);
uint64_t pw_rule_key(const struct pw_rules_rule *rule, bool *ret_indexable);
uint64_t pw_rule_key_of(struct pw_key daddr, bool any_daddr, uint64_t proto, uint64_t dport);

/* Sets (set.c). */
struct pw_set *pw_set_new(struct pw_arena *arena, unsigned n_fields);
struct pw_elem *pw_set_add(struct pw_arena *arena, struct pw_set *set, const struct pw_range *ranges);
void pw_set_finish(struct pw_arena *arena, struct pw_set *set);
/* The element that holds the keys, NULL if none. */
const struct pw_elem *pw_set_find(const struct pw_set *set, const struct pw_key *keys);

#endif
