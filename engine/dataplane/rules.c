/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rule model: chains by name, rules in order, and an index of large chains
 * by destination, protocol and port, so that a packet meets the few rules of a
 * hundred thousand that can concern it.
 */
#include "rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64, INDEX_FROM = 16, PROBLEMS_MAX = 64 };

struct pw_rules *pw_rules_new(struct pw_arena *arena)
{
	struct pw_rules *rules = pw_arena_alloc(arena, sizeof *rules);
	if (!rules)
		return NULL;
	rules->arena = arena;
	rules->last_chain = &rules->chains;
	rules->n_buckets = FIRST_BUCKETS;
	rules->buckets = pw_arena_array(arena, FIRST_BUCKETS, sizeof(struct pw_rules_chain *));
	rules->problems = pw_val_seq(arena);
	return rules->buckets && rules->problems ? rules : NULL;
}

static uint64_t chain_hash(enum pw_rules_backend backend, enum pw_family family, const char *table, size_t table_len, const char *name,
			   size_t name_len)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)backend << 8 ^ (uint64_t)family; /* FNV-1a */
	for (size_t i = 0; i < table_len; i++)
		hash = (hash ^ (unsigned char)table[i]) * 0x100000001b3u;
	hash = (hash ^ '/') * 0x100000001b3u;
	for (size_t i = 0; i < name_len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

static bool same_text(const char *text, const char *slice, size_t len)
{
	return strncmp(text, slice, len) == 0 && text[len] == '\0';
}

static struct pw_rules_chain *find(const struct pw_rules *rules, uint64_t hash, enum pw_rules_backend backend, enum pw_family family,
				   const char *table, size_t table_len, const char *name, size_t name_len)
{
	for (struct pw_rules_chain *chain = rules->buckets[hash & (rules->n_buckets - 1)]; chain; chain = chain->same)
		if (chain->backend == backend && chain->family == family && same_text(chain->name, name, name_len)
		    && same_text(chain->table, table, table_len))
			return chain;
	return NULL;
}

struct pw_rules_chain *pw_rules_chain_find(const struct pw_rules *rules, enum pw_rules_backend backend, enum pw_family family,
					   const char *table, const char *name)
{
	size_t table_len = strlen(table), name_len = strlen(name);
	return find(rules, chain_hash(backend, family, table, table_len, name, name_len), backend, family, table, table_len, name, name_len);
}

static void link_chain(struct pw_rules *rules, struct pw_rules_chain *chain)
{
	uint64_t hash = chain_hash(chain->backend, (enum pw_family)chain->family, chain->table, strlen(chain->table), chain->name, strlen(chain->name));
	struct pw_rules_chain **slot = &rules->buckets[hash & (rules->n_buckets - 1)];
	chain->same = *slot;
	*slot = chain;
}

static void grow(struct pw_rules *rules)
{
	size_t n = rules->n_buckets * 4;
	struct pw_rules_chain **buckets = pw_arena_array(rules->arena, n, sizeof(struct pw_rules_chain *));
	if (!buckets)
		return; /* slower, still right */
	rules->buckets = buckets;
	rules->n_buckets = n;
	for (struct pw_rules_chain *chain = rules->chains; chain; chain = chain->next)
		link_chain(rules, chain);
}

/* The tables of iptables and the priorities of their chains (linux/netfilter_ipv4.h, NF_IP_PRI_*). */
static int table_priority(const char *table, enum pw_hook hook)
{
	if (strcmp(table, "raw") == 0)
		return -300;
	if (strcmp(table, "mangle") == 0)
		return -150;
	if (strcmp(table, "nat") == 0)
		return hook == PW_HOOK_POSTROUTING || hook == PW_HOOK_INPUT ? 100 : -100;
	if (strcmp(table, "security") == 0)
		return 50;
	return 0;
}

static void set_builtin(struct pw_rules_chain *chain)
{
	static const char *const tables[] = { "filter", "nat", "mangle", "raw", "security" };
	static const struct { const char *name; enum pw_hook hook; } builtin[] = {
		{ "PREROUTING", PW_HOOK_PREROUTING }, { "INPUT", PW_HOOK_INPUT }, { "FORWARD", PW_HOOK_FORWARD },
		{ "OUTPUT", PW_HOOK_OUTPUT }, { "POSTROUTING", PW_HOOK_POSTROUTING },
	};
	bool known = false;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		known = known || strcmp(chain->table, tables[i]) == 0;
	for (size_t i = 0; known && i < sizeof builtin / sizeof *builtin; i++) {
		if (strcmp(chain->name, builtin[i].name) != 0)
			continue;
		chain->hook = (uint8_t)builtin[i].hook;
		chain->prio = table_priority(chain->table, builtin[i].hook);
		chain->type = strcmp(chain->table, "nat") == 0 ? PW_CHAIN_NAT : PW_CHAIN_FILTER;
	}
}

struct pw_rules_chain *pw_rules_chain_get(struct pw_rules *rules, enum pw_rules_backend backend, enum pw_family family,
					  const char *table, size_t table_len, const char *name, size_t name_len)
{
	uint64_t hash = chain_hash(backend, family, table, table_len, name, name_len);
	struct pw_rules_chain *chain = find(rules, hash, backend, family, table, table_len, name, name_len);
	if (chain)
		return chain;
	if (rules->n_chains >= rules->n_buckets)
		grow(rules);
	chain = pw_arena_alloc(rules->arena, sizeof *chain);
	if (!chain)
		return NULL;
	chain->backend = backend;
	chain->family = (uint8_t)family;
	chain->table = pw_arena_strndup(rules->arena, table, table_len);
	chain->name = pw_arena_strndup(rules->arena, name, name_len);
	if (!chain->table || !chain->name)
		return NULL;
	chain->last = &chain->first;
	link_chain(rules, chain);
	*rules->last_chain = chain;
	rules->last_chain = &chain->next;
	rules->n_chains++;
	return chain;
}

void pw_rules_declare(struct pw_rules *rules, struct pw_rules_chain *chain)
{
	if (!chain->declared)
		rules->n_declared++;
	chain->declared = true;
}

void pw_rules_append(struct pw_rules *rules, struct pw_rules_chain *chain, struct pw_rules_rule *rule)
{
	*chain->last = rule;
	chain->last = &rule->next;
	rule->chain = chain;
	rule->number = (unsigned)++chain->n_rules;
	chain->dirty = true;
	rules->n_rules++;
}

void pw_rules_insert(struct pw_rules *rules, struct pw_rules_chain *chain, struct pw_rules_rule *rule, unsigned at)
{
	enum { SEARCH_MAX = 1000 }; /* iptables-save never prints -I; a hostile file must not cost n^2 */
	struct pw_rules_rule **slot = &chain->first;
	for (unsigned i = 1; i < at && i < SEARCH_MAX && *slot; i++)
		slot = &(*slot)->next;
	if (!*slot) {
		pw_rules_append(rules, chain, rule);
		return;
	}
	rule->next = *slot;
	rule->chain = chain;
	*slot = rule;
	chain->n_rules++;
	rules->n_rules++;
	chain->dirty = true;
	chain->renumber = true;
}

static void renumber(struct pw_rules_chain *chain)
{
	unsigned number = 0;
	for (struct pw_rules_rule *rule = chain->first; rule; rule = rule->next)
		rule->number = ++number;
	chain->renumber = false;
}

void pw_rules_problem(struct pw_rules *rules, const char *file, unsigned line, const char *fmt, ...)
{
	if (pw_val_count(rules->problems) >= PROBLEMS_MAX)
		return;
	char why[256], text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	if (line > 0)
		(void)snprintf(text, sizeof text, "%.200s:%u: %s", file ? file : "rules", line, why);
	else
		(void)snprintf(text, sizeof text, "%.200s: %s", file ? file : "rules", why);
	pw_seq_add_str(rules->problems, text);
}

uint64_t pw_rule_key_of(struct pw_key daddr, bool any_daddr, uint64_t proto, uint64_t dport)
{
	struct pw_key keys[2] = { any_daddr ? (struct pw_key){ UINT64_MAX, UINT64_MAX } : daddr, { proto, dport } };
	return pw_keys_hash(keys, 2);
}

static bool exact_match(const struct pw_match *match, enum pw_field field)
{
	return match->op == PW_M_RANGES && match->fields[0] == field && match->n == 1 && !match->negate
		&& pw_range_exact(&match->u.ranges[0]);
}

uint64_t pw_rule_key(const struct pw_rules_rule *rule, bool *ret_indexable)
{
	struct pw_key daddr = { 0, 0 };
	bool has_daddr = false, has_proto = false, has_dport = false;
	uint64_t proto = 0, dport = 0;
	for (unsigned i = 0; i < rule->n_matches; i++) {
		const struct pw_match *match = &rule->matches[i];
		if (exact_match(match, PW_F_DADDR)) {
			daddr = match->u.ranges[0].lo;
			has_daddr = true;
		} else if (exact_match(match, PW_F_PROTO)) {
			proto = match->u.ranges[0].lo.lo;
			has_proto = true;
		} else if (exact_match(match, PW_F_DPORT)) {
			dport = match->u.ranges[0].lo.lo;
			has_dport = true;
		}
	}
	*ret_indexable = has_proto && has_dport;
	return pw_rule_key_of(daddr, !has_daddr, proto, dport);
}

static void index_chain(struct pw_rules *rules, struct pw_rules_chain *chain)
{
	size_t n = FIRST_BUCKETS;
	while (n < chain->n_rules)
		n *= 2;
	struct pw_rules_rule **buckets = pw_arena_array(rules->arena, n, sizeof(struct pw_rules_rule *));
	struct pw_rules_rule ***ends = pw_arena_array(rules->arena, n, sizeof(struct pw_rules_rule **));
	if (!buckets || !ends)
		return;
	for (size_t i = 0; i < n; i++)
		ends[i] = &buckets[i];
	struct pw_rules_rule **loose = &chain->loose;
	chain->loose = NULL;
	for (struct pw_rules_rule *rule = chain->first; rule; rule = rule->next) {
		bool indexable;
		uint64_t key = pw_rule_key(rule, &indexable);
		rule->same = NULL;
		struct pw_rules_rule ***end = indexable ? &ends[key & (n - 1)] : &loose;
		**end = rule;
		*end = &rule->same;
	}
	chain->buckets = buckets;
	chain->n_buckets = n;
}

static bool runs_before(const struct pw_rules_chain *a, const struct pw_rules_chain *b)
{
	return a->hook != b->hook ? a->hook < b->hook : a->prio < b->prio;
}

/* qsort is not stable, and chains of one priority run in the order they were read. */
static void sort_base(struct pw_rules_chain **base, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct pw_rules_chain *chain = base[i];
		size_t at = i;
		while (at > 0 && runs_before(chain, base[at - 1])) {
			base[at] = base[at - 1];
			at--;
		}
		base[at] = chain;
	}
}

int pw_rules_finish(struct pw_rules *rules, struct pw_err *err)
{
	enum { BASE_MAX = 4096 }; /* a hook of the kernel holds at most 1024 (MAX_HOOK_COUNT) */
	size_t n_base = 0;
	for (struct pw_rules_chain *chain = rules->chains; chain; chain = chain->next) {
		if (!chain->native && chain->hook == PW_HOOK_NONE)
			set_builtin(chain);
		n_base += chain->hook != PW_HOOK_NONE;
		if (chain->renumber)
			renumber(chain);
		if (chain->dirty && chain->n_rules >= INDEX_FROM)
			index_chain(rules, chain);
		chain->dirty = false;
	}
	if (n_base > BASE_MAX)
		return pw_err_set(err, PW_NOMEM, "these rules have %zu base chains, more than the %d that are read", n_base, BASE_MAX);
	struct pw_rules_chain **base = pw_arena_array(rules->arena, n_base + 1, sizeof(struct pw_rules_chain *));
	if (!base || pw_arena_failed(rules->arena))
		return pw_err_set(err, PW_NOMEM, "cannot keep these rules: out of memory");
	size_t n = 0;
	for (struct pw_rules_chain *chain = rules->chains; chain; chain = chain->next)
		if (chain->hook != PW_HOOK_NONE)
			base[n++] = chain;
	sort_base(base, n);
	rules->base = base;
	rules->n_base = n;
	return PW_OK;
}

bool pw_rules_has_table(const struct pw_rules *rules, enum pw_rules_backend backend, enum pw_family family, const char *table)
{
	for (const struct pw_rules_chain *chain = rules->chains; chain; chain = chain->next)
		if (chain->backend == backend && chain->family == family && !chain->native && strcmp(chain->table, table) == 0)
			return true;
	return false;
}

size_t pw_rules_count(const struct pw_rules *rules)
{
	return rules ? rules->n_rules : 0;
}

size_t pw_rules_chain_count(const struct pw_rules *rules)
{
	return rules ? rules->n_declared : 0;
}

void pw_rules_problems(const struct pw_rules *rules, struct pw_val *ret)
{
	for (size_t i = 0; i < pw_val_count(rules->problems); i++)
		pw_seq_add_str(ret, pw_val_text(pw_val_at(rules->problems, i)));
}

/* `family` PW_FAM_ANY: of any */
static bool has_chain(const struct pw_rules *rules, unsigned wanted, const char *table, const char *name)
{
	static const enum pw_rules_backend backends[] = { PW_RULES_NFT, PW_RULES_LEGACY, PW_RULES_TEXT };
	for (size_t b = 0; b < sizeof backends / sizeof *backends; b++) {
		for (unsigned family = PW_FAM_ANY; family <= PW_FAM_ARP; family++) {
			if (wanted != PW_FAM_ANY && family != wanted && family != PW_FAM_ANY)
				continue;
			const struct pw_rules_chain *chain = pw_rules_chain_find(rules, backends[b], (enum pw_family)family, table, name);
			if (chain && (chain->declared || chain->n_rules > 0))
				return true;
		}
	}
	return false;
}

bool pw_rules_has_chain(const struct pw_rules *rules, const char *table, const char *name)
{
	const char *space = strchr(table, ' ');
	if (!rules)
		return false;
	if (!space)
		return has_chain(rules, PW_FAM_ANY, table, name);
	enum pw_family family = pw_family_of(table, (size_t)(space - table));
	return family != PW_FAM_ANY && has_chain(rules, family, space + 1, name);
}
